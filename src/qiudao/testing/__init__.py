"""For those who write rules: the checks that every primitive of ours passes."""

from .rules import check_rule, every_sample

__all__ = ["check_rule", "every_sample"]
