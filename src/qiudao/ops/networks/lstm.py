"""A whole sequence through an LSTM as one operation: for the tape, which would record each step."""

from __future__ import annotations

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
    """All states h and memories c of an LSTM, with tanh(c) and the gates (o, i, f, g).

    z = x Uᵀ + h Wᵀ + b;  i, f, o = σ(z) and g = tanh(z);  c ← f c + i g;  h ← o tanh(c)

    Rows of U, W and b are those of i, f, g and o, as in torch.  Within, o comes first: then one
    call computes σ of three, and one multiplies three by dc.

    From x (time, n, k), the first h and c (n, m), U (4 m, k), W (4 m, m) and b (4 m): h, c and
    tanh(c) after each step, (time, n, m), and the gates, (time, 4, n, m); the derivative reads them
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
        *lead, time, n, _ = x.shape
        states = Aval((*lead, time, n, m), dtype)
        return states, states, states, Aval((*lead, time, 4, n, m), dtype)

    def evaluate(self, *xs: Value) -> Value:
        warm()
        x, h, c, u, w, b = xs
        dtype = np.result_type(*xs)
        x, m = first(x, 1), h.shape[-1]
        weights = o_first(np.concatenate([w, u, b[..., None]], axis=-1), m)
        weights[..., : 3 * m, :] *= -1.0  # σ(z) = 1 / (1 + e^-z)
        across = np.ascontiguousarray(turned(weights))
        read = np.empty((len(x) + 1, *x.shape[1:-1], weights.shape[-1]), dtype)  # h, x and 1
        read[0, ..., :m], read[:-1, ..., m:-1], read[..., -1] = h, x, 1.0
        states = read[1:, ..., :m]
        gates = np.empty((len(x), 4, *h.shape), dtype)
        memory, tops = np.empty(states.shape, dtype), np.empty(states.shape, dtype)
        one, new = dtype.type(1), np.empty(h.shape, dtype)
        z, powers = (np.empty((*h.shape[:-1], count * m), dtype) for count in (4, 3))
        of_three, of_powers, of_g = z[..., : 3 * m], by_gate(powers, 3, 0), z[..., 3 * m :]
        steps = zip(read[:-1], gates, states, memory, tops, strict=True)
        with np.errstate(over="ignore"):  # 1 / (1 + inf) is the right gate
            for given, gate, state, kept, top in steps:
                np.matmul(given, across, out=z)
                np.exp(of_three, out=powers)
                powers += one
                np.reciprocal(of_powers, out=gate[:3])
                o, i, f, g = gate
                np.tanh(of_g, out=g)
                np.multiply(f, c, out=kept)
                kept += np.multiply(i, g, out=new)
                np.tanh(kept, out=top)
                np.multiply(o, top, out=state)
                c = kept
        return last(states, 1), last(memory, 1), last(tops, 1), last(gates, 2)

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
            made.append((h, c, top, np.stack([o, i, f, g], axis=-3)))
        return stacked(made)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        states, memory, tops, gates = out
        x, h, c, u, w, _ = xs
        m = h.shape[-1]
        slopes = slopes_of(gates)
        given: Value | None = None  # what moves z at once, in every step
        if i == 0:
            given = dx @ turned(u)[..., None, :, :]
        elif i == 3:
            given = x @ turned(dx)[..., None, :, :]
        elif i == 5:
            given = np.broadcast_to(dx[..., None, None, :], (*x.shape[:-1], 4 * m))
        dh, dc = (dx if i == 1 else None), (dx if i == 2 else None)
        made = []
        for t in range(x.shape[-3]):
            kept, gate = memory[..., t, :, :], gates[..., t, :, :, :]
            terms = [
                None if given is None else given[..., t, :, :],
                h @ turned(dx) if i == 4 else None,
                None if dh is None else dh @ turned(w),
            ]
            dz = add_all(terms)
            if dz is None:  # the first memory moves no gate at once
                dz = np.zeros((*h.shape[:-1], 4 * m), gates.dtype)
            di, df, dg, do = each(dz, m)
            dgate = slopes[..., t, :, :, :] * np.stack([do, di, df, dg], axis=-3)
            do, di, df, dg = of_each(dgate)
            dc = add_all(
                [
                    None if dc is None else gate[..., 2, :, :] * dc,
                    c * df,
                    gate[..., 1, :, :] * dg,
                    gate[..., 3, :, :] * di,
                ]
            )
            top = tops[..., t, :, :]
            dtop = (1.0 - top) * (1.0 + top) * dc
            dh = top * do + gate[..., 0, :, :] * dtop
            made.append((dh, dc, dtop, dgate))
            h, c = states[..., t, :, :], kept
        return stacked(made)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived; of plain arrays in place, with one product for the gradients of weights."""
        if isinstance(product, Masked) or any(isinstance(v, Tracer) for v in (*ct, *out, *xs)):
            return super().pull(ct, out, xs, parents, product)
        x, h, c, u, w, _ = xs
        m = h.shape[-1]
        u, w = o_first(u, m), o_first(w, m)
        states, memory, tops = (first(y, 1) for y in out[:3])
        of_states, of_memory, of_tops = (
            None if y is None else np.ascontiguousarray(first(y, 1)) for y in ct[:3]
        )
        of_gates = None if ct[3] is None else first(ct[3], 2)
        slopes = first(slopes_of(out[3]), 2)
        o, i, f, g = np.moveaxis(first(out[3], 2), 1, 0)
        of_z = np.empty((len(states), *h.shape[:-1], 4 * m), slopes.dtype)
        each_of_z = by_gate(of_z, 4, 1)  # by which dc and dh become dz, and then dz
        of_o, of_i, of_f, of_g = np.moveaxis(each_of_z, 1, 0)
        np.multiply(slopes[:, 0], tops, out=of_o)
        np.multiply(slopes[:, 1], g, out=of_i)
        np.multiply(slopes[0, 2], c, out=of_f[0])
        np.multiply(slopes[1:, 2], memory[:-1], out=of_f[1:])
        np.multiply(slopes[:, 3], i, out=of_g)
        turns = np.subtract(1.0, tops)
        turns *= 1.0 + tops
        through = o * turns
        dh, dc, new = np.zeros_like(h), np.zeros_like(c), np.empty_like(h)
        both = np.empty((*h.shape[:-1], 4, m), of_z.dtype)  # dh for o, dc for three of the gates
        of_first, of_three, factor = both[..., 0, :], both[..., 1:, :], both.reshape(of_z.shape[1:])
        wide = dc[..., None, :]
        steps = zip(range(len(of_z)), of_z, through, f, strict=True)
        for t, row, passing, kept in reversed(list(steps)):
            if of_states is not None:
                dh += of_states[t]
            dc += np.multiply(dh, passing, out=new)
            if of_memory is not None:
                dc += of_memory[t]
            if of_tops is not None:
                dc += turns[t] * of_tops[t]
            of_three[...] = wide
            of_first[...] = dh
            row *= factor
            if of_gates is not None:
                each_of_z[t] += slopes[t] * of_gates[t]
            np.matmul(row, w, out=dh)
            dc *= kept
        dx = None
        if parents[0] is not None:
            dx = np.reshape(as_rows(of_z) @ u, x.shape)
        if parents[3] is parents[4] is parents[5] is None:
            return [dx, dh, dc, None, None, None]
        before = np.concatenate([h[None], states[:-1]])
        one = np.ones((*before.shape[:-1], 1), x.dtype)
        read = np.concatenate([before, first(x, 1), one], axis=-1)
        dweights = np.roll(product_of_rows(of_z, read), -m, axis=-2)
        return [dx, dh, dc, dweights[..., m:-1], dweights[..., :m], dweights[..., -1]]


def turned(w: Value) -> Value:
    """The transposed matrix, or matrices."""
    return np.swapaxes(w, -1, -2)


def first(x: Value, count: int) -> Value:
    """An array with time, or time and the four gates, as its first axes rather than before two."""
    axes = range(-2 - count, -2)
    return x if x.ndim == 2 + count else np.moveaxis(x, axes, range(count))


def last(x: Value, count: int) -> Value:
    """The inverse."""
    axes = range(-2 - count, -2)
    return x if x.ndim == 2 + count else np.moveaxis(x, range(count), axes)


def product_of_rows(a: Value, b: Value) -> Value:
    """Aᵀ B over time and examples, of arrays with time as their first axis."""
    return turned(as_rows(a)) @ as_rows(b)


def as_rows(x: Value) -> Value:
    """An array with time as its first axis as the rows of a matrix, or of matrices."""
    x = last(x, 1)
    return np.reshape(x, (*x.shape[:-3], -1, x.shape[-1]))


def each(x: Value, m: int) -> list[Value]:
    """What four gates are made of, side by side along the last axis, one by one."""
    return [x[..., k * m : (k + 1) * m] for k in range(4)]


def of_each(gates: Value) -> list[Value]:
    """The four gates one by one."""
    return [gates[..., k, :, :] for k in range(4)]


def o_first(weights: Value, m: int) -> Value:
    """Rows of i, f, g and o as those of o, i, f and g."""
    return np.roll(weights, m, axis=-2)


def by_gate(x: Value, count: int, axis: int) -> Value:
    """What lies side by side for some gates, with an axis of its own for them."""
    *lead, n = x.shape
    return np.moveaxis(np.reshape(x, (*lead, count, n // count)), -2, axis)


def slopes_of(gates: Value) -> Value:
    """The slopes at z: (1 - y) (y + 1) of the last, a tanh, and (1 - y) y of the others."""
    above = gates + np.array([0, 0, 0, 1], gates.dtype)[:, None, None]
    slopes = 1.0 - gates
    slopes *= above
    return slopes


def stacked(steps: list[tuple[Value, ...]]) -> tuple[Value, ...]:
    """What each step has, all steps in one array."""
    *states, gates = zip(*steps, strict=True)
    return (*(np.stack(column, axis=-3) for column in states), np.stack(gates, axis=-4))
