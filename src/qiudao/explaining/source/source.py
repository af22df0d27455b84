"""`qd.source`: what a function does, as NumPy source that runs by itself."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...compiling.arguments import Call, Static
from ...compiling.front import Jitted
from ...core.avals import aval_of
from ...core.errors import GradientError
from ...core.node import Equation, Node
from ...core.signatures import signature
from ...core.source import line_of, users
from ...core.trees import flatten
from ...transforms.derived import Chosen, Derivative
from ..compiled import argument_names
from ..witness import input_names
from . import control as control  # how loops and branches are written
from .code import NAME, Code
from .constants import array
from .lines import Statement, aligned
from .names import Names, identifier
from .preparing import Prepared, prepare
from .printing import library
from .writer import WIDTH, Scope, Writer

WRITTEN = 32  # elements of the user's arrays that are written above the function, not attached
LARGEST = 4096  # elements of other arrays that are
UNBROKEN = ",_"  # stands for a comma and a space that no line ends between
TITLES = {
    "grad": "The gradient of {f}",
    "value_and_grad": "The value and the gradient of {f}",
    "jacobian": "The Jacobian of {f}",
    "hessian": "The Hessian of {f}",
}


class Source(str):
    """The source of a function as text, which prints itself; `run` runs it.

    `arrays` are those that are too large to be written out: the text names them and says their
    types, and whoever runs it by itself provides them.
    """

    name: str
    arrays: dict[str, Any]
    jitted: Jitted

    def __repr__(self) -> str:
        return str(self)

    @property
    def function(self) -> Callable[..., Any]:
        """The function that the text defines."""
        space: dict[str, Any] = dict(self.arrays)
        exec(compile(self, f"<source of {self.name}>", "exec"), space)
        found: Callable[..., Any] = space[self.name]
        return found

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """What the text gives on these arguments, without warnings."""
        call = self.jitted.read(args, kwargs)
        built = call.tree.build(values_of(call))
        args, kwargs = built if kwargs else (built, {})
        with np.errstate(all="ignore"):
            return self.function(*args, **kwargs)


def source(f: Callable[..., Any]) -> Callable[..., Source]:
    """A function that prints what `f` does: called like `f`, it gives NumPy source.

    The source runs by itself: it imports NumPy, defines the few functions that NumPy lacks, and
    then `f` for arguments of these shapes and dtypes, with the user's names for values and beside
    each line the user's line that it comes from.  Of a derivative it is that derivative, written
    out: `h_grad` is the gradient by `h`.  It gives the numbers that `f` gives but for rounding.

    Arguments that are no data (integers, strings, functions) are part of the source, as they are
    for `qd.jit`, and so are branches that they decide; branches and loops on data are kept.  Where
    a simpler text gives the same on the given arguments, the text is the simpler one: it may differ
    where arguments are not finite, at eigenvalues that coincide, or where a mask hides an infinity.

    Raises `RuleError` for a primitive that NumPy cannot say, and what `qd.jit` raises of `f`.

    >>> def f(x):
    ...     return np.sum(np.sin(x) * x)
    >>> print(qd.source(qd.grad(f))(np.ones(3)))  # doctest: +ELLIPSIS
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    # The gradient of f by x, for x: f64[3].
    def f_grad(x):
        x_grad = np.sin(x) + x * np.cos(x)  # from ...
        return x_grad
    """
    jitted = f if isinstance(f, Jitted) else Jitted(f, frozenset(), capture=True)

    def show(*args: Any, **kwargs: Any) -> Source:
        code, offset = users(sys._getframe(1))
        line = line_number(code, offset)
        return printed(jitted, args, kwargs, (code, line))

    return show


def line_number(code: Any, offset: int) -> int:
    """The line of an instruction."""
    return line_of(code, offset).number


def printed(jitted: Jitted, args: Any, kwargs: dict[str, Any], ignored: Any) -> Source:
    """The source of a call."""
    call = jitted.read(args, kwargs)
    if any(not is_plain(call.leaves[k]) for k in call.places):
        raise GradientError(
            "source: an argument is a tracer or a tensor; pass plain arrays, x.detach().numpy()"
        )
    prepared = prepare(jitted, call)
    f = jitted.f
    derivative: Derivative | None = getattr(f, "derivative", None)
    name = function_name(f, derivative)
    every = argument_names(jitted, call, bool(kwargs))
    parameters = parameters_of(f, args, kwargs)
    names = Names([name, *(p.lstrip("*") for p in parameters)], ignored)
    names.learn(prepared.traced)
    writer = Writer(names, known_arrays(f), ignored)
    paths = [every[k] for k in call.places]
    named = output_names(prepared, derivative, args, kwargs)
    scope = Scope(writer, prepared.program, [Code(p) for p in paths], 1, named=named)
    outputs = scope.run()
    finish(scope, prepared, outputs)
    title = title_of(f, derivative, call, every, args, kwargs)
    return assembled(jitted, name, parameters, title, writer)


def values_of(call: Call) -> list[Any]:
    """The leaves of a call, static arguments as they were given."""
    return [x.value if isinstance(x, Static) else x for x in call.leaves]


def is_plain(x: Any) -> bool:
    """Whether a leaf is NumPy's or a number."""
    return isinstance(x, np.ndarray | np.generic | int | float | complex)


# What things are called


def function_name(f: Callable[..., Any], derivative: Derivative | None) -> str:
    """`loss_grad` for the gradient of `loss`."""
    base = getattr(f, "__name__", "function")
    base = base if base.isidentifier() else "f"
    while derivative is not None:
        base = f"{base}_{derivative.kind}"
        inner = getattr(derivative.of, "derivative", None)
        derivative = inner if isinstance(inner, Derivative) else None
    return base


def parameters_of(f: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> list[str]:
    """The parameters of the printed function, as they stand between its parentheses."""
    try:
        parameters = list(signature(f).parameters.values())
    except (TypeError, ValueError):  # a builtin without a signature
        return [f"x{k}" for k in range(len(args))]
    shown: list[str] = []
    given = len(args)
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            shown.append(f"*{p.name}")
        elif p.kind is p.VAR_KEYWORD:
            shown += [k for k in kwargs if k not in {q.name for q in parameters}]
        elif p.kind is p.KEYWORD_ONLY or (given <= 0 and p.name not in kwargs):
            shown += [p.name] if p.name in kwargs else []
        else:
            shown.append(p.name)
            given -= 1
    return shown


def output_names(
    prepared: Prepared, derivative: Derivative | None, args: Any, kwargs: dict[str, Any]
) -> dict[Node, str]:
    """What the results of a gradient are called: `x_grad`."""
    if derivative is None or derivative.kind not in ("grad", "value_and_grad"):
        return {}
    chosen = Chosen("grad", derivative.of, args, kwargs, derivative.argnums, derivative.argnames)
    every = input_names(derivative.of, args, kwargs)
    numbers = iter(range(len(every)))
    placed = [
        [next(numbers) for _ in flatten(x)[0]] for x in (*args, *kwargs.values())
    ]  # the leaves of each argument, by number
    keys = [k if isinstance(k, int) else len(args) + list(kwargs).index(k) for k in chosen.keys]
    wanted = [f"{identifier(every[n]) or 'x'}_grad" for k in keys for n in placed[k]]
    outputs = prepared.program.outputs[-len(wanted) :] if wanted else ()
    return {y: w for y, w in zip(outputs, wanted, strict=False) if isinstance(y, Equation)}


def known_arrays(f: Callable[..., Any]) -> dict[str, Any]:
    """The arrays that a function, and those it is made of, find by name."""
    found: dict[str, Any] = {}
    stack: list[Any] = [f]
    seen: set[int] = set()
    while stack:
        each = inspect.unwrap(stack.pop())
        if id(each) in seen or not inspect.isfunction(each):
            continue
        seen.add(id(each))
        cells = inspect.getclosurevars(each)
        for name, value in (*cells.nonlocals.items(), *cells.globals.items()):
            if isinstance(value, np.ndarray):
                found.setdefault(name, value)
            elif inspect.isfunction(value):
                stack.append(value)
    return found


def title_of(
    f: Callable[..., Any],
    derivative: Derivative | None,
    call: Call,
    every: Sequence[str],
    args: Any,
    kwargs: dict[str, Any],
) -> str:
    """What the function is, and for which arguments: a comment."""
    types = ", ".join(f"{every[k]}: {aval_of(call.leaves[k])}" for k in call.places)
    fixed = [
        f"{name} = {x!r}"
        for k, (name, x) in enumerate(zip(every, values_of(call), strict=True))
        if k not in call.places and isinstance(x, int | str)
    ]
    types = ", ".join(filter(None, [types, *fixed]))
    word = getattr(f, "__name__", "the function")
    word = "the function" if word == "<lambda>" else word
    what = word
    if derivative is not None:
        chosen = Chosen("grad", f, args, kwargs, derivative.argnums, derivative.argnames)
        parameters = [p.lstrip("*") for p in parameters_of(f, args, kwargs)]
        by = [k if isinstance(k, str) else parameters[k] for k in chosen.keys if k in kwargs or
              (isinstance(k, int) and k < len(parameters))]  # fmt: skip
        what = TITLES[derivative.kind].format(f=word) + (f" by {', '.join(by)}" if by else "")
    text = f"{what}, for {types}." if types else f"{what}."
    for shape in set(re.findall(r"\[[\d, ]+\]", text)):  # which stay on one line
        text = text.replace(shape, shape.replace(", ", UNBROKEN))
    wrapped = textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
    return wrapped.replace(UNBROKEN, ", ")


# The text


def finish(scope: Scope, prepared: Prepared, outputs: Sequence[Code]) -> None:
    """The return statement."""
    nested = prepared.tree.build(list(outputs))
    text = f"return {nested_text(nested)}"
    note = None
    if len(outputs) == 1:
        (y,) = prepared.program.outputs
        if isinstance(y, Equation) and not outputs[0].is_name:
            note = scope.writer.note(y)
    if 4 + len(text) <= WIDTH or not isinstance(nested, dict | tuple | list):
        scope.emit(text, note)
        return
    first, last, entries = broken(nested)
    scope.emit(f"return {first}")
    for entry in entries:
        scope.emit(f"    {entry},")
    scope.emit(last)


def broken(nested: Any) -> tuple[str, str, list[str]]:
    """A container over several lines: its brackets and its entries."""
    if isinstance(nested, dict):
        return "{", "}", [f"{k!r}: {nested_text(v)}" for k, v in nested.items()]
    first, last = ("[", "]") if isinstance(nested, list) else ("(", ")")
    return first, last, [nested_text(v) for v in nested]


def nested_text(nested: Any) -> str:
    """A container of codes as Python writes it; of a class of the user's, as a tuple."""
    if isinstance(nested, Code):
        return nested.text
    if isinstance(nested, dict):
        return "{" + ", ".join(f"{k!r}: {nested_text(v)}" for k, v in nested.items()) + "}"
    if isinstance(nested, list):
        return f"[{', '.join(map(nested_text, nested))}]"
    if isinstance(nested, tuple):
        words = ", ".join(map(nested_text, nested))
        return f"({words},)" if len(nested) == 1 else f"({words})" if words else "()"
    if nested is None:
        return "None"
    leaves, _ = flatten(nested)
    return nested_text(tuple(leaves))


def assembled(
    jitted: Jitted, name: str, parameters: Sequence[str], title: str, writer: Writer
) -> Source:
    """Imports, constants, helpers and the function, as one text."""
    modules, functions = library(writer.helpers)
    wanted = sorted({*modules, *writer.modules})
    head = "\n".join([*(f"import {m}" for m in wanted), "import numpy as np"])
    refuse_hidden([p.lstrip("*") for p in parameters], {"np", *(m.split(".")[0] for m in wanted)},
                  writer)  # fmt: skip
    above, attached = constants_above(writer)
    statement = f"def {name}({', '.join(parameters)}):"
    body = aligned([Statement(0, statement), *writer.statements])
    blocks = [head, *(["\n".join(above)] if above else []), *functions]
    text = "\n\n\n".join([*blocks, "\n".join([title, *body])]) + "\n"
    made = Source(text)
    made.name, made.arrays, made.jitted = name, attached, jitted
    return made


def refuse_hidden(parameters: Sequence[str], modules: set[str], writer: Writer) -> None:
    """Raise where a parameter has the name of a module or function that the text needs."""
    body = "\n".join(s.text for s in writer.statements)
    for p in parameters:
        end = r"[.(]" if p in modules else r"\("  # parameters themselves are not called
        if re.search(rf"(?<![\w.]){p}{end}", body):
            raise GradientError(
                f"source: a parameter is called {p}, which the text needs for something else; give "
                "the parameter another name"
            )


def constants_above(writer: Writer) -> tuple[list[str], dict[str, Any]]:
    """The lines that define arrays, and the arrays too large for that."""
    used = {w for s in writer.statements for w in NAME.findall(s.text)}
    lines: list[str] = []
    attached: dict[str, Any] = {}
    for name, value in writer.arrays.items():
        if name not in used:
            continue
        if value.size <= (WRITTEN if name in writer.known else LARGEST):
            text = f"{name} = {array(value).text}"
            lines += textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False)
        else:
            attached[name] = value
            lines.append(f"# {name}: {aval_of(value)}, an array that the function reads")
    return lines, attached


__all__ = ["Source", "source"]
