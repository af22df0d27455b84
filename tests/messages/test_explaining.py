"""The whole text of every error of the explainer, and of checks for numbers that are not finite."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from messages.raised import raised
from qiudao.core.errors import FreedError, GradientError, NonFiniteError, RuleError
from qiudao.explaining.source.printing import plain, printed
from qiudao.explaining.source.table import spelling_of
from qiudao.explaining.text import MissingError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

X = np.array([0.0, 4.0])


def loss(x):
    return np.sum(np.sqrt(x) * 0.0)


def fickle():
    calls = iter([-1.0, 1.0])
    return qd.grad(lambda x: np.log(x * next(calls)), check="nan")(2.0)


def swept():
    y = np.sin(leaf(1.0))
    y.backward()
    return y


MESSAGES = {
    "a check that is not known": (
        lambda: qd.grad(loss, check="big"),
        GradientError,
        "grad: check='big' is not known; use 'nan', or 'inf' for infinities too",
    ),
    "checking what is donated": (
        lambda: qd.jit(loss, check="nan", donate="x"),
        GradientError,
        "jit: check= runs the function once more on its arguments, which donate= lets the first "
        "run write over; use one of them",
    ),
    "a NaN of the sweep": (
        lambda: qd.grad(loss, check="nan")(X),
        NonFiniteError,
        "grad: a NaN: np.sqrt(x) is finite, but going back through it, 0 times its slope inf is "
        "nan at [0], for x = 0 (f64[2] in [0, 4]), at file.py:N (`return np.sum(np.sqrt(x) * "
        "0.0)`); the slope of sqrt at 0 is infinite: np.sqrt(x + tiny), or choose with np.where",
    ),
    "a NaN that an infinity led to": (
        lambda: qd.grad(lambda x: np.exp(x) - np.exp(x), check="nan")(1000.0),
        NonFiniteError,
        "grad: a NaN: np.exp(x) - np.exp(x) is the first value that is NaN: nan, of np.exp(x) = "
        "inf, np.exp(x) = inf, at file.py:N (`lambda: qd.grad(lambda x: np.exp(x) - np.exp(x), "
        'check="nan")(1000.0),`); the infinity was made before: np.exp(x) is the first value that '
        "is not finite: inf, of x = 1000; subtract the largest first, as in np.exp(x - np.max(x)), "
        "or use logsumexp; a sigmoid is 0.5 * (1 + np.tanh(x / 2))",
    ),
    "a NaN that comes once": (
        fickle,
        NonFiniteError,
        "grad: a NaN in the gradient, which going through it again does not show: a hook made it, "
        "or the function gives another result each time",
    ),
    "a NaN in a batch": (
        lambda: qd.vmap(qd.grad(lambda x: np.sqrt(x) * 0.0, check="nan"))(X),
        NonFiniteError,
        "grad: a NaN in the gradient of <lambda>(x) within another transform; take the gradient "
        "at one of its points by itself to see which operation made it",
    ),
    "explaining what is no computation": (
        lambda: qd.explain(3.0),
        TypeError,
        "explain: float 3.0 is neither a function nor a tensor; pass the function and its "
        "arguments, explain(f, x)",
    ),
    "arguments of a tensor": (
        lambda: qd.explain(leaf(1.0), 2.0),
        GradientError,
        "explain: a tensor takes no arguments, and 1 came; give tensors names as keywords, "
        "explain(loss, w=w)",
    ),
    "explaining a constant": (
        lambda: qd.explain(qd.tensor(1.0)),
        GradientError,
        "explain: this tensor does not require grad, nor does anything it was computed from; make "
        "the inputs with qd.tensor(x, requires_grad=True) and compute without detaching",
    ),
    "explaining a tensor of a transform": (
        lambda: qd.grad(lambda x: qd.explain(x * 2))(1.0),
        GradientError,
        "explain: this tensor belongs to a transform; explain the function that it runs in, "
        "qd.explain(f, *args)",
    ),
    "explaining inside a transform": (
        lambda: qd.grad(lambda x: qd.explain(np.sin, x))(1.0),
        GradientError,
        "explain: the arguments belong to a transform that is running, so their values may not be "
        "known; call it outside, on plain values",
    ),
    "a file of another kind": (
        lambda: qd.explain(loss, X).save("g.pdf"),
        ValueError,
        "explain: g.pdf has an ending that no picture has; use one of .html, .svg, .dot, .txt, "
        ".json",
    ),
    "asking why of what is no computation": (
        lambda: qd.why(3.0),
        TypeError,
        "why: float 3.0 is neither a function nor a tensor; ask why(f, *args), or "
        "why(output, inputs)",
    ),
    "asking why of an array": (
        lambda: qd.why(leaf(1.0) * 2, {"n": np.ones(2)}),
        GradientError,
        "why: n is ndarray, which has no gradient to ask about; pass tensors made by "
        "qd.tensor(x, requires_grad=True)",
    ),
    "terms of a gradient that does not arrive": (
        lambda: qd.contributions(leaf(1.0) * 2, leaf(2.0)),
        GradientError,
        "contributions: no gradient arrives at this value, for the output was computed without "
        "it; ask qd.why",
    ),
    "terms where no derivative passes": (
        lambda: qd.explain(lambda x: np.floor(x) * 2.0, 1.5).contributions("x"),
        GradientError,
        "contributions: no gradient arrives at x, for no derivative passes on from it to the "
        "output; ask qd.why",
    ),
    "terms of a value that has no such name": (
        lambda: qd.explain(loss, X).contributions("q"),
        GradientError,
        "contributions: no value is called 'q'; ask for one of x, or an expression as it stands "
        "in the source",
    ),
    "terms of a number": (
        lambda: qd.contributions(leaf(1.0) * 2, 3.0),
        TypeError,
        "contributions: float 3.0 is not a tensor; of a function ask "
        "qd.explain(f, *args).contributions(name)",
    ),
    "what a number keeps": (
        lambda: qd.saved(3.0),
        TypeError,
        "saved: float 3.0 is not a tensor; of a function ask qd.profile(f, *args)",
    ),
    "asking why of a freed tape": (
        lambda: swept().why(),
        FreedError,
        "why: the tape behind this output was freed by the backward sweep at file.py:N "
        "(`y.backward()`); ask before the sweep, or sweep with retain_graph=True",
    ),
    "a profile of what gives no number": (
        lambda: qd.profile(lambda x: None, 1.0),
        GradientError,
        "profile: <lambda>(x) gives no number; return what is to be differentiated",
    ),
    "a story of a number": (
        lambda: qd.story(3.0),
        TypeError,
        "explain: float 3.0 is not a function; pass the function and its arguments apart, as in "
        "qd.story(f, x)",
    ),
    "rounding of an array": (
        lambda: qd.rounding(np.sin, X),
        GradientError,
        "rounding: sin(...) must give one real number, and it gave f64[2]; reduce "
        "what it gives, or pick one, in a function of your own",
    ),
    "a story of what does not depend": (
        lambda: qd.story(lambda x: np.floor(x), 1.5),
        GradientError,
        "story: no result of <lambda>(x) depends on an input in a way that a derivative follows; "
        "ask qd.why",
    ),
    "a story of another kind": (
        lambda: qd.story(lambda x: x * 2, 1.5).save("s.pdf"),
        ValueError,
        "story: s.pdf has an ending that no story has; use one of .html, .tex, .txt, .json",
    ),
    "rounding of a constant": (
        lambda: qd.rounding(lambda x: 1.0, 1.0),
        GradientError,
        "rounding: the result of <lambda>(x) depends on no input; pass floats",
    ),
}


@pytest.mark.parametrize("case", MESSAGES, ids=str)
def test_message(case):
    act, kind, text = MESSAGES[case]
    assert raised(act) == (kind, text)


def test_text_without_rich(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert raised(lambda: qd.explain(np.sin, 1.0).text()) == (
        MissingError,
        "explain: text needs the library rich, which is not installed; `pip install qiudao[cli]` "
        "brings it",
    )


def made_inside(x):
    """Prints a function that reads the value of a transform that is running."""
    return qd.source(lambda y: y * x)(2.0)


class Unsaid:
    name = "unsaid"


def hiding_numpy(np):
    return (np * np).sum()


UNWRITTEN = lambda x: x


SOURCES = {
    "a tracer of a transform": (
        lambda: qd.grad(made_inside)(1.0),
        GradientError,
        "source: the function reads a tracer of a transform that is under way; call it outside of "
        "the transform",
    ),
    "a tensor as an argument": (
        lambda: qd.source(np.sin)(leaf(1.0)),
        GradientError,
        "source: an argument is a tracer or a tensor; pass plain arrays, x.detach().numpy()",
    ),
    "a parameter that hides NumPy": (
        lambda: qd.source(hiding_numpy)(X),
        GradientError,
        "source: a parameter is called np, which the text needs for something else; give the "
        "parameter another name",
    ),
    "a primitive that NumPy cannot say": (
        lambda: spelling_of(SimpleNamespace(primitive=Unsaid(), code=raised.__code__, offset=0)),
        RuleError,
        "source: the primitive unsaid at file.py:N (`def raised(act):`) has no spelling in NumPy; "
        "register one with qiudao.explaining.source.table.spells",
    ),
    "a helper that is no function": (
        lambda: plain(np.sin),
        TypeError,
        "source: <ufunc 'sin'> is no function of Python's, and cannot be printed",
    ),
    "a helper that has no def": (
        lambda: printed.__wrapped__(UNWRITTEN),
        TypeError,
        f"source: {UNWRITTEN!r} is not written as a function",
    ),
}


@pytest.mark.parametrize("case", SOURCES, ids=str)
def test_message_of_source(case):
    act, kind, text = SOURCES[case]
    assert raised(act) == (kind, text)
