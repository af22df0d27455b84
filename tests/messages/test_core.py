"""The whole text of every error of the core: rules that are missing, conversions, structures."""

import math
import statistics

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from messages.raised import raised
from qiudao.core.avals import Aval
from qiudao.core.errors import DetachError, DtypeError, RuleError, TreeError
from qiudao.core.primitive import Primitive
from qiudao.core.samples import parse
from qiudao.core.slot import Slot
from qiudao.core.trees import map_tree
from qiudao.ops.shaping import Reshape

X, S = leaf([1.0, 2.0]), leaf(3.0)
NUMBER = (
    "compute with NumPy functions (np.sin, not math.sin), fill an array made by np.zeros_like(x) "
    "or np.stack, or cut on purpose with .detach(), or let qd.lift(f) run the function unchanged"
)
ARRAY = (
    "for an array of several use np.stack([a, b]), to fill one start from np.zeros_like(x), for "
    "n.dot(x) write np.dot(n, x), for S @ x with a sparse S qd.scipy.sparse.matmul(S, x), or cut "
    "on purpose with .detach(), or let qd.lift(f) run the function unchanged"
)


class Bare(Primitive):
    name = "bare"


def unknown(x):
    return x


unknown.__module__ = "elsewhere"


def into_view():
    table = np.zeros((2, 2))
    table[0] += X


def larger():
    total = np.zeros(1)
    total += X


def integers():
    total = np.zeros(2, int)
    total += X


MODULUS = "pow: a modulus is for Python's whole numbers; write (x ** y) % modulus for arrays"
MASKED = np.ma.array([1.0, 2.0], mask=[True, False])
OWN_WAY = (
    ": an array of this class does things its own way, which no derivative knows; pass "
    "np.asarray(x), or x.filled(value) of a masked array"
)


class Metres(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return NotImplemented


MESSAGES = {
    "an array that hides elements": (lambda: X * MASKED, DtypeError, "MaskedArray" + OWN_WAY),
    "an array with units": (lambda: X * np.ones(2).view(Metres), DtypeError, "Metres" + OWN_WAY),
    "a matrix as an argument": (
        lambda: qd.vjp(np.sin, np.ones((1, 2)).view(np.matrix)),
        DtypeError,
        "matrix" + OWN_WAY,
    ),
    "a ufunc without a rule": (
        lambda: np.frompyfunc(lambda x: x, 1, 1)(X),
        RuleError,
        "<lambda> (vectorized): qiudao has no rule for this NumPy function; write it with "
        "functions that have one, or give it one with qd.custom_vjp",
    ),
    "a function without a rule": (
        lambda: X.__array_function__(unknown, (), (X,), {}),
        RuleError,
        "elsewhere.unknown: qiudao has no rule for this NumPy function; write it with functions "
        "that have one, or give it one with qd.custom_vjp",
    ),
    "float": (
        lambda: math.sin(S),
        DetachError,
        "float(x): this f64[] carries a gradient, which the conversion would cut in silence; "
        + NUMBER,
    ),
    "int": (
        lambda: int(S),
        DetachError,
        "int(x): this f64[] carries a gradient, which the conversion would cut in silence; "
        + NUMBER,
    ),
    "complex": (
        lambda: complex(S),
        DetachError,
        "complex(x): this f64[] carries a gradient, which the conversion would cut in silence; "
        + NUMBER,
    ),
    "index": (
        lambda: [1, 2][S],
        DetachError,
        "using x as an index: this f64[] carries a gradient, which the conversion would cut in "
        "silence; " + NUMBER,
    ),
    "a ratio": (
        lambda: statistics.mean(X),
        DetachError,
        "x.as_integer_ratio(), as in statistics: this f64[] carries a gradient, which the "
        "conversion would cut in silence; " + NUMBER,
    ),
    "memory": (
        lambda: X.view(float),
        AttributeError,
        "view: a tensor has no memory to show; to cut the gradient on purpose take that of the "
        "array, x.detach().numpy().view",
    ),
    "array": (
        lambda: np.asarray(X),
        DetachError,
        "conversion to a plain NumPy array: this f64[2] carries a gradient, which the conversion "
        "would cut in silence; " + ARRAY,
    ),
    "out=": (
        lambda: np.add(X, 1.0, out=np.zeros(2)),
        DetachError,
        "add into a plain NumPy array: this f64[2] carries a gradient, which the conversion would "
        "cut in silence; take the result by itself (n = n + t, not n += t or out=n), or make the "
        "array a tensor, qd.tensor(n) or np.zeros_like(t)",
    ),
    "n[i] += t": (
        into_view,
        DetachError,
        "add into a plain NumPy array: this f64[2] carries a gradient, which the conversion would "
        "cut in silence; take the result by itself (n = n + t, not n += t or out=n), or make the "
        "array a tensor, qd.tensor(n) or np.zeros_like(t)",
    ),
    "n += t of a larger shape": (
        larger,
        ValueError,
        "add: an output of shape (1,) cannot take the broadcast shape (2,); write n = n + t "
        "instead of n += t",
    ),
    "n += t of integers": (
        integers,
        TypeError,
        "add: an output of dtype int64 cannot take a float64 result by the rule 'same_kind'; write "
        "n = n + t instead of n += t",
    ),
    "a read-only view": (
        lambda: np.broadcast_to(X * 1, (2, 2)).__setitem__(0, 1.0),
        ValueError,
        "setitem: the result of stretch is read-only, as in NumPy; write into a copy, np.copy(x)",
    ),
    "a modulus": (lambda: pow(X, 2, 3), TypeError, MODULUS),
    "a modulus of a root": (lambda: pow(np.linalg.norm(X), 2, 3), TypeError, MODULUS),
    "a modulus in forward mode": (
        lambda: qd.jvp(lambda x: pow(x, 2, 3), (1.0,), (1.0,)),
        TypeError,
        MODULUS,
    ),
    "a modulus in a trace": (lambda: qd.trace(lambda x: pow(x, 2, 3))(1.0), TypeError, MODULUS),
    "len of a number": (lambda: len(S), TypeError, "len() of unsized object"),
    "iteration over a number": (lambda: iter(S), TypeError, "iteration over a 0-d array"),
    "astype with a rule for casts": (
        lambda: X.astype(np.float32, casting="safe"),
        TypeError,
        "astype: casting float64 to float32 is not 'safe'",
    ),
    "a primitive without a shape": (
        lambda: Bare().shape(Aval((), np.dtype(float))),
        RuleError,
        "bare: this primitive states no shape",
    ),
    "a primitive without a derivative": (
        lambda: Bare().tangent(1, 0.0, 0.0, 0.0, 0.0),
        RuleError,
        "bare: no derivative is known with respect to operand 1; pass it through qd.stop_gradient, "
        "or wrap the call with qd.custom_vjp",
    ),
    "a primitive without a write": (
        lambda: Bare().write(0.0, 0.0),
        RuleError,
        "bare: this primitive states no write through its view",
    ),
    "a tangent statement that is not linear": (
        lambda: np.sin(Slot((2,), np.dtype(float))),
        RuleError,
        "sin: a tangent statement must be linear in dx, and this use of dx is not; write the part "
        "that is not in terms of the operands",
    ),
    "a tangent statement that reads": (
        lambda: bool(Slot((), np.dtype(float))),
        RuleError,
        "slot: a tangent that is not known yet has no value to read",
    ),
    "a sample of no type": (
        lambda: parse("f65[2]"),
        ValueError,
        "sample: 'f65[2]' is not a type; write it like 'f64[3,4]'",
    ),
    "trees that do not fit": (
        lambda: map_tree(max, [1, 2], [1, (2,)]),
        TreeError,
        "tree.map: the structure [*, (*,)] does not fit [*, *]; both must be nested alike",
    ),
    "a field set on a primitive": (
        lambda: setattr(Reshape((2,)), "sizes", (3,)),
        AttributeError,
        "Reshape: cannot set 'sizes'; make a new one",
    ),
    "a primitive of other fields": (
        lambda: Reshape((2,), (3,)),
        TypeError,
        "Reshape: takes the fields ('sizes',), and got ['(2,)', '(3,)']",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    act, error, text = MESSAGES[name]
    kind, found = raised(act)
    assert issubclass(kind, error)
    assert found == text
