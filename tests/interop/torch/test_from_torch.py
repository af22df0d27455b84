"""Functions of torch in ours, held against the same functions written in NumPy."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import DtypeError

torch = pytest.importorskip("torch")
from_torch = pytest.importorskip("qiudao.interop.torch").from_torch
pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),  # torch's own use
]

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 3)), RNG.normal(size=3)


def ours(x, y):
    return np.sum(np.sin(x) @ y * np.sum(x**3)) + np.tanh(y) @ y


def theirs(x, y):
    return torch.sum(torch.sin(x) @ y * torch.sum(x**3)) + torch.tanh(y) @ y


def same(found, wanted):
    if isinstance(wanted, tuple | list):
        for a, b in zip(found, wanted, strict=True):
            same(a, b)
    else:
        close(found, wanted, rtol=1e-10)


TRANSFORMS = {
    "value": lambda f: f,
    "grad": lambda f: qd.grad(f, (0, 1)),
    "hessian": lambda f: qd.hessian(f, (0, 1)),
    "rev over rev": lambda f: qd.jacrev(qd.jacrev(f, (0, 1)), (0, 1)),
    "fwd over rev": lambda f: qd.jacfwd(qd.jacrev(f, (0, 1)), (0, 1)),
    "rev over fwd": lambda f: qd.jacrev(qd.jacfwd(f)),
    "fwd over fwd": lambda f: qd.jacfwd(qd.jacfwd(f)),
    "third order": lambda f: qd.grad(lambda x, y: np.sum(qd.hessian(f)(x, y) ** 2)),
    "vmap": lambda f: lambda x, y: qd.vmap(f, (None, 0))(x, np.stack([y, -y])),
    "vmap of grad": lambda f: (
        lambda x, y: qd.vmap(qd.grad(f, (0, 1)), (2, None))(np.stack([x, 2 * x], 2), y)
    ),
    "grad of vmap": lambda f: qd.grad(
        lambda x, y: np.sum(qd.vmap(f, (0, None))(np.stack([x, 2 * x]), y) ** 2), (0, 1)
    ),
    "checkpoint": lambda f: qd.grad(qd.checkpoint(f)),
    "linearize": lambda f: lambda x, y: qd.linearize(f, x, y)[1](x, y),
    "transpose": lambda f: lambda x, y: qd.linear_transpose(qd.linearize(f, x, y)[1], x, y)(1.0),
    "vmap of linear": lambda f: (
        lambda x, y: qd.vmap(qd.linearize(f, x, y)[1], (0, None))(np.stack([x, 2 * x]), y)
    ),
}


@pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_under_our_transforms(name, jit):
    transform = TRANSFORMS[name]
    found = transform(from_torch(theirs))
    same((qd.jit(found) if jit else found)(X, Y), transform(ours)(X, Y))


def test_gradcheck_and_gradgradcheck():
    assert qd.gradgradcheck(from_torch(theirs), X, Y)


def test_on_the_tape():
    x, y = (qd.tensor(a, requires_grad=True) for a in (X, Y))
    loss = from_torch(theirs)(x, y) * 2
    (first,) = qd.grad(loss, x, create_graph=True)
    close(first.detach(), 2 * qd.grad(ours)(X, Y), rtol=1e-11)
    first.sum().backward()
    close(y.grad, qd.grad(lambda y: 2 * qd.grad(ours)(X, y).sum())(Y), rtol=1e-10)
    from_torch(theirs)(x, Y).backward()


def test_the_forward_run_serves_the_gradient():
    runs = []

    def f(x):
        runs.append(1)
        return torch.exp(x).sum()

    qd.grad(from_torch(f))(Y)
    assert len(runs) == 1


def test_complex_values_follow_one_convention():
    def f(z):
        return (z * z * z.conj()).real.sum()

    z = RNG.normal(size=3) + 1j * RNG.normal(size=3)
    same(qd.grad(from_torch(f))(z), qd.grad(f)(z))
    same(qd.jvp(from_torch(f), (z,), (z * 1j,)), qd.jvp(f, (z,), (z * 1j,)))
    same(qd.jacfwd(qd.grad(lambda x: from_torch(f)(x + 1j)))(Y),
         qd.jacfwd(qd.grad(lambda x: f(x + 1j)))(Y))  # fmt: skip


def test_trees_integers_constants_and_dtypes():
    def f(tree, k, power=1):
        a = tree["a"]
        return {"best": torch.argmax(a), "rest": [a[k] ** power, a.new_ones(2)]}

    g = from_torch(f)
    out = g({"a": np.float32([1, 3, 2])}, np.array(1), power=2)
    assert out["best"] == 1
    assert out["rest"][0].dtype == np.float32
    close(qd.grad(lambda a: g({"a": a}, np.array(1), 2)["rest"][0])(Y), [0, 2 * Y[1], 0])
    assert not qd.grad(lambda a: g({"a": a}, 0)["rest"][1].sum())(Y).any()


def test_the_same_operand_twice_and_one_that_is_not_read():
    f = from_torch(lambda a, b, c: a * b.detach())
    close(qd.grad(lambda y: f(y, y, y).sum())(Y), Y)
    close(qd.grad(lambda y: from_torch(torch.mul)(y, y).sum())(Y), 2 * Y)


def test_functions_that_torch_cannot_batch_run_in_a_loop():
    def f(x):
        return x * 2 if x.sum().item() > 0 else x * x

    xs = np.array([[1.0, 2.0], [-3.0, 1.0]])
    close(qd.vmap(from_torch(f, loop=True))(xs), [[2, 4], [9, 1]])
    found = qd.vmap(qd.grad(lambda x: from_torch(f, loop=True)(x).sum()))(xs)
    close(found, [[2, 2], [-6, 2]])
    with pytest.raises(RuntimeError, match="item"):
        qd.vmap(from_torch(f))(xs)


def test_the_parameters_of_a_module():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh()).double()
    given = {k: p.detach().numpy() for k, p in model.named_parameters()}
    f = from_torch(lambda p, x: torch.func.functional_call(model, p, (x,)).sum())
    found = qd.grad(f)(given, X)
    model(torch.from_numpy(X)).sum().backward()
    for name, p in model.named_parameters():
        close(found[name], p.grad.numpy(), rtol=1e-12)
        assert p.grad is not None


def test_a_number_among_the_results_is_a_constant():
    f = from_torch(lambda a: (a.sum().item(), a.sum()))
    product = lambda a: f(a)[0] * f(a)[1]
    close(qd.grad(product)(Y), np.full(3, Y.sum()))
    close(qd.jvp(product, (Y,), (np.ones(3),))[1], 3.0 * Y.sum())


def test_arrays_of_the_other_byte_order_and_of_dtypes_that_torch_has_not():
    double = from_torch(lambda a: a * 2)
    close(double(Y.astype(Y.dtype.newbyteorder())), 2 * Y)
    with pytest.raises(DtypeError, match="which torch has not; convert it"):
        double(Y.astype(np.longdouble))


def test_there_and_back_again():
    as_torch = pytest.importorskip("qiudao.interop.torch").as_torch
    same(qd.hessian(from_torch(as_torch(ours)))(X, Y), qd.hessian(ours)(X, Y))
