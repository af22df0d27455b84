"""The whole text of every error of the functions that take functions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao.core.errors import (
    DetachError,
    DtypeError,
    GradientError,
    MutationError,
    RuleError,
    ShapeError,
    TreeError,
)

X = np.array([1.0, 2.0])
HUGE = (1 << 21) + 1


def changed(make, argument):
    """Change the arrays that a map was made of, and then apply it."""
    x, a = np.ones(HUGE), np.ones(HUGE)
    made = make(x, a)
    x[0] = a[0] = 5.0
    made(argument)


def ruled(**rules):
    """A custom function `f` of two arguments with these rules."""

    def f(x, y):
        return x * 1.0

    made = qd.custom_vjp(f)
    if "bwd" in rules:
        made.defvjp(rules.get("fwd", lambda x, y: (x * 1.0, None)), rules["bwd"])
    if "jvp" in rules:
        made.defjvp(rules["jvp"])
    return made


def pulled(bwd, **rules):
    return lambda: qd.vjp(lambda x: ruled(bwd=bwd, **rules)(x, {"a": 1.0}), X)[1](X)


def pushed(rule):
    return lambda: qd.jvp(lambda x: ruled(jvp=rule)(x, {"a": 1.0}), (X,), (X,))


def reads_from_outside():
    outside = qd.tensor(2.0, requires_grad=True)

    def scaled(x):
        return x * outside

    made = qd.custom_vjp(scaled)
    made.defvjp(lambda x: (scaled(x), None), lambda _, ct: (ct,))
    made(qd.tensor(1.0, requires_grad=True))


def fixed_argument():
    made = qd.custom_vjp(lambda n, x: x * n, nondiff_argnums=(0,))
    made.defvjp(lambda n, x: (x * n, None), lambda n, _, ct: (ct * n,))
    qd.grad(lambda t: made(t, t))(1.0)


def fixed_argument_that_is_not_there():
    made = qd.custom_vjp(lambda n, x: x * n, nondiff_argnums=(2,))
    made.defvjp(lambda n, x: (x * n, None), lambda n, _, ct: (ct * n,))
    made(3, 1.0)


def keyword_only():
    def f(x, *, scale):
        return x * scale

    qd.custom_vjp(f)


def without_rule():
    @qd.custom_vjp
    def f(x):
        return x

    f(1.0)


def other_second_run():
    state = [1.0]

    def f(x):
        state[0] += 1
        return x * state[0]

    qd.grad(qd.checkpoint(f))(1.0)


def changes_its_argument():
    x = np.ones(HUGE)

    def f(z):
        x[0] = 5.0
        return np.sum(z * z)

    qd.grad(f)(x)


IMAGINARY = (
    " is complex128 and the value float64, which has no imaginary part to go with it; give its "
    "real part, np.real(v), or make the value complex"
)
NO_NUMBERS = (
    ", which is no array of numbers; return what is not differentiated apart, with has_aux=True, "
    "or leave it out"
)


@dataclass
class Named:
    weight: Any
    name: str


class Opaque:
    pass


MESSAGES = {
    # arguments
    "no function": (
        lambda: qd.jacrev(3),
        GradientError,
        "jacrev: int 3 is no function; pass one",
    ),
    "no function and no inputs": (
        lambda: qd.grad(3.0),
        GradientError,
        "grad: float is no function, and no inputs are given; pass a function, grad(f), or "
        "computed values and what they were computed from, grad(y, x)",
    ),
    "an argument in place of its number": (
        lambda: qd.grad(np.sum, X),
        GradientError,
        "grad: argnums=array([1., 2.]) is neither the number of an argument nor several; give "
        "names as argnames, and the arguments themselves to what this makes, grad(f)(x)",
    ),
    "a number in place of a name": (
        lambda: qd.hessian(np.sum, argnames=0),
        GradientError,
        "hessian: argnames=0 is neither the name of an argument nor several; give numbers as "
        "argnums",
    ),
    "a text in a dataclass": (
        lambda: qd.grad(lambda p: p.weight)(Named(1.0, "abc")),
        DtypeError,
        "grad: argument 0.name is str 'abc', which has no derivative; mark the field of the "
        "dataclass, field(metadata={'static': True})",
    ),
    "an object that is no container": (
        lambda: qd.grad(lambda p: p.weight)(Opaque()),
        DtypeError,
        "grad: argument 0 is Opaque, which is neither numbers nor a container that is known; make "
        "it a dataclass, register its class with optree.register_pytree_node, or pass its values",
    ),
    "primals that are no tuple": (
        lambda: qd.jvp(np.sin, 1.0, 1.0),
        TreeError,
        "jvp: primals is float; give a tuple with one entry for each argument of the function, "
        "(x,) for one",
    ),
    "series that are no lists": (
        lambda: qd.jet(np.sin, (1.0,), (1.0,)),
        TreeError,
        "jet: series[0] is float; give a list of coefficients [x1, x2, ...], each nested like its "
        "primal",
    ),
    "no size of chunks": (
        lambda: qd.vmap(np.sin, chunk_size=0),
        GradientError,
        "vmap: chunk_size=0 is no size; use 1, 2, ... or None",
    ),
    # results
    "a text beside the value": (
        lambda: qd.jvp(lambda x: {"y": x, "name": "abc"}, (1.0,), (1.0,)),
        DtypeError,
        "jvp: the function returned result['name'] of type str" + NO_NUMBERS,
    ),
    "a function as the value": (
        lambda: qd.linearize(lambda x: np.sin, 1.0),
        DtypeError,
        "linearize: the function returned result of type ufunc" + NO_NUMBERS,
    ),
    "an object beside the series": (
        lambda: qd.jet(lambda x: (x, Opaque()), (1.0,), ([1.0],)),
        DtypeError,
        "jet: the function returned result[1] of type Opaque" + NO_NUMBERS,
    ),
    "texts beside the value of a Jacobian": (
        lambda: qd.jacrev(lambda x: (x, np.array(["abc"])))(1.0),
        DtypeError,
        "jacrev: the function returned result[1] of type ndarray" + NO_NUMBERS,
    ),
    "a text beside a value that is run again": (
        lambda: qd.grad(lambda x: qd.checkpoint(lambda y: (y, "abc"))(x)[0])(1.0),
        DtypeError,
        "checkpoint: the function returned result[1] of type str" + NO_NUMBERS,
    ),
    # arrays that change
    "an argument that the function changes": (
        changes_its_argument,
        MutationError,
        "grad: an argument was changed while the function ran; pass a copy, np.array(x), or "
        "change it afterwards",
    ),
    # imaginary parts that nothing would take
    "a complex tangent of a real value": (
        lambda: qd.jvp(np.sin, (X,), (1j * X,)),
        DtypeError,
        "jvp: the tangent of argument[0]" + IMAGINARY,
    ),
    "a complex cotangent of a real value": (
        lambda: qd.vjp(np.sin, X)[1](1j * X),
        DtypeError,
        "pullback: the cotangent of result" + IMAGINARY,
    ),
    "a complex tangent of a linear map": (
        lambda: qd.linearize(np.sin, X)[1](1j * X),
        DtypeError,
        "linearize: the tangent of argument[0]" + IMAGINARY,
    ),
    "a complex cotangent of a linear map": (
        lambda: qd.linear_transpose(np.negative, X)(1j * X),
        DtypeError,
        "linear_transpose: the cotangent of result" + IMAGINARY,
    ),
    "a complex coefficient of a real value": (
        lambda: qd.jet(np.sin, (X,), ([1j * X],)),
        DtypeError,
        "jet: a coefficient of argument[0]" + IMAGINARY,
    ),
    "argnums beyond the call": (
        lambda: qd.grad(lambda x: x, 2)(1.0),
        GradientError,
        "grad: argnums=2 names argument 2, and the call has 1 positional arguments; name a keyword "
        "argument with argnames",
    ),
    "argnames that the call does not pass": (
        lambda: qd.jacfwd(lambda x, y=1.0: x, argnames="y")(1.0),
        GradientError,
        "jacfwd: argnames='y' names 'y', which the call does not pass; it passes ['x']",
    ),
    "an argument named twice": (
        lambda: qd.grad(lambda x: x, 0, argnames="x")(1.0),
        GradientError,
        "grad: argnums=0 and argnames='x' name an argument twice; name each once",
    ),
    "an integer array": (
        lambda: qd.grad(lambda x, n: x, (0, 1))(1.0, np.arange(3)),
        DtypeError,
        "grad: argument 1 is i64[3], and derivatives exist with respect to float or complex values "
        "only; convert it with .astype(float), or leave it out with argnums",
    ),
    "an integer array by name in a container": (
        lambda: qd.jacrev(lambda p: p, argnames="p")(p={"n": np.arange(3)}),
        DtypeError,
        "jacrev: argument 'p'['n'] is i64[3], and derivatives exist with respect to float or "
        "complex values only; convert it with .astype(float), or leave it out with argnums",
    ),
    "a text": (
        lambda: qd.grad(lambda x: x)("abc"),
        DtypeError,
        "grad: argument 0 is str 'abc', which has no derivative; choose the arguments to "
        "differentiate with argnums or argnames",
    ),
    "a text in a container": (
        lambda: qd.vjp(lambda x: x, {"name": "abc"}),
        DtypeError,
        "vjp: argument[0]['name'] is str 'abc', which has no derivative; choose the arguments to "
        "differentiate with argnums or argnames",
    ),
    "no pair for has_aux": (
        lambda: qd.grad(lambda x: x, has_aux=True)(1.0),
        TreeError,
        "grad: with has_aux=True the function must return a pair (value, aux), and it returned "
        "Tensor",
    ),
    # results
    "a result that is no scalar": (
        lambda: qd.grad(lambda x: x * 2)(X),
        ShapeError,
        "grad: the function must return a scalar, and it returned shape (2,); reduce it (np.sum), "
        "or use qd.jacobian",
    ),
    "a result that is no number": (
        lambda: qd.grad(lambda x: {"y": x})(1.0),
        ShapeError,
        "grad: the function must return a scalar, and it returned dict; reduce it (np.sum), or use "
        "qd.jacobian",
    ),
    "a complex result": (
        lambda: qd.grad(lambda x: x * 1j)(1.0),
        GradientError,
        "grad: the function returned a complex number, which has no gradient; return a real one "
        "(np.real, np.abs), or use qd.vjp or qd.jacobian",
    ),
    "a real result of a complex input": (
        lambda: qd.jacfwd(np.abs)(X * 1j),
        GradientError,
        "jacfwd: a real result of a complex input has no Jacobian over the complex numbers; use "
        "qd.grad, which gives df/dx + i df/dy, or pass the real and imaginary parts",
    ),
    "an unknown mode": (
        lambda: qd.jacobian(np.sin, mode="fast"),
        GradientError,
        "jacobian: mode='fast' is unknown; use 'auto', 'forward' or 'reverse'",
    ),
    # tangents and cotangents
    "a tangent of another shape": (
        lambda: qd.jvp(lambda x, p: x, (1.0, {"a": X}), (1.0, {"a": np.ones(3)})),
        ShapeError,
        "jvp: the tangent of argument[1]['a'] has shape (3,) and its primal (2,); both must be "
        "equal",
    ),
    "tangents nested otherwise": (
        lambda: qd.jvp(lambda p: p["a"], ({"a": 1.0},), ({"b": 1.0},)),
        TreeError,
        "jvp: the structure ({'b': *},) does not fit ({'a': *},); both must be nested alike",
    ),
    "a cotangent of another shape": (
        lambda: qd.vjp(lambda x: {"y": x}, X)[1]({"y": np.ones(3)}),
        ShapeError,
        "pullback: the cotangent of result['y'] has shape (3,) and the result (2,); both must be "
        "equal",
    ),
    "cotangents nested otherwise": (
        lambda: qd.vjp(lambda x: (x, x), X)[1](X),
        TreeError,
        "pullback: the structure * does not fit (*, *); both must be nested alike",
    ),
    "a changed argument of vjp": (
        lambda: changed(lambda x, a: qd.vjp(np.sum, x)[1], 1.0),
        MutationError,
        "pullback: an argument of vjp was changed after the call that recorded it; pass a copy, "
        "np.array(x), or change it after the pullback",
    ),
    # linear maps
    "a tangent of linearize of another shape": (
        lambda: qd.linearize(lambda p: p["a"], {"a": X})[1]({"a": 1.0}),
        ShapeError,
        "linearize: the tangent of argument[0]['a'] has shape () and its primal (2,); both must be "
        "equal",
    ),
    "a changed array of linearize": (
        lambda: changed(lambda x, a: qd.linearize(lambda x: (x * a).sum(), x)[1], np.ones(HUGE)),
        MutationError,
        "linearize: an array that the linear map reads was changed after it was used; pass a copy, "
        "np.array(a), or change it after the last call of the map",
    ),
    "a changed array of linear_transpose": (
        lambda: changed(lambda x, a: qd.linear_transpose(lambda x: x * a, x), np.ones(HUGE)),
        MutationError,
        "linear_transpose: an array that the linear map reads was changed after it was used; pass "
        "a copy, np.array(a), or change it after the last call of the map",
    ),
    "linear_transpose of what is not linear": (
        lambda: qd.linear_transpose(np.sin, X),
        RuleError,
        "linear_transpose: sin is not linear in what it is applied to here, so the function is not "
        "linear; take qd.vjp, the transpose of its derivative at a point",
    ),
    "linear_transpose of what adds something": (
        lambda: qd.linear_transpose(lambda x: 2.0 * x + X, X),
        RuleError,
        "linear_transpose: add at file.py:N (`lambda: qd.linear_transpose(lambda x: 2.0 * x + X, "
        "X),`) adds what does not depend on the inputs, so the function is affine, not linear; "
        "subtract its value at zero",
    ),
    "linear_transpose of a constant": (
        lambda: qd.linear_transpose(lambda x: [x, X], X),
        RuleError,
        "linear_transpose: result[1] does not depend on the inputs, so the function is affine, not "
        "linear; subtract its value at zero",
    ),
    "linear_transpose of a reading": (
        lambda: qd.linear_transpose(lambda x: x if x[0] > 0 else -x, X),
        RuleError,
        "linear_transpose: greater is not linear in what it is applied to here, so the function is "
        "not linear; take qd.vjp, the transpose of its derivative at a point",
    ),
    "linear_transpose of a branch": (
        lambda: qd.linear_transpose(lambda x: x if x[0] else -x, X),
        RuleError,
        "slot: a tangent that is not known yet has no value to read",
    ),
    "linear_transpose of a write": (
        lambda: qd.linear_transpose(lambda x: x.__setitem__(0, x[1]), X),
        RuleError,
        "setitem: a linear map that is to be transposed cannot write into an array; build the "
        "result with np.stack, np.concatenate or np.where",
    ),
    "linear_transpose of what is cut": (
        lambda: qd.linear_transpose(lambda x: 2 * x.detach(), X),
        RuleError,
        "detach: a linear map that is to be transposed cannot be cut from what it is applied to; "
        "leave .detach() out, or state the other mode as well (jvp beside backward)",
    ),
    "a cotangent of linear_transpose of another shape": (
        lambda: qd.linear_transpose(lambda x: [x * 2], X)([np.ones(3)]),
        ShapeError,
        "linear_transpose: the cotangent of result[0] has shape (3,) and the result (2,); both "
        "must be equal",
    ),
    # batches
    "in_axes of another length": (
        lambda: qd.vmap(np.add, (0, 0, 0))(X, X),
        TreeError,
        "vmap: in_axes has 3 entries for 2 arguments; give one each",
    ),
    "in_axes of another kind": (
        lambda: qd.vmap(lambda p: p, {"a": 0})({"a": X}),
        TreeError,
        "vmap: in_axes={'a': 0} is neither an integer nor None nor a tuple with one entry for each "
        "argument",
    ),
    "in_axes of another structure": (
        lambda: qd.vmap(lambda p: p, ({"b": 0},))({"a": X}),
        TreeError,
        "vmap: ({'b': 0},) is no prefix of the structure ({'a': *},); give one entry for all, or "
        "one for each branch",
    ),
    "no axis to map": (
        lambda: qd.vmap(lambda x, p: x)(X, {"a": 1.0}),
        ShapeError,
        "vmap: argument[1]['a'] has shape () and no axis 0 to map; use in_axes=None for an "
        "argument shared by all examples",
    ),
    "batches of different sizes": (
        lambda: qd.vmap(np.add)(X, np.ones(3)),
        ShapeError,
        "vmap: argument[1] has 3 examples along axis 0 and argument[0] has 2; all mapped axes must "
        "be equal",
    ),
    "nothing mapped": (
        lambda: qd.vmap(np.sin, None)(X),
        ShapeError,
        "vmap: no argument is mapped; give at least one an axis in in_axes",
    ),
    "out_axes None for what differs": (
        lambda: qd.vmap(lambda x: (1.0, x), out_axes=None)(X),
        ShapeError,
        "vmap: out_axes says None for result[1], which differs between the examples; give the "
        "batch an axis",
    ),
    "in_axes that hold what is no axis": (
        lambda: qd.vmap(lambda p: p, ({"a": "0"},))({"a": X}),
        TreeError,
        "vmap: in_axes has '0' for [0]['a'], which is no axis; give an integer, or None",
    ),
    "out_axes that are no axis": (
        lambda: qd.vmap(np.sin, out_axes=1.0)(X),
        TreeError,
        "vmap: out_axes has 1.0 for all, which is no axis; give an integer, or None",
    ),
    "an axis that the result has not": (
        lambda: qd.vmap(lambda x: (x, x), out_axes=(0, 1))(X),
        ShapeError,
        "vmap: out_axes says 1 for result[1], and its axes with the batch are 1; give the batch "
        "an axis from 0 to 0",
    ),
    "a plain array indexed in a batch": (
        lambda: qd.vmap(lambda n, i: n[i], (None, 0))(X, np.array([1, 0])),
        DetachError,
        "vmap: conversion to a plain NumPy array: this value differs between the examples of the "
        "batch, and a plain array cannot be indexed by it; make that a tensor, qd.tensor(n)[i]",
    ),
    "places taken from a plain array in a batch": (
        lambda: qd.vmap(lambda i: np.take(X, i))(np.array([[1, 0]])),
        DetachError,
        "vmap: conversion to a plain NumPy array: this value differs between the examples of the "
        "batch, and a plain array cannot be indexed by it; make that a tensor, qd.tensor(n)[i]",
    ),
    "a rule that branches on a direction": (
        lambda: qd.jacfwd(ruled(jvp=lambda xs, dxs: (xs[0], 1.0 if dxs[0] > 0 else 0.0)))(2.0, 1.0),
        DetachError,
        "jacfwd: this tangent differs between the directions, so it cannot decide a branch or "
        "become one number; use np.where(condition, a, b)",
    ),
    "a branch in a batch": (
        lambda: qd.vmap(lambda x: x if x > 1 else -x)(X),
        DetachError,
        "vmap: this value differs between the examples of the batch, so it cannot decide a branch "
        "or become one number; use np.where(condition, a, b), or a Python loop",
    ),
    # Taylor mode
    "another number of series": (
        lambda: qd.jet(np.sin, (1.0,), ([1.0], [1.0])),
        TreeError,
        "jet: 1 primals and 2 series; give a list of coefficients for each primal",
    ),
    "series of different lengths": (
        lambda: qd.jet(np.add, (1.0, 1.0), ([1.0], [1.0, 0.0])),
        TreeError,
        "jet: series of lengths [1, 2]; all must be equal",
    ),
    "a coefficient of another shape": (
        lambda: qd.jet(np.sin, (X,), ([1.0],)),
        ShapeError,
        "jet: a coefficient of argument[0] has shape () and its primal (2,); both must be equal",
    ),
    # rules of the user's
    "a custom function without a rule": (
        without_rule,
        GradientError,
        "f: this function has no rule yet; give it one with defvjp or defjvp",
    ),
    "a keyword-only parameter": (
        keyword_only,
        GradientError,
        "f: the parameter 'scale' can be passed by keyword only, and rules take arguments by "
        "position; make it one that may be passed by position",
    ),
    "a value from outside": (
        reads_from_outside,
        GradientError,
        "scaled: this function reads a value from outside that carries a gradient, which its rule "
        "does not know of; pass it as an argument",
    ),
    "a fixed argument that carries a gradient": (
        fixed_argument,
        GradientError,
        "<lambda>: argument 0 is in nondiff_argnums and carries a gradient; take it out of "
        "nondiff_argnums, or cut it with qd.stop_gradient",
    ),
    "a fixed argument that is not there": (
        fixed_argument_that_is_not_there,
        GradientError,
        "<lambda>: nondiff_argnums names argument 2, and the call has 2; name those that there "
        "are, from 0",
    ),
    "a forward function that keeps nothing": (
        pulled(lambda _, ct: (ct, None), fwd=lambda x, y: x * 1.0),
        TreeError,
        "f: its forward function must return (result, residuals), and it returned ndarray",
    ),
    "too few cotangents": (
        pulled(lambda _, ct: (ct,)),
        TreeError,
        "f: its backward rule returned 1 entries for 2 arguments; return a tuple with the "
        "cotangent of each, None for zero",
    ),
    "a bare cotangent": (
        pulled(lambda _, ct: 5),
        TreeError,
        "f: its backward rule returned int for 2 arguments; return a tuple with the cotangent of "
        "each, None for zero",
    ),
    "a cotangent nested otherwise": (
        pulled(lambda _, ct: (ct, {"a": 1.0, "b": 1.0})),
        TreeError,
        "f: the cotangent of argument 1 is {'a': *, 'b': *} and the argument {'a': *}; both must "
        "be nested alike",
    ),
    "a rule's cotangent of another shape": (
        pulled(lambda _, ct: (ct, {"a": np.ones(3)})),
        ShapeError,
        "f: the cotangent of argument 1['a'] has shape (3,) and the argument (); both must be "
        "equal",
    ),
    "a forward rule that gives no pair": (
        pushed(lambda xs, dxs: dxs[0]),
        TreeError,
        "f: its forward rule must return (result, tangent of the result), and it returned ndarray",
    ),
    "a rule's tangent nested otherwise": (
        pushed(lambda xs, dxs: (xs[0], {"y": dxs[0]})),
        TreeError,
        "f: its forward rule returned the tangent {'y': *} of the result *; both must be nested "
        "alike",
    ),
    "a rule's tangent of another shape": (
        pushed(lambda xs, dxs: ({"y": xs[0]}, {"y": 1.0})),
        ShapeError,
        "f: the tangent of result['y'] has shape () and the result (2,); both must be equal",
    ),
    "another result in the second run": (
        other_second_run,
        GradientError,
        "checkpoint: the function gave another result when it was run again for the backward "
        "sweep; pass it what changes (an array that is written to, the state of a random "
        "generator) as an argument",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    act, error, text = MESSAGES[name]
    kind, found = raised(act)
    assert issubclass(kind, error)
    assert found == text


def test_what_numpy_is_may_only_be_lift():
    for derive, name in ((qd.grad, "grad"), (qd.hessian, "hessian"), (qd.jacfwd, "jacfwd")):
        assert raised(lambda derive=derive: derive(np.sum, numpy="jit")) == (
            GradientError,
            f"{name}: numpy='jit' is unknown; use 'lift', or leave it out",
        )


def test_only_functions_are_lifted():
    assert raised(lambda: qd.lift(3.0)) == (
        GradientError,
        "lift: float 3.0 is no function; pass the function that computes with NumPy",
    )


def test_one_number_is_read_out_in_lifted_code():
    def f(x):
        return x.item()

    assert raised(lambda: qd.grad(f, numpy="lift")(np.ones(2))) == (
        ValueError,
        "can only convert an array of size 1 to a Python scalar",
    )


def test_numbers_from_the_text_of_a_tracer_are_refused():
    text = "'tensor(1., requires_grad=True)'"
    assert raised(lambda: qd.grad(lambda x: float(f"{x}"), numpy="lift")(1.0)) == (
        DetachError,
        f"float: {text} is the text of a traced value, which carries no derivative; use the value "
        "itself, without going through text, or cut on purpose with .detach()",
    )


def test_what_goes_through_memory_is_refused_in_lifted_code():
    carries = "this f64[2] carries a gradient, which the conversion would cut in silence; "
    assert raised(lambda: qd.grad(lambda x: next(np.nditer([x])), numpy="lift")(np.ones(2))) == (
        DetachError,
        f"np.nditer(x): {carries}go through np.reshape(x, -1), or x[i] for i in "
        "np.ndindex(x.shape)",
    )
