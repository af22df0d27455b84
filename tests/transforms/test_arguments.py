"""Which arguments are differentiated, what comes back, and what travels beside the value."""

import re
from collections import UserDict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import optree
import pytest

import qiudao as qd
from checking import close, same
from qiudao.core.errors import DtypeError


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass(frozen=True)
class Layer:
    weight: Any
    bias: Any


def f(x, y, z=2.0):
    return x * x * y * z


def cubic(x):
    return np.sum(x**3)


@pytest.mark.parametrize(
    "options, wanted",
    [
        ({}, 12.0),
        ({"argnums": 0}, 12.0),
        ({"argnums": 1}, 8.0),
        ({"argnums": -1}, 8.0),
        ({"argnums": np.int64(1)}, 8.0),
        ({"argnums": np.array([1, 0])}, (8.0, 12.0)),
        ({"argnums": (0,)}, (12.0,)),
        ({"argnums": [0, 1]}, (12.0, 8.0)),
        ({"argnums": (1, 0)}, (8.0, 12.0)),
        ({"argnames": "x"}, 12.0),
        ({"argnames": "y"}, 8.0),
        ({"argnames": ("y", "x")}, (8.0, 12.0)),
        ({"argnames": ["x"]}, (12.0,)),
        ({"argnums": 0, "argnames": "y"}, (12.0, 8.0)),
        ({"argnums": (1,), "argnames": ("x",)}, (8.0, 12.0)),
    ],
)
def test_positional_arguments_by_number_and_by_name(options, wanted):
    same(qd.grad(f, **options)(2.0, 1.5), wanted)
    value, gradient = qd.value_and_grad(f, **options)(2.0, 1.5)
    close(value, 12.0)
    same(gradient, wanted)


def test_keyword_arguments_by_name():
    same(qd.grad(f, argnames="z")(2.0, 1.5, z=2.0), 6.0)
    same(qd.grad(f, argnames=("z", "x"))(2.0, 1.5, z=2.0), (6.0, 12.0))
    same(qd.grad(f, argnames=("x", "z"))(2.0, 1.5, z=2.0), (12.0, 6.0))
    same(qd.grad(f, argnames=("y", "x"))(x=2.0, y=1.5), (8.0, 12.0))


def test_keyword_only_arguments():
    def g(x, *, scale):
        return x * scale

    same(qd.grad(g, argnames="scale")(3.0, scale=5.0), 3.0)


def test_arguments_of_a_function_that_takes_any_number():
    def product(*xs, **named):
        return np.prod(np.stack(xs)) * named.get("scale", 1.0)

    same(qd.grad(product, (0, 2))(2.0, 3.0, 5.0), (15.0, 6.0))
    same(qd.grad(product, argnames="scale")(2.0, 3.0, scale=1.0), 6.0)


@pytest.mark.parametrize("make", [qd.jacfwd, qd.jacrev, qd.jacobian])
def test_jacobians_choose_arguments_alike(make):
    def g(x, y):
        return np.stack([x * y, x + y])

    same(make(g, 1)(2.0, 3.0), np.array([2.0, 1.0]))
    same(make(g, (1, 0))(2.0, 3.0), (np.array([2.0, 1.0]), np.array([3.0, 1.0])))
    same(make(g, argnames="y")(2.0, y=3.0), np.array([2.0, 1.0]))


def test_hessians_choose_arguments_alike():
    same(qd.hessian(f)(2.0, 1.5), 6.0)
    same(qd.hessian(f, (0, 1))(2.0, 1.5), ((6.0, 8.0), (8.0, 0.0)))
    same(qd.hessian(f, argnames="y")(2.0, y=1.5), 0.0)


@pytest.mark.parametrize(
    "x, wanted",
    [
        ({"w": 2.0, "b": [3.0]}, {"w": 12.0, "b": [27.0]}),
        ([2.0, (3.0,)], [12.0, (27.0,)]),
        (Pair(2.0, 3.0), Pair(12.0, 27.0)),
        ((2.0, None, 3.0), (12.0, None, 27.0)),
    ],
)
def test_gradients_mirror_any_container(x, wanted):
    def g(tree):
        leaves = qd.jet  # any name: the function sees the container it was given
        assert leaves is qd.jet
        total = 0.0
        for leaf in flat(tree):
            total = total + leaf**3
        return total

    found = qd.grad(g)(x)
    assert type(found) is type(wanted)
    same(found, wanted)


def flat(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in flat(branch)]
    return [] if tree is None else [tree]


def test_a_dataclass_is_a_container_even_when_frozen():
    found = qd.grad(lambda layer: (layer.weight * layer.bias).sum())(
        Layer(np.array([1.0, 2.0]), 3.0)
    )
    assert type(found) is Layer
    close(found.weight, [3.0, 3.0])
    close(found.bias, 3.0)


@dataclass
class Unit:
    weight: Any
    kind: str = field(metadata={"static": True})


def test_a_static_field_of_a_dataclass_travels_along():
    def run(unit):
        assert unit.kind == "relu"
        return unit.weight**2

    assert qd.grad(run)(Unit(3.0, "relu")) == Unit(6.0, "relu")
    assert qd.vmap(lambda u: Unit(u.weight, "tanh"))(Unit(np.ones(2), "relu")).kind == "tanh"


def test_a_class_that_is_registered_with_optree_stays_as_it_is():
    @dataclass
    class Known:
        weight: Any
        kind: str

    optree.register_pytree_node(
        Known,
        lambda known: ([known.weight], known.kind),
        lambda kind, leaves: Known(*leaves, kind),
        namespace="qiudao",
    )
    assert qd.grad(lambda known: known.weight**2)(Known(3.0, "relu")) == Known(6.0, "relu")


class Parameters(dict):
    pass


@pytest.mark.parametrize(
    "kind", [Parameters, UserDict, MappingProxyType], ids=lambda kind: kind.__name__
)
def test_every_mapping_is_a_container(kind):
    parameters = kind({"w": 3.0, "b": {"c": np.array([1.0, 2.0])}})

    def loss(p):
        return p["w"] ** 2 * np.sum(p["b"]["c"])

    found = qd.grad(loss)(parameters)
    assert type(found) is kind
    assert list(found) == ["w", "b"]
    close(found["w"], 18.0)
    close(found["b"]["c"], [9.0, 9.0])
    with pytest.raises(DtypeError, match=re.escape("argument 0['b']['c'] is i64[2]")):
        qd.grad(loss)(kind({"w": 3.0, "b": {"c": np.array([1, 2])}}))


def test_an_empty_container_has_an_empty_gradient():
    assert qd.grad(lambda x, empty: x * x, (0, 1))(3.0, {}) == (6.0, {})


def test_a_dict_argument_mutated_inside_is_not_the_callers():
    parameters = {"w": 2.0}

    def g(p):
        p["w"] = p["w"] * 3
        return p["w"] ** 2

    close(qd.grad(g)(parameters)["w"], 36.0)
    assert parameters == {"w": 2.0}


# Values that travel beside the result

AUX = {"note": "text", "count": 3, "nothing": None}


def with_aux(x):
    return cubic(x), {**AUX, "square": x * x}


def check_aux(aux, x):
    assert {k: aux[k] for k in AUX} == AUX
    assert isinstance(aux["square"], np.ndarray | np.generic)
    close(aux["square"], x * x)


X = np.array([1.0, 2.0])


def test_grad_with_aux():
    gradient, aux = qd.grad(with_aux, has_aux=True)(X)
    close(gradient, 3 * X**2)
    check_aux(aux, X)


def test_value_and_grad_with_aux():
    (value, aux), gradient = qd.value_and_grad(with_aux, has_aux=True)(X)
    close(value, 9.0)
    close(gradient, 3 * X**2)
    check_aux(aux, X)


def test_vjp_with_aux():
    value, pull, aux = qd.vjp(with_aux, X, has_aux=True)
    close(value, 9.0)
    close(pull(1.0)[0], 3 * X**2)
    check_aux(aux, X)


def test_jvp_with_aux():
    value, change, aux = qd.jvp(with_aux, (X,), (np.ones(2),), has_aux=True)
    close(value, 9.0)
    close(change, 15.0)
    check_aux(aux, X)


@pytest.mark.parametrize("make", [qd.jacfwd, qd.jacrev, qd.jacobian])
@pytest.mark.parametrize("chunk_size", [None, 1])
def test_jacobians_with_aux(make, chunk_size):
    jacobian, aux = make(with_aux, has_aux=True, chunk_size=chunk_size)(X)
    close(jacobian, 3 * X**2)
    check_aux(aux, X)


def test_hessian_with_aux():
    hessian, aux = qd.hessian(with_aux, has_aux=True)(X)
    close(hessian, np.diag(6 * X))
    check_aux(aux, X)


def test_aux_of_a_nested_gradient_belongs_to_the_outer_level():
    def g(x):
        gradient, aux = qd.grad(with_aux, has_aux=True)(x)
        return (gradient * aux["square"]).sum()

    close(qd.grad(g)(X), 12 * X**3)


# What a gradient is

NUMBERS = [(3, np.float64), (3.0, np.float64), (np.float32(3), np.float32)]


@pytest.mark.parametrize("x, kind", NUMBERS, ids=["int", "float", "float32"])
def test_a_number_has_a_number_for_its_gradient(x, kind):
    g = qd.grad(lambda x: x * x)(x)
    assert type(g) is kind
    assert g == 6.0


def test_an_array_has_a_plain_array_for_its_gradient():
    assert type(qd.grad(cubic)(X)) is np.ndarray


def test_a_list_of_numbers_has_a_list():
    same(qd.grad(lambda x: x[0] * x[1])([2.0, 3.0]), [3.0, 2.0])


def test_a_result_that_does_not_depend_on_the_argument():
    same(qd.grad(lambda x: 5.0)(3.0), 0.0)
    same(qd.grad(lambda x: np.float64(5.0))(X), np.zeros(2))
    same(qd.grad(lambda x, y: y * 1.0, (0, 1))(X, 2.0), (np.zeros(2), 1.0))


def test_an_integer_result_is_taken_as_a_constant():
    same(qd.grad(lambda x: 5)(3.0), 0.0)


def test_an_argument_returned_as_it_is():
    same(qd.grad(lambda x: x)(3.0), 1.0)


def test_empty_arrays():
    same(qd.grad(lambda x: x.sum())(np.zeros(0)), np.zeros(0))
    same(qd.grad(lambda x: (x * x).sum())(np.zeros((2, 0))), np.zeros((2, 0)))


def test_the_name_and_the_documentation_are_the_functions():
    def documented(x):
        """Explained."""
        return x

    for make in (qd.grad, qd.value_and_grad, qd.jacfwd, qd.jacrev, qd.jacobian, qd.hessian):
        assert make(documented).__doc__ == "Explained."
        assert make(documented).__name__ == "documented"


def test_a_ufunc_may_be_differentiated_as_it_is():
    close(qd.grad(np.sin)(0.3), np.cos(0.3))
    close(qd.jacfwd(np.sin)(X), np.diag(np.cos(X)))


ON_NUMBERS = {
    "grad": lambda f: qd.grad(f)(1.0),
    "value_and_grad": lambda f: qd.value_and_grad(f)(1.0)[1],
    "vjp": lambda f: qd.vjp(f, 1.0)[1](1)[0],
    "jvp": lambda f: qd.jvp(f, (1.0,), (1,))[1],
    "linearize": lambda f: qd.linearize(f, 1.0)[1](1.0),
    "hvp": lambda f: qd.hvp(f, 1.0, 1.0),
    "jacfwd": lambda f: qd.jacfwd(f)(1.0),
    "jacrev": lambda f: qd.jacrev(f)(1.0),
    "hessian": lambda f: qd.hessian(f)(1.0),
    "jet": lambda f: qd.jet(f, (1.0,), ([1.0, 0.0],))[1][0],
}


@pytest.mark.parametrize("f", [lambda x: x, lambda x: 2.0 * x, lambda x: x * x, lambda x: 3.0])
@pytest.mark.parametrize("name", ON_NUMBERS)
def test_derivatives_of_numbers_are_numbers(name, f):
    assert type(ON_NUMBERS[name](f)) is np.float64


VALUES = {
    "value_and_grad": lambda f: qd.value_and_grad(f)(M)[0],
    "vjp": lambda f: qd.vjp(f, M)[0],
    "jvp": lambda f: qd.jvp(f, (M,), (M,))[0],
    "linearize": lambda f: qd.linearize(f, M)[0],
    "jet": lambda f: qd.jet(f, (M,), ([M],))[0],
    "checkpoint": lambda f: qd.checkpoint(f)(M),
}
M = np.array([[2.0, 1.0], [0.0, 3.0]])


@pytest.mark.parametrize("name", VALUES)
def test_so_are_the_values_of_functions(name):
    assert type(VALUES[name](np.linalg.cond)) is np.float64
