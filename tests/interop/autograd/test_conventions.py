"""Where HIPS autograd's conventions differ from ours, its own hold; and what its errors are."""

import numpy as np
import pytest

import qiudao as qd
import qiudao.interop.autograd.numpy as anp
from qiudao.interop.autograd import (
    elementwise_grad,
    grad,
    grad_named,
    hessian,
    holomorphic_grad,
    jacobian,
    make_jvp,
    make_vjp,
    multigrad_dict,
    primitive,
)
from qiudao.interop.autograd.extend import (
    VJPNode,
    defjvp,
    defvjp,
    defvjp_argnums,
    register_notrace,
    vspace,
)
from qiudao.interop.autograd.test_util import check_equivalent, check_grads, combo_check

X = np.array([0.3, -1.2, 2.1])


def test_complex_gradients_are_conjugate_to_ours():
    f = lambda z: np.real(z**2)
    assert grad(f)(1 + 2j) == np.conj(qd.grad(f)(1 + 2j)) == 2 + 4j


def test_a_result_that_is_independent_warns_and_gives_zeros():
    with pytest.warns(UserWarning, match="Output seems independent of input"):
        assert grad(lambda x: 3.0)(1.0) == 0.0
    with pytest.warns(UserWarning, match="Output seems independent of input"):
        assert make_jvp(lambda x: 3.0)(1.0)(1.0)[1] == 0.0


def test_an_outer_gradient_does_not_count_as_dependence():
    def f(x):
        with pytest.warns(UserWarning, match="Output seems independent of input"):
            inner = grad(lambda y: x * 2.0)(1.0)
        return x + inner

    assert grad(f)(1.0) == 1.0


def test_results_of_one_element_have_a_gradient():
    np.testing.assert_array_equal(grad(lambda x: x[:1] * 2)(X), [2.0, 0.0, 0.0])


def test_arrays_of_integers_are_taken_as_floats():
    np.testing.assert_array_equal(grad(lambda x: np.sum(x**2))(np.array([1, 2])), [2.0, 4.0])


@pytest.mark.parametrize(
    "act, error, message",
    [
        (lambda: grad(lambda x: x)(X), TypeError, "Grad only applies to real scalar-output"),
        (lambda: grad(lambda x: x * 1j)(1.0), TypeError, "Grad only applies to real scalar-out"),
        (lambda: grad(lambda x: "a")(1.0), TypeError, "this one returned str"),
        (lambda: grad(lambda x: x)(1), TypeError, "Can't differentiate w.r.t. type <class 'int'>"),
        (lambda: grad(lambda x: x)("a"), TypeError, "Can't differentiate w.r.t. type"),
        (lambda: grad(lambda x: x, "x"), TypeError, "argnum: 'x' is no position"),
        (lambda: grad(lambda x: x, 2)(1.0), IndexError, "range"),
        (lambda: grad_named(lambda x: x, "y"), ValueError, "has no argument 'y'; it has x"),
        (
            lambda: elementwise_grad(lambda x: x * 1j)(1.0),
            TypeError,
            "elementwise_grad only applies to real-output functions",
        ),
        (
            lambda: jacobian(lambda x: x * 1j)(X),
            TypeError,
            "jacobian only applies to real-output functions",
        ),
        (lambda: vspace("a"), TypeError, "vspace: no vector space for 'a'"),
        (lambda: check_grads(np.sin, modes=["both"])(1.0), ValueError, "check_grads: modes="),
        (
            lambda: defvjp(len, lambda ans, x: lambda g: g),
            TypeError,
            "defvjp_argnums: len was not made by primitive, and has no rule of qiudao's either",
        ),
        (
            lambda: defvjp(primitive(lambda x: x), "same"),
            TypeError,
            "a rule must be a function or None, and this is 'same'",
        ),
    ],
)
def test_errors(act, error, message):
    with pytest.raises(error) as caught, np.errstate(all="ignore"):
        act()
    assert message in str(caught.value)


def test_a_warning_for_a_real_holomorphic_gradient():
    with pytest.warns(UserWarning, match="Input to holomorphic_grad is not complex"):
        holomorphic_grad(lambda x: x**2)(2.0)


def opaque():
    """A function that no tracer passes: it asks for plain values."""

    @primitive
    def square(x):
        assert type(x) in (np.ndarray, np.float64, float)
        return np.asarray(x) ** 2

    return square


def test_a_function_without_rules_says_so():
    square = opaque()
    message = r"VJP of square wrt argnums \(0,\) not defined; state it with defvjp"
    with pytest.raises(NotImplementedError, match=message):
        grad(square)(2.0)
    with pytest.raises(NotImplementedError, match=message):
        make_jvp(square)(2.0)(1.0)


def test_an_argument_without_a_rule_says_so():
    f = primitive(lambda x, y: x * y)
    defvjp(f, lambda ans, x, y: lambda g: g * y)
    with pytest.raises(NotImplementedError, match=r"wrt argnums \(1,\) not defined"):
        grad(f, 1)(2.0, 3.0)
    defjvp(f, lambda g, ans, x, y: g * y)
    with pytest.raises(NotImplementedError, match=r"JVP of .* wrt argnums \(1,\) not defined"):
        make_jvp(f, 1)(2.0, 3.0)(1.0)


def test_either_rule_gives_both_modes():
    by_cotangents, by_tangents = opaque(), opaque()
    defvjp(by_cotangents, lambda ans, x: lambda g: g * 2 * x)
    defjvp(by_tangents, lambda g, ans, x: g * 2 * x)
    for f in (by_cotangents, by_tangents):
        check_grads(f, order=3)(X)
        np.testing.assert_allclose(hessian(lambda x, f: np.sum(f(x) * x))(X, f), np.diag(6 * X))
        np.testing.assert_allclose(qd.vmap(qd.grad(f))(X), 2 * X)


def test_a_rule_for_one_example_serves_a_jacobian():
    """Its rows are pulled one by one where the rule cannot take them all at once."""
    square = opaque()
    defvjp(square, lambda ans, x: lambda g: np.array([float(v) for v in g]) * 2 * x)
    np.testing.assert_array_equal(jacobian(square)(X), np.diag(2 * X))


def test_a_function_registered_as_constant():
    square = opaque()
    register_notrace(VJPNode, square)
    np.testing.assert_array_equal(grad(lambda x: np.sum(x * square(x)))(X), X**2)


def test_tangents_of_linear_and_constant_arguments():
    f = primitive(lambda x, y: x * 3.0)
    defjvp(f, "same", None)
    assert make_jvp(f)(2.0, 1.0)(1.0)[1] == 3.0
    assert make_jvp(f, 1)(2.0, 1.0)(1.0)[1] == 0.0


def test_rules_for_functions_that_have_one_of_ours_change_nothing():
    defvjp(np.sin, lambda ans, x: lambda g: 100.0 * g)
    defjvp(anp.linalg.inv, lambda g, ans, x: 100.0 * g)
    assert grad(np.sin)(0.0) == 1.0


def test_rules_take_containers():
    total = primitive(lambda pair, k: pair[0] * pair[1] * k["c"])

    def vjps(argnums, ans, args, kwargs):
        (a, b), k = args
        found = {0: lambda g: (g * b * k["c"], g * a * k["c"]), 1: lambda g: {"c": g * a * b}}
        return lambda g: [found[n](g) for n in argnums]

    defvjp_argnums(total, vjps)
    assert grad(lambda x: total((x, 2.0), {"c": x}))(3.0) == 12.0
    assert make_jvp(lambda x: total((x, x), {"c": 2.0}))(3.0)(1.0)[1] == 12.0


def test_a_user_rule_is_compiled_around():
    pytest.importorskip("llvmlite")
    square = opaque()
    defvjp(square, lambda ans, x: lambda g: g * 2 * x)
    fast = qd.jit(qd.grad(lambda x: np.sum(np.sin(square(x)))))
    np.testing.assert_allclose(fast(X), 2 * X * np.cos(X**2))


def test_checks_find_wrong_rules():
    wrong = opaque()
    defvjp(wrong, lambda ans, x: lambda g: g * 3 * x)
    with pytest.raises(AssertionError, match="check_vjp: the derivative of"):
        check_grads(wrong, modes=["rev"])(2.0)
    with pytest.raises(AssertionError, match=r"check_equivalent: .* differ"):
        check_grads(wrong, modes=["fwd"])(2.0)
    with pytest.raises(AssertionError, match="differ; both must be equal"):
        check_equivalent(X, X[:2])


def test_combinations_are_checked():
    combo_check(lambda x, k, p=1: np.sum(x**p) * k, modes=["rev"], order=1)(
        [X, 2.0], [1.0, 3.0], p=[1, 2]
    )


def test_gradients_in_all_arguments():
    found = multigrad_dict(lambda x, *rest, y=2.0, **named: x * rest[0] * y * named["z"])(
        3.0, 5.0, z=7.0
    )
    assert found["x"] == 70.0
    assert found["rest"] == (42.0,)
    assert found["y"] == 105.0
    assert found["named"] == {"z": 30.0}


def test_pullbacks_take_smaller_cotangents():
    vjp, _ = make_vjp(lambda x: 2.0 * x)(X)
    np.testing.assert_array_equal(vjp(1.0), np.full(3, 2.0))
