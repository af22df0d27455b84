"""Torch's names and defaults on our engine, against torch where it is installed."""

import numpy as np
import pytest

import qiudao as qd
import qiudao.interop.torch_style as ours
from qiudao.core.errors import GradcheckError, GradientError, UnusedError

X, Y = [1.0, 2.0], [3.0, 4.0]


def plain(x):
    """Nested results as nested lists."""
    if isinstance(x, tuple | list):
        return [plain(y) for y in x]
    return np.asarray(x.detach() if isinstance(x, qd.Tensor) else x).tolist()


CASES = {
    "jacobian of one": lambda t: t.autograd.functional.jacobian(lambda x: x**3, t.tensor(X)),
    "jacobian of two": lambda t: t.autograd.functional.jacobian(
        lambda x, y: (x * y, x + y), (t.tensor(X), t.tensor(Y))
    ),
    "several results of one": lambda t: t.autograd.functional.jacobian(
        lambda x: (x * 2, x * x), t.tensor(X)
    ),
    "hessian of one": lambda t: t.autograd.functional.hessian(lambda x: (x**3).sum(), t.tensor(X)),
    "hessian of two": lambda t: t.autograd.functional.hessian(
        lambda x, y: (x * x * y).sum(), (t.tensor(X), t.tensor(Y))
    ),
    "vjp": lambda t: t.autograd.functional.vjp(lambda x: x * x, t.tensor(X), t.tensor(Y)),
    "jvp": lambda t: t.autograd.functional.jvp(lambda x: x * x, t.tensor(X), t.tensor(Y)),
    "hvp": lambda t: t.autograd.functional.hvp(lambda x: (x**3).sum(), t.tensor(X), t.tensor(Y)),
    "vhp": lambda t: t.autograd.functional.vhp(lambda x: (x**3).sum(), t.tensor(X), t.tensor(Y)),
    "func.grad": lambda t: t.func.grad(lambda x: (x**3).sum())(t.tensor(X)),
    "grad_and_value": lambda t: t.func.grad_and_value(lambda x: (x**3).sum())(t.tensor(X)),
    "func.vjp of one": lambda t: t.func.vjp(lambda x: x * x, t.tensor(X))[1](t.tensor(Y)),
    "func.vjp of two": lambda t: t.func.vjp(lambda x, y: x * y, t.tensor(X), t.tensor(Y))[1](
        t.tensor(X)
    ),
    "func.jvp": lambda t: t.func.jvp(lambda x: x * x, (t.tensor(X),), (t.tensor(Y),)),
    "jacfwd": lambda t: t.func.jacfwd(lambda x: x**3)(t.tensor(X)),
    "jacrev": lambda t: t.func.jacrev(lambda x: x**3)(t.tensor(X)),
    "vmap": lambda t: t.func.vmap(lambda x, y: (x * y).sum(), in_dims=(0, None))(
        t.tensor([X, Y]), t.tensor(X)
    ),
}


def expected(name):
    x, y = np.array(X), np.array(Y)
    zeros = np.zeros((2, 2)).tolist()
    return {
        "jacobian of one": np.diag(3 * x**2),
        "jacobian of two": [[np.diag(y), np.diag(x)], [np.eye(2), np.eye(2)]],
        "several results of one": [2 * np.eye(2), np.diag(2 * x)],
        "hessian of one": np.diag(6 * x),
        "hessian of two": [[np.diag(2 * y), np.diag(2 * x)], [np.diag(2 * x), zeros]],
        "vjp": [x * x, 2 * x * y],
        "jvp": [x * x, 2 * x * y],
        "hvp": [9.0, 6 * x * y],
        "vhp": [9.0, 6 * x * y],
        "func.grad": 3 * x**2,
        "grad_and_value": [3 * x**2, 9.0],
        "func.vjp of one": [2 * x * y],
        "func.vjp of two": [x * y, x * x],
        "func.jvp": [x * x, 2 * x * y],
        "jacfwd": np.diag(3 * x**2),
        "jacrev": np.diag(3 * x**2),
        "vmap": [5.0, 11.0],
    }[name]


def lists(x):
    return [lists(y) for y in x] if isinstance(x, list) else np.asarray(x).tolist()


@pytest.mark.parametrize("name", CASES)
def test_values(name):
    assert plain(CASES[name](ours)) == lists(expected(name))


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own
@pytest.mark.parametrize("name", CASES)
def test_against_torch(name):
    torch = pytest.importorskip("torch")
    assert plain(CASES[name](ours)) == plain(CASES[name](torch))


def test_defaults():
    assert ours.tensor([1.0]).dtype == np.float32
    assert ours.tensor(1j).dtype == np.complex64
    assert ours.tensor(np.ones(2)).dtype == np.float64
    assert ours.tensor([1.0], dtype=np.float64).dtype == np.float64
    assert ours.tensor([1]).dtype.kind == "i"
    assert not ours.tensor([1.0]).requires_grad
    assert ours.tensor([1.0], requires_grad=True).is_leaf


def test_graphs_of_derivatives_are_kept_when_asked_for():
    x = ours.tensor(X, requires_grad=True)
    jacobian = ours.autograd.functional.jacobian
    assert not jacobian(lambda x: x**3, x).requires_grad
    kept = jacobian(lambda x: x**3, x, create_graph=True)
    assert plain(qd.grad(kept.sum(), x)[0]) == [6.0, 12.0]


def test_checkpoint():
    x = ours.tensor(X, requires_grad=True)
    y = ours.utils.checkpoint.checkpoint(lambda x: x * x, x, use_reentrant=False)
    y.sum().backward()
    assert plain(x.grad) == [2.0, 4.0]


def test_strict_mode_and_the_other_options_of_torch():
    functional = ours.autograd.functional
    x, y = ours.tensor([1.0, 2.0]), ours.tensor([3.0, 4.0])
    first = lambda x, y: x * x
    both = lambda x, y: (x * x * y).sum()
    assert plain(functional.jacobian(first, (x, y))[1]) == [[0.0, 0.0], [0.0, 0.0]]
    for act in (
        lambda: functional.jacobian(first, (x, y), strict=True),
        lambda: functional.vjp(first, (x, y), x, strict=True),
        lambda: functional.jvp(first, (x, y), (x, y), strict=True),
        lambda: functional.hessian(lambda x, y: (x + y).sum(), (x, y), strict=True),
        lambda: functional.hvp(lambda x, y: (x + y).sum(), (x, y), (x, y), strict=True),
    ):
        with pytest.raises(UnusedError, match=r"gets no gradient|does not require"):
            act()
    loose = functional.hessian(both, (x, y))
    strict = functional.hessian(both, (x, y), strict=False, vectorize=True)
    assert plain(strict) == plain(loose)
    kept = functional.jacobian(first, (x, y), False, False, True, "forward-mode")
    assert plain(kept[0]) == [[2.0, 0.0], [0.0, 4.0]]
    with pytest.raises(GradientError, match="jacobian: strategy='back' is unknown; use 'reverse"):
        functional.jacobian(first, (x, y), strategy="back")


def test_gradcheck_has_torchs_arguments():
    check, twice = ours.autograd.gradcheck, ours.autograd.gradgradcheck
    x = ours.tensor(np.array(X), requires_grad=True)
    w = ours.tensor(np.array(Y))
    kinked = lambda x, w: x * x.detach() * w  # nothing is wrong by w, which is a constant here
    for wanted in (check, twice):
        assert wanted(lambda x, w: x * x * w, (x, w), eps=1e-6, atol=1e-4, fast_mode=True)
        assert wanted(lambda x: x**3, x)
        with pytest.raises(GradcheckError, match="reverse mode: d result"):
            wanted(kinked, [x, w])
        assert not wanted(kinked, [x, w], raise_exception=False)
        assert wanted(kinked, [x.detach(), w.detach().requires_grad_()])
        with pytest.raises(GradientError, match="gradcheck: no input requires grad"):
            wanted(kinked, (w, w))

    def hooked(x):
        y = x.clone()
        y.register_hook(lambda g: g + 0.01)
        return y

    with pytest.raises(GradcheckError, match="reverse mode: d result"):
        check(hooked, x)
    assert check(lambda x: x**3, (x,), check_forward_ad=True, check_backward_ad=False)
    assert twice(lambda x: x**3, (x,), check_fwd_over_rev=True)
    with pytest.raises(GradcheckError, match="forward mode: d result"):
        check(kinked, [x, w], check_forward_ad=True, check_backward_ad=False)


def test_functional_derivatives_are_recorded_under_no_grad():
    functional = ours.autograd.functional
    x = ours.tensor(X, requires_grad=True)
    with ours.no_grad():
        value, found = functional.vjp(lambda x: (x**3).sum(), x, create_graph=True)
        kept = functional.jacobian(lambda x: x**3, x, create_graph=True)
        assert not functional.jacobian(lambda x: x**3, x).requires_grad
    assert value.requires_grad
    assert plain(qd.grad(found.sum(), x)[0]) == [6.0, 12.0]
    assert plain(qd.grad(kept.sum(), x)[0]) == [6.0, 12.0]


def test_a_result_of_one_element_has_a_hessian():
    functional = ours.autograd.functional
    f = lambda x: (x**3).sum(axis=0, keepdims=True)
    assert plain(functional.hessian(f, ours.tensor(X))) == [[6.0, 0.0], [0.0, 12.0]]
    value, found = functional.hvp(f, ours.tensor(X), ours.tensor(Y))
    assert (plain(value), plain(found)) == ([9.0], [18.0, 48.0])


def test_checkpoint_takes_torchs_options():
    x = ours.tensor(X, requires_grad=True)
    checkpoint = ours.utils.checkpoint.checkpoint
    options = {"preserve_rng_state": False, "use_reentrant": True, "debug": True}
    checkpoint(lambda x, scale: x * x * scale, x, scale=2.0, **options).sum().backward()
    assert plain(x.grad) == [4.0, 8.0]
    with pytest.raises(GradientError, match="checkpoint: there are no contexts of its two runs"):
        checkpoint(lambda x: x * x, x, context_fn=lambda: (None, None))


def test_rules_that_are_differentiable_once():
    class Cube(ours.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @ours.autograd.function.once_differentiable
        def backward(ctx, ct):
            assert not ours.is_grad_enabled()
            (x,) = ctx.saved_tensors
            return 3 * x**2 * ct

    x = ours.tensor(X, requires_grad=True)
    Cube.apply(x).sum().backward()
    assert plain(x.grad) == [3.0, 12.0]
    assert plain(qd.grad(lambda x: Cube.apply(x).sum())(np.array(X))) == [3.0, 12.0]
    assert plain(qd.jvp(Cube.apply, (np.array(X),), (np.ones(2),))[1]) == [3.0, 12.0]
    (slope,) = qd.grad((Cube.apply(x) + x * x).sum(), x, create_graph=True)
    assert plain(slope) == [5.0, 16.0]
    with pytest.raises(GradientError, match="once_differentiable: this gradient is to be"):
        qd.grad(slope.sum(), x)
    for derive in (qd.hessian, lambda f: qd.jacrev(qd.grad(f))):
        with pytest.raises(GradientError, match="once_differentiable: this gradient is to be"):
            derive(lambda x: Cube.apply(x).sum())(np.array(X))
