"""QR as LAPACK computes it: a product of reflections, for `np.linalg.qr(mode="raw")`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Value
from .matrices import conj, real


def reflections(a: Value) -> tuple[Value, Value]:
    """The matrix that holds R above and the vectors of the reflections below, transposed; taus.

    Each reflection H = 1 - tau v v^H, v beginning with 1, takes a column (alpha, x) to (beta, 0)
    with |beta| its length and beta against the sign of alpha, so that nothing cancels (Golub and
    Van Loan, 5.1).  Written in primitives, one column after another.
    """
    taus, borders = [], []
    rest = a
    for _ in range(min(a.shape[-2:])):
        alpha, below = rest[..., 0, 0], rest[..., 1:, 0]
        beta, tau, v = reflection(alpha, below)
        row, inner = rest[..., 0, 1:], rest[..., 1:, 1:]
        along = row + np.sum(conj(v)[..., :, None] * inner, axis=-2)
        pull = conj(tau)[..., None] * along
        taus.append(tau)
        borders.append((beta, row - pull, v))
        rest = inner - v[..., :, None] * pull[..., None, :]
    packed = rest
    for beta, row, v in reversed(borders):
        top = np.concatenate([beta[..., None], row], axis=-1)[..., None, :]
        packed = np.concatenate([v[..., :, None], packed], axis=-1)
        packed = np.concatenate([top, packed], axis=-2)
    shape = (*a.shape[:-2], 0)
    return packed.mT, np.stack(taus, axis=-1) if taus else np.zeros(shape, a.dtype)


def reflection(alpha: Value, below: Value) -> tuple[Value, Value, Value]:
    """What a column becomes, beta; tau; and the vector without its leading 1."""
    squares = np.sum(real(below * conj(below)), axis=-1)
    still = squares == 0  # nothing to do, as LAPACK sees it
    if alpha.dtype.kind == "c":
        still = still & (np.imag(alpha) == 0)
    length = np.sqrt(np.where(still, 1.0, squares + real(alpha * conj(alpha))))
    turned = -np.copysign(length, plain_sign(alpha))
    beta = np.where(still, alpha, turned.astype(alpha.dtype))
    safe = np.where(still, np.ones((), alpha.dtype), beta)
    tau = np.where(still, np.zeros((), alpha.dtype), (safe - alpha) / safe)
    scale = np.where(still, np.ones((), alpha.dtype), alpha - safe)
    v: Any = below / scale[..., None]
    return beta, tau, v


def plain_sign(alpha: Value) -> Value:
    """1 with the sign of the real part, a constant."""
    return np.where(np.signbit(real(alpha)), -1.0, 1.0).astype(real(alpha).dtype)
