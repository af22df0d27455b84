"""Schedules: traced as computed, and torch's very rates."""

import numpy as np
import pytest

import qiudao as qd

schedules, ours = qd.optim.schedules, qd.optim.lr_scheduler

MADE = {
    "steps": schedules.steps(0.5, 7, 0.3),
    "milestones": schedules.milestones(0.5, [3, 9], 0.3),
    "exponential": schedules.exponential(0.5, 0.9),
    "cosine": schedules.cosine(0.5, 20, 0.1),
    "warm_up": schedules.warm_up(0.5, 6),
    "one_cycle": schedules.one_cycle(0.5, 20),
    "three_phase": schedules.one_cycle(0.5, 20, three_phase=True, anneal="linear"),
    "sequence": schedules.sequence(
        [schedules.warm_up(0.5, 6), schedules.exponential(0.5, 0.9)], [6]
    ),
}
CASES = [
    ("StepLR", {"step_size": 7, "gamma": 0.3}),
    ("MultiStepLR", {"milestones": [3, 9], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LinearLR", {"total_iters": 6}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 9}),
    ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.1}),
    ("OneCycleLR", {"max_lr": 2.0, "total_steps": 20}),
    ("OneCycleLR", {"max_lr": 2.0, "total_steps": 20, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 2.0, "total_steps": 20, "three_phase": True}),
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
]


@pytest.mark.parametrize("rate", MADE.values(), ids=MADE)
def test_a_traced_number_of_steps(rate):
    native = qd.jit(rate)
    for t in range(20):
        np.testing.assert_allclose(native(np.float64(t)), rate(t), rtol=1e-12)


def test_a_rule_follows_its_schedule():
    rule = qd.optim.sgd(lr=schedules.exponential(1.0, 0.5))
    x, state = np.float64(0.0), rule.init(0.0)
    for expected in (-1.0, -1.5, -1.75):
        x, state = rule.update(1.0, state, x)
        assert x == expected


def optimiser():
    return qd.optim.SGD([qd.tensor(1.0, requires_grad=True)], lr=0.5, momentum=0.9)


def test_a_scheduler_goes_on_where_it_was():
    scheduler = ours.CosineAnnealingLR(optimiser(), 20)
    for _ in range(5):
        scheduler.step()
    other = ours.CosineAnnealingLR(optimiser(), 20)
    other.load_state_dict(scheduler.state_dict())
    assert other.get_last_lr() == scheduler.get_last_lr() != [0.5]


@pytest.mark.peer
@pytest.mark.parametrize(
    "name, options", CASES, ids=[f"{name} {k}" for k, (name, _) in enumerate(CASES)]
)
def test_rates(name, options):
    torch = pytest.importorskip("torch")
    opt = optimiser()
    peer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5, momentum=0.9)
    mine = getattr(ours, name)(opt, **options)
    theirs = getattr(torch.optim.lr_scheduler, name)(peer, **options)
    for _ in range(19):
        np.testing.assert_allclose(mine.get_last_lr(), theirs.get_last_lr(), rtol=1e-12)
        momentum = peer.param_groups[0]["momentum"]
        np.testing.assert_allclose(opt.param_groups[0]["momentum"], momentum, rtol=1e-12)
        peer.step()
        mine.step()
        theirs.step()


@pytest.mark.peer
def test_one_after_another():
    torch = pytest.importorskip("torch")
    opt, peer = optimiser(), torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    made = []
    for library, o in ((ours, opt), (torch.optim.lr_scheduler, peer)):
        parts = [library.LinearLR(o, total_iters=4), library.ExponentialLR(o, gamma=0.9)]
        made.append(library.SequentialLR(o, parts, milestones=[4]))
    for _ in range(12):
        np.testing.assert_allclose(made[0].get_last_lr(), made[1].get_last_lr(), rtol=1e-12)
        peer.step()
        made[0].step()
        made[1].step()


@pytest.mark.peer
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("cooldown", [0, 3])
def test_plateaus(mode, threshold_mode, cooldown):
    torch = pytest.importorskip("torch")
    opt, peer = optimiser(), torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    options = {
        "mode": mode,
        "threshold_mode": threshold_mode,
        "cooldown": cooldown,
        "patience": 2,
        "threshold": 0.05,
        "min_lr": 1e-3,
    }
    mine = ours.ReduceLROnPlateau(opt, **options)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(peer, **options)
    for value in np.random.default_rng(0).normal(size=40).cumsum():
        mine.step(value)
        theirs.step(value)
        np.testing.assert_allclose(mine.get_last_lr(), theirs.get_last_lr(), rtol=1e-12)


@pytest.mark.parametrize("anneal", ["cos", "linear"])
def test_a_cycle_without_a_way_up_begins_at_the_top(anneal):
    rate = qd.optim.schedules.one_cycle(1.0, 10, pct_start=0.1, anneal=anneal)
    assert rate(0) == 1.0
    assert 0.5 < rate(2) < rate(1) < 1.0


def test_a_plateau_of_a_loss_that_carries_a_gradient():
    x = qd.tensor(1.0, requires_grad=True)
    opt = qd.optim.SGD([x], lr=0.5)
    scheduler = qd.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0)
    for _ in range(2):
        scheduler.step(x * x)
    assert scheduler.get_last_lr() == [0.05]
