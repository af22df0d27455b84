"""Helpers around gradients: flattening, optimizers, fixed points."""

from .flatten import flatten

__all__ = ["flatten"]
