"""Products of matrices, contractions, convolutions."""

from __future__ import annotations

from ....ops.convolving import Convolve
from ....ops.einsum import Einsum, split
from ....ops.products import Cross, MatMul
from .. import helpers
from ..code import Code, call, infix, method
from ..table import Phrase, spells


@spells(MatMul)
def matmul(p: Phrase) -> Code:
    """`a @ b`."""
    return infix("@", *p.codes)


@spells(Cross)
def cross(p: Phrase) -> Code:
    """`np.cross(a, b)`."""
    return call("np.cross", *p.codes)


@spells(Einsum)
def einsum(p: Phrase) -> Code:
    """A product of matrices or vectors where it is one, else `np.einsum`."""
    first, second = p.codes
    x, y, out = split(p.primitive.spec)
    if len(x) == len(y) == 2 and len(out) == 2 and len({*x, *y}) == 3:
        found = as_matmul(x, y, out, first, second)
        if found is not None:
            return found
    if len(x) == len(y) == 1 and x != y and out == x + y:
        return call("np.outer", first, second)
    if x == y and len(x) == 1 and not out:
        return infix("@", first, second)
    return call("np.einsum", repr(p.primitive.spec), first, second)


def as_matmul(x: str, y: str, out: str, a: Code, b: Code) -> Code | None:
    """Two matrices contracted over one letter, with transposes where they are needed."""
    (shared,) = set(x) & set(y) - set(out) or {""}
    if not shared:
        return None
    if out[0] in y:
        x, y, a, b = y, x, b, a
    if x[0] == shared:
        a = method(a, ".T")
    if y[1] == shared:
        b = method(b, ".T")
    return infix("@", a, b)


@spells(Convolve)
def convolve(p: Phrase) -> Code:
    """`np.convolve(a, v)`, or a window of a convolution over more axes."""
    q = p.primitive
    a, b = p.xs
    if len(q.starts) == 1 and a.ndim == b.ndim == 1:
        (start,), (size,) = q.starts, q.sizes
        n, m = a.shape[0], b.shape[0]
        full = n + m - 1
        if min(n, m) > 0 and start == 0 and size == full:
            return call("np.convolve", a.code, b.code)
        if min(n, m) > 0 and start == min(n, m) - 1 and size == abs(n - m) + 1:
            return call("np.convolve", a.code, b.code, '"valid"')
        if min(n, m) > 0 and start >= 0 and start + size <= full:
            return method(call("np.convolve", a.code, b.code), f"[{start}:{start + size}]")
    return call(p.use(helpers.convolution), a.code, b.code, str(q.starts), str(q.sizes))
