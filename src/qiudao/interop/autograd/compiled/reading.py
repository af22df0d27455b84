"""What a function reads besides its arguments.

A compiled function keeps what it read when it was traced, so one may only be used for as long as
all of that is the same.  `read` goes through the closure of a function, the globals it names, the
attributes that any of its code names, and the functions that it calls.  It ends with an
`UnsettledError` where something lies there that may change unseen, or where the code does more than
compute.
"""

from __future__ import annotations

import builtins
import enum
import functools
import hashlib
import sys
import types
from collections.abc import Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ....core.dispatch import Tracer
from ....core.source import PACKAGE
from ..registered import Rules
from .names import names_of
from .watching import MISSING, Watch, contents, flat

LARGEST = 1 << 24  # bytes of an array that is compared at each call
GETATTR = "getattr"
MOST = 20_000  # places that are looked at

# Libraries whose functions give the same for the same arguments, and are not looked into.
LIBRARIES = {
    *("numpy", "scipy", "pandas", "autograd", "math", "cmath", "operator", "itertools"),
    *("functools", "collections", "typing", "types", "numbers", "copy", "warnings", "abc", "enum"),
    *("string", "re", "dataclasses", "inspect", "textwrap", "contextlib", "typing_extensions"),
    *(
        "builtins",
        "fractions",
        "decimal",
        "statistics",
        "bisect",
        "heapq",
        "_operator",
        "_functools",
    ),
    *("_bisect", "_heapq", "_collections", "_abc"),
}
IMPURE = {
    *("print", "input", "open", "exec", "eval", "next", "globals", "locals", "setattr"),
    *("delattr", "id", "breakpoint", "compile", "__import__"),
}
_IMPURE = {getattr(builtins, name) for name in IMPURE if hasattr(builtins, name)}
_ATOMS = (bool, int, str, bytes, type(None), type(...), range, np.dtype, enum.Enum)
_INEXACT = (float, complex)
_PURE = (np.ufunc, types.MethodDescriptorType, types.WrapperDescriptorType)
_NOT_READ = {
    *("__repr__", "__str__", "__format__", "__reduce__", "__reduce_ex__", "__getstate__"),
    *(
        "__new__",
        "__init__",
        "__setstate__",
        "__del__",
        "__dir__",
        "__sizeof__",
        "__init_subclass__",
        "__setattr__",
    ),
}
_OURS = __name__.partition(".")[0]


class UnsettledError(Exception):
    """Why a function cannot be known to do the same at each call."""


class Reads(NamedTuple):
    """What a function reads: equal fingerprints mean that equal functions read equal values."""

    fingerprint: tuple[Any, ...]
    watch: Watch


def read(*roots: Any) -> Reads:
    """What these functions read together."""
    names: frozenset[str] = frozenset()
    while True:
        reader = Reader(names)
        for root in roots:
            reader.visit(root, "the function")
        if reader.names == names:
            return Reads(tuple(reader.tokens), reader.watch)
        names = frozenset(reader.names)


class Reader:
    """One walk through everything that can be reached by the attributes that are known so far."""

    def __init__(self, names: Iterable[str]) -> None:
        self.known = sorted(names)
        self.all_known = GETATTR in self.known  # whose argument may be put together
        self.names = set(names)
        self.seen: dict[int, int] = {}
        self.kept: list[Any] = []  # so that no `id` is given away again
        self.tokens: list[Any] = []
        self.watch = Watch()

    def visit(self, x: Any, where: str) -> None:
        """Go through a value, which was found at a place."""
        if isinstance(x, _ATOMS):
            self.tokens.append((type(x), x))
        elif isinstance(x, _INEXACT):
            self.tokens.append((type(x), repr(x)))
        elif isinstance(x, np.generic) and not isinstance(x, np.object_):
            self.tokens.append((type(x), x.tobytes()))
        elif id(x) in self.seen:
            self.tokens.append(("again", self.seen[id(x)]))
        else:
            if len(self.kept) == MOST:
                raise UnsettledError(f"it reaches more than {MOST} values, the last by {where}")
            self.seen[id(x)] = len(self.kept)
            self.kept.append(x)
            self.enter(x, where)

    def enter(self, x: Any, where: str) -> None:
        """Go through a value that was not met before."""
        if isinstance(x, Tracer):
            raise UnsettledError(f"{where} is a tensor, which gets a gradient of its own")
        if isinstance(x, np.ndarray):
            self.array(x, where)
        elif isinstance(x, FunctionType):
            self.function(x, where)
        elif isinstance(x, MethodType):
            self.visit(x.__func__, where)
            self.visit(x.__self__, f"the instance of {where}")
        elif isinstance(x, functools.partial):
            self.visit((x.func, x.args, x.keywords), where)
        elif isinstance(x, ModuleType):
            self.module(x, where)
        elif isinstance(x, list | tuple | set | frozenset | dict):
            self.container(x, where)
        elif isinstance(x, property):
            self.visit(x.fget, where)
        elif isinstance(x, staticmethod | classmethod):
            self.visit(x.__func__, where)
        elif isinstance(x, functools.cached_property):
            self.visit(x.func, where)
        elif isinstance(x, type):
            self.type(x)
        else:
            self.other(x, where)

    def array(self, x: np.ndarray[Any, Any], where: str) -> None:
        """An array: its contents count."""
        if type(x) is not np.ndarray or x.dtype.hasobject:
            raise UnsettledError(f"{where} is an array of {type(x).__name__} or of objects")
        if x.nbytes > LARGEST:
            raise UnsettledError(f"{where} is an array of {x.nbytes >> 20} MiB, which may change")
        kept = x.tobytes()
        self.watch.arrays.append((x, x.shape, kept))
        self.tokens.append((x.shape, x.dtype, hashlib.blake2b(kept).digest()))

    def function(self, f: FunctionType, where: str) -> None:
        """A function: its code and what that names."""
        code = f.__code__
        self.tokens.append((code, code.co_filename))
        rules = getattr(f, "rules", None)
        if isinstance(rules, Rules):  # made by `primitive`
            self.visit((getattr(f, "fun", None), rules.vjps, rules.jvps), where)
            return
        ours = code.co_filename.startswith(PACKAGE)
        if not ours and is_library(f.__module__):
            self.refuse_random(f.__module__, where)
            return
        for name, cell in zip(code.co_freevars, f.__closure__ or ()):
            value = contents(cell)
            self.watch.cells.append((cell, value))
            self.visit_unless_missing(value, name)
            self.constructor(value)
        if ours:
            return
        if (f.__module__ or "").partition(".")[0] in sys.stdlib_module_names:
            raise UnsettledError(f"it calls {f.__module__}.{f.__qualname__}")
        named = names_of(code)
        if named.stores is not None:
            raise UnsettledError(f"{f.__qualname__} {named.stores}")
        if named.outer:
            raise UnsettledError(
                f"{f.__qualname__} assigns to {min(named.outer)}, a variable of the function "
                "around it"
            )
        self.names |= named.attributes
        if GETATTR in named.globals:
            self.names.add(GETATTR)
        if "__dict__" in named.attributes or "vars" in named.globals:
            raise UnsettledError(f"{f.__qualname__} reads all attributes of an object")
        for name in named.globals:
            value = f.__globals__.get(name, MISSING)
            self.watch.entries.append((f.__globals__, name, value))
            value = getattr(builtins, name, MISSING) if value is MISSING else value
            self.visit_unless_missing(value, name)
            if name in named.whole:
                self.constructor(value)
        for name in named.imports:
            self.visit_unless_missing(sys.modules.get(name, MISSING), name)
        self.visit((f.__defaults__, f.__kwdefaults__), f"a default of {f.__qualname__}")
        self.attributes(f.__dict__, f.__qualname__)

    def visit_unless_missing(self, value: Any, where: str) -> None:
        """Go through the value of a variable, which may not have one yet."""
        if value is MISSING:
            self.tokens.append("missing")
        else:
            self.visit(value, where)

    def attributes(self, found: Mapping[str, Any], owner: str) -> None:
        """Those attributes in a dictionary that some of the code names, or may name."""
        for name in sorted(found) if self.all_known else self.known:
            if name in found:
                self.tokens.append(name)
                self.watch.entries.append((found, name, found[name]))
                self.visit(found[name], f"{owner}.{name}")
                self.constructor(found[name])

    def module(self, x: ModuleType, where: str) -> None:
        """A module: a library is taken as it is, another for the names that the code reads."""
        self.tokens.append(x.__name__)
        if x.__name__.partition(".")[0] == _OURS or is_library(x.__name__):
            self.refuse_random(x.__name__, where)
            if "random" in self.names and hasattr(x, "random"):
                raise UnsettledError(f"it draws from {x.__name__}.random, or may")
        elif x.__name__.partition(".")[0] in sys.stdlib_module_names:
            raise UnsettledError(f"it calls the module {x.__name__}")
        else:
            self.attributes(vars(x), x.__name__)

    def refuse_random(self, module: str, where: str) -> None:
        """End at a module that draws numbers."""
        if "random" in module.split("."):
            raise UnsettledError(f"{where} is of {module}, whose draws differ")

    def container(self, x: Any, where: str) -> None:
        """A container: which elements it has counts, and what they are."""
        self.tokens.append((type(x), len(x)))
        inside = f"an element of {where}"
        if isinstance(x, dict):
            elements = flat(x)
            self.watch.dicts.append((x, elements))
        elif isinstance(x, set | frozenset):
            elements = tuple(sorted(x, key=repr))
            self.watch.lists.append((x, tuple(x)))
        else:
            elements = tuple(x)
            if isinstance(x, list):
                self.watch.lists.append((x, elements))
        for each in elements:
            self.visit(each, inside)
            self.constructor(each)

    def type(self, kind: Any) -> None:
        """A class: those of its methods and values that some of the code names."""
        self.tokens.append(kind)
        for each in kind.__mro__:
            if is_library(each.__module__):
                continue
            found = vars(each)
            for name in sorted(found):
                special = name.startswith("__")
                method = special and isinstance(found[name], FunctionType) and name not in _NOT_READ
                if name in self.names or method or (self.all_known and not special):
                    self.tokens.append(name)
                    if not callable(found[name]):
                        self.watch.entries.append((found, name, found[name]))
                    self.visit(found[name], f"{each.__name__}.{name}")

    def constructor(self, x: Any) -> None:
        """What makes instances, of a class that may be called."""
        if isinstance(x, type):
            for each in x.__mro__:
                if not is_library(each.__module__):
                    for name in ("__new__", "__init__"):
                        if name in vars(each):
                            self.visit(vars(each)[name], f"{each.__name__}.{name}")

    def other(self, x: Any, where: str) -> None:
        """An object: by its attributes where its class is the user's; pure functions of C's."""
        kind = type(x)
        if isinstance(x, BuiltinFunctionType):
            if x in _IMPURE:
                raise UnsettledError(f"it calls {x.__name__}, or may")
            if not isinstance(x.__self__, ModuleType | None):
                self.visit(x.__self__, where)
            elif x.__module__ in sys.stdlib_module_names and not is_library(x.__module__):
                raise UnsettledError(f"it calls {x.__module__}.{x.__name__}")
            self.tokens.append(x)
        elif isinstance(x, _PURE) or kind.__name__ == "_ArrayFunctionDispatcher":
            self.tokens.append(x)
        elif kind.__module__.partition(".")[0] == _OURS:
            self.mine(x, where)
        elif hasattr(x, "__wrapped__") and callable(x):
            self.visit(x.__wrapped__, where)  # functools.lru_cache
        elif is_library(kind.__module__) or not hasattr(x, "__dict__") or slots(kind):
            raise UnsettledError(f"{where} is of {kind.__qualname__}, which may change unseen")
        else:
            self.visit(kind, where)
            self.watch.dicts.append((x.__dict__, flat(x.__dict__)))
            self.attributes(x.__dict__, where)

    def mine(self, x: Any, where: str) -> None:
        """One of qiudao's own objects, which stands for a function."""
        for name in ("f", "fun", "derived", "plain"):
            if callable(getattr(x, name, None)):
                self.tokens.append(type(x))
                self.visit(getattr(x, name), where)
                return
        raise UnsettledError(f"{where} is of {type(x).__qualname__}, which may change unseen")


def slots(kind: type) -> bool:
    """Whether instances have attributes beside their dictionary."""
    return any(vars(each).get("__slots__") for each in kind.__mro__)


def is_library(module: str | None) -> bool:
    """Whether a module belongs to a library that is not looked into."""
    return (module or "").partition(".")[0] in LIBRARIES
