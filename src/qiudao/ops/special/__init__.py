"""SciPy's special functions: a file for each family of them.

`families` imports all, and needs SciPy; it is imported when the first of them meets a tracer.
"""

from .base import Numeric, Special, Stepped, statements

__all__ = ["Numeric", "Special", "Stepped", "statements"]
