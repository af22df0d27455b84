"""Functions built of control flow, for the tests to differentiate; each takes and gives a float."""

import numpy as np

import qiudao as qd

STEPS = np.arange(1.0, 4.0)


def branch(x):
    return qd.cond(x > 0.5, lambda x, y: np.sin(x * y) * y, lambda x, y: x**3 + 0 * y, x, 3.0 * x)


def one_of_three(x):
    index = (x > 0.4) * 1 + (x > 0.9)
    return qd.switch(index, [np.sin, np.exp, lambda x: x**3], x)


def until_large(x):
    """The number of steps depends on x."""
    return qd.while_loop(
        lambda v: v[0] < 6, lambda v: ((1 + np.sin(v[0])) * x + v[0] + 0.3, v[1] + 1), (x, 0)
    )[0]


def counted(x):
    """The condition reads an integer alone."""
    return qd.while_loop(lambda v: v[1] < 4, lambda v: (np.sin(v[0]) * x + v[0], v[1] + 1), (x, 0))[
        0
    ]


def powers(x):
    return qd.fori_loop(0, 5, lambda i, v: v * x + i * np.cos(x), 1.0)


def stepped(x):
    last, ys = qd.scan(lambda c, k: (np.sin(c) * x + k, c * x * c * k), x, STEPS)
    return last + np.sum(ys)


def stepped_backwards(x):
    state, ys = qd.scan(
        lambda s, k: ({"v": s["v"] * k * x, "n": s["n"] + 1}, (s["v"] ** 2, s["n"])),
        {"v": x, "n": 0},
        STEPS,
        reverse=True,
    )
    return state["v"] + np.sum(ys[0] * ys[1])


def mapped(x):
    return np.sum(qd.map(lambda k: np.sin(k * x), STEPS))


def doubled(x):
    return np.sum(qd.associative_scan(np.multiply, STEPS * x) ** 2)


def nested(x):
    def step(total, k):
        grown = qd.while_loop(lambda v: v < k, lambda v: v * 1.5 + 0.01 + x * 0.01, x)
        return total + grown * qd.cond(k > 2, np.sin, np.cos, k * x), total

    return qd.scan(step, 0.0, STEPS)[0]


def loop_in_branch(x):
    return qd.cond(
        x > 0.5,
        lambda x: qd.scan(lambda c, k: (c * x + k, c), x, STEPS)[0],
        lambda x: qd.fori_loop(0, 3, lambda i, v: v * x, x),
        x,
    )


def chunked(x):
    return qd.scan(lambda c, k: (np.sin(c) * x + k, None), x, np.arange(7.0), checkpoint="sqrt")[0]


def remembered(x):
    return qd.while_loop(lambda v: v < 9, lambda v: v * (1.5 + x), x + 1.0, max_steps=9)


FUNCTIONS = [
    branch,
    one_of_three,
    until_large,
    counted,
    powers,
    stepped,
    stepped_backwards,
    mapped,
    doubled,
    nested,
    loop_in_branch,
    chunked,
    remembered,
]
