"""Common operations, written alike for torch and paddle, and where they are differentiated.

`torch_answers.json` has torch 2.13's derivatives of order 1 to 3, made in double precision by
running this file where torch is: each derivative is that of the last one times `WEIGHTS`, summed.
"""

import json
from pathlib import Path

POINT = [0.3, 0.7, 1.2, 0.5, 0.9, 1.6]
WEIGHTS = [0.7, -1.1, 0.4, 1.3, -0.6, 0.9]
ANSWERS = Path(__file__).with_name("torch_answers.json")


def square(x):
    return x.reshape([2, 3])


def first(found):
    return found[0] if isinstance(found, tuple) else found


CASES = {
    "softmax": lambda L, F, x: F.softmax(x, -1),
    "log_softmax": lambda L, F, x: F.log_softmax(x, -1),
    "gelu": lambda L, F, x: F.gelu(x),
    "erf": lambda L, F, x: L.erf(x),
    "logsumexp": lambda L, F, x: L.logsumexp(square(x), -1),
    "prod": lambda L, F, x: L.prod(square(x), 1),
    "norm": lambda L, F, x: L.norm(x),
    "max": lambda L, F, x: L.amax(square(x), 1),
    "min": lambda L, F, x: L.amin(square(x), 1),
    "sort": lambda L, F, x: first(L.sort(x)),
    "cumsum": lambda L, F, x: L.cumsum(x, 0) ** 2,
    "cumprod": lambda L, F, x: L.cumprod(x, 0),
    "pow": lambda L, F, x: x**2.5,
    "log1p": lambda L, F, x: L.log1p(x),
    "expm1": lambda L, F, x: L.expm1(x),
    "exp": lambda L, F, x: L.exp(x),
    "log": lambda L, F, x: L.log(x),
    "sqrt": lambda L, F, x: L.sqrt(x),
    "rsqrt": lambda L, F, x: L.rsqrt(x),
    "sin": lambda L, F, x: L.sin(x),
    "cos": lambda L, F, x: L.cos(x),
    "tan": lambda L, F, x: L.tan(x),
    "tanh": lambda L, F, x: L.tanh(x),
    "sigmoid": lambda L, F, x: F.sigmoid(x),
    "softplus": lambda L, F, x: F.softplus(x),
    "silu": lambda L, F, x: F.silu(x),
    "elu": lambda L, F, x: F.elu(x - 1),
    "atan": lambda L, F, x: L.atan(x),
    "asinh": lambda L, F, x: L.asinh(x),
    "sinh": lambda L, F, x: L.sinh(x),
    "square": lambda L, F, x: L.square(x),
    "reciprocal": lambda L, F, x: L.reciprocal(x),
    "matmul": lambda L, F, x: square(x) @ square(x).t() @ square(x),
    "multiply": lambda L, F, x: x * x * x,
    "divide": lambda L, F, x: 1 / (x * x + x),
    "lgamma": lambda L, F, x: L.lgamma(x),
    "std": lambda L, F, x: L.std(square(x), 1),
    "mean": lambda L, F, x: L.mean(square(x), 1) ** 3,
    "where": lambda L, F, x: L.where(x > 0.6, x * x * x, L.exp(x)),
}


def answer_by_torch():
    """Write the file of answers."""
    import torch

    answers = {}
    for name, f in CASES.items():
        x = torch.tensor(POINT, dtype=torch.float64, requires_grad=True)
        w = torch.tensor(WEIGHTS, dtype=torch.float64)
        y = f(torch, torch.nn.functional, x)
        y = (y * w[: y.numel()].reshape(y.shape)).sum()
        answers[name] = []
        for _ in range(3):
            (g,) = (
                torch.autograd.grad(y, x, create_graph=True, materialize_grads=True)
                if y.requires_grad
                else (torch.zeros_like(x),)
            )
            answers[name].append([float(v) for v in g])
            y = (g * w).sum()
    ANSWERS.write_text(json.dumps(answers) + "\n")


if __name__ == "__main__":
    answer_by_torch()
