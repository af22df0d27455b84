"""NumPy's warnings, off while a rule computes: what it multiplies by may be infinite or NaN.

`np.errstate` does this too, at more than the price of a small product.  NumPy keeps what it warns
of in a context variable, so that to compute within a context in which all is ignored costs a call.
"""

from __future__ import annotations

import threading
from contextvars import Context

import numpy as np


class Quiet(threading.local):
    """The context of a thread; `run(f, *args)` calls NumPy's functions within it.

    Nothing that may come back here is to be run, nor a function of the user's, which may have
    context variables of its own.
    """

    def __init__(self) -> None:
        context = Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


quiet = Quiet()
