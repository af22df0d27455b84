"""Every family of SciPy's special functions: importing this, which needs SciPy, fills the table."""

from . import elementary, error, gamma
from .base import Special, Stepped, statements

Special.samples = tuple(
    s
    for each in statements.values()
    if each.slopes or each.reasons
    for s in each.samples
    if each.ufunc is not None
)
Stepped.samples = tuple(
    s for each in statements.values() if not (each.slopes or each.reasons) for s in each.samples
)

__all__ = ["elementary", "error", "gamma"]
