"""Derived functions as machine code: which, when, and why some are not."""

from .programs import Outcome, compilation, compiled_report
from .sites import watched

__all__ = ["Outcome", "compilation", "compiled_report", "watched"]
