"""A traced function run: its program, held against the grammar, evaluated by NumPy."""

import numpy as np

import qiudao as qd
from checking import close
from qiudao.core.program import check


def run(f, *args):
    """What the program of `f` gives for the arguments that it was traced with: a flat list."""
    args = [np.asarray(x)[()] for x in args]
    program = qd.trace(f)(*args)
    check(program)
    return program(*args)


def run_one(f, *args):
    (found,) = run(f, *args)
    return found


def agree(f, *args, rtol=1e-11):
    """Hold that a function of one result gives the same traced as run by Python, dtype and all."""
    plain, traced = f(*args), run_one(f, *args)
    close(traced, plain, rtol=rtol)
    assert np.result_type(traced) == np.result_type(plain)
