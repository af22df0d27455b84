"""`qd.graph`: hooks on the graph, and on how it is written."""

from ..core.node import Node
from .groups import register_multi_grad_hook
from .node_hooks import register_hook, register_prehook
from .saving import (
    disable_saved_tensors_hooks,
    node_creation_hook,
    save_in_float32,
    save_on_disk,
    saved_tensors_hooks,
)

__all__ = [
    "Node",
    "disable_saved_tensors_hooks",
    "node_creation_hook",
    "register_hook",
    "register_multi_grad_hook",
    "register_prehook",
    "save_in_float32",
    "save_on_disk",
    "saved_tensors_hooks",
]
