"""Functions of ours in torch, held against the same functions written in torch."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import DtypeError, GradientError

torch = pytest.importorskip("torch")
bridge = pytest.importorskip("qiudao.interop.torch")
as_torch = bridge.as_torch
pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),  # torch's own use
]


def ours(x, y):
    return np.sum(np.sin(x) @ y * np.sum(x**3)) + np.tanh(y) @ y


def theirs(x, y):
    return torch.sum(torch.sin(x) @ y * torch.sum(x**3)) + torch.tanh(y) @ y


def points(*shapes, dtype=None, grad=False):
    made = torch.Generator().manual_seed(len(shapes))
    dtype = dtype or torch.float64
    return [torch.randn(s, generator=made, dtype=dtype).requires_grad_(grad) for s in shapes]


def same(found, wanted):
    flat = torch.utils._pytree.tree_leaves
    for a, b in zip(flat(found), flat(wanted), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("jit", [False, True])
def test_gradcheck_and_gradgradcheck(jit):
    f = as_torch(lambda x, y: (np.sin(x) @ y, np.sum(x**3) * y), jit=jit)
    xs = points((2, 3), (3,), grad=True)
    assert torch.autograd.gradcheck(f, xs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(f, xs, check_fwd_over_rev=True, check_rev_over_rev=True)


def test_gradcheck_of_complex_functions():
    f = as_torch(lambda z, w: (np.sum(z * z * np.conj(z)), np.abs(z) * w))
    z, w = points((3,), (3,), dtype=torch.complex128, grad=True)
    assert torch.autograd.gradcheck(f, (z, w.detach()), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(f, (z, w))


hessian_norm = lambda f: torch.func.grad(lambda x, y: (torch.func.hessian(f)(x, y) ** 2).sum())
TRANSFORMS = {
    "grad": lambda f: torch.func.grad(f, (0, 1)),
    "jacfwd": lambda f: torch.func.jacfwd(f, (0, 1)),
    "jacrev": lambda f: torch.func.jacrev(f, (0, 1)),
    "hessian": torch.func.hessian,
    "rev over rev": lambda f: torch.func.jacrev(torch.func.jacrev(f, (0, 1)), (0, 1)),
    "rev over fwd": lambda f: torch.func.jacrev(torch.func.jacfwd(f)),
    "fwd over fwd": lambda f: torch.func.jacfwd(torch.func.jacfwd(f)),
    "third order": hessian_norm,
    "vmap": lambda f: lambda x, y: torch.func.vmap(f, (None, 0))(x, torch.stack([y, -y])),
    "vmap of grad": lambda f: (
        lambda x, y: torch.func.vmap(torch.func.grad(f, (0, 1)), (2, None))(
            torch.stack([x, 2 * x], 2), y
        )
    ),
    "grad of vmap": lambda f: torch.func.grad(
        lambda x, y: (torch.func.vmap(f, (0, None))(torch.stack([x, 2 * x]), y) ** 2).sum(), (0, 1)
    ),
    "vmap of hessian": lambda f: (
        lambda x, y: torch.func.vmap(torch.func.hessian(f, 1), (None, 0))(x, torch.stack([y, -y]))
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_under_the_transforms_of_torch_func(name):
    transform = TRANSFORMS[name]
    x, y = points((2, 3), (3,))
    same(transform(as_torch(ours))(x, y), transform(theirs)(x, y))


def test_gradients_of_some_operands_only():
    x, y = points((2, 3), (3,), grad=True)
    f = as_torch(ours)
    for xs in [(x, y.detach()), (x.detach(), y)]:
        wanted = [each for each in xs if each.requires_grad]
        found = torch.autograd.grad(f(*xs), wanted, create_graph=True)
        same(found, torch.autograd.grad(theirs(*xs), wanted, create_graph=True))
        second = [torch.autograd.grad(g.sum(), wanted) for g in found]
        same(second, [torch.autograd.grad(g.sum(), wanted) for g in
                      torch.autograd.grad(theirs(*xs), wanted, create_graph=True)])  # fmt: skip


def test_trees_of_arguments_and_results_and_integers():
    def f(tree, k, *, scale):
        return {"best": np.argmax(tree["a"]), "rest": [tree["a"][k] * scale, tree["b"][0] + 1]}

    a, b = points((4,), (2,), grad=True)
    out = as_torch(f)({"a": a, "b": [b]}, torch.tensor(2), scale=3.0)
    assert out["best"].item() == int(a.argmax())
    assert not out["best"].requires_grad
    out["rest"][0].backward()
    same(a.grad, torch.tensor([0.0, 0.0, 3.0, 0.0], dtype=torch.float64))
    assert b.grad is None or not b.grad.any()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_dtypes_are_kept(dtype):
    (x,) = points((3,), dtype=getattr(torch, dtype), grad=True)
    y = as_torch(lambda x: np.exp(x) * 2)(x)
    (g,) = torch.autograd.grad(y.real.sum(), x)
    assert y.dtype is x.dtype
    assert g.dtype is x.dtype


def test_memory_is_shared_on_the_way_in_and_out():
    seen = []
    kept = np.arange(3.0)

    def f(x):
        seen.append(x)
        return kept

    x = torch.ones(3)
    y = as_torch(f)(x)
    x[0] = 7
    assert seen[0][0] == 7
    kept[1] = 5
    assert y[1] == 5


def test_results_do_not_share_memory_with_arguments_or_one_another():
    x = torch.ones(3)
    y, z = as_torch(lambda x: (x[::-1], x))(x)
    y += 1
    z += 5
    assert x.tolist() == [1, 1, 1]
    assert y.tolist() == [2, 2, 2]
    assert as_torch(lambda x: np.broadcast_to(x, (2, 3)))(x).add_(1)[1, 2] == 2


def test_an_argument_changed_before_the_sweep_is_torchs_error():
    x = torch.ones(3, requires_grad=True)
    y = x * 1
    out = as_torch(lambda y: np.sum(y**2))(y)
    y += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def test_a_module_trains_through_it():
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1, dtype=torch.float64)
    f = as_torch(lambda h: np.mean(np.log(np.cosh(h - 1.0))), jit=True)
    x = torch.randn(16, 2, dtype=torch.float64)
    steps = torch.optim.SGD(model.parameters(), 0.5)
    losses = []
    for _ in range(60):
        steps.zero_grad()
        loss = f(model(x))
        loss.backward()
        steps.step()
        losses.append(loss.item())
    assert losses[-1] < 1e-3 < losses[0]


def test_branches_run_as_they_are():
    f = as_torch(lambda x: np.sin(x) if x > 0 else x * x)
    x = torch.tensor(-3.0, requires_grad=True)
    f(x).backward()
    assert x.grad == -6


def test_functions_of_our_own_transforms():
    x, y = points((2, 3), (3,))
    same(as_torch(qd.grad(ours, (0, 1)))(x, y), torch.func.grad(theirs, (0, 1))(x, y))


def test_what_numpy_cannot_read_is_refused():
    f = as_torch(np.sin)
    with pytest.raises(DtypeError, match=r"argument 0 is torch.bfloat16, which NumPy has not"):
        f(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(GradientError, match="on meta, and NumPy reads dense tensors in the CPU's"):
        f(torch.ones(2, device="meta"))
    with pytest.raises(GradientError, match="sparse_coo tensor on cpu"):
        f(torch.ones(2).to_sparse())
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(GradientError, match="batch that torch lets no one read"):
        torch.autograd.grad(f(x), x, torch.eye(2), is_grads_batched=True)
