"""Networks: modules whose attributes are the model, layers, activations, losses, initial values."""

from .activations import (
    elu,
    gelu_tanh,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from .initial import kaiming_normal, kaiming_uniform, orthogonal, xavier_normal, xavier_uniform
from .linear import Embedding, Linear
from .losses import binary_cross_entropy_with_logits, cross_entropy, huber, kl_div, mse
from .module import Module, parameter, stack, tree_map
from .sequential import Sequential

__all__ = [
    "Embedding",
    "Linear",
    "Module",
    "Sequential",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "elu",
    "gelu_tanh",
    "huber",
    "kaiming_normal",
    "kaiming_uniform",
    "kl_div",
    "leaky_relu",
    "log_softmax",
    "mse",
    "orthogonal",
    "parameter",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "stack",
    "tanh",
    "tree_map",
    "xavier_normal",
    "xavier_uniform",
]
