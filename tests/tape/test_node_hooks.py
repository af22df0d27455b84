"""Hooks around the rules of operations, on several tensors, and the order of all hooks."""

import numpy as np
import pytest

import qiudao as qd
from checking import leaf


def equal(found, wanted):
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-14, atol=1e-15)


def test_a_prehook_replaces_what_the_rule_is_given():
    x = leaf([1.0, 2.0])
    y = x * x
    y.grad_fn.register_prehook(lambda cts: (cts[0] * 10,))
    y.sum().backward()
    equal(x.grad, [20.0, 40.0])


def test_a_hook_replaces_what_the_rule_returns():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x * w
    seen = []

    def hook(grads, cts):
        seen.append((grads, cts))
        return grads[0] * 0, grads[1]

    y.grad_fn.register_hook(hook)
    y.sum().backward()
    equal(x.grad, [0.0, 0.0])
    equal(w.grad, [1.0, 2.0])
    ((grads, cts),) = seen
    equal(grads[0], [3.0, 4.0])
    equal(cts[0], [1.0, 1.0])


@pytest.mark.parametrize("options", [{}, {"create_graph": True}, {"is_grads_batched": True}])
def test_complex_cotangents_arrive_and_return_in_one_convention(options):
    z = leaf([1.0 + 2.0j, 3.0 - 1.0j])
    seed = np.array([1.0 + 1.0j, 2.0 - 3.0j])
    seed = seed[None] if "is_grads_batched" in options else seed
    (wanted,) = qd.grad(z * z, z, seed, **options)
    y = z * z
    seen = []
    y.grad_fn.register_prehook(lambda cts: seen.append(cts[0]) or cts)
    y.grad_fn.register_hook(lambda grads, cts: seen.append(cts[0]) or grads)
    (found,) = qd.grad(y, z, seed, **options)
    equal(found.detach(), wanted.detach())
    if "is_grads_batched" not in options:
        for ct in seen:
            equal(ct.detach(), seed)


def test_constants_have_none_among_the_gradients():
    x = leaf(2.0)
    y = x * np.float64(3.0)
    y.grad_fn.register_hook(lambda grads, cts: seen.append(grads))
    seen = []
    y.backward()
    assert seen[0][1] is None


def test_hooks_of_several_results():
    x = leaf([[2.0, 1.0], [1.0, 3.0]])
    values, vectors = np.linalg.eigh(x)
    node = values.grad_fn
    assert node.name() == "eigh"
    assert vectors.grad_fn is node
    assert (values * 1.0).grad_fn.next_functions[0] == (node, 0)
    assert (vectors * 1.0).grad_fn.next_functions[0] == (node, 1)
    seen = []
    node.register_prehook(lambda cts: seen.append(cts))
    values.sum().backward()
    equal(seen[0][0], [1.0, 1.0])
    assert seen[0][1] is None
    equal(x.grad, np.eye(2))


def test_hooks_are_called_once_where_masks_run_the_sweep_again():
    x = leaf([0.0, 4.0])
    root = np.sqrt(x)
    y = np.where(x > 0, root, 0.0)
    calls = []
    root.grad_fn.register_hook(lambda grads, cts: calls.append("after"))
    y.grad_fn.register_prehook(lambda cts: calls.append("before"))
    (y * x).sum().backward()
    equal(x.grad, [0.0, 3.0])
    assert sorted(calls) == ["after", "before"]


def test_hooks_see_the_graph_of_a_recorded_sweep():
    x = leaf(3.0)
    y = x * x
    y.grad_fn.register_prehook(lambda cts: (cts[0] * x.detach(),))
    y.grad_fn.register_hook(lambda grads, cts: tuple(g * 2 for g in grads))
    (g,) = qd.grad(y, x, create_graph=True)
    equal(g.detach(), 2 * 2 * 3.0 * 3.0)
    equal(qd.grad(g, x)[0], 2 * 2 * 3.0)


def test_removing():
    x = leaf(3.0)
    y = x * x
    with y.grad_fn.register_prehook(lambda cts: (cts[0] * 0,)):
        equal(qd.grad(y, x, retain_graph=True)[0], 0.0)
    equal(qd.grad(y, x)[0], 6.0)


def test_metadata_and_the_walk():
    x = leaf(3.0)
    y = np.sin(x) * 2.0
    y.grad_fn.metadata["region"] = "head"
    assert y.grad_fn.metadata == {"region": "head"}
    (sine, place), (constant, _) = y.grad_fn.next_functions
    assert (sine.name(), place, constant) == ("sin", 0, None)
    assert sine.next_functions[0][0].name() == "leaf"


def test_the_order_of_all_hooks():
    x = leaf(2.0)
    y = x * 3.0
    y.retain_grad()
    order = []

    def note(name, answer=None):
        return lambda *given: order.append(name) or answer

    y.register_hook(note("first on the tensor"))
    y.register_hook(note("second on the tensor"))
    y.grad_fn.register_prehook(note("before the rule"))
    y.grad_fn.register_hook(note("after the rule"))
    x.register_hook(note("on the leaf"))
    qd.graph.register_multi_grad_hook([x, y], note("any"), mode="any")
    qd.graph.register_multi_grad_hook([x, y], note("all"))
    x.register_post_accumulate_grad_hook(note("accumulated"))
    y.backward()
    assert order == [
        "first on the tensor",
        "second on the tensor",
        "any",
        "before the rule",
        "after the rule",
        "on the leaf",
        "all",
        "accumulated",
    ]


def test_groups_have_none_for_what_a_sweep_does_not_reach():
    x, y, z = leaf(2.0), leaf(3.0), leaf(4.0)
    seen = []
    handle = qd.graph.register_multi_grad_hook([x, y, z], seen.append)
    (x * y).backward()
    equal(seen[0][0], 3.0)
    equal(seen[0][1], 2.0)
    assert seen[0][2] is None
    (z * z).backward()
    assert seen[1][:2] == [None, None]
    handle.remove()
    (x * y).backward()
    assert len(seen) == 2


def test_groups_within_a_gradient_that_is_recorded():
    x = leaf(2.0)
    seen = []
    qd.graph.register_multi_grad_hook([x], lambda gradients: seen.append(gradients[0]))
    qd.grad(x**3, x, create_graph=True)
    assert seen[0].requires_grad


@pytest.mark.parametrize("mode", ["all", "any"])
def test_groups_call_once_a_sweep(mode):
    x, y = leaf(2.0), leaf(3.0)
    calls = []
    qd.graph.register_multi_grad_hook([x, y], calls.append, mode=mode)
    (x * y * x).backward()
    assert len(calls) == 1
