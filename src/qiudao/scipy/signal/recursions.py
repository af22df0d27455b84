"""The recursion of a filter with poles, as one operation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scipy import signal as theirs

from ...core.avals import Aval, Value
from ...core.families import Linear
from ...core.primitive import Parents, Product, Terms, Values, primitive, reach_of_any
from ...core.samples import sample
from ...transforms.one_by_one import one_by_one


@primitive
class AllPole(Linear):
    """y[n] = v[n] - sum over k of a[k] y[n - 1 - k], along the last axis of `v`, by SciPy.

    With T the lower triangular Toeplitz matrix of 1, a[0], a[1], ... it is y = T^-1 v: linear in
    `v`, where the transpose is the same recursion backwards in time, and its change with `a` is
    -T^-1 dT y.  Examples of a batch that have coefficients of their own are filtered one by one,
    others all at once.
    """

    linear = (1,)
    is_tame = False  # a recursion may grow beyond all bounds
    keeps_out = True
    keeps_operands = True
    samples = (
        sample("f64[2]", "f64[2,5]", within=(-0.7, 0.7)),
        sample("f64[1]", "f64[4]", within=(-0.7, 0.7)),
        sample("c128[2]", "c128[3]", within=(-0.7, 0.7), order=2),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[1].shape, np.result_type(*(a.dtype for a in avals)))

    def evaluate(self, *xs: Value) -> Value:
        a, v = xs
        one = np.ones(1, a.dtype)
        return theirs.lfilter(one, np.concatenate([one, a]), v)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return np.flip(self(xs[0], np.flip(ct, -1)), -1)

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (a, _), (da, dv) = xs, dxs
        if da is not None:
            moved = -sum(da[k] * later(out, k + 1) for k in range(np.shape(a)[0]))
            dv = moved if dv is None else dv + moved
        return None if dv is None else self(a, dv)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        of_v = self.transpose(1, ct, *xs)
        n = np.shape(of_v)[-1]
        of_a: Value | None = None
        if parents[0] is not None:
            count = xs[0].shape[0]
            of_a = np.stack(
                [-np.sum(of_v[..., k + 1 :] * out[..., : max(n - k - 1, 0)]) for k in range(count)]
            )
        return of_a, None if parents[1] is None else of_v

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        return tuple(values)

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        return reach_of_any(alive, parents)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        a, v = xs
        if not mapped[0]:
            return self(a, v)
        return one_by_one(self, size, mapped, xs)


all_pole = AllPole()


def later(x: Any, k: int) -> Any:
    """The samples of the last axis k places later, after zeros."""
    start = np.zeros((*np.shape(x)[:-1], min(k, np.shape(x)[-1])), x.dtype)
    return np.concatenate([start, x[..., : max(np.shape(x)[-1] - k, 0)]], -1)
