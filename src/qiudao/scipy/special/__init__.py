"""SciPy's special functions, all of them, on arrays and on tensors.

SciPy's ufuncs take tensors as they are, and are handed on; those that are Python functions
(`logsumexp`, `polygamma`, `spherical_jn`...) are ours where a tensor is among the arguments.  What
each is differentiated by stands in docs/special.md.

>>> from qiudao.scipy import special
>>> qd.grad(lambda x: special.logsumexp(x))(np.array([0.0, 0.0]))
array([0.5, 0.5])
>>> qd.grad(special.logit)(0.5)
np.float64(4.0)
"""

from typing import Any

import scipy.special

from ...ops.special import declaring as declaring
from ...ops.special import families as families
from .gammas import (
    comb as comb,
)
from .gammas import (
    factorial as factorial,
)
from .gammas import (
    multigammaln as multigammaln,
)
from .gammas import (
    perm as perm,
)
from .gammas import (
    polygamma as polygamma,
)
from .gammas import (
    zeta as zeta,
)
from .sums import (
    log_softmax as log_softmax,
)
from .sums import (
    logsumexp as logsumexp,
)
from .sums import (
    sinc as sinc,
)
from .sums import (
    softmax as softmax,
)
from .sums import (
    softplus as softplus,
)
from .waves import (
    h1vp as h1vp,
)
from .waves import (
    h2vp as h2vp,
)
from .waves import (
    ivp as ivp,
)
from .waves import (
    jvp as jvp,
)
from .waves import (
    kvp as kvp,
)
from .waves import (
    lambertw as lambertw,
)
from .waves import (
    spherical_in as spherical_in,
)
from .waves import (
    spherical_jn as spherical_jn,
)
from .waves import (
    spherical_kn as spherical_kn,
)
from .waves import (
    spherical_yn as spherical_yn,
)
from .waves import (
    yvp as yvp,
)

__all__ = sorted({*scipy.special.__all__})  # where some stand twice


def __getattr__(name: str) -> Any:
    """What is not ours is SciPy's; of its ufuncs the one that tensors reach."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    ufunc = declaring.found(name)
    return getattr(scipy.special, name) if ufunc is None else ufunc


def __dir__() -> list[str]:
    return list(__all__)
