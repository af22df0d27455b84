"""`autograd.scipy.linalg`: SciPy's, with derivatives of the functions listed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg as plain

from ..registered import defvjp, primitive

Rule = Callable[[Any], Any]

sqrtm = primitive(plain.sqrtm)
expm = primitive(plain.expm)
solve_triangular = primitive(plain.solve_triangular)
solve_sylvester = primitive(plain.solve_sylvester)
solve_banded = primitive(plain.solve_banded)


def _like(x: Any, g: Any) -> Any:
    """A cotangent of a real operand is real."""
    return g if np.iscomplexobj(x) else np.real(g)


def _sqrtm_vjp(ans: Any, A: Any) -> Rule:
    """From X X = A: dX X + X dX = dA, transposed."""
    return lambda g: _like(A, solve_sylvester(ans.T, ans.T, g))


defvjp(sqrtm, _sqrtm_vjp)


def _expm_vjp(ans: Any, A: Any) -> Rule:
    """The Fréchet derivative at A^T is a block of the exponential of [[A^T, g], [0, A^T]]."""
    n = A.shape[-1]

    def vjp(g: Any) -> Any:
        below = np.concatenate([np.zeros((n, n)), A.T], axis=1)
        return expm(np.concatenate([np.concatenate([A.T, g], axis=1), below]))[:n, n:]

    return vjp


defvjp(expm, _expm_vjp)


def _transposed(trans: Any) -> str:
    return "T" if trans in ("N", 0) else "N"


def _columns(x: Any) -> Any:
    return x if x.ndim > 1 else x[:, None]


def _triangle_vjp(
    ans: Any, a: Any, b: Any, trans: Any = 0, lower: bool = False, **options: Any
) -> Rule:
    """From op(a) x = b: the cotangent of op(a) is -w x^T with w that of b."""
    _check_trans(trans)
    keep = np.tril if lower else np.triu
    offset = 0 if not options.get("unit_diagonal") else -1 if lower else 1

    def vjp(g: Any) -> Any:
        w = solve_triangular(a, g, trans=_transposed(trans), lower=lower, **options)
        outer = -_columns(w) @ _columns(ans).T
        return keep(outer if trans in ("N", 0) else outer.T, offset)

    return vjp


def _check_trans(trans: Any) -> None:
    if trans not in ("N", 0, "T", 1):
        raise NotImplementedError(
            f"solve_triangular: trans={trans!r} has no derivative here; pass np.conj(a) with "
            "trans='T'"
        )


def _triangle_side_vjp(
    ans: Any, a: Any, b: Any, trans: Any = 0, lower: bool = False, **options: Any
) -> Rule:
    _check_trans(trans)
    return lambda g: solve_triangular(a, g, trans=_transposed(trans), lower=lower, **options)


defvjp(solve_triangular, _triangle_vjp, _triangle_side_vjp)


def _sylvester_side(ans: Any, a: Any, b: Any, q: Any) -> Rule:
    return lambda g: solve_sylvester(a.T, b.T, g)


defvjp(
    solve_sylvester,
    lambda ans, a, b, q: lambda g: -_sylvester_side(ans, a, b, q)(g) @ ans.T,
    lambda ans, a, b, q: lambda g: -ans.T @ _sylvester_side(ans, a, b, q)(g),
    _sylvester_side,
)


def _banded_transpose(bands: Any, ab: Any) -> tuple[tuple[int, int], Any]:
    """The transpose of a matrix given by its diagonals: each diagonal moves, and is shifted."""
    below, above = bands
    rows = [np.roll(ab[above + k], k) for k in range(below, -above - 1, -1)]
    return (above, below), np.stack(rows)


def _banded_vjp(ans: Any, bands: Any, ab: Any, b: Any, **options: Any) -> Rule:
    """The cotangent of the matrix is -w x^T, of which the diagonals are kept."""

    def vjp(g: Any) -> Any:
        w = solve_banded(*_banded_transpose(bands, ab), g, **options)
        below, above = bands
        n = ab.shape[1]
        rows = []
        for k in range(above, -below - 1, -1):  # the diagonal of entries (j - k, j)
            products = np.sum(
                _columns(w)[max(0, -k) : n - max(0, k)] * _columns(ans)[max(0, k) : n - max(0, -k)],
                axis=1,
            )
            rows.append(np.concatenate([np.zeros(max(0, k)), -products, np.zeros(max(0, -k))]))
        return np.stack(rows)

    return vjp


def _banded_side_vjp(ans: Any, bands: Any, ab: Any, b: Any, **options: Any) -> Rule:
    return lambda g: solve_banded(*_banded_transpose(bands, ab), g, **options)


defvjp(solve_banded, _banded_vjp, _banded_side_vjp, argnums=(1, 2))

__all__ = sorted(set(plain.__all__))


def __getattr__(name: str) -> Any:
    """A name of SciPy's."""
    return getattr(plain, name)
