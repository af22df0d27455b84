"""`autograd.scipy.misc`, which older code imports."""

from ....scipy.special import logsumexp

__all__ = ["logsumexp"]
