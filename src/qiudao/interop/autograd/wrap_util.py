"""From operators on functions of one argument to operators on functions of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .compiled import watched
from .running import capturable

Function = Callable[..., Any]


def subvals(x: Sequence[Any], ivs: Iterable[tuple[int, Any]]) -> tuple[Any, ...]:
    """`x` as a tuple, with the entries of (index, value) pairs replaced."""
    changed = list(x)
    for i, v in ivs:
        changed[i] = v
    return tuple(changed)


def check_argnum(argnum: Any) -> None:
    """Refuse what names no argument."""
    if type(argnum) not in (int, tuple, list):
        raise TypeError(
            f"argnum: {argnum!r} is no position of an argument; give an integer, or a tuple of them"
        )


def chosen(args: tuple[Any, ...], argnum: Any) -> Any:
    """The argument that `argnum` names, or a tuple of them."""
    return args[argnum] if isinstance(argnum, int) else tuple(args[n] for n in argnum)


def unary_to_nary(unary_operator: Function) -> Callable[..., Function]:
    """Let an operator on functions of one argument take `argnum` and functions of many.

    `unary_operator(fun, x, *more)` becomes `operator(fun, argnum=0, *more)(*args, **kwargs)`.
    With a tuple or list of argument numbers, `x` is the tuple of those arguments.
    """

    def nary_operator(fun: Function, argnum: Any = 0, *more: Any, **named: Any) -> Function:
        check_argnum(argnum)

        @wrap_nary_f(fun, unary_operator, argnum)
        def nary_f(*args: Any, **kwargs: Any) -> Any:
            def unary_f(x: Any) -> Any:
                pairs: Iterable[Any] = [(argnum, x)] if isinstance(argnum, int) else zip(argnum, x)
                return capturable(fun)(*subvals(args, pairs), **kwargs)

            return unary_operator(unary_f, chosen(args, argnum), *more, **named)

        return nary_f

    return wraps(unary_operator)(nary_operator)


def wraps(
    fun: Any, namestr: str = "{fun}", docstr: str = "{doc}", **kwargs: Any
) -> Callable[[Function], Function]:
    """Give a function another's name and docstring, by the templates `namestr` and `docstr`."""

    def give(f: Function) -> Function:
        names = {"fun": get_name(fun), "doc": get_doc(fun), **kwargs}
        f.__name__ = namestr.format(**names)
        f.__doc__ = docstr.format(**names)
        return f

    return give


def wrap_nary_f(fun: Function, op: Function, argnum: Any) -> Callable[[Function], Function]:
    """Name a derived function after its operator and its argument; compile it where that is on."""
    name, operator = get_name(fun), get_name(op)

    def give(derived: Function) -> Function:
        derived.__name__ = f"{operator}_of_{name}_wrt_argnum_{argnum}"
        derived.__doc__ = (
            f"The {operator} of {name} in its argument number {argnum}, with its arguments."
        )
        return watched(derived, (fun, op), operator, argnum)

    return give


def get_name(f: Any) -> str:
    """The name of a function, if it has one."""
    return str(getattr(f, "__name__", "[unknown name]"))


def get_doc(f: Any) -> str:
    """The docstring of a function, if it has one."""
    return getattr(f, "__doc__", "") or ""
