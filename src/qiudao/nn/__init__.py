"""Networks: modules whose attributes are the model, layers, activations, losses, initial values."""

from .activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from .attention import MultiheadAttention, attention
from .calling import functional_call
from .convolutions import Conv1d, Conv2d
from .dropout import Dropout
from .initial import kaiming_normal, kaiming_uniform, orthogonal, xavier_normal, xavier_uniform
from .linear import Embedding, Linear
from .losses import binary_cross_entropy_with_logits, cross_entropy, huber, kl_div, mse
from .module import Module, parameter, stack, tree_map
from .norms import BatchNorm1d, BatchNorm2d, LayerNorm
from .pools import AdaptiveAvgPool, AvgPool, MaxPool
from .recurrent import GRU, LSTM, RNN
from .sequential import Sequential

__all__ = [
    "AdaptiveAvgPool",
    "AvgPool",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "Dropout",
    "Embedding",
    "GRU",
    "LSTM",
    "LayerNorm",
    "Linear",
    "MaxPool",
    "Module",
    "MultiheadAttention",
    "RNN",
    "Sequential",
    "attention",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "elu",
    "functional_call",
    "gelu",
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
