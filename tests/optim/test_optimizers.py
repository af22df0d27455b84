"""The optimisers without any other library: their meaning, their state, what they leave alone."""

import copy
import pickle

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

MAKERS = {
    "SGD": (qd.optim.SGD, qd.optim.sgd, {"lr": 0.05}),
    "momentum": (qd.optim.SGD, qd.optim.sgd, {"lr": 0.02, "momentum": 0.9, "dampening": 0.2}),
    "Nesterov": (qd.optim.SGD, qd.optim.sgd, {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    "Adam": (qd.optim.Adam, qd.optim.adam, {"lr": 0.1}),
    "amsgrad": (qd.optim.Adam, qd.optim.adam, {"lr": 0.1, "amsgrad": True}),
    "AdamW": (qd.optim.AdamW, qd.optim.adamw, {"lr": 0.1}),
    "RMSprop": (qd.optim.RMSprop, qd.optim.rmsprop, {"lr": 0.02}),
    "centred": (
        qd.optim.RMSprop,
        qd.optim.rmsprop,
        {"lr": 0.02, "centered": True, "momentum": 0.5},
    ),
}
every = pytest.mark.parametrize("face, rule, options", MAKERS.values(), ids=MAKERS)


def start(dtype=float):
    rng = np.random.default_rng(1)
    return {"w": rng.normal(size=(3, 2)).astype(dtype), "b": rng.normal(size=3).astype(dtype)}


def loss(params):
    y = params["w"] @ np.array([1.0, -2.0], params["w"].dtype) + params["b"] - 1
    return np.sum(y * y) + np.sum(params["b"] ** 2)


def walk(opt, leaves, steps):
    for _ in range(steps):
        opt.zero_grad()
        loss(leaves).backward()
        opt.step()


def leaves_of(params):
    return {k: qd.tensor(v, requires_grad=True) for k, v in params.items()}


@every
def test_the_tape_the_rule_and_the_compiled_rule_agree(face, rule, options):
    leaves = leaves_of(start())
    opt, pure = face(leaves.values(), **options), rule(**options)
    params, compiled = start(), start()
    state, native = pure.init(params), pure.init(params)
    step = qd.jit(lambda p, s: pure.update(qd.grad(loss)(p), s, p), donate=(0, 1))
    for _ in range(20):
        walk(opt, leaves, 1)
        params, state = pure.update(qd.grad(loss)(params), state, params)
        compiled, native = step(compiled, native)
    for k in params:
        np.testing.assert_allclose(leaves[k].detach(), params[k], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(compiled[k], params[k], rtol=1e-12, atol=1e-13)
    assert state["step"] == native["step"] == 20


@every
def test_it_finds_the_minimum(face, rule, options):
    leaves = leaves_of(start())
    before = float(loss(leaves).detach())
    walk(face(leaves.values(), **options), leaves, 300)
    assert float(loss(leaves).detach()) < 0.02 * before


@every
def test_float32_stays_float32(face, rule, options):
    leaves = leaves_of(start(np.float32))
    walk(face(leaves.values(), **options), leaves, 3)
    assert leaves["w"].dtype == leaves["b"].dtype == np.float32
    params, pure = start(np.float32), rule(**options)
    state = pure.init(params)
    for _ in range(3):
        params, state = pure.update(qd.grad(loss)(params), state, params)
    assert params["w"].dtype == state[pure.buffers[0]]["b"].dtype if pure.buffers else True
    np.testing.assert_allclose(leaves["w"].detach().numpy(), params["w"], rtol=1e-5)


@every
def test_state_goes_on_where_it_was(face, rule, options):
    leaves = leaves_of(start())
    opt = face(leaves.values(), **options)
    walk(opt, leaves, 4)
    copies = {k: qd.tensor(v.detach(), requires_grad=True) for k, v in leaves.items()}
    other = face(copies.values())
    other.load_state_dict(opt.state_dict())
    walk(opt, leaves, 3)
    walk(other, copies, 3)
    for k in leaves:
        np.testing.assert_array_equal(leaves[k].detach(), copies[k].detach())


def test_a_saved_state_does_not_move_with_later_steps():
    leaves = leaves_of(start())
    opt = qd.optim.Adam(leaves.values())
    walk(opt, leaves, 1)
    saved = opt.state_dict()["state"][0]["exp_avg"].copy()
    kept = opt.state_dict()
    walk(opt, leaves, 1)
    np.testing.assert_array_equal(kept["state"][0]["exp_avg"], saved)
    assert kept["state"][1]["step"] == 1


def test_a_parameter_without_a_gradient_stays_and_counts_its_own_steps():
    a, b = (qd.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    opt = qd.optim.Adam([a, b], lr=0.1)
    for inputs in [(a, b), (a,), (a, b)]:
        opt.zero_grad()
        sum((x * x).sum() for x in inputs).backward()
        before = b.detach().numpy().copy()
        opt.step()
        assert (b.detach().numpy() == before).all() == (len(inputs) == 1)
    assert [s["step"] for s in opt.state] == [3, 2]


def test_a_graph_keeps_the_values_it_was_recorded_with():
    """The step gives a parameter a new value; it does not write into the old one."""
    w = qd.tensor([1.0, 2.0], requires_grad=True)
    opt = qd.optim.SGD([w], lr=1.0)
    y = (w * w).sum()
    w.grad = np.ones(2)
    opt.step()
    np.testing.assert_array_equal(w.detach(), [0.0, 1.0])
    opt.zero_grad()
    y.backward()
    np.testing.assert_array_equal(w.grad, [2.0, 4.0])


def test_values_written_between_steps_are_moved_from():
    w = qd.tensor([1.0, 2.0], requires_grad=True)
    v = qd.tensor(1.0, requires_grad=True)
    opt = qd.optim.SGD([w, v], lr=1.0)
    for _ in range(2):
        with qd.no_grad():
            w[...] = 10.0
            v[...] = 5.0
        w.grad, v.grad = np.ones(2), 1.0
        opt.step()
    np.testing.assert_array_equal(w.detach(), [9.0, 9.0])
    assert v.detach() == 4.0


def test_views_of_a_parameter_follow_it():
    w = qd.tensor([1.0, 2.0], requires_grad=True)
    with qd.no_grad():
        first = w[:1]
    w.grad = np.ones(2)
    qd.optim.SGD([w], lr=1.0).step()
    np.testing.assert_array_equal(first, [0.0])


def test_large_and_small_parameters_of_several_dtypes():
    rng = np.random.default_rng(0)
    made = [rng.normal(size=n) for n in (3, 40_000, 5, 70_000)]
    made = [x.astype(t) for x, t in zip(made, (np.float32, np.float64, np.float64, np.float32))]
    leaves = [qd.tensor(x, requires_grad=True) for x in made]
    opt = qd.optim.Adam(leaves, lr=0.5)
    rule = qd.optim.adam(lr=0.5)
    state = rule.init(made)
    for _ in range(3):
        for each, x in zip(leaves, made):
            each.grad = np.sin(x)
        made, state = rule.update([np.sin(x) for x in made], state, made)
        opt.step()
    for each, x in zip(leaves, made):
        np.testing.assert_allclose(each.detach(), x, rtol=2e-6 if x.dtype == "f4" else 1e-14)


def test_groups_have_their_own_options():
    a, b = (qd.tensor(1.0, requires_grad=True) for _ in range(2))
    opt = qd.optim.SGD([{"params": [a], "lr": 0.5}, {"params": [("b", b)]}], lr=0.25)
    (a + b).backward()
    opt.step()
    assert (float(a.detach()), float(b.detach())) == (0.5, 0.75)
    assert "group 1\n    dampening: 0\n    lr: 0.25" in repr(opt)


def test_a_closure_is_called_recording_even_where_recording_is_off():
    w = qd.tensor(2.0, requires_grad=True)
    opt = qd.optim.SGD([w], lr=0.25)

    def closure():
        opt.zero_grad()
        y = w * w
        y.backward()
        return y

    with qd.no_grad():
        assert float(opt.step(closure).detach()) == 4.0
    assert float(w.detach()) == 1.0


def test_zeros_in_place_of_no_gradient():
    w = qd.tensor(2.0, requires_grad=True)
    opt = qd.optim.SGD([w])
    (w * w).backward()
    opt.zero_grad(set_to_none=False)
    assert float(w.grad) == 0.0
    opt.zero_grad()
    assert w.grad is None


def test_a_rule_can_be_differentiated_in_its_options():
    """The derivative of the loss after three steps in the learning rate."""

    def after(lr):
        rule = qd.optim.sgd(lr=lr, momentum=0.5)
        x = np.array([1.0, 2.0])
        state = rule.init(x)
        for _ in range(3):
            x, state = rule.update(2 * x, state, x)
        return np.sum(x**2)

    step = 1e-6
    difference = (after(0.1 + step) - after(0.1 - step)) / (2 * step)
    np.testing.assert_allclose(qd.grad(after)(0.1), difference, rtol=1e-7)


def test_a_gradient_of_none_leaves_its_parameter():
    rule = qd.optim.adam(lr=0.1)
    params = {"a": np.ones(2), "b": np.ones(2)}
    moved, state = rule.update({"a": np.ones(2), "b": None}, rule.init(params), params)
    assert moved["a"][0] < 1
    assert moved["b"] is params["b"]
    assert not state["exp_avg"]["b"].any()


@pytest.mark.parametrize("norm", [1.0, 2.0, 3.0, np.inf])
def test_clipping_by_norm(norm):
    rng = np.random.default_rng(0)
    slopes = {"a": rng.normal(size=(3, 2)), "b": [rng.normal(size=4), np.array(2.0)]}
    flat = np.concatenate([slopes["a"].ravel(), slopes["b"][0], [2.0]])
    size = np.linalg.norm(flat, norm)
    np.testing.assert_allclose(qd.optim.global_norm(slopes, norm), size, rtol=1e-14)
    clipped = qd.optim.clip_by_norm(slopes, 0.5, norm)
    np.testing.assert_allclose(clipped["a"], slopes["a"] * 0.5 / size, rtol=1e-5)
    same = qd.optim.clip_by_norm(slopes, 100.0, norm)
    np.testing.assert_array_equal(same["b"][0], slopes["b"][0])
    compiled = qd.jit(lambda g: qd.optim.clip_by_norm(g, 0.5, norm))(slopes)
    np.testing.assert_allclose(compiled["b"][1], clipped["b"][1], rtol=1e-14)


def test_clipping_of_nothing():
    assert qd.optim.global_norm([]) == qd.optim.global_norm([], np.inf) == 0.0
    x = qd.tensor(1.0, requires_grad=True)
    assert qd.optim.clip_grad_norm_(x, 1.0) == 0.0


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copied", "pickled"]
)
def test_a_copy_goes_on_where_the_optimiser_is(again):
    x, y = leaf([1.0, -2.0]), leaf(3.0)
    optimizer = qd.optim.Adam([{"params": [x]}, {"params": [y], "lr": 0.3}], lr=0.1)

    def steps(params, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            sum((p**4).sum() for p in params).backward()
            optimizer.step()

    steps([x, y], optimizer)
    params, other = again(([x, y], optimizer))
    assert other.param_groups[0]["params"][0] is params[0]
    steps([x, y], optimizer)
    steps(params, other)
    for p, q in zip([x, y], params, strict=True):
        close(p, q.detach().numpy(), rtol=0, atol=0)


def test_a_momentum_without_a_count_of_steps_goes_on():
    """As torch's SGD saves it: with dampening, the first step would take the whole gradient."""
    x = leaf([1.0])
    opt = qd.optim.SGD([x], lr=1.0, momentum=0.5, dampening=0.5)
    opt.load_state_dict(
        {"state": {0: {"momentum_buffer": np.array([4.0])}}, "param_groups": [{"params": [0]}]}
    )
    x.grad = np.array([2.0])
    opt.step()
    assert float(x.detach()[0]) == 1.0 - (0.5 * 4.0 + 0.5 * 2.0)


def test_a_closure_of_lbfgs_may_return_a_plain_number():
    x = leaf([3.0])
    opt = qd.optim.LBFGS([x])

    def closure():
        opt.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss.item()

    assert opt.step(closure) == 9.0
    assert abs(float(x.detach()[0])) < 1e-6


def test_clipping_whole_and_python_numbers():
    close(qd.optim.clip_by_norm([np.array([3, 4])], 1.0)[0], np.array([0.6, 0.8]), rtol=1e-6)
    close(qd.optim.clip_by_norm([3.0, 4.0], 1.0), [0.6, 0.8], rtol=1e-6)
