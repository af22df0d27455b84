"""GMM for CasADi, in two forms: matrix by matrix of all points, and scalar by scalar of a point.

CasADi's matrices are columns of components here: means (d, k), factors (d + d (d-1) / 2, k), and
points (d, n), which are the memory of the transposes that the other libraries have.
"""

import numpy as np

from objectives.asking import Inputs, Ways, load_casadi, through_casadi

MOST_PRODUCTS = 30_000_000  # of Q x; CasADi multiplies matrices by three plain loops
MOST_ENTRIES = 600  # of Q; gcc takes a minute for the scalar code of twice as many


def ways(given: Inputs, scale: float, excess: float) -> Ways:
    """Wishart's scale and degrees of freedom are the prior's."""
    (weights, means, _), (x,) = given.by, given.data
    n, d = x.shape
    found: Ways = {}
    forms = {
        "": (by_matrices, d * means.size * n <= MOST_PRODUCTS),
        ", by point": (by_point, len(weights) * d * (d + 1) // 2 <= MOST_ENTRIES),
    }
    for form, (make, practical) in forms.items():
        if practical:
            function = make(given, scale, excess)
            found |= through_casadi(function, given.all, [by.shape for by in given.by], form)
    return found


def symbols_of(given: Inputs, casadi):
    """Weights, means, factors, points."""
    return [
        casadi.MX.sym(name, *array.T.shape)
        for name, array in zip(("a", "m", "f", "x"), given.all, strict=True)
    ]


def prior(entries, factors, d, scale, excess, casadi):
    """Of the entries of all Q, but for a constant."""
    return 0.5 * scale**2 * casadi.sumsqr(entries) - excess * casadi.sum1(
        casadi.vec(factors[:d, :])
    )


def by_matrices(given: Inputs, scale: float, excess: float):
    """The sum of exponentials is not guarded against overflow: CasADi has no maximum of a column.

    Faster for it; these inputs do not need a guard.
    """
    casadi = load_casadi()
    n, d = given.data[0].shape
    k = len(given.by[0])
    weights, means, factors, x = symbols = symbols_of(given, casadi)
    entries = casadi.vertcat(casadi.exp(factors[:d, :]), factors[d:, :])
    q = casadi.reshape(casadi.vertcat(casadi.vec(entries), 0)[places(d, k)], k * d, d)
    spread = casadi.reshape(casadi.kron(means.T, casadi.DM.ones(d, 1)), k * d, d)
    centred = casadi.mtimes(q, x) - casadi.repmat(casadi.sum2(q * spread), 1, n)
    squares = casadi.reshape(casadi.sum1(casadi.reshape(centred**2, d, k * n)), k, n)
    logs = weights + casadi.sum1(factors[:d, :]).T
    exponents = casadi.repmat(logs, 1, n) - 0.5 * squares
    fit = casadi.sum2(casadi.log(casadi.sum1(casadi.exp(exponents))))
    total = fit - n * casadi.logsumexp(weights)
    total += prior(entries, factors, d, scale, excess, casadi)
    gradients = [casadi.gradient(total, by) for by in symbols[:3]]
    return casadi.Function("gmm", symbols, gradients)


def places(d: int, k: int) -> list[int]:
    """Where the entries of all Q (k d, d), column by column, lie among the factors; zero last."""
    columns, rows = np.triu_indices(d, 1)
    every, size = np.arange(d), d + len(rows)
    found = np.full((k, d, d), k * size)
    start = size * np.arange(k)[:, None]
    found[:, every, every] = start + every
    found[:, rows, columns] = start + d + np.arange(len(rows))
    return found.reshape(k * d, d).T.ravel().tolist()


def by_point(given: Inputs, scale: float, excess: float):
    """A point's gradient by the logarithms, means and entries of Q, summed over the points."""
    casadi = load_casadi()
    n, d = given.data[0].shape
    weights, means, factors, x = symbols = symbols_of(given, casadi)
    entries = casadi.vertcat(casadi.exp(factors[:d, :]), factors[d:, :])
    logs = weights + casadi.sum1(factors[:d, :]).T
    every = gradient_of_point(d, len(given.by[0]), casadi).map(
        "every", "serial", n, [0, 1, 2], [0, 1, 2]
    )
    pulled = every(logs, means, entries, x)
    # what is linear in the logarithms and so on has their gradients as its slopes
    slopes = [casadi.MX.sym("slope", *part.shape) for part in pulled]
    total = sum(casadi.dot(*pair) for pair in zip(slopes, (logs, means, entries)))
    total += prior(entries, factors, d, scale, excess, casadi) - n * casadi.logsumexp(weights)
    gradients = [casadi.gradient(total, by) for by in symbols[:3]]
    chain = casadi.Function("chain", [*symbols[:3], *slopes], gradients)
    return casadi.Function("gmm", symbols, chain(*symbols[:3], *pulled))


def gradient_of_point(d, k, casadi):
    sizes = (k, 1), (d, k), (d + d * (d - 1) // 2, k), (d, 1)
    logs, means, entries, x = symbols = [casadi.SX.sym("x", *size) for size in sizes]
    exponents = []
    for j in range(k):
        away = x - means[:, j]
        y = entries[:d, j] * away
        start = d
        for column in range(d - 1):
            below = slice(column + 1, d)
            y[below] += entries[start : start + d - 1 - column, j] * away[column]
            start += d - 1 - column
        exponents.append(logs[j] - 0.5 * casadi.sumsqr(y))
    fit = casadi.logsumexp(casadi.vertcat(*exponents))
    return casadi.Function("point", symbols, [casadi.gradient(fit, by) for by in symbols[:3]])
