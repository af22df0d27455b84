"""What the code of a function names: globals, attributes, outer variables, and what it stores."""

from __future__ import annotations

import dis
import functools
from types import CodeType
from typing import NamedTuple

_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME"}
_ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "IMPORT_FROM", "STORE_ATTR"}
_OUTER = {"STORE_DEREF", "DELETE_DEREF"}
_STORES = {
    "STORE_GLOBAL": "assigns to the global",
    "DELETE_GLOBAL": "deletes the global",
}


class Names(NamedTuple):
    """The names in a code object, those of the functions within it included."""

    globals: tuple[str, ...]
    whole: frozenset[str]  # the globals of which more than an attribute is read
    attributes: frozenset[str]
    imports: tuple[str, ...]
    stores: str | None  # to a global, in words
    outer: frozenset[str]  # the variables of functions around it that it assigns to


@functools.cache
def names_of(code: CodeType) -> Names:
    """What a function's code names.

    Strings in it that could be names count as attributes, for `getattr(x, "scale")` and patterns.
    """
    found: dict[str, None] = {}
    whole: set[str] = set()
    attributes: set[str] = set()
    imports: dict[str, None] = {}
    stores: str | None = None
    outer: set[str] = set()
    before: str | None = None  # a global that is on the stack
    for instruction in dis.get_instructions(code):
        if before is not None and instruction.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
            whole.add(before)
        before = instruction.argval if instruction.opname in _GLOBAL else None
        name = instruction.argval
        if instruction.opname in _GLOBAL:
            found[name] = None
        elif instruction.opname in _ATTRIBUTE:
            attributes.add(name)
        elif instruction.opname == "IMPORT_NAME":
            imports[name] = None
        elif instruction.opname in _STORES:
            stores = f"{_STORES[instruction.opname]} {name}"
        elif instruction.opname in _OUTER and name in code.co_freevars:
            outer.add(name)
    for constant in code.co_consts:
        if isinstance(constant, str | tuple):
            texts = constant if isinstance(constant, tuple) else (constant,)
            attributes.update(s for s in texts if isinstance(s, str) and s.isidentifier())
        elif isinstance(constant, CodeType):
            inner = names_of(constant)
            found.update(dict.fromkeys(inner.globals))
            whole |= inner.whole
            imports.update(dict.fromkeys(inner.imports))
            attributes |= inner.attributes
            stores = inner.stores or stores
            outer |= inner.outer.difference(code.co_cellvars)  # its own are no one else's
    return Names(
        tuple(found),
        frozenset(whole),
        frozenset(attributes),
        tuple(imports),
        stores,
        frozenset(outer),
    )
