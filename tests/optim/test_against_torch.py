"""Fifty steps of each optimiser with each option, step by step against torch's in float64."""

import numpy as np
import pytest

import qiudao as qd

STEPS = 50
CASES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.001, "momentum": 0.5, "maximize": True}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-4}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.5, "amsgrad": True}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.01, "centered": True}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.9, "maximize": True}),
]


def start():
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape) for shape in [(3, 4), (4,), (), (2, 1, 3)]]


def loss(xs):
    """Coupled parameters, and gradients that stay small: no run amplifies a last digit."""
    a, b, c, d = xs
    y = a @ b
    return ((1.0 + y * y) ** 0.5).sum() + ((1.0 + (c - d) ** 2) ** 0.5).sum() + 0.1 * c**2


def ours(opt, leaves):
    opt.zero_grad()
    loss(leaves).backward()
    opt.step()
    return [p.detach().numpy() for p in leaves]


@pytest.mark.peer
@pytest.mark.parametrize("name, options", CASES, ids=str)
def test_steps(name, options):
    torch = pytest.importorskip("torch")
    leaves = [qd.tensor(x, requires_grad=True) for x in start()]
    theirs = [torch.tensor(x, requires_grad=True) for x in start()]
    opt = getattr(qd.optim, name)(leaves, **options)
    peer = getattr(torch.optim, name)(theirs, **options)
    for _ in range(STEPS):
        peer.zero_grad()
        loss(theirs).backward()
        peer.step()
        for got, want in zip(ours(opt, leaves), theirs):
            np.testing.assert_allclose(got, want.detach().numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.peer
def test_complex_parameters():
    torch = pytest.importorskip("torch")
    z = np.array([1.0 + 2.0j, -0.5j, 3.0])
    leaf, theirs = qd.tensor(z, requires_grad=True), torch.tensor(z, requires_grad=True)
    opt, peer = qd.optim.Adam([leaf], lr=0.1), torch.optim.Adam([theirs], lr=0.1)
    for _ in range(STEPS):
        opt.zero_grad()
        np.sum(np.abs(leaf * leaf - 1.0j) ** 2).backward()
        opt.step()
        peer.zero_grad()
        ((theirs * theirs - 1.0j).abs() ** 2).sum().backward()
        peer.step()
        got, want = leaf.detach().numpy(), theirs.detach().numpy()
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


@pytest.mark.peer
def test_the_state_of_torch_is_taken_over():
    torch = pytest.importorskip("torch")
    theirs = [torch.tensor(x, requires_grad=True) for x in start()]
    peer = torch.optim.Adam(theirs, lr=0.05, amsgrad=True)
    for _ in range(5):
        peer.zero_grad()
        loss(theirs).backward()
        peer.step()
    leaves = [qd.tensor(x.detach().numpy(), requires_grad=True) for x in theirs]
    opt = qd.optim.Adam(leaves)
    opt.load_state_dict(peer.state_dict())
    for _ in range(5):
        peer.zero_grad()
        loss(theirs).backward()
        peer.step()
        for got, want in zip(ours(opt, leaves), theirs):
            np.testing.assert_allclose(got, want.detach().numpy(), rtol=1e-10, atol=1e-10)
