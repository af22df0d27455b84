"""Optimisers: torch's classes for the tape, pure rules for transforms, schedules and clipping."""

from . import lr_scheduler, schedules
from .clipping import clip_by_norm, clip_by_value, clip_grad_norm_, clip_grad_value_, global_norm
from .descent import SGD, Adam, AdamW, RMSprop
from .lbfgs import LBFGS
from .optimizer import Optimizer
from .rules import Rule, adam, adamw, rmsprop, sgd

__all__ = [
    "Adam",
    "AdamW",
    "LBFGS",
    "Optimizer",
    "RMSprop",
    "Rule",
    "SGD",
    "adam",
    "adamw",
    "clip_by_norm",
    "clip_by_value",
    "clip_grad_norm_",
    "clip_grad_value_",
    "global_norm",
    "lr_scheduler",
    "rmsprop",
    "schedules",
    "sgd",
]
