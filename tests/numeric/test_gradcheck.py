"""`gradcheck` passes what is right, and names the worst element of what is not."""

from typing import NamedTuple

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import (
    DtypeError,
    GradcheckError,
    GradientError,
    NotDifferentiableError,
    QiudaoError,
)


class Layer(NamedTuple):
    w: object
    b: object


def model(p, x, n, label):
    y = np.tanh(p["layer"].w @ x + p["layer"].b) ** n
    return {"loss": np.sum(y), "parts": (y, y * p["scale"]), "label": label, "count": n}


POINT = {"layer": Layer(np.arange(6.0).reshape(2, 3) / 7, np.array([0.5, -0.5])), "scale": 1.5}


@qd.custom_vjp
def wrong(x):
    """x^2, whose reverse rule is off in one element."""
    return x * x


def wrong_forward(x):
    return x * x, x


def wrong_backward(x, ct):
    return (ct * 2 * x + 0.01 * np.array([0.0, 0.0, 1.0]),)


wrong.defvjp(wrong_forward, wrong_backward)


def test_trees_and_constants():
    assert qd.gradcheck(model, POINT, np.array([0.1, -0.2, 0.3]), 2, "name", order=2)
    assert qd.gradgradcheck(model, POINT, np.array([0.1, -0.2, 0.3]), 3, None)


def test_third_order():
    assert qd.gradcheck(lambda x: np.sum(np.sin(x) * x), np.array([0.3, -1.2]), order=3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble, np.complex64, complex])
def test_dtypes(dtype):
    x = np.array([0.3, -1.2, 2.0]).astype(dtype)
    assert qd.gradcheck(lambda x: np.sin(x) * x, x, order=2)


def test_complex_functions():
    z = np.array([1 + 2j, -0.5j])
    assert qd.gradcheck(lambda z: np.sum(np.real(z * np.conj(z))), z, order=2)
    assert qd.gradcheck(lambda z, x: {"e": np.exp(z) * x, "c": np.conj(z)}, z, 2.0, order=2)
    assert qd.gradcheck(lambda x: np.exp(1j * x), np.array([0.2, 0.4]), order=2)


def test_mixed_precision():
    assert qd.gradcheck(
        lambda x, y: x * y, np.array([1.0, 2.0], np.float32), np.array([3.0, 4.0]), order=2
    )


def test_kinks_count_as_their_symmetric_derivative():
    assert qd.gradcheck(lambda x: np.maximum(x, 0), np.array([0.0, 1.0, -1.0]))


def test_empty_and_single():
    assert qd.gradcheck(lambda x: 2 * x, np.zeros((0, 3)), order=2)
    assert qd.gradcheck(lambda x: x[:0], np.ones(3))
    assert qd.gradcheck(np.sin, 1.0)


def test_large_inputs_are_sampled():
    calls = []

    def f(x):
        calls.append(1)
        return np.sum(x**2)

    assert qd.gradcheck(f, np.linspace(0, 1, 5000), modes="reverse")
    assert len(calls) < 20_000


def test_names_the_worst_element():
    with pytest.raises(GradcheckError) as caught:
        qd.gradcheck(lambda p: {"y": wrong(p["w"])}, {"w": np.array([1.0, 2.0, 3.0])},
                     modes=("reverse",))  # fmt: skip
    text = str(caught.value)
    assert text.startswith(
        "gradcheck: reverse mode: d result['y'][0] / d argument[0]['w'][2] = 0.01, and differences "
        "of the values give 0 ± "
    )
    assert "off by 0.01, where " in text
    assert text.endswith(
        "; 3 of 9 elements disagree, this one most; look at the rules used between the two, or "
        "pass rtol= and atol= if this is rounding"
    )


def test_the_error_is_an_assertion_and_one_of_ours():
    assert issubclass(GradcheckError, AssertionError)
    assert issubclass(GradcheckError, QiudaoError)


def test_false_instead_of_an_error():
    x = np.array([1.0, 2.0, 3.0])
    assert qd.gradcheck(wrong, x, modes="reverse", raise_exception=False) is False
    assert qd.gradcheck(wrong, x, modes="reverse", atol=0.02) is True
    assert qd.gradgradcheck(np.sin, x, raise_exception=False) is True


def test_names_the_nesting():
    @qd.custom_vjp
    def flat(x):
        return x**3

    def backward(x, ct):
        return (ct * 3 * qd.stop_gradient(x) ** 2,)

    flat.defvjp(lambda x: (x**3, x), backward)
    assert qd.gradcheck(flat, 2.0, modes="reverse")
    with pytest.raises(GradcheckError, match=(
        r"^gradcheck: reverse over reverse mode: d gradient of argument\[0\] / d argument\[0\] = 0,"
        r" and differences of the values give "
    )):  # fmt: skip
        qd.gradgradcheck(flat, 2.0, modes="reverse")


def test_a_cotangent_that_is_taken_for_a_constant():
    @qd.custom_vjp
    def twice(x):
        return 2 * x

    twice.defvjp(lambda x: (2 * x, None), lambda _, ct: (2 * qd.stop_gradient(ct),))
    assert qd.gradcheck(twice, 2.0, modes="reverse")
    with pytest.raises(GradcheckError, match="/ d cotangent of result = 0, and"):
        qd.gradgradcheck(twice, 2.0, modes="reverse")


def test_functions_that_change_from_call_to_call():
    rng = np.random.default_rng(0)
    with pytest.raises(GradcheckError, match=(
        r"^gradcheck: called again, the function gives result = 0\.\d+, and 0\.\d+ the first time; "
        "fix its random numbers, and let it keep no state$"
    )):  # fmt: skip
        qd.gradcheck(lambda x: x * rng.random(), 1.0)


def test_functions_that_see_that_they_are_differentiated():
    with pytest.raises(GradcheckError, match=(
        r"^gradcheck: forward mode: the function gives result = 3, and 2 on plain arrays; it must "
        "not branch on whether it is differentiated$"
    )):  # fmt: skip
        qd.gradcheck(lambda x: x * (2 if isinstance(x, np.generic) else 3), 1.0)


def test_a_jump_is_called_one():
    with pytest.raises(GradcheckError, match="differences are unsure here: is there a kink"):
        qd.gradcheck(np.floor, 3.0)


def test_a_function_that_ends_here():
    with pytest.raises(NotDifferentiableError, match=(
        r"^gradcheck: argument\[0\]\[1\]: the function is not finite near x = 0.0, where .* pass a "
        "smaller eps=, or check at a point inside the domain$"
    )):  # fmt: skip
        qd.gradcheck(np.sqrt, np.array([1.0, 0.0]))


def test_bad_options():
    with pytest.raises(GradientError, match=r"^gradcheck: mode 'backward' is unknown"):
        qd.gradcheck(np.sin, 1.0, modes=("backward",))
    with pytest.raises(GradientError, match=r"^gradcheck: order=0 is no order"):
        qd.gradcheck(np.sin, 1.0, order=0)
    with pytest.raises(GradientError, match=r"^gradcheck: modes is empty, so nothing would be"):
        qd.gradcheck(np.sin, 1.0, modes=())
    with pytest.raises(GradientError, match=r"^gradcheck: modes=3; it must be 'forward', 'rev"):
        qd.gradcheck(np.sin, 1.0, modes=3)
    with pytest.raises(GradientError, match=r"^gradcheck: int is no function; give one to check"):
        qd.gradcheck(3, 1.0)
    for wrong in ("a", 0.0, -1.0):
        with pytest.raises(GradientError, match=f"^gradcheck: eps={wrong!r} is no step of a diff"):
            qd.gradcheck(np.sin, 1.0, eps=wrong)
    for wrong in (-1.0, np.nan):
        with pytest.raises(GradientError, match=f"^gradcheck: rtol={wrong} is no size"):
            qd.gradcheck(np.sin, 1.0, rtol=wrong)
        with pytest.raises(GradientError, match=f"^gradcheck: atol={wrong} is no size"):
            qd.gradcheck(np.sin, 1.0, atol=wrong)
    with pytest.raises(DtypeError, match=(
        "^gradcheck: no argument is float or complex, so there is nothing to differentiate by: "
        r"int, str; convert with .astype\(float\)$"
    )):  # fmt: skip
        qd.gradcheck(lambda n, s: n, 3, "a")
    with pytest.raises(DtypeError, match=(
        r"^gradcheck: the function gave no float or complex result, so there is nothing to "
        r"differentiate; return one$"
    )):  # fmt: skip
        qd.gradcheck(lambda x: None, 1.0)


def test_a_constant_number_has_no_slope():
    assert qd.gradcheck(lambda x: 3.0, np.ones(2), order=2)


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1.0, 1e12])
def test_a_wrong_slope_is_found_at_every_size(size):
    twice = qd.custom_vjp(lambda x: size * np.sum(np.sin(x)))
    twice.defvjp(
        lambda x: (size * np.sum(np.sin(x)), x), lambda x, ct: (2.0 * size * np.cos(x) * ct,)
    )
    assert qd.gradcheck(lambda x: size * np.sum(np.sin(x)), np.ones(2))
    assert not qd.gradcheck(twice, np.ones(2), raise_exception=False)


def test_what_cancels_is_not_called_wrong():
    def f(x):
        weights = np.exp(x) / np.sum(np.exp(x))
        return np.sum(weights) - 1.0

    assert qd.gradcheck(f, np.array([0.3, 1.2, -0.7]), order=2)
    assert qd.gradcheck(f, np.array([0.3, 1.2, -0.7], np.float32))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sin(x.astype(np.float32)).astype(np.float64),
        lambda x: np.sin(x) + 1e-8 * np.sin(1e12 * qd.stop_gradient(x)),
        lambda x: x**5 - 5 * x**4 + 10 * x**3 - 10 * x**2 + 5 * x - 1,
    ],
    ids=["single precision", "noise", "cancellation"],
)
def test_right_rules_of_coarse_values_are_right(f):
    assert qd.gradcheck(f, np.array([1.0, 1.001, 0.3, -0.7]))


@pytest.mark.parametrize("noise", [0.0, 1e-8])
def test_wrong_rules_of_coarse_values_are_wrong(noise):
    @qd.custom_vjp
    def sine(x):
        return np.sin(x.astype(np.float32)).astype(np.float64)

    sine.defvjp(lambda x: (sine.f(x), x), lambda x, ct: (ct * 1.01 * np.cos(x),))
    with pytest.raises(GradcheckError, match=r"off by 0\.0096"):
        qd.gradcheck(
            lambda x: sine(x) + noise * np.sin(1e12 * qd.stop_gradient(x)), np.array([0.3, 0.5])
        )
