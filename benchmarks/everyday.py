"""How long do eager gradients of 30 everyday functions take, from NumPy array to NumPy array?

Each function is written once, in words that NumPy, autograd.numpy and torch share.  "face" is our
engine under HIPS autograd's names, `qiudao.interop.autograd`.  torch converts its argument and its
gradient, which share memory with NumPy's.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from alternate import Report, arguments
from peers import Array, check_agreement

SIZE = 100
RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(SIZE, SIZE)) / 10
SMALL = RNG.normal(size=(10, 10)) + 5 * np.eye(10)
LABELS = np.arange(SIZE) % 2.0
INDEX = np.arange(0, SIZE, 3)


def squares(xp, x, c):
    return xp.sum(x**2)


def rosenbrock(xp, x, c):
    return xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def sine_of_square(xp, x, c):
    return xp.sum(xp.sin(x**2))


def gaussian_density(xp, x, c):
    return xp.sum(-0.5 * ((x - 1.0) / 2.0) ** 2 - 0.7)


def logistic_loss(xp, x, c):
    z = c["matrix"] @ x
    return xp.sum(xp.log1p(xp.exp(-xp.abs(z))) + xp.maximum(z, 0.0 * z) - c["labels"] * z)


def least_squares(xp, x, c):
    return xp.mean((c["matrix"] @ x - c["labels"]) ** 2)


def quadratic_form(xp, x, c):
    return x @ c["matrix"] @ x


def softmax_entropy(xp, x, c):
    p = xp.exp(x - xp.max(x))
    p = p / xp.sum(p)
    return -xp.sum(p * xp.log(p + 1e-9))


def log_sum_exp(xp, x, c):
    top = xp.max(x)
    return top + xp.log(xp.sum(xp.exp(x - top)))


def tanh_layer(xp, x, c):
    return xp.sum(xp.tanh(c["matrix"] @ x) ** 2)


def two_layers(xp, x, c):
    return xp.sum(xp.tanh(c["matrix"] @ xp.tanh(c["matrix"] @ x)))


def norm(xp, x, c):
    return xp.sqrt(xp.sum(x * x))


def cosine_similarity(xp, x, c):
    y = c["labels"]
    return xp.sum(x * y) / xp.sqrt(xp.sum(x * x) * xp.sum(y * y))


def variance(xp, x, c):
    return xp.mean((x - xp.mean(x)) ** 2)


def standardised(xp, x, c):
    centred = x - xp.mean(x)
    return xp.sum((centred / xp.sqrt(xp.mean(centred**2))) ** 3)


def huber(xp, x, c):
    return xp.sum(xp.where(xp.abs(x) < 1.0, 0.5 * x**2, xp.abs(x) - 0.5))


def total_variation(xp, x, c):
    return xp.sum(xp.sqrt((x[1:] - x[:-1]) ** 2 + 1e-6))


def polynomial(xp, x, c):
    return xp.sum(((0.5 * x + 1.0) * x - 2.0) * x + 3.0)


def horner_loop(xp, x, c):
    y = 0.0 * x
    for k in range(10):
        y = y * x + 1.0 / (k + 1)
    return xp.sum(y)


def gathered(xp, x, c):
    return xp.sum(x[c["index"]] ** 2)


def sliced(xp, x, c):
    return xp.sum(x[10:60] * x[40:90])


def reshaped(xp, x, c):
    return xp.sum(xp.reshape(x, (10, 10)) @ c["small"])


def transposed(xp, x, c):
    y = xp.reshape(x, (10, 10))
    return xp.sum(y * y.T)


def sums_of_rows(xp, x, c):
    return xp.sum(xp.sum(xp.reshape(x, (10, 10)), 0) ** 2)


def stacked(xp, x, c):
    return xp.sum(xp.stack([x, x * 2.0, x * x]) ** 2)


def concatenated(xp, x, c):
    return xp.sum(xp.concatenate([x, x**2]) ** 2)


def contracted(xp, x, c):
    return xp.sum(xp.einsum("ij,j->i", c["matrix"], x) ** 2)


def solved(xp, x, c):
    return xp.sum(xp.linalg.solve(c["small"] + 0.01 * xp.reshape(x, (10, 10)), c["labels"][:10]))


def log_determinant(xp, x, c):
    return xp.linalg.slogdet(c["small"] + 0.01 * xp.reshape(x, (10, 10)))[1]


def pairwise_distances(xp, x, c):
    return xp.sum(xp.exp(-((x[:, None] - x[None, :]) ** 2)))


FUNCTIONS = [
    squares, rosenbrock, sine_of_square, gaussian_density, logistic_loss, least_squares,
    quadratic_form, softmax_entropy, log_sum_exp, tanh_layer, two_layers, norm, cosine_similarity,
    variance, standardised, huber, total_variation, polynomial, horner_loop, gathered, sliced,
    reshaped, transposed, sums_of_rows, stacked, concatenated, contracted, solved,
    log_determinant, pairwise_distances,
]  # fmt: skip

CONSTANTS = {"matrix": MATRIX, "small": SMALL, "labels": LABELS, "index": INDEX}
Gradient = Callable[[Array], Array]


def in_qiudao(f: Callable[..., object]) -> dict[str, Gradient]:
    import qiudao as qd

    return {"qiudao": qd.grad(lambda x: f(np, x, CONSTANTS))}


def in_the_face(f: Callable[..., object]) -> dict[str, Gradient]:
    from qiudao.interop.autograd import grad
    from qiudao.interop.autograd import numpy as anp

    return {"face": grad(lambda x: f(anp, x, CONSTANTS))}


def in_autograd(f: Callable[..., object]) -> dict[str, Gradient]:
    import autograd
    import autograd.numpy as anp

    return {"autograd": autograd.grad(lambda x: f(anp, x, CONSTANTS))}


def in_torch(f: Callable[..., object]) -> dict[str, Gradient]:
    import torch

    constants = {name: torch.from_numpy(value) for name, value in CONSTANTS.items()}

    def gradient(x: Array) -> Array:
        t = torch.from_numpy(x).requires_grad_()
        f(torch, t, constants).backward()
        return t.grad.numpy()

    return {"torch": gradient}


MAKERS = {"qiudao": in_qiudao, "face": in_the_face, "autograd": in_autograd, "torch": in_torch}


def main() -> None:
    options = arguments(__doc__, rounds=15, seconds=0.005)
    report = Report("everyday", __doc__, options)
    x = np.random.default_rng(1).normal(size=SIZE)
    for f in FUNCTIONS:
        case = f.__name__.replace("_", " ")
        if report.wants(case):
            found = report.contenders(MAKERS, f)
            runs = {name: partial(gradient, x) for name, gradient in found.items()}
            check_agreement(case, {name: [run()] for name, run in runs.items()}, 1e-9)
            report.time(case, runs, "us")
    report.finish()


if __name__ == "__main__":
    main()
