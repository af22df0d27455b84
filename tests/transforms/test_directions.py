"""Jacobians of few inputs: directions kept apart where values are plain, and stacked elsewhere."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.trees import flatten
from qiudao.testing.rules import Case, draw, every_sample
from qiudao.transforms import dual, dual_operators
from qiudao.transforms.derived import basis
from qiudao.transforms.directions import pushed

SAMPLES = every_sample()
N = 1_000


def stack_all(monkeypatch):
    """Have the directions of all values stacked."""
    for module in (dual, dual_operators):
        monkeypatch.setattr(module, "is_several", lambda dx: False)


@pytest.fixture(params=["as they come", "stacked"])
def always(request, monkeypatch):
    """Directions apart where they can be, and all stacked."""
    if request.param == "stacked":
        stack_all(monkeypatch)


def columns(f, inputs):
    """The derivative of `f` along each unit vector, by one `jvp` after the other."""
    stacks = basis(list(inputs))
    found = [qd.jvp(f, inputs, tuple(s[k] for s in stacks))[1] for k in range(len(stacks[0]))]
    return [np.stack(parts) for parts in zip(*found, strict=True)]


@pytest.mark.parametrize("prim, sample", [s[1:] for s in SAMPLES], ids=[s[0] for s in SAMPLES])
def test_every_primitive_in_many_directions(prim, sample, monkeypatch):
    case = Case(prim, sample, draw(sample, np.random.default_rng(0)))
    if not case.inputs or sample.order < 1:
        return

    def f(*moving):
        out = case(*moving)
        return out if isinstance(out, tuple) else (out,)

    def agree():
        found = pushed(lambda *d: qd.jvp(f, case.inputs, d)[1], basis(list(case.inputs)))
        for one, other in zip(found, expected, strict=True):
            close(one, other, rtol=1e-12, atol=1e-12 * np.max(np.abs(other), initial=0.0))

    expected = columns(f, case.inputs)
    agree()
    stack_all(monkeypatch)
    agree()


def peak(p, t):
    height, centre, width, level, tilt = p
    return height * np.exp(-(((t - centre) / width) ** 2)) + level + tilt * t


def moving_average(p):
    out = np.zeros_like(p, shape=6)
    row = out[1:]
    row[...] = p[0]
    out[:3] += p[1] * np.arange(3.0)
    row += np.concatenate([p[:2], p[1:], p[:1]])
    return np.stack([out, np.sort(out)[::-1], np.cumsum(out)])


def solved(p):
    a = np.eye(3) + np.outer(p, np.ones(3))
    return {"x": np.linalg.solve(a, p), "inverse": [np.linalg.inv(a)], "constant": 2.0}


FUNCTIONS = pytest.mark.parametrize(
    "f, x",
    [
        (lambda p: peak(p, np.linspace(-1, 1, 9)), np.array([2.0, 0.1, 0.5, 0.3, -0.2])),
        (moving_average, np.array([1.0, 2.0, 0.5])),
        (solved, np.array([1.0, 2.0, 0.5])),
        (lambda p: np.where(p > 1, np.sqrt(p + 1), p), np.array([-1.0, 0.0, 3.0])),
        (lambda p: np.einsum("i,jk->ijk", p, np.outer(p, p)), np.array([1.0, -2.0])),
        (lambda p: np.fft.fft(p * 1j), np.array([1.0, -2.0, 3.0])),
        (lambda p: qd.scan(lambda c, e: (c * e + p[0], c), p[1], p)[1], np.array([0.5, 2.0])),
        (lambda p: np.max(p) * np.ones(3), np.array([1.0, 2.0])),
    ],
    ids=["peak", "writes", "solved", "masked", "einsum", "complex", "scan", "maximum"],
)


@pytest.mark.usefixtures("always")
@FUNCTIONS
def test_functions_have_the_jacobian_of_reverse_mode(f, x):
    for one, other in zip(
        flatten(qd.jacfwd(f)(x))[0],
        flatten(qd.jacrev(f)(x))[0],
        strict=True,
    ):
        close(one, other, rtol=1e-13)


@pytest.mark.usefixtures("always")
def test_second_derivatives_and_outer_transforms():
    x = np.array([2.0, 0.1, 0.5, 0.3, -0.2])
    t = np.linspace(-1, 1, 9)

    def loss(p):
        return np.sum(np.sin(peak(p, t)))

    close(qd.hessian(loss)(x), qd.jacrev(qd.grad(loss))(x), rtol=1e-12)
    inner = qd.jacfwd(lambda p, a: a * peak(p, a * t))
    direct = qd.jacrev(lambda a: qd.jacrev(lambda p: a * peak(p, a * t))(x))(0.7)
    close(qd.jacfwd(lambda a: inner(x, a))(0.7), direct, rtol=1e-12)
    close(qd.jacrev(lambda a: inner(x, a))(0.7), direct, rtol=1e-12)
    scales = np.array([0.7, 0.9])
    close(qd.vmap(lambda a: inner(x, a))(scales), [inner(x, a) for a in scales], rtol=1e-12)
    tape = qd.tensor(0.7, requires_grad=True)
    inner(x, tape).sum().backward()
    close(tape.grad, np.sum(direct), rtol=1e-12)


def test_directions_are_kept_apart():
    t = np.linspace(-1, 1, N)
    x = np.array([2.0, 0.1, 0.5, 0.3, -0.2])
    seen = []

    @qd.custom_jvp
    def watched(y):
        return y

    def rule(primals, tangents):
        seen.append(tangents[0].moves)
        return primals[0], tangents[0]

    watched.defjvp(rule)
    found = qd.jacfwd(lambda p: watched(p[0] * t) + watched(p[1] * t + p[3]) + p[4] * t)(x)
    expected = np.zeros((N, 5))
    expected[:, [0, 1, 4]] = t[:, None]
    expected[:, 3] = 1.0
    close(found, expected)
    assert seen == [(True, False, False, False, False), (False, True, False, True, False)]


def test_a_direction_that_moves_nothing_stays_zero_at_a_pole(always):
    found = qd.jacfwd(lambda p: np.sqrt(p[0] * np.ones(5)) + p[1])(np.array([0.0, 1.0]))
    assert np.all(found[:, 0] == np.inf)
    assert np.all(found[:, 1] == 1.0)


def test_the_result_is_the_callers():
    x = np.array([1.0, 2.0])
    found = qd.jacfwd(lambda p: p)(x)
    found[0, 0] = 5.0
    close(qd.jacfwd(lambda p: p)(x), np.eye(2))


def test_it_prints():
    seen = []
    f = qd.custom_jvp(lambda x: x)

    def rule(primals, tangents):
        seen.append(repr(tangents[0]))
        return primals[0], tangents[0]

    f.defjvp(rule)
    qd.jacfwd(f)(np.ones(3))
    assert seen == ["in 3 directions: f64[3]"]
