"""L-BFGS: Rosenbrock's valley, and torch's very steps."""

import numpy as np
import pytest

import qiudao as qd

CASES = [
    {"lr": 0.8, "max_iter": 4},
    {"lr": 0.5, "max_iter": 3, "history_size": 2},
    {"max_iter": 5, "line_search_fn": "strong_wolfe"},
    {"max_iter": 20, "history_size": 3, "line_search_fn": "strong_wolfe"},
    {"max_iter": 10, "max_eval": 4, "line_search_fn": "strong_wolfe"},
]


def loss(x, y):
    """A smooth valley in two parameters of different shapes."""
    return ((1.0 + x * x) ** 0.5).sum() + 3.0 * ((y - x[:1]) ** 2).sum() + 0.5 * (y**4).sum()


def closure_of(opt, leaves):
    def closure():
        opt.zero_grad()
        value = loss(*leaves)
        value.backward()
        return value

    return closure


@pytest.mark.peer
@pytest.mark.parametrize("options", CASES, ids=str)
def test_steps(options):
    torch = pytest.importorskip("torch")
    start = [np.array([2.0, -1.5, 0.7]), np.array([[1.2, -0.3]])]
    leaves = [qd.tensor(x, requires_grad=True) for x in start]
    theirs = [torch.tensor(x, requires_grad=True) for x in start]
    opt, peer = qd.optim.LBFGS(leaves, **options), torch.optim.LBFGS(theirs, **options)
    for _ in range(50):
        ours = float(opt.step(closure_of(opt, leaves)).detach())
        wanted = float(peer.step(closure_of(peer, theirs)).detach())
        assert ours == pytest.approx(wanted, abs=1e-10)
        for got, want in zip(leaves, theirs):
            np.testing.assert_allclose(got.detach(), want.detach().numpy(), rtol=1e-10, atol=1e-10)
    assert opt.memory["func_evals"] == peer.state[theirs[0]]["func_evals"]


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_it_finds_the_minimum_and_goes_on_from_a_saved_state(search):
    leaves = [qd.tensor([2.0, -1.5, 0.7], requires_grad=True), qd.tensor([1.0], requires_grad=True)]
    opt = qd.optim.LBFGS(leaves, lr=0.5, max_iter=5, line_search_fn=search)
    opt.step(closure_of(opt, leaves))
    copies = [qd.tensor(x.detach(), requires_grad=True) for x in leaves]
    other = qd.optim.LBFGS(copies)
    other.load_state_dict(opt.state_dict())
    for _ in range(30):
        opt.step(closure_of(opt, leaves))
        other.step(closure_of(other, copies))
    for got, same in zip(leaves, copies):
        np.testing.assert_array_equal(got.detach(), same.detach())
        np.testing.assert_allclose(got.detach(), 0.0, atol=1e-3)
