"""Why a gradient is as it is: each kind of answer, on functions and tapes, and no false alarm."""

import json

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import GradientError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def deep(x):
    for _ in range(60):
        x = np.tanh(x * 0.5)
    return x


def steep(x):
    for _ in range(60):
        x = x * 3.0
    return x


def unrecorded(x):
    with qd.no_grad():
        y = x * 2.0
    return y * 1.0


def softmax_loss(x, w):
    z = w @ x
    p = np.exp(z - np.max(z))
    return -np.log(p[0] / np.sum(p))


ANSWERS = [
    # function, arguments, kind, words of the sentence, words of the cure
    (lambda x: np.sum(np.sqrt(x)), [np.array([0.0, 4.0])], "inf",
     "turns 1 into inf at [0] going back through np.sqrt(x) to x = 0", "np.where"),
    (lambda x: np.sum(np.sqrt(x) * 0.0), [np.array([0.0, 4.0])], "nan",
     "turns 0 into nan at [0] going back through np.sqrt(x) to x = 0", "np.where"),
    (lambda x: np.sum(np.exp(np.log(x))), [np.array([0.0, 4.0])], "nan",
     "np.log(x) is the first value that is not finite: -inf at [0], of x = 0", "np.log1p"),
    (lambda x: np.sum(x / (x - 1.0)), [np.array([1.0, 4.0])], "nan",
     "x / (x - 1.0) is the first value that is not finite: inf at [0], of x = 1", "divisor"),
    (lambda x: np.sum(np.exp(x)), [np.array([1000.0])], "inf",
     "np.exp(x) is the first value that is not finite: inf at [0], of x = 1000", "logsumexp"),
    (lambda x: np.sum(np.arccos(x)), [np.array([1.0])], "inf", "np.arccos(x)", "clip"),
    (lambda x: np.sum(x**0.5), [np.array([0.0])], "inf", "x**0.5", "tiny"),
    (lambda x: np.tanh(x * 40.0), [1.0], "small",
     "np.tanh(x * 40.0) is saturated, at x * 40.0 of size 40", "scale"),
    (lambda x: np.sum(np.exp(x)), [np.full(2, -800.0)], "zero",
     "np.exp(x) is saturated: at x of size 800 its slope is 0", "scale"),
    (lambda x: np.sum(np.maximum(x, 0.0) * 3.0), [np.array([-1.0, -2.0])], "zero",
     "np.maximum(x, 0.0) chose the other side for every element of x", "logaddexp"),
    (lambda x: np.sum(np.where(x > 5.0, x, 0.0)), [np.array([1.0, 2.0])], "zero",
     "chose the other side for every element of x", ""),
    (lambda x: np.sum(np.clip(x, -1.0, 1.0)), [np.array([3.0])], "zero", "np.clip", ""),
    (lambda x, w: np.sum(x * w), [np.ones(3), np.zeros(3)], "zero",
     "in x * w the other factor, w, is 0", ""),
    (lambda x: np.abs(x), [0.0], "zero", "np.abs(x) is level at x = 0", ""),
    (lambda x: np.sin(x) - np.sin(x), [1.5], "cancelled", "2 terms cancel", ""),
    (lambda x: np.floor(x) * 2.0, [1.5], "cut", "np.floor(x) is a step function", ""),
    (lambda x: qd.stop_gradient(x) * 2.0, [1.5], "cut", "x was cut there", ""),
    (unrecorded, [1.0], "cut", "recording was off", ""),
    (lambda x: x.item() * 2.0, [1.5], "cut", "left the computation by item()", "without taking"),
    (lambda x: 2.0, [1.5], "unused", "reads it", "leave it out"),
    (deep, [1.0], "small", "little by little over 120 operations, by 0.705 each", "residual"),
    (steep, [1.0], "large", "little by little over 60 operations, by 3 each", "clip"),
    (lambda x: np.sum(1.0 / x), [np.array([1e-9])], "large", "1.0 / x multiplies it by 1e+18",
     "divisor"),
]  # fmt: skip


@pytest.mark.parametrize("f, args, kind, words, cure", ANSWERS)
def test_each_answer(f, args, kind, words, cure):
    answer = qd.why(f, *args)
    finding = answer.findings[0]
    assert finding.kind == kind
    assert words in finding.sentence
    assert cure in finding.cure
    assert not answer.ok


def test_the_line_is_the_users():
    finding = qd.why(deep, 1.0).findings[0]
    assert finding.line.text == "x = np.tanh(x * 0.5)"
    assert "test_why.py" in str(finding)


@pytest.mark.parametrize("f, args", [
    (lambda x: np.sum(x**2), [np.ones(3)]),
    (lambda x: np.sum(np.sin(x)), [np.linspace(0, 6, 50)]),
    (softmax_loss, [np.ones(4), np.arange(12.0).reshape(3, 4) / 10]),
    (lambda x: np.linalg.norm(x) * 1e-6, [np.array([3.0, 4.0])]),
    (lambda x: 1e7 * np.sum(x), [np.ones(2)]),
    (lambda x: np.sum(np.tanh(x)), [np.linspace(-3, 3, 7)]),
    (lambda x: np.sum(np.linalg.solve(x, np.ones(2))), [np.array([[2.0, 1.0], [0.5, 3.0]])]),
    (lambda x: np.where(x > 0, np.log(x), x), [0.0]),
])  # fmt: skip
def test_no_false_alarms(f, args):
    answer = qd.why(f, *args)
    assert answer.ok, str(answer)
    assert all("nothing is wrong" in f.sentence for f in answer.findings)


def test_half_dead_elements_are_a_note():
    answer = qd.why(lambda x: np.sum(np.maximum(x, 0.0)), np.array([-1.0, -2.0, 3.0]))
    assert answer.ok
    assert [f.kind for f in answer.findings] == ["healthy", "partly zero"]
    assert "2 of 3 elements are 0: np.maximum(x, 0.0) chose" in answer.findings[1].sentence


def test_a_result_that_is_nan_is_said_even_where_gradients_are_finite():
    answer = qd.why(lambda x: np.sum(np.log(x) * 2.0), np.array([1.0, -1.0]))
    first = answer.findings[0]
    assert (first.value, first.kind) == ("the result", "nan")
    assert "nan at [1], of x = -1" in first.sentence


def test_every_argument_is_answered():
    answer = qd.why(lambda x, y: x * 2.0, 1.5, 2.0)
    assert [f.kind for f in answer.of("x")] == ["healthy"]
    assert [f.kind for f in answer.of("y")] == ["unused"]


def test_tensors_by_name():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    w = qd.tensor([1.0, 2.0], requires_grad=True)
    d = (w * 2.0).detach()
    answer = qd.why((x * d).sum(), {"x": x, "w": w})
    assert [f.kind for f in answer.of("x")] == ["healthy"]
    (cut,) = answer.of("w")
    assert cut.kind == "cut"
    assert "detach() at test_why.py" in cut.sentence


def test_all_leaves_of_a_tensor_and_its_method():
    x = qd.tensor([0.0, 2.0], requires_grad=True)
    (finding,) = np.sqrt(x).sum().why().findings
    assert (finding.value, finding.kind) == ("x", "inf")


def test_tensors_without_a_graph():
    (finding,) = qd.why(qd.tensor(1.0)).findings
    assert "does not require grad" in finding.sentence
    x = qd.tensor(1.0, requires_grad=True)
    (finding,) = qd.why((x * 2.0).detach(), x).findings
    assert "the output was cut from the graph by detach()" in finding.sentence


def test_an_input_that_does_not_require_grad():
    x = qd.tensor(1.0, requires_grad=True)
    c = qd.tensor(3.0)
    (finding,) = qd.why(x * 2.0, {"c": c}).findings
    assert "it does not require grad; it was never asked to" in finding.sentence
    (finding,) = qd.why(x * 2.0, {"e": qd.tensor(1.0, requires_grad=True)}).findings
    assert finding.kind == "unused"


def test_what_cannot_be_asked():
    with pytest.raises(TypeError, match="neither a function nor a tensor"):
        qd.why(3.0)
    x = qd.tensor(1.0, requires_grad=True)
    with pytest.raises(GradientError, match="no gradient to ask about"):
        qd.why(x * 2.0, {"n": np.ones(2)})


def test_plain_data():
    made = json.loads(json.dumps(qd.why(deep, 1.0).json()))
    assert made[0]["kind"] == "small"
    assert made[0]["line"]["text"] == "x = np.tanh(x * 0.5)"


def test_asking_changes_nothing():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.why()
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 4.0])
