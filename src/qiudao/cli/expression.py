"""The expressions that `qiudao grad` reads: Python's arithmetic and NumPy's functions, no more.

Text is parsed to a tree with `ast`, and each node is turned into a small function of the
variables. What has no case below has no meaning: nothing of the text is ever run as Python, so
attributes, strings, comprehensions, imports and names such as `__class__` are refused by their
absence rather than by a list of dangers.
"""

import ast
import difflib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from qiudao.cli.errors import CommandError
from qiudao.core.errors import QiudaoError

__all__ = ["Expression", "parse"]

Value: TypeAlias = Any  # a float, an array or a Tensor: the same node serves all
Meaning: TypeAlias = Callable[[Mapping[str, Value]], Value]

LONGEST = 10_000  # characters: beyond this it is a program, and Python's parser may not survive it

NUMPY = ("np", "numpy")  # np.sin is sin
CONSTANTS = {"pi": np.pi, "e": np.e, "inf": np.inf}

NAMES_OF_FUNCTIONS = """
abs absolute sign square sqrt cbrt reciprocal negative positive power pow float_power
exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2
sin cos tan arcsin arccos arctan arctan2 asin acos atan atan2
sinh cosh tanh arcsinh arccosh arctanh asinh acosh atanh sinc hypot deg2rad rad2deg
add subtract multiply divide maximum minimum clip where floor ceil rint
sum prod mean var std max min amax amin argmax argmin median ptp
cumsum cumprod diff sort dot inner outer vdot matmul cross trace transpose ravel
"""
FUNCTIONS = frozenset(NAMES_OF_FUNCTIONS.split())

OPERATORS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression: call it with the values of its variables, by name."""

    text: str
    names: tuple[str, ...]  # its variables, in the order they appear
    meaning: Meaning

    def __call__(self, values: Mapping[str, Value]) -> Value:
        """Evaluate. Arrays and Tensors give what NumPy's functions make of them."""
        try:
            return self.meaning(values)
        except OverflowError as error:  # of Python's own floats; NumPy's give inf
            raise CommandError(f"{self.text!r}: a number in it is too large") from error
        except ZeroDivisionError as error:
            raise CommandError(f"{self.text!r} divides by the constant zero") from error
        except (ArithmeticError, IndexError, QiudaoError, TypeError, ValueError) as error:
            raise CommandError(f"{self.text!r}: {error}") from error
        except RecursionError as error:
            raise CommandError("the expression is nested too deeply") from error


def parse(text: str) -> Expression:
    """Parse `text`, or say in one line what in it has no meaning."""
    text = text.strip()
    if len(text) > LONGEST:
        raise CommandError(f"the expression has {len(text):,} characters, more than {LONGEST:,}")
    try:
        tree = ast.parse(text, mode="eval")
        reader = Reader(text)
        meaning = reader.meaning(tree.body)
    except SyntaxError as error:
        place = f" at character {error.offset}" if error.offset else ""
        raise CommandError(f"{text!r} is not an expression: {error.msg}{place}") from error
    except (OverflowError, ValueError) as error:  # a null byte, or a number of too many digits
        raise CommandError(f"{text!r} is not an expression: {error}") from error
    except (MemoryError, RecursionError) as error:
        raise CommandError("the expression is nested too deeply") from error
    return Expression(text, tuple(reader.names), meaning)


class Reader:
    """Turns syntax into meaning, one kind of node a method, and notes the variables it meets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: dict[str, None] = {}  # a set that keeps its order

    def meaning(self, node: ast.expr) -> Meaning:
        """The function of the variables that `node` stands for."""
        match node:
            case ast.Constant(value=bool()):
                raise self.refuse(node)
            case ast.Constant(value=int() | float() as number):
                return constant(float(number))  # a float, so that 9**9**9**9 cannot run for ever
            case ast.Name(id=name):
                return self.name(name)
            case ast.Attribute() if numpy_name(node) in CONSTANTS:
                return constant(CONSTANTS[numpy_name(node)])
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return apply(OPERATORS[type(op)], [self.meaning(operand)])
            case ast.BinOp(op=ast.BitXor()):
                raise CommandError(f"{self.text!r}: ^ is not a power in Python; write **")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return apply(OPERATORS[type(op)], [self.meaning(left), self.meaning(right)])
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OPERATORS:
                return apply(OPERATORS[type(op)], [self.meaning(left), self.meaning(right)])
            case ast.Call():
                return self.call(node)
            case ast.Subscript(value=value, slice=place):
                return apply(operator.itemgetter(self.index(place)), [self.meaning(value)])
            case ast.List(elts=items) | ast.Tuple(elts=items) if items:
                return apply(stack, [self.meaning(item) for item in items])
        raise self.refuse(node)

    def name(self, name: str) -> Meaning:
        """A variable or a constant. A function without its brackets is neither."""
        if name in CONSTANTS:
            return constant(CONSTANTS[name])
        if name in FUNCTIONS:
            raise CommandError(f"{name} is a function; write {name}(...)")
        if name.startswith("_") or name in NUMPY:
            raise CommandError(f"{name!r} cannot be a variable; choose another name")
        self.names[name] = None
        return lambda values: values[name]

    def call(self, node: ast.Call) -> Meaning:
        """A NumPy function of the list above; its keywords take whole numbers, as `axis=0`."""
        name = numpy_name(node.func)
        if not name:
            raise self.refuse(node.func)
        if name not in FUNCTIONS:
            raise CommandError(f"no function {name!r}{suggestion(name)}")
        keywords = {k.arg: self.index(k.value) for k in node.keywords if k.arg}
        if len(keywords) < len(node.keywords):
            raise self.refuse(node)
        function = getattr(np, name)
        operands = [self.meaning(argument) for argument in node.args]
        return apply(lambda *values: function(*values, **keywords), operands)

    def index(self, node: ast.expr) -> Any:
        """A place in an array: whole numbers, slices of them, and tuples of both."""
        match node:
            case ast.Constant(value=bool()):
                raise self.refuse(node)
            case ast.Constant(value=int() as number):
                return number
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
                return -number
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(n and self.index(n) for n in (lower, upper, step)))
            case ast.Tuple(elts=items):
                return tuple(self.index(item) for item in items)
        raise self.refuse(node)

    def refuse(self, node: ast.expr) -> CommandError:
        """The error for syntax that is Python but not an expression of ours."""
        part = ast.get_source_segment(self.text, node) or self.text
        return CommandError(
            f"{part!r} cannot be used here; write numbers, variables, + - * / ** @ and "
            f"NumPy functions such as sin(x)"
        )


def numpy_name(node: ast.expr) -> str:
    """`sin` of both `sin` and `np.sin`; nothing of any other node."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=home), attr=name) if home in NUMPY:
            return name
    return ""


def constant(number: float) -> Meaning:
    """The same number whatever the variables are."""
    return lambda values: number


def apply(function: Callable[..., Value], operands: list[Meaning]) -> Meaning:
    """`function` of what the operands mean."""
    return lambda values: function(*(operand(values) for operand in operands))


def stack(*items: Value) -> Value:
    """A list of numbers, of variables or of lists, as one array."""
    return np.stack(items)


def suggestion(name: str) -> str:
    """`; did you mean 'sin'?` where a known function is spelled nearly so."""
    close = difflib.get_close_matches(name.lower(), FUNCTIONS, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
