"""Random programs that view and write, for any kind of array: NumPy itself is the oracle.

A program is a list of steps on a growing list of names; `run(program, x)` gives all the names'
values at the end, for a NumPy array, a tensor or any tracer `x`.
"""

import numpy as np
from hypothesis import strategies as st

SHAPE = (2, 3, 2)

VIEWS = {
    "first": lambda a: a[0],
    "last, kept": lambda a: a[-1:],
    "every second": lambda a: a[::2],
    "reversed": lambda a: a[::-1],
    "inner slice": lambda a: a[..., 1:],
    "new axis": lambda a: a[None],
    "whole": lambda a: a[...],
    "transposed": lambda a: a.T,
    "swapped": lambda a: np.swapaxes(a, 0, -1),
    "moved": lambda a: np.moveaxis(a, 0, -1),
    "raveled": lambda a: a.ravel(),
    "one row": lambda a: a.reshape(1, -1),
    "flipped": lambda a: np.flip(a),
    "expanded": lambda a: np.expand_dims(a, 1),
    "squeezed": lambda a: np.squeeze(a),
    "split": lambda a: np.array_split(a, 2)[0],
}
COPIES = {
    "copy": lambda a: a.copy(),
    "same dtype": lambda a: a.astype(a.dtype),
    "sum": lambda a: a + 0.5,
    "picked": lambda a: a[[0, -1]],
    "flat": lambda a: a.flatten(),
    "rolled": lambda a: np.roll(a, 1),
}


def fill(a, v):
    a[...] = v


def head(a, v):
    a[:1] = v


def last(a, v):
    a[-1] = v


def picked(a, v):
    a[[0, -1]] = v


def masked(a, v):
    a[np.arange(a.shape[0]) % 2 == 0] = v


def add(a, v):
    a += v


def scale(a, v):
    a *= v


def add_to_first(a, v):
    a[0] += v


def add_to_picked(a, v):
    a[[0, 0]] += v


WRITES = [fill, head, last, picked, masked, add, scale, add_to_first, add_to_picked]

numbers = st.integers(0, 40)
steps = st.one_of(
    st.tuples(st.just("view"), numbers, st.sampled_from(sorted(VIEWS))),
    st.tuples(st.just("copy"), numbers, st.sampled_from(sorted(COPIES))),
    st.tuples(st.just("write"), numbers, st.sampled_from(WRITES), numbers),
    st.tuples(st.just("move"), numbers, numbers),
)
programs = st.lists(steps, min_size=1, max_size=12)


def run(program, x):
    """The values of all names after the program."""
    names = [x * 1.0]
    for kind, which, *rest in program:
        a = names[which % len(names)]
        if kind == "view":
            made = VIEWS[rest[0]](a)
            names.append(made if made.ndim else a)
        elif kind == "copy":
            names.append(COPIES[rest[0]](a))
        elif kind == "write":
            write, k = rest
            write(a, x.ravel()[k % x.size] * 0.5)
        else:
            source = names[rest[0] % len(names)]
            a[...] = source.ravel()[0] * 0.7
    return names


def total(program, x):
    """A weighted sum of all values, to differentiate."""
    result = 0.0
    for k, a in enumerate(run(program, x)):
        weights = np.cos(np.arange(a.size, dtype=float) + k).reshape(a.shape)
        result = result + (a * weights).sum()
    return result
