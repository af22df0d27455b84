"""The names of `autograd.core`: both modes on functions of one argument, rules, vector spaces."""

from __future__ import annotations

from .registered import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    primitive,
)
from .running import pulled as make_vjp
from .running import pushed as make_jvp
from .spaces import VSpace, vspace
from .tracer import Box, Node, getval, isbox

__all__ = [
    "Box",
    "JVPNode",
    "Node",
    "VJPNode",
    "VSpace",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "getval",
    "isbox",
    "make_jvp",
    "make_vjp",
    "primitive",
    "vspace",
]


class VJPNode(Node):
    """A place in the graph of reverse mode, for `register_notrace`."""


class JVPNode(Node):
    """A value with its tangent, for `register_notrace`."""
