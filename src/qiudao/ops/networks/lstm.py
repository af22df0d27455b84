"""A whole sequence through an LSTM as one operation: for the tape, which would record each step."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value, promote
from ...core.dispatch import Tracer
from ...core.primitive import (
    Parents,
    Primitive,
    Product,
    Terms,
    Values,
    add_all,
    primitive,
)
from ...core.samples import sample
from ...core.sweep import Masked
from ..logsums import logistic
from ..warming import warm


@primitive
class Lstm(Primitive):
    """All states h and memories c of an LSTM, with tanh(c) and the gates (i, f, g, o).

    z = x Uᵀ + h Wᵀ + b;  i, f, o = σ(z) and g = tanh(z);  c ← f c + i g;  h ← o tanh(c)

    From x (time, n, k), the first h and c (n, m), U (4 m, k), W (4 m, m) and b (4 m): h, c and
    tanh(c) after each step, (time, n, m), and the gates, (time, n, 4 m); the derivative reads them
    all.  With dz the derivative of z, dσ = σ (1 - σ) dz and dg = (1 + g) (1 - g) dz:
    dc ← f dc + c df + i dg + g di, dh ← tanh(c) do + o (1 - tanh(c)²) dc.  Slopes are taken from
    the gates' values, so what a gate that is all but shut or open still lets through has an error
    relative to 1.
    """

    is_tame = True
    samples = (
        sample("f64[2,2,3]", "f64[2,1]", "f64[2,1]", "f64[4,3]", "f64[4,1]", "f64[4]"),
        sample("f64[3,1,1]", "f64[1,2]", "f64[1,2]", "f64[8,1]", "f64[8,2]", "f64[8]", order=2),
    )

    def shape(self, *avals: Aval) -> tuple[Aval, ...]:
        x, h, *_ = avals
        dtype, m = promote(*avals), h.shape[-1]
        states = Aval((*x.shape[:-1], m), dtype)
        return states, states, states, Aval((*x.shape[:-1], 4 * m), dtype)

    def evaluate(self, *xs: Value) -> Value:
        warm()
        x, h, c, u, w, b = xs
        dtype = np.result_type(*xs)
        x, m = first(x), h.shape[-1]
        weights = np.concatenate([w, u, b[..., None]], axis=-1)
        across = np.ascontiguousarray(np.swapaxes(weights, -1, -2))
        read = np.empty((len(x) + 1, *x.shape[1:-1], weights.shape[-1]), dtype)  # h, x and 1
        read[0, ..., :m], read[:-1, ..., m:-1], read[..., -1] = h, x, 1.0
        states = read[1:, ..., :m]
        gates = np.empty((*x.shape[:-1], 4 * m), dtype)
        memory, tops = np.empty(states.shape, dtype), np.empty(states.shape, dtype)
        one, z, new = dtype.type(1), np.empty(gates.shape[1:], dtype), np.empty(h.shape, dtype)
        steps = zip(read[:-1], gates, *each(gates, m), states, memory, tops, strict=True)
        with np.errstate(over="ignore"):  # 1 / (1 + inf) is the right gate
            for given, gate, i, f, g, o, state, kept, top in steps:
                np.matmul(given, across, out=z)
                np.negative(z, out=gate)
                np.exp(gate, out=gate)
                gate += one
                np.reciprocal(gate, out=gate)
                np.tanh(z[..., 2 * m : 3 * m], out=g)
                np.multiply(f, c, out=kept)
                kept += np.multiply(i, g, out=new)
                np.tanh(kept, out=top)
                np.multiply(o, top, out=state)
                c = kept
        return last(states), last(memory), last(tops), last(gates)

    def expand(self, *xs: Value) -> Value:
        x, h, c, u, w, b = xs
        from_inputs = x @ turned(u)[..., None, :, :] + b[..., None, None, :]
        across, m = turned(w), h.shape[-1]
        made = []
        for t in range(x.shape[-3]):
            i, f, g, o = each(from_inputs[..., t, :, :] + h @ across, m)
            i, f, g, o = logistic(i), logistic(f), np.tanh(g), logistic(o)
            c = f * c + i * g
            top = np.tanh(c)
            h = o * top
            made.append((h, c, top, np.concatenate([i, f, g, o], axis=-1)))
        return stacked(made)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        states, memory, tops, gates = out
        x, h, c, u, w, _ = xs
        m = h.shape[-1]
        slopes = (1.0 - gates) * (gates + of_tanh(m, gates.dtype))
        given: Value | None = None  # what moves z at once, in every step
        if i == 0:
            given = dx @ turned(u)[..., None, :, :]
        elif i == 3:
            given = x @ turned(dx)[..., None, :, :]
        elif i == 5:
            given = np.broadcast_to(dx[..., None, None, :], gates.shape)
        dh, dc = (dx if i == 1 else None), (dx if i == 2 else None)
        made = []
        for t in range(x.shape[-3]):
            kept, gate = memory[..., t, :, :], each(gates[..., t, :, :], m)
            terms = [
                None if given is None else given[..., t, :, :],
                h @ turned(dx) if i == 4 else None,
                None if dh is None else dh @ turned(w),
            ]
            dz = add_all(terms)
            if dz is None:  # the first memory moves no gate at once
                dz = np.zeros(gates.shape[:-3] + gates.shape[-2:], gates.dtype)
            dgate = slopes[..., t, :, :] * dz
            di, df, dg, do = each(dgate, m)
            dc = add_all([None if dc is None else gate[1] * dc, c * df, gate[0] * dg, gate[2] * di])
            top = tops[..., t, :, :]
            dtop = (1.0 - top) * (1.0 + top) * dc
            dh = top * do + gate[3] * dtop
            made.append((dh, dc, dtop, dgate))
            h, c = states[..., t, :, :], kept
        return stacked(made)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived; of plain arrays in place, with one product for the gradients of weights."""
        if isinstance(product, Masked) or any(isinstance(v, Tracer) for v in (*ct, *out, *xs)):
            return super().pull(ct, out, xs, parents, product)
        (states, memory, tops, gates), (x, h, c, u, w, _) = map(first, out), xs
        m = h.shape[-1]
        of_states, of_memory, of_tops, of_gates = (None if g is None else first(g) for g in ct)
        i, f, g, o = each(gates, m)
        slopes = np.subtract(1.0, gates)
        slopes *= gates + of_tanh(m, gates.dtype)
        of_z = slopes if of_gates is None else slopes.copy()
        of_i, of_f, of_g, of_o = each(of_z, m)  # by which dc and dh become dz, and then dz
        of_i *= g
        of_f[0] *= c
        of_f[1:] *= memory[:-1]
        of_g *= i
        of_o *= tops
        turns = np.subtract(1.0, tops)
        turns *= 1.0 + tops
        through = o * turns
        dh, dc, new = np.zeros_like(h), np.zeros_like(c), np.empty_like(h)
        both = np.empty((*h.shape[:-1], 4, m), of_z.dtype)  # dc for three of the gates, dh for o
        of_three, of_last, factor = both[..., :3, :], both[..., 3, :], both.reshape(of_z.shape[1:])
        wide = dc[..., None, :]
        steps = zip(range(len(states)), of_z, through, f, strict=True)
        for t, row, passing, kept in reversed(list(steps)):
            if of_states is not None:
                dh += of_states[t]
            dc += np.multiply(dh, passing, out=new)
            if of_memory is not None:
                dc += of_memory[t]
            if of_tops is not None:
                dc += turns[t] * of_tops[t]
            of_three[...] = wide
            of_last[...] = dh
            row *= factor
            if of_gates is not None:
                row += slopes[t] * of_gates[t]
            np.matmul(row, w, out=dh)
            dc *= kept
        dx = None if parents[0] is None else last(of_z @ u)
        if parents[3] is parents[4] is parents[5] is None:
            return [dx, dh, dc, None, None, None]
        before = np.concatenate([h[None], states[:-1]])
        read = np.concatenate(
            [before, first(x), np.ones((*before.shape[:-1], 1), x.dtype)], axis=-1
        )
        dweights = product_of_rows(of_z, read)
        return [dx, dh, dc, dweights[..., m:-1], dweights[..., :m], dweights[..., -1]]


def turned(w: Value) -> Value:
    """The transposed matrix, or matrices."""
    return np.swapaxes(w, -1, -2)


def first(x: Value) -> Value:
    """An array with time as its first axis."""
    return x if x.ndim == 3 else np.moveaxis(x, -3, 0)


def last(x: Value) -> Value:
    """The inverse."""
    return x if x.ndim == 3 else np.moveaxis(x, 0, -3)


def product_of_rows(a: Value, b: Value) -> Value:
    """Aᵀ B over time and examples, of arrays with time as their first axis."""
    a, b = (np.reshape(x, (*x.shape[:-3], -1, x.shape[-1])) for x in (last(a), last(b)))
    return np.swapaxes(a, -1, -2) @ b


def each(x: Value, n: int) -> list[Value]:
    """The four gates side by side, one by one."""
    return [x[..., k * n : (k + 1) * n] for k in range(4)]


def of_tanh(n: int, dtype: Any) -> Value:
    """1 where the gates are a tanh: (1 - y) (y + 1) is its slope, and (1 - y) y the others'."""
    return (np.arange(4 * n) // n == 2).astype(dtype)


def stacked(steps: list[tuple[Value, ...]]) -> tuple[Value, ...]:
    """What each step has, all steps in one array."""
    return tuple(np.stack(column, axis=-3) for column in zip(*steps, strict=True))
