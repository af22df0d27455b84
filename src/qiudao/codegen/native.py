"""Which equations have a native form; the others NumPy computes, between native segments."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from ..core.avals import Aval, Dtype, aval_of
from ..core.families import Elementwise
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.program import Program, inner_programs, operands_of
from ..ops.control import Rows, Scan, Switch, While
from ..ops.indexing import Place
from ..ops.shaping import Cast, Concatenate
from ..ops.writing import SetItem
from .code import INTERLEAVED, TYPES, Code, Module
from .element import Lane, NoNativeForm, Scalars, constant
from .kernels.table import kernel_for
from .maps import VIEWS
from .picks import is_picked
from .plan import REDUCTIONS

ALIKE = {"add", "subtract", "multiply", "divide"}  # whose code is of one form for all constants
MOVES = (*VIEWS, Place, SetItem, Concatenate, Cast)
PLAIN = (*MOVES, *REDUCTIONS)
FUSED = (Elementwise, *PLAIN)


def is_fused(equation: Equation) -> bool:
    """Whether an equation is computed by the fused loops."""
    return isinstance(equation.primitive, FUSED) or is_picked(equation)


def obstacle(equation: Equation) -> str | None:
    """Why an equation has no native form; None where it has one."""
    primitive = equation.primitive
    if isinstance(primitive, Part):
        return None
    operands = operands_of(equation)
    avals = tuple(map(aval_of, operands))
    if isinstance(primitive, Scan | While | Switch | Rows):
        carried = untyped(a.dtype for a in (*avals, *primitive.shape()))
        return carried or next(filter(None, map(obstacle_within, inner_programs(primitive))), None)
    if isinstance(primitive, Elementwise):
        values = tuple([None if a.shape or isinstance(x, Node) else x
                        for x, a in zip(operands, avals, strict=True)])  # fmt: skip
        return element_obstacle(primitive, avals, values, equation.dtype)
    dtypes = [a.dtype for a in avals] + ([] if equation.is_several else [equation.dtype])
    found = untyped(dtypes)
    if found is not None:
        return found
    if isinstance(primitive, PLAIN):
        return None
    stated: Any = primitive.shape(*avals)
    results = (stated,) if isinstance(stated, Aval) else tuple(stated)
    if not all(has_type(aval.dtype) for aval in results):
        return "a result of a type that machine code has not"
    if kernel_for(primitive, avals, results) is None:
        return f"{primitive.name} has no native form for {', '.join(map(str, avals))}"
    return None


def obstacle_within(program: Program) -> str | None:
    """Why a body has no native form; None where it has one."""
    return next(filter(None, map(obstacle, program.equations)), None)


@functools.cache
def has_type(dtype: Dtype) -> bool:
    """Whether machine code has numbers of this dtype, in the byte order of this machine."""
    key = f"{dtype.kind}{dtype.itemsize}"
    return dtype.isnative and (key in TYPES or key in INTERLEAVED)


_obstacles: dict[Any, str | None] = {}


def untyped(dtypes: Iterable[Dtype]) -> str | None:
    """The first of these types that machine code has not, as a reason; None where it has all."""
    missing = (f"{d} is no type of machine code" for d in dtypes if not has_type(d))
    return next(missing, None)


def element_obstacle(
    primitive: Elementwise, avals: tuple[Aval, ...], values: tuple[Any, ...], dtype: Dtype
) -> str | None:
    """Why scalar code cannot be written for operands of these types, found by trying."""
    key = () if primitive.name in ALIKE else tuple(map(repr, values))
    called = primitive, tuple([(a.dtype, a.weak) for a in avals]), key
    if called not in _obstacles:
        reason = untyped([*(a.dtype for a in avals), dtype])
        _obstacles[called] = reason or try_element(primitive, avals, values)
    return _obstacles[called]


def try_element(
    primitive: Elementwise, avals: tuple[Aval, ...], values: tuple[Any, ...]
) -> str | None:
    """Write scalar code into a module that is thrown away."""
    scalars = Scalars(Code(scratch_module()))
    lanes = [
        Lane(("%x", "%y") if a.dtype.kind == "c" else "%x", a.dtype) if v is None else constant(v)
        for a, v in zip(avals, values, strict=True)
    ]
    try:
        made = primitive.element(scalars, *lanes)
    except NoNativeForm as reason:
        return str(reason)
    return f"{primitive.name} has no scalar code" if made is NotImplemented else None


@functools.cache
def scratch_module() -> Module:
    """Where code goes that is written to see whether it can be."""
    module = Module()
    module.widest = 0
    return module
