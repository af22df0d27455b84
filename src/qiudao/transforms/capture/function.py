"""`captured`: a function whose decisions on traced values become structured control flow."""

from __future__ import annotations

import builtins
import functools
import inspect
import types
from collections.abc import Callable, Sequence
from types import CellType, CodeType, FunctionType, MethodType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ...core.errors import TraceError
from ...core.source import PACKAGE
from . import branch, conditions, courses, finishing, loops, outcomes, touching, trial, writes
from .calls import replaced
from .columns import columns
from .compiling import compile_function
from .effects import check_call, is_plain_function
from .nodes import below, copied
from .outcomes import CaptureError, end_trial
from .owners import is_foreign
from .rewrite import rewritten
from .sites import Site, Sites
from .source import Function, Mangle, find
from .state import regions, unknown

HIGHER = {
    map, filter, sorted, max, min, functools.reduce, functools.partial, np.vectorize,
    np.apply_along_axis, np.frompyfunc,
}  # fmt: skip


class Template(NamedTuple):
    """The rewritten code of a function, and its sites; no code where there is no source."""

    code: CodeType | None
    sites: Sequence[Site]
    reason: str = ""
    plain: bool = False  # whether it only computes


_templates: dict[tuple[CodeType, str], Template] = {}
_ours: dict[CodeType, bool] = {}  # codes that are rewritten already, and whether they only compute


class Capture:
    """A way of rewriting functions, which knows what is called in place of functions of Python."""

    def __init__(
        self,
        instead: Callable[[Any], Callable[..., Any] | None],
        is_left: Callable[[FunctionType], bool] = is_foreign,
    ) -> None:
        self.instead = instead
        self.is_left = is_left  # whether a function is called as it is
        self.runtime = CellType(
            SimpleNamespace(
                unknown=unknown,
                branch=branch.branch,
                finish=finishing.finish,
                finish_loop=finishing.finish_loop,
                returned=outcomes.returned,
                Return=outcomes.Return,
                BREAK=outcomes.BREAK,
                CONTINUE=outcomes.CONTINUE,
                CaptureError=CaptureError,
                refuse_block=outcomes.refuse_block,
                refuse_raise=outcomes.refuse_raise,
                refuse_assert=outcomes.refuse_assert,
                rounds=courses.rounds,
                steps=courses.steps,
                tried=trial.tried,
                through=self.through,
                loop=loops.loop,
                choose=conditions.choose,
                both=conditions.both,
                either=conditions.either,
                negation=conditions.negation,
                chain=conditions.chain,
                slice=builtins.slice,
                getitem=writes.getitem,
                setitem=writes.setitem,
                store=writes.store,
                inplace=writes.inplace,
                part=writes.part,
                renewed=writes.renewed,
                into=writes.into,
                within=self.within,
                itself=self.itself,
                owner=touching.owner,
                touched=touching.touched,
                shown=touching.shown,
                outside=touching.outside,
                added=touching.added,
                store_attribute=touching.store_attribute,
                call=self.call,
                seen=writes.seen,
            )
        )

    def __call__(self, f: Any) -> Any:
        """What is called in place of `f`."""
        kind = type(f)
        if kind is FunctionType:
            return f if self.is_left(f) else self.instance(f)
        if kind is MethodType:
            inner = self(f.__func__)
            return f if inner is f.__func__ else MethodType(inner, f.__self__)
        if kind is functools.partial:
            return functools.partial(self(f.func), *f.args, **f.keywords)
        if isinstance(f, type) or kind in (types.BuiltinFunctionType, types.BuiltinMethodType):
            return f
        method = inspect.getattr_static(kind, "__call__", None)
        if type(method) is FunctionType and not self.is_left(method):
            return MethodType(self.instance(method), f)
        return f

    def instance(self, f: FunctionType) -> Any:
        """A function rewritten, with the closure, globals and defaults of `f`."""
        code = f.__code__
        if code in _ours:
            check_plain(f, _ours[code])
            return f
        key = (code, code.co_filename)  # equal code may stand in two files
        template = _templates.get(key)
        if template is None:
            template = _templates[key] = make(code)
        check_plain(f, template.plain)
        if template.code is None:
            return explained(f, template.reason) if template.reason else f
        closure = dict(zip(code.co_freevars, f.__closure__ or (), strict=True))
        closure[".rt"] = self.runtime
        closure[".sites"] = CellType(template.sites)
        new = FunctionType(
            template.code, f.__globals__, f.__name__, f.__defaults__,
            tuple(closure[n] for n in template.code.co_freevars),
        )  # fmt: skip
        new.__kwdefaults__ = f.__kwdefaults__
        for name in functools.WRAPPER_ASSIGNMENTS:  # annotations unevaluated where they can be
            setattr(new, name, getattr(f, name))
        new.__dict__.update(f.__dict__)
        return new

    def call(self, f: Any) -> Any:
        """What rewritten code calls in place of `f`."""
        if regions.trials:
            f = check_call(f)
        elif touching.is_watched():
            f = touching.touching(f)
        kind = type(f)
        if kind is FunctionType:
            if not self.is_left(f):
                return self.instance(f)
            found = self.instead(f)
            if found is not None:
                return found
            return self.lifting(f) if f.__code__.co_filename.startswith(PACKAGE) else f
        found = self.instead(f)
        if found is not None:
            return self.lifting(found) if f in HIGHER else found
        if kind is types.BuiltinMethodType and f.__name__ == "get" and isinstance(f.__self__, dict):
            return writes.looking_up(f)
        if kind is type or kind is types.BuiltinFunctionType:
            return self.lifting(f) if f in HIGHER else f
        return self(f)

    def within(self, f: Any) -> Any:
        """What is called in place of a function that may write into its first argument."""
        return writes.within(f, self.call(f))

    def itself(self, method: str) -> Any:
        """What is called in place of a method that may write into its array."""
        return writes.itself(method, self.call)

    def through(self, f: Any, *args: Any, **options: Any) -> Any:
        """What a loop goes through that is given a call of `zip`, `enumerate` or `reversed`."""
        found = columns(f, args, options)
        return self.call(f)(*args, **options) if found is None else found

    def lifting(self, f: Any) -> Any:
        """A function of functions, which is given captured ones."""

        @functools.wraps(f, updated=())
        def called(*args: Any, **kwargs: Any) -> Any:
            given = {k: self.lifted(v) for k, v in kwargs.items()}
            return f(*map(self.lifted, args), **given)

        return called

    def lifted(self, x: Any) -> Any:
        """A function captured, or what stands for it; anything else as it is."""
        if isinstance(x, FunctionType | MethodType | functools.partial):
            return self(x)
        found = self.instead(x) if isinstance(x, type | types.BuiltinFunctionType) else None
        return x if found is None else found


def check_plain(f: FunctionType, plain: bool) -> None:
    """End the trial of a loop that calls a function which may do more than compute."""
    if regions.trials and not plain:
        end_trial(f"{f.__qualname__} may do more than compute")


def make(code: CodeType) -> Template:
    """Rewrite a function's source."""
    found = find(code)
    if found is None:
        return Template(None, [], "its source is not to be had")
    node = copied(found.node)
    if found.owner is not None:
        Mangle(found.owner).visit(node)
    flags = code.co_flags
    whole = is_plain_function(node)
    plain: dict[tuple[str, int], bool] = {}  # by name and line, of the functions within it
    for each in below(node):
        if isinstance(each, Function):
            at = getattr(each, "name", "<lambda>"), each.lineno
            own = whole if each is node else is_plain_function(each)
            plain[at] = plain.get(at, True) and own
    sites = Sites(functools.partial(note, plain=plain))
    new = rewritten(node, frozenset(code.co_freevars), code.co_filename, flags, sites)
    made = compile_function(
        new, code.co_freevars, code.co_filename, flags, code.co_qualname
    )  # fmt: skip
    note(made, plain)
    return Template(made, sites, plain=whole)


def note(code: CodeType, plain: dict[tuple[str, int], bool]) -> None:
    """Remember that this code is rewritten, and the code within it, but for that of classes."""
    _ours[code] = plain.get((code.co_name, code.co_firstlineno), False)
    for each in code.co_consts:
        if isinstance(each, CodeType) and each.co_flags & inspect.CO_NEWLOCALS:
            note(each, plain)


def explained(f: FunctionType, reason: str) -> Any:
    """A function that cannot be captured, whose refusals say why."""

    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return f(*args, **kwargs)
        except CaptureError:
            raise
        except TraceError as error:
            raise CaptureError(
                f"{error}.  {f.__qualname__} could not be captured: {reason}"
            ) from error

    _ours[called.__code__] = False
    return functools.wraps(f)(called)


_capture = Capture(lambda f: replaced.get(id(f)))


def captured(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with its `if`, `while`, `for`, `and`, `return`... on traced values captured.

    It has the same signature, closure and globals, and on known values does what `f` does.  Where
    its source is not to be had it is `f`, which refuses such values.

    >>> f = captured(lambda x: x if x > 0 else -x)
    >>> f(-2)
    2
    """
    found: Callable[..., Any] = _capture(f)
    return found
