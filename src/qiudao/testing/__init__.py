"""For those who write rules: the checks that every primitive of ours passes."""

from .rules import RuleCheckError, check_rule, every_sample

__all__ = ["RuleCheckError", "check_rule", "every_sample"]
