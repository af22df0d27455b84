"""Runs a table of another library's functions on our values, where that needs a process of its own.

    python verdicts.py TABLE

SciPy asks the environment once, at its import, whether other libraries' arrays may come.  `TABLE`
is a module beside this one with `CASES`: names to pairs of a function and a point.  Prints a JSON
object of verdicts: "right" where gradient and tangent agree with central differences.
"""

import importlib
import json
import os
import sys
import warnings

os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np

import qiudao as qd
import qiudao.numpy as xp

STEP = 1e-6
TOLERANCE = 1e-5


def weighed(f, x):
    """One number from all elements of `f(x)`."""
    y = f(x)
    return xp.sum(y * np.cos(np.arange(np.size(y)) + 1.0).reshape(np.shape(y)))


def verdict(f, x):
    """What a function does with our values at `x`."""
    along = np.sin(np.arange(x.size) + 2.0).reshape(x.shape)

    def value(x):
        return float(weighed(f, xp.asarray(x)))

    try:
        gradient = qd.grad(lambda x: weighed(f, x))(x)
        _, tangent = qd.jvp(lambda x: weighed(f, x), (x,), (along,))
        limit = (value(x + STEP * along) - value(x - STEP * along)) / (2 * STEP)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    found = np.array([np.sum(gradient * along), tangent])
    agree = np.allclose(found, limit, rtol=TOLERANCE, atol=TOLERANCE)
    return "right" if agree else f"wrong: {found.tolist()} and {limit} by differences"


def main(table):
    """Print the verdicts of a table."""
    cases = importlib.import_module(table).CASES
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # theirs: about other arrays, and about numbers
        print(json.dumps({name: verdict(f, x) for name, (f, x) in cases.items()}))


if __name__ == "__main__":
    main(sys.argv[1])
