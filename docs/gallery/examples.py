"""The computations of the gallery: plain NumPy, each with the point it is explained at."""

import numpy as np


def chain(x):
    """The study's chain: four steps, one after the other."""
    y = x**2
    z = np.sin(y)
    u = np.exp(z)
    return np.log(1.0 + u)


def thrice(x):
    """A value used three times: its gradient has three terms."""
    return np.sin(x) * x + x


def layer(h, w, b):
    """One layer of the network."""
    return np.tanh(w @ h + b)


def network(x, ws, bs):
    """A small network with a squared error."""
    h = x
    for w, b in zip(ws, bs, strict=True):
        h = layer(h, w, b)
    return np.sum((h - 1.0) ** 2)


def cross_entropy(z, label):
    """Softmax cross-entropy, with the largest subtracted first."""
    shifted = z - np.max(z)
    p = np.exp(shifted) / np.sum(np.exp(shifted))
    return -np.log(p[label])


def distance(x, y):
    """A distance whose gradient is NaN where the points meet."""
    return np.sqrt(np.sum((x - y) ** 2) * 1.0)


def recurrent(w, xs):
    """A recurrent cell over forty steps, which folds."""
    h = np.zeros(3)
    for t in range(len(xs)):
        h = np.tanh(w @ h + xs[t])
    return np.sum(h)


def examples():
    """Name, function and arguments of each."""
    rng = np.random.default_rng(3)
    ws = [np.round(rng.normal(size=shape), 2) for shape in ((4, 2), (2, 4))]
    bs = [np.zeros(4), np.zeros(2)]
    point = np.array([1.0, 2.0])
    w, xs = np.round(rng.normal(size=(3, 3)) / 2, 2), np.round(rng.normal(size=(40, 3)), 2)
    return {
        "chain": (chain, (1.2,)),
        "thrice": (thrice, (1.2,)),
        "network": (network, (np.array([0.5, -1.0]), ws, bs)),
        "cross-entropy": (cross_entropy, (np.array([2.0, -1.0, 0.5]), 1)),
        "nan": (distance, (point, point.copy())),
        "recurrent": (recurrent, (w, xs)),
    }
