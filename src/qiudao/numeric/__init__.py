"""Derivatives from values alone, and the check of ours against them.

`derivative`, `gradient` and `jacobian` call a function on plain NumPy values, so they work where
nothing can be traced; `gradcheck` and `gradgradcheck` hold the derivatives of qiudao against them.
"""

from .check import gradcheck, gradgradcheck
from .derivatives import derivative, gradient, jacobian
from .differences import Estimate

__all__ = ["Estimate", "derivative", "gradcheck", "gradgradcheck", "gradient", "jacobian"]
