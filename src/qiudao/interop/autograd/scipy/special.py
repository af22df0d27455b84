"""`autograd.scipy.special`: the special functions of `qiudao.scipy.special`, all of SciPy's.

>>> from qiudao.interop.autograd import grad
>>> from qiudao.interop.autograd.scipy.special import gammaln, logsumexp
>>> grad(logsumexp)(np.array([1000.0, 1000.0]))
array([0.5, 0.5])
>>> float(grad(gammaln)(1.0).round(6))
-0.577216
"""

from __future__ import annotations

from typing import Any

import scipy.special as plain

from ....scipy import special as ours

__all__ = sorted(set(plain.__all__))


def __getattr__(name: str) -> Any:
    """A function of `qiudao.scipy.special`."""
    return getattr(ours, name)
