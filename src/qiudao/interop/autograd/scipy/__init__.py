"""`autograd.scipy`: the parts of SciPy that HIPS autograd differentiates, and the rest as it is."""

from . import integrate as integrate
from . import linalg as linalg
from . import misc as misc
from . import signal as signal
from . import special as special
from . import stats as stats

__all__ = ["integrate", "linalg", "misc", "signal", "special", "stats"]
