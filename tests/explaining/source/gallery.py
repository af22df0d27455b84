"""Functions whose derivatives are printed: each with arguments to differentiate it at."""

import numpy as np

import qiudao as qd

rng = np.random.default_rng(0)
SMALL = np.array([1.0, 2.5, -3.0])
LARGE = rng.normal(size=(20, 3))


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def logistic_regression(w, X, y):
    z = X @ w
    return np.mean(np.log1p(np.exp(-y * z)))


def perceptron(params, x, y):
    h = np.tanh(params["W1"] @ x + params["b1"])
    out = params["W2"] @ h + params["b2"]
    return np.sum((out - y) ** 2)


def log_sum_exp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def masked(x):
    return np.sum(np.where(x > 0, np.log(x), x))


def recurrent(p, xs):
    h = np.zeros(3)
    for x in xs:
        h = np.tanh(p["W"] @ h + p["U"] @ x)
    return np.sum(h**2)


def newton(x):
    y = x
    while np.abs(y * y - x) > 1e-12:
        y = 0.5 * (y + x / y)
    return y


def branches(x):
    if np.sum(x) > 1:
        y = x * x
    elif x[0] > 0:
        y = np.sin(x)
    else:
        y = np.exp(x)
    return np.sum(y)


def norm(x):
    return np.linalg.norm(x)


def solve(A, b):
    x = np.linalg.solve(A, b)
    return np.sum(x * x)


def eigenvectors(A):
    w, V = np.linalg.eigh(A + A.T)
    return np.sum(np.log(w**2)) + np.sum(V[:, 0] ** 4)


def determinant(A):
    return np.linalg.slogdet(A)[1]


def cumulated(x):
    return np.sum(np.cumsum(x) ** 2)


def duplicates(x):
    return np.sum(x[np.array([0, 0, 1])] ** 3)


def waves(z):
    spectrum = np.fft.fft(z)
    return np.sum(np.abs(spectrum) ** 2 * np.arange(4))


def single(x, W):
    return np.sum(np.tanh(W @ x) * 0.5) + np.float32(0.1) * np.sum(x)


def written(x):
    y = np.zeros_like(x)
    y[0] = x[0] * x[1]
    y[1:] += x[1:] ** 2
    return np.sum(y * y)


def counted(x, n):
    s = 0.0
    for k in range(n):
        s = s + x[k] ** 2 * k
    return s


def scanned(x):
    last, ys = qd.scan(lambda c, a: (c * a, np.sin(c)), 1.0, x)
    return np.sum(ys) * last


def cross_entropy(W, x, labels):
    logits = x @ W
    m = np.max(logits, axis=1, keepdims=True)
    logp = logits - m - np.log(np.sum(np.exp(logits - m), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * logp, axis=1))


def closing_over(w):
    r = LARGE @ w
    return np.sum(r**2) + np.sum(np.abs(w - SMALL))


def several(*xs, scale=2.0):
    return np.sum(xs[0] * xs[1]) * scale


def normal(*shape):
    return rng.normal(size=shape)


GALLERY = [
    (rosenbrock, (normal(5),)),
    (logistic_regression, (normal(3), normal(4, 3), normal(4))),
    (
        perceptron,
        (
            {"W1": normal(3, 2), "b1": normal(3), "W2": normal(2, 3), "b2": normal(2)},
            normal(2),
            normal(2),
        ),
    ),
    (log_sum_exp, (normal(4),)),
    (masked, (np.array([2.0, -1.0, 0.0]),)),
    (recurrent, ({"W": normal(3, 3), "U": normal(3, 2)}, normal(8, 2))),
    (newton, (2.0,)),
    (branches, (np.array([1.0, 2.0]),)),
    (branches, (np.array([0.1, 0.2]),)),
    (branches, (np.array([-0.1, 0.2]),)),
    (norm, (normal(3),)),
    (solve, (normal(3, 3), normal(3))),
    (eigenvectors, (normal(3, 3),)),
    (determinant, (normal(3, 3),)),
    (cumulated, (normal(3),)),
    (duplicates, (normal(3),)),
    (waves, (normal(4) + 1j * normal(4),)),
    (single, (normal(3).astype(np.float32), normal(2, 3).astype(np.float32))),
    (written, (normal(3),)),
    (counted, (normal(10), 10)),
    (scanned, (normal(4),)),
    (cross_entropy, (normal(3, 4), normal(5, 3), np.eye(4)[[0, 1, 2, 3, 0]])),
    (closing_over, (normal(3),)),
    (several, (normal(3), normal(3))),
]
NAMED = {f.__name__: (f, args) for f, args in reversed(GALLERY)}
