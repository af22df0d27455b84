"""Functions whose stories are told.

Those of the snapshots take sums, products and quotients only, which every machine rounds alike.
"""

import numpy as np


def chain(x):
    y = 3 * x * x - 4 * x + 5
    z = y * y - 4 * y
    return z * z * z * z - 5


def recurrent(x, w):
    h = x
    for _ in range(60):
        h = w * h / (1 + h * h) + x
    return h


def thrice(x):
    return np.sin(x) * x + x


def network(x, w, b):
    h = np.tanh(w @ x + b)
    return np.sum(h**2)


X, W, B = np.array([0.5, -0.2]), np.array([[0.3, -0.4], [0.1, 0.7], [-0.6, 0.2]]), np.zeros(3)
