"""HIPS autograd's names on our engine: `import autograd` in unchanged code can mean this.

>>> from qiudao.interop import autograd
>>> with autograd.installed():
...     from autograd import grad
...     import autograd.numpy as anp
>>> float(grad(lambda x: anp.sin(x) * x)(0.0))
0.0

Modules and functions are those of autograd 1.9; docs/migrating.md says what differs.
"""

from __future__ import annotations

from .builtins import dict, isinstance, list, tuple, type
from .compiled import compiled_report
from .differential_operators import (
    checkpoint,
    deriv,
    egrad,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_jvp_reversemode,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)
from .installing import install, installed, uninstall
from .registered import primitive

__version__ = "1.9.1"  # of the interface that this stands for

__all__ = [
    "checkpoint",
    "compiled_report",
    "deriv",
    "dict",
    "egrad",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "install",
    "installed",
    "isinstance",
    "jacobian",
    "list",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_jvp_reversemode",
    "make_vjp",
    "multigrad_dict",
    "primitive",
    "tensor_jacobian_product",
    "tuple",
    "type",
    "uninstall",
    "value_and_grad",
    "vector_jacobian_product",
]
