"""`autograd.scipy.misc`, which older code imports."""

from .special import logsumexp

__all__ = ["logsumexp"]
