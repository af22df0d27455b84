"""`qd.grad` of computed values: containers, duplicates, edges, unused inputs, constants."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf, same


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass
class Layer:
    weight: Any
    bias: Any


def test_a_bare_input_gives_a_tuple_of_one():
    x = leaf(3.0)
    same(qd.grad(x * x, x), (6.0,))


def test_a_flat_list_gives_a_tuple():
    x, y = leaf(3.0), leaf(2.0)
    same(qd.grad(x * y, [x, y]), (2.0, 3.0))


def test_a_tuple_gives_a_tuple():
    x, y = leaf(3.0), leaf(2.0)
    same(qd.grad(x * y, (x, y)), (2.0, 3.0))


def test_a_dict_gives_a_dict():
    x, y = leaf(3.0), leaf(2.0)
    same(qd.grad(x * y, {"y": y, "x": x}), {"y": 3.0, "x": 2.0})


def test_an_ordered_dict_keeps_its_type_and_order():
    x, y = leaf(3.0), leaf(2.0)
    found = qd.grad(x * y, OrderedDict(y=y, x=x))
    assert type(found) is OrderedDict
    assert list(found) == ["y", "x"]


def test_a_namedtuple_gives_a_namedtuple():
    x, y = leaf(3.0), leaf(2.0)
    found = qd.grad(x * y, Pair(x, y))
    assert type(found) is Pair
    close(found.first, 2.0)


def test_a_dataclass_gives_a_dataclass():
    layer = Layer(leaf([1.0, 2.0]), leaf(3.0))
    found = qd.grad((layer.weight * layer.bias).sum(), layer)
    assert type(found) is Layer
    close(found.weight, [3.0, 3.0])
    close(found.bias, 3.0)


def test_containers_nest():
    x, y = leaf(3.0), leaf(2.0)
    same(qd.grad(x * y, [{"x": x}, (y, [x])]), [{"x": 2.0}, (3.0, [2.0])])


def test_none_in_a_container_stays():
    x = leaf(3.0)
    same(qd.grad(x * x, {"x": x, "nothing": None}), {"x": 6.0, "nothing": None})


def test_outputs_are_summed():
    x = leaf(3.0)
    same(qd.grad([x * x, 2 * x], x), (8.0,))


def test_outputs_in_any_container_with_cotangents_alike():
    x = leaf([1.0, 2.0])
    outputs = {"a": x * x, "b": (x[0], 3 * x)}
    cotangents = {"a": np.array([1.0, 0.0]), "b": (10.0, np.array([0.0, 1.0]))}
    same(qd.grad(outputs, x, cotangents), (np.array([12.0, 3.0]),))


def test_none_starts_a_scalar_with_one_beside_given_cotangents():
    x = leaf([1.0, 2.0])
    same(qd.grad([x.sum(), x * x], x, [None, np.ones(2)]), (np.array([3.0, 5.0]),))


def test_grad_leaves_the_grad_attribute_alone():
    x = leaf(3.0)
    qd.grad(x * x, x)
    assert x.grad is None


def test_the_same_input_many_times():
    x, y = leaf(3.0), leaf(2.0)
    same(qd.grad(x * y, [x, y, x, {"again": x}]), [2.0, 3.0, 2.0, {"again": 2.0}])


def test_duplicates_may_be_written_to_separately():
    x = leaf(3.0)
    one, other = qd.grad(x * x, [x, x], create_graph=True)
    one += 1
    close(other, 6.0)


def test_the_same_output_many_times():
    x = leaf(3.0)
    y = x * x
    same(qd.grad([y, y], x), (12.0,))


def test_an_output_that_is_an_input_starts_with_its_cotangent():
    x = leaf([1.0, 2.0])
    y = x * x
    same(qd.grad(y, [y, x], np.array([1.0, 5.0])), (np.array([1.0, 5.0]), np.array([2.0, 20.0])))


def test_an_input_that_is_computed_from_another():
    x = leaf(2.0)
    y = x * x
    z = y * y
    same(qd.grad(z, [y, x]), (8.0, 32.0))


# Edges


def test_an_edge_names_the_value_before_a_write():
    x = leaf([1.0, 2.0])
    y = x * x
    before = y.edge
    y *= 10
    assert y.edge is not before
    z = y.sum()
    same(qd.grad(z, [before, y]), (np.array([10.0, 10.0]), np.array([1.0, 1.0])))


def test_an_edge_may_be_an_output():
    x = leaf([1.0, 2.0])
    y = x * x
    before = y.edge
    y *= 10
    same(qd.grad(before, x, np.ones(2)), (np.array([2.0, 4.0]),))


def test_an_edge_of_a_leaf():
    x = leaf(3.0)
    same(qd.grad(x * x, {"x": x.edge}), {"x": 6.0})


def test_an_edge_among_constants():
    x = leaf(3.0)
    y = x * x
    same(qd.grad(y * x, x, no_grad_vars=[y.edge]), (9.0,))


# Inputs that get no gradient


def unused_pair():
    x, w = leaf(3.0), leaf([1.0, 2.0])
    return x * x, x, w


@pytest.mark.parametrize(
    "options, wanted",
    [
        ({"allow_unused": True}, None),
        ({"unused": "none"}, None),
        ({"materialize_grads": True}, [0.0, 0.0]),
        ({"materialize_grads": True, "allow_unused": True}, [0.0, 0.0]),
        ({"unused": "zero"}, [0.0, 0.0]),
    ],
)
def test_policies(options, wanted):
    y, x, w = unused_pair()
    gx, gw = qd.grad(y, [x, w], **options)
    close(gx, 6.0)
    same(gw, wanted and np.array(wanted))


@pytest.mark.parametrize("options", [{}, {"allow_unused": False}, {"unused": "error"}])
def test_an_unused_input_is_an_error_unless_allowed(options):
    y, x, w = unused_pair()
    with pytest.raises(RuntimeError, match=r"inputs\[1\] gets no gradient"):
        qd.grad(y, [x, w], **options)


def test_skip_leaves_out_of_a_flat_list():
    y, x, w = unused_pair()
    same(qd.grad(y, [w, x], unused="skip"), (6.0,))


def test_skip_leaves_out_of_a_flat_tuple():
    y, x, w = unused_pair()
    same(qd.grad(y, (w, x), unused="skip"), (6.0,))


def test_skip_leaves_out_of_a_flat_dict():
    y, x, w = unused_pair()
    same(qd.grad(y, {"w": w, "x": x}, unused="skip"), {"x": 6.0})


def test_a_rule_behind_which_nothing_is_wanted_does_not_run_and_is_not_freed():
    x = leaf([1.0, 2.0])
    y = x * x
    y.grad_fn.register_prehook(lambda cts: 1 / 0)
    z = np.exp(x)
    (gy, gz) = qd.grad((y * 2 + z * 3).sum(), [y, z])
    same((gy, gz), (np.full(2, 2.0), np.full(2, 3.0)))
    z.backward(gz)  # what is behind is there for another sweep
    same((x.grad,), (3.0 * np.exp([1.0, 2.0]),))


class Nothing(qd.Function):
    forward = staticmethod(lambda ctx, x: 2 * x)
    backward = staticmethod(lambda ctx, ct: None)


@pytest.mark.parametrize("f", [lambda x: np.heaviside(x, 0.5), Nothing.apply])
@pytest.mark.parametrize("unused", ["error", "zero", "skip", lambda path, reason: "none"])
def test_where_a_path_leads_and_no_slope_is_the_gradient_is_zero(f, unused):
    x = leaf(3.0)
    same(qd.grad(f(x), x, unused=unused), (0.0,))
    (found,) = qd.grad(f(x), [[x]], unused=unused)
    same(found, [0.0])


def test_where_a_path_leads_and_no_slope_is_none_is_given_if_asked_for():
    x = leaf(3.0)
    assert qd.grad(Nothing.apply(x), x, allow_unused=True) == (None,)


def test_the_policy_covers_inputs_that_do_not_require_grad():
    x, c = leaf(3.0), qd.tensor([1.0, 2.0])
    same(qd.grad(x * x, [x, c], unused="zero"), (6.0, np.zeros(2)))
    same(qd.grad(x * x, [x, c], allow_unused=True), (6.0, None))


def test_the_policy_covers_inputs_behind_a_cut():
    x = leaf(3.0)
    y = (x * 2).detach()
    same(qd.grad(y * x, [x, y], unused="zero"), (6.0, 0.0))


def test_a_policy_for_each_branch():
    y, x, w = unused_pair()
    v = leaf(1.0)
    inputs = {"enc": {"x": x, "w": w}, "dec": [v]}
    same(
        qd.grad(y, inputs, unused={"enc": "zero", "dec": ["none"]}),
        {"enc": {"x": 6.0, "w": np.zeros(2)}, "dec": [None]},
    )


@pytest.mark.parametrize(
    "pattern", ["['enc']['w']", "*['w']", "['enc']*", "inputs['enc']['w']", "*"]
)
def test_a_policy_by_path_pattern(pattern):
    y, x, w = unused_pair()
    found = qd.grad(y, {"enc": {"x": x, "w": w}}, unused={pattern: "zero"})
    same(found, {"enc": {"x": 6.0, "w": np.zeros(2)}})


def test_the_first_pattern_that_fits_decides():
    y, x, w = unused_pair()
    found = qd.grad(y, {"w": w, "x": x}, unused={"['w']": "none", "*": "zero"})
    same(found, {"w": None, "x": 6.0})


def test_what_no_pattern_fits_is_an_error():
    y, x, w = unused_pair()
    with pytest.raises(RuntimeError, match=r"inputs\['w'\] gets no gradient"):
        qd.grad(y, {"w": w, "x": x}, unused={"['b']": "zero", "['c']*": "none"})


def test_a_policy_by_dataclass_field():
    layer = Layer(leaf([1.0, 2.0]), leaf(3.0))
    found = qd.grad(layer.bias * 2, layer, unused={"*.weight": "zero"})
    close(found.weight, np.zeros(2))


def test_a_policy_by_function_of_path_and_reason():
    y, x, w = unused_pair()
    asked = []

    def policy(path, reason):
        asked.append((path, reason))
        return "zero"

    constant = qd.tensor(1.0)
    qd.grad(y, {"w": w, "x": x, "c": constant}, unused=policy)
    assert asked == [
        ("['c']", "it does not require grad, nor does anything it was computed from"),
        ("['w']", "no path leads to it"),
    ]


def test_functions_among_the_policies_of_a_tree():
    y, x, w = unused_pair()
    found = qd.grad(y, {"w": w, "x": x}, unused={"w": lambda path, reason: "zero", "x": "error"})
    same(found, {"w": np.zeros(2), "x": 6.0})


def test_a_zero_gradient_may_be_differentiated_again():
    y, x, w = unused_pair()
    _, gw = qd.grad(y, [x, w], unused="zero")
    same(qd.grad(gw.sum(), w), (np.zeros(2),))


def test_zeros_keep_the_dtype():
    x, w = leaf(3.0), leaf(np.float32([1.0]))
    assert qd.grad(x * x, [x, w], unused="zero")[1].dtype == np.float32


# Derivatives that became constant


def test_a_derivative_that_became_constant_is_zero_under_every_policy():
    x = leaf([1.0, 2.0])
    (g,) = qd.grad((3 * x).sum(), x, create_graph=True)
    for options in ({}, {"unused": "none"}, {"allow_unused": False}, {"unused": "zero"}):
        same(qd.grad(g.sum(), x, **options), (np.zeros(2),))


def test_a_constant_derivative_in_a_computation():
    x = leaf(2.0)
    (g,) = qd.grad(3 * x, x, create_graph=True)
    same(qd.grad(g * x, x), (3.0,))
    same(qd.grad([g * 2, x * x], x), (4.0,))


# Constants by request


def test_no_grad_vars_are_constants():
    x = leaf(3.0)
    y = x * x
    same(qd.grad(y * x, x, no_grad_vars=y), (9.0,))


def test_no_grad_vars_in_a_container():
    x, w = leaf(3.0), leaf(2.0)
    y, v = x * x, w * x
    same(qd.grad(y * v * x, x, no_grad_vars={"y": y, "more": [v]}), (54.0,))


def test_no_grad_vars_that_do_not_require_grad_change_nothing():
    x = leaf(3.0)
    same(qd.grad(x * x, x, no_grad_vars=qd.tensor(1.0)), (6.0,))


def test_an_input_behind_no_grad_vars_is_unused():
    x = leaf(3.0)
    y = x * x
    same(qd.grad(y * 2, x, no_grad_vars=y, unused="zero"), (0.0,))


# The other leaves


def test_only_inputs_false_adds_into_the_other_leaves():
    x, w, v = leaf(3.0), leaf(2.0), leaf(5.0)
    w.grad = 100.0
    same(qd.grad(x * w * v, x, only_inputs=False), (10.0,))
    assert x.grad is None
    close(w.grad, 115.0)
    close(v.grad, 6.0)


def test_only_inputs_false_runs_the_hooks_of_the_other_leaves():
    x, w = leaf(3.0), leaf(2.0)
    seen = []
    w.register_post_accumulate_grad_hook(lambda t: seen.append(float(t.grad)))
    qd.grad(x * w, x, only_inputs=False)
    assert seen == [3.0]


# Keeping the graph


def test_the_graph_is_freed_by_default():
    x = leaf(3.0)
    y = np.exp(x)
    qd.grad(y, x)
    with pytest.raises(RuntimeError, match="were freed by"):
        qd.grad(y, x)


def test_retain_graph_keeps_it():
    x = leaf(3.0)
    y = x * x
    qd.grad(y, x, retain_graph=True)
    same(qd.grad(y, x), (6.0,))


def test_create_graph_keeps_it():
    x = leaf(3.0)
    y = x * x
    qd.grad(y, x, create_graph=True)
    same(qd.grad(y, x), (6.0,))


def test_create_graph_without_retaining():
    x = leaf(3.0)
    y = x * x
    qd.grad(y, x, create_graph=True, retain_graph=False)
    with pytest.raises(RuntimeError, match="were freed by"):
        qd.grad(y, x)


def test_only_the_part_that_leads_to_the_inputs_is_swept():
    x, w = leaf(3.0), leaf(2.0)
    seen = []
    side = w * w
    side.register_hook(lambda g: seen.append(g))
    qd.grad(x * x + side, x)
    assert seen == []


# The overloaded name


def test_a_callable_gives_a_gradient_function():
    close(qd.grad(lambda x: x**2)(3.0), 6.0)


def test_keywords_serve_both_meanings():
    x = leaf(3.0)
    close(qd.grad(f=lambda x: x**2)(3.0), 6.0)
    same(qd.grad(outputs=x * x, inputs=x), (6.0,))


def test_the_positional_order_is_torchs():
    x, w = leaf(3.0), leaf(2.0)
    found = qd.grad(x * x, [x, w], None, True, False, True, None, False, True, None)
    same(found, (6.0, 0.0))
