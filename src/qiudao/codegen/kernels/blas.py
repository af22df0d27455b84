"""BLAS and LAPACK, called by address: SciPy's own, through the table it offers to Cython.

They take pointers to everything, and integers of 32 bits.
"""

from __future__ import annotations

import ctypes
import importlib
from functools import cache, partial

from ...core.avals import Dtype
from ..code import Code, Module, Register, floating, memory_type

LETTERS = {"f4": "s", "f8": "d", "c8": "c", "c16": "z"}
LIMIT = 2**31


def letter(dtype: Dtype) -> str | None:
    """What names of routines for this dtype start with; None where there are none."""
    return LETTERS.get(f"{dtype.kind}{dtype.itemsize}")


@cache
def address(name: str, library: str = "blas") -> int:
    """The address of a routine of `library`, "blas" or "lapack"."""
    table = importlib.import_module(f"scipy.linalg.cython_{library}").__pyx_capi__
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype = ctypes.c_void_p
    pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return int(pointer_of(table[name], name_of(table[name])))


@cache
def threads() -> int:
    """How many threads SciPy's BLAS may take, when first asked."""
    found = importlib.import_module("threadpoolctl").threadpool_info()
    return max((each["num_threads"] for each in found if each["user_api"] == "blas"), default=1)


def call(code: Code, library: str, name: str, *arguments: Register) -> None:
    """Call a routine; all of its arguments are pointers."""
    types = ", ".join(["ptr"] * len(arguments))
    full = f"@{library}.{name}"
    code.module.declare(full, f"declare void {full}({types})", partial(address, name, library))
    code.do(f"call void {full}({', '.join(f'ptr {a}' for a in arguments)})")


def integer(module: Module, value: int) -> Register:
    """A pointer to a constant integer."""
    name = f"@integer.{value}" if value >= 0 else f"@integer.minus.{-value}"
    return module.define(name, f"{name} = private constant i32 {value}")


def character(module: Module, value: str) -> Register:
    """A pointer to a constant letter."""
    name = f"@letter.{value}"
    return module.define(name, f"{name} = private constant i8 {ord(value)}")


def scalar(module: Module, value: float, dtype: Dtype) -> Register:
    """A pointer to a constant 0 or 1, or what else has a short name, of the dtype."""
    type_ = memory_type(dtype)
    name = f"@scalar.{letter(dtype)}.{value:g}"
    bits = floating(value, type_)
    if dtype.kind != "c":
        return module.define(name, f"{name} = private constant {type_} {bits}")
    pair = f"[{type_} {bits}, {type_} {floating(0.0, type_)}]"
    return module.define(name, f"{name} = private constant [2 x {type_}] {pair}")
