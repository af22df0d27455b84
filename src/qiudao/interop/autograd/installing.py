"""Putting these modules where `import autograd` looks, and taking them away again."""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import qiudao as qd

from .compiled import compilation

OURS = __name__.rpartition(".")[0]
THEIRS = "autograd"


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `autograd` and what is below it in this package.

    A module has one copy under both names, so it is imported by its own name first.
    """

    def __init__(self) -> None:
        self.replaced: dict[str, ModuleType] = {}  # the real library's modules

    def find_spec(
        self, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != THEIRS and not fullname.startswith(f"{THEIRS}."):
            return None
        ours = OURS + fullname.removeprefix(THEIRS)
        found = importlib.util.find_spec(ours)
        if found is None:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=found.origin)
        spec.submodule_search_locations = found.submodule_search_locations
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(OURS + spec.name.removeprefix(THEIRS))
        self.own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.own  # the import system has set the other name's


_finder = Finder()


def install(jit: bool | int = False) -> None:
    """Let `import autograd` mean this package, until `uninstall`.

    Modules that have imported the real library before keep it; call this first.

    With `jit`, what `grad`, `value_and_grad`, `elementwise_grad`, `jacobian`, `hessian` and their
    kin make from then on is compiled by `qd.jit` when its calls with arguments of some types have
    taken 0.3 seconds, about as long as a compilation does, or at the call of the number that `jit`
    is, which is the same in every run.  A function that cannot be compiled, or of which it
    cannot be told whether it does the same at each call, stays as it is: `compiled_report()` says
    which, and why.  It needs the extra `jit`.

    >>> from qiudao.interop.autograd import install, uninstall
    >>> install()
    >>> import autograd.numpy as anp
    >>> float(anp.sqrt(4.0))
    2.0
    >>> uninstall()
    """
    if jit is not False:
        qd.jit(abs)  # raises where the extra is not installed
        compilation.on, compilation.after = True, None if jit is True else jit
    if _finder in sys.meta_path:
        return
    for name in modules():
        _finder.replaced[name] = sys.modules.pop(name)
    sys.meta_path.insert(0, _finder)


def uninstall() -> None:
    """Let `import autograd` mean the real library again, where it is installed."""
    compilation.clear()
    if _finder not in sys.meta_path:
        return
    sys.meta_path.remove(_finder)
    for name in modules():
        del sys.modules[name]
    sys.modules.update(_finder.replaced)
    _finder.replaced.clear()


def modules() -> list[str]:
    """The names below `autograd` that are imported now."""
    return [name for name in sys.modules if name == THEIRS or name.startswith(f"{THEIRS}.")]


@contextlib.contextmanager
def installed(jit: bool | int = False) -> Iterator[None]:
    """`install` within a `with` block."""
    install(jit)
    try:
        yield
    finally:
        uninstall()
