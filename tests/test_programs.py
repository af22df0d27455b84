"""Random programs, written in plain NumPy: every mode of differentiation against every other.

A program is a few lines of Python, drawn by Hypothesis, which prints them where a test fails.
"""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd

LARGEST = 20.0  # the values of a program stay below this, so that differences see its slopes
MOST = 60  # elements of a value


class Program:
    """A function of arrays, and a point to differentiate it at."""

    def __init__(self, inputs, lines, result):
        self.inputs = inputs
        self.lines = lines
        self.result = result

    @property
    def source(self):
        names = ", ".join(f"x{i}" for i in range(len(self.inputs)))
        body = "\n".join(f"    {line}" for line in self.lines)
        return f"def f({names}):\n{body}\n    return {self.result}\n"

    def __repr__(self):
        points = "\n".join(f"x{i} = np.{x!r}" for i, x in enumerate(self.inputs))
        return f"\n{points}\n{self.source}"

    def __call__(self, *xs):
        space = {"np": np}
        exec(self.source, space)
        return space["f"](*xs)


UNARY = (
    "np.sin({x})",
    "np.cos({x})",
    "np.tanh({x})",
    "np.arctan({x})",
    "np.exp(-{x} * {x})",
    "np.log(1.5 + {x} * {x})",
    "np.sqrt(1.0 + {x} ** 2)",
    "np.log1p(np.square({x}))",
    "np.exp(np.sin({x}))",
    "1.0 / (2.0 + {x} ** 2)",
    "-{x}",
    "0.3 * {x} ** 3",
    "np.abs({x}) * {x}",
    "abs({x}) ** 2.5",
    "np.sinc(0.3 * {x})",
    "np.expm1(0.1 * {x})",
    "np.clip({x}, -0.5, 0.6)",
    "({x} > 0) * {x}",
    "np.floor({x}) * {x}",
    "np.select([{x} > 0.5, {x} > -0.5], [{x} ** 2, np.sin({x})], 0.3)",
    "np.polyval([0.1, -0.5, 1.0], {x})",
    "np.interp({x}, [-1.0, 0.0, 1.0], [0.0, 1.0, 0.5])",
    "np.full_like({x}, 1.5) * {x}",
)
BINARY = (
    "{x} + {y}",
    "{x} - {y}",
    "0.5 * {x} * {y}",
    "{x} / (2.0 + {y} * {y})",
    "np.maximum({x}, {y})",
    "np.minimum({x}, {y} + 0.1)",
    "np.where({x} > {y}, {x} * {y}, np.sin({y}))",
    "(1.5 + np.cos({x})) ** np.tanh({y})",
    "np.logaddexp({x}, {y})",
    "np.hypot({x}, 1.0 + {y} * {y})",
    "np.arctan2({x}, 1.0 + {y} ** 2)",
)
SHAPING = (
    "np.reshape({x}, -1)",
    "{x}.T",
    "{x}[None]",
    "np.stack([{x}, {x} * {x}], axis=-1)",
    "np.broadcast_to({x}, (2,) + np.shape({x}))",
    "np.ravel({x})",
    "np.copy({x})",
    "np.atleast_2d({x})",
    "np.squeeze({x})",
    "np.tile({x}, 2)",
)
OUTER = (
    "np.outer({x}, {y})",
    "np.tensordot({x}, {y}, 0)",
    "np.multiply.outer({x}, {y})",
    "np.kron({x}, {y})",
)
INDEX = ("[0]", "[-1]", "[::-1]", "[1:]", "[..., None]", "[[0, -1, 0]]", "[..., ::2]", "[:, 0]",
         "[..., [0, 0]]", "[np.array([0, -1]), ...]")  # fmt: skip
REDUCE = (
    "np.sum({x}, axis={axis}, keepdims={keep})",
    "np.mean({x}, axis={axis}, keepdims={keep})",
    "np.max({x}, axis={axis}, keepdims={keep})",
    "np.prod(np.sin({x}), axis={axis}, keepdims={keep})",
    "np.var({x}, axis={axis}, keepdims={keep})",
    "np.median({x}, axis={axis}, keepdims={keep})",
    "{x}.sum(axis={axis}, keepdims={keep})",
    "np.log(np.sum(np.exp({x}), axis={axis}, keepdims={keep}))",
)
ALONG = (
    "np.cumsum({x}, axis={axis})",
    "np.cumprod(np.cos({x}), axis={axis})",
    "np.flip({x}, {axis})",
    "np.roll({x}, 1, {axis})",
    "np.concatenate([{x}, np.sin({x})], axis={axis})",
    "np.repeat({x}, 2, axis={axis})",
    "np.take({x}, [0, -1, 0], axis={axis})",
    "np.diff({x}, axis={axis})",
    "np.moveaxis({x}, {axis}, 0)",
    "np.expand_dims({x}, {axis})",
    "np.sort({x}, axis={axis})",
    "np.take_along_axis({x}, np.argsort(-{x}, axis={axis}), axis={axis})",
    "np.maximum.accumulate({x}, axis={axis})",
    "np.insert({x}, 0, 0.5, axis={axis})",
    "np.trapezoid({x}, axis={axis})",
)
PRODUCT = (
    "{x} @ np.swapaxes({x}, -1, -2)",
    "np.einsum('...i,...i->...', {x}, np.sin({x}))",
    "np.einsum('...i,...j->...ij', {x}, {x})",
    "np.matmul(np.sin({x}), np.swapaxes({x}, -1, -2))",
    "np.inner({x}, {x})",
    "np.triu({x})",
    "np.trace({x})",
    "np.diagonal({x})",
    "np.convolve(np.ravel({x}), [1.0, -0.5, 0.2])",
    "np.abs(np.fft.rfft(np.sin({x}))) ** 2",
    "np.pad({x}, 1, mode='edge')",
    "np.gradient({x}, axis=-1)",
    "sum({x})",
)
WRITES = (
    ("{t} = np.copy({x})", "{t}[0] = np.sin({t}[-1])"),
    ("{t} = np.zeros_like({x})", "{t}[0] = {x}[0] * {x}[-1]", "{t}[-1] += {x}[0]"),
    ("{t} = np.copy({x})", "{t}[::2] *= 0.5", "{t}[0] += {t}[-1]"),
    ("{t} = np.copy({x})", "{t}[[0, -1]] = 0.25"),
    ("{t} = np.copy({x})", "{t}[[0, 0, -1]] += 1.5 * {t}[0]"),
    ("{t} = np.copy({x})", "np.add.at({t}, [0, 0], {t}[-1])"),
    ("{t} = np.copy({x})", "{t}[{t} > 0] *= -0.5"),
    ("{t} = np.copy({x})", "{t}[{t} > 0.2] = 0.1"),
    ("{t} = 1.0 * {x}", "{t} += np.sin({x})", "{t} -= 0.1"),
    ("{t} = np.copy({x})", "for i in range(1, len({x})):",
     "    {t}[i] = np.tanh({t}[i - 1] + {x}[i])"),
    ("{t} = np.copy({x})", "{t}v = {t}[0]", "{t}v *= 0.5", "{t} = {t} + {t}v"),
    ("{t} = np.copy({x})", "{t}.T[0] += 1.5", "{t} *= {t}"),
    ("{t} = np.copy({x})", "{t}w = {t}[1:].T[..., ::2]", "{t}w += {t}w"),
    ("{t} = np.copy({x})", "for row in {t}[::-1]:", "    row *= {t}[0]"),
    ("{t} = np.copy({x})", "{t}[0], {t}[-1] = 2 * {t}[-1], 3 * {t}[0]"),
    ("{t} = np.empty_like({x})", "np.multiply({x}, {x}, out={t})", "{t}[-1:] = {x}[:1]"),
)  # fmt: skip

FAMILIES = (UNARY, BINARY, SHAPING, OUTER, INDEX, REDUCE, ALONG, PRODUCT, WRITES, BINARY, WRITES)
OF_COMPLEX = (
    "np.conj({x})",
    "1j * {x}",
    "np.real({x}) + 0.5j * np.imag({x})",
    "np.real({x} * np.conj({x}))",
    "np.abs(2.0 + {x})",
    "np.angle(3.0 + {x})",
    "np.fft.ifft(np.atleast_1d({x}))",
)
ORDERED = (">", "max", "min", "sort", "median", "clip", "floor")  # these want real numbers


def drawn(seed, count, is_complex=False):
    """The program of a seed, up to its line `count`."""
    rng = np.random.default_rng(seed)
    shapes = [tuple(rng.integers(1, 4, rng.integers(0, 3))) for _ in range(rng.integers(1, 3))]
    inputs = tuple(rng.uniform(-1.2, 1.2, shape) for shape in shapes)
    if is_complex:
        inputs = tuple(np.asarray(x + 1j * rng.uniform(-0.5, 0.5, x.shape)) for x in inputs)
    values = {f"x{i}": x for i, x in enumerate(inputs)}
    lines = []
    while len(lines) < count:
        name = f"v{len(lines)}"
        made = statement(rng, values, name, is_complex)
        space = {"np": np, **{k: np.copy(v) for k, v in values.items()}}
        try:
            exec("\n".join(made), space)
        except (ValueError, IndexError, TypeError):  # the types do not fit: draw another line
            continue
        value = np.asarray(space[name])
        if value.size in range(1, MOST) and np.max(np.abs(value)) < LARGEST:
            values[name] = value
            lines.append((name, made))
    return Program(inputs, used(lines), list(values)[-1])


# Hypothesis shortens a program that fails to the first lines that do.
programs = st.builds(drawn, st.integers(0, 10**9), st.integers(1, 10), st.booleans())


def statement(rng, values, name, is_complex):
    """One or more lines that compute `name` from values that exist, mostly the latest."""

    def pick(options):
        return options[rng.integers(len(options))]

    def operand(names):
        return names[-1] if rng.random() < 0.6 else pick(names)

    with_axes = [n for n, v in values.items() if np.ndim(v)]
    family = pick(FAMILIES if with_axes else FAMILIES[:4])
    x = operand(list(values) if family in FAMILIES[:4] else with_axes)
    if is_complex:
        family = [t for t in family if not any(w in str(t) for w in ORDERED)]
        if UNARY[0] in family:
            family += OF_COMPLEX
    template = pick(family)
    if template in INDEX:
        return (f"{name} = {x}{template}",)
    if template in WRITES:
        return tuple(line.format(t=name, x=x) for line in template)
    axis = pick((None, 0, -1, 1)) if template in REDUCE else pick((0, -1, 1))
    options = {"x": x, "y": pick(list(values)), "axis": axis, "keep": pick((False, True))}
    return (f"{name} = {template.format(**options)}",)


def used(lines):
    """The lines that the last one needs."""
    kept = []
    needed = {lines[-1][0]} if lines else set()
    for name, made in reversed(lines):
        if name in needed:
            needed.update(re.findall(r"v\d+", " ".join(made)))
            kept = [*made, *kept]
    return tuple(kept)


def directions(program, *, like=None, seed=1):
    """Random arrays of the shapes of the inputs, or of another value."""
    rng = np.random.default_rng(seed)
    xs = program.inputs if like is None else like
    return tuple(
        rng.uniform(-1, 1, np.shape(x)) + 1j * rng.uniform(-1, 1, np.shape(x))
        if np.iscomplexobj(x)
        else rng.uniform(-1, 1, np.shape(x))
        for x in xs
    )


def weighed(program):
    """The program as a real scalar function: its result times random weights, summed."""
    (w,) = directions(program, like=(program(*program.inputs),), seed=2)
    return lambda *xs: np.sum(np.real(w * program(*xs)))


def gradients(loss, inputs):
    return qd.grad(loss, tuple(range(len(inputs))))(*inputs)


def dot(a, b):
    """The real inner product of two tuples of arrays."""
    return sum(float(np.sum(np.real(np.conj(u) * v))) for u, v in zip(a, b, strict=True))


def close(got, want, tolerance=1e-9):
    for g, w in zip(got, want, strict=True):
        assert np.shape(g) == np.shape(w)
        np.testing.assert_allclose(g, w, rtol=tolerance, atol=tolerance * (1 + np.max(np.abs(w))))


def each(count):
    return lambda test: settings(max_examples=count)(given(programs)(test))


@each(300)
def test_forward_reverse_and_differences_agree(program):
    xs, loss = program.inputs, weighed(program)
    before = [x.copy() for x in xs]
    dxs = directions(program)
    value, dy = qd.jvp(loss, xs, dxs)
    again, pullback = qd.vjp(loss, *xs)
    close((value, again), (loss(*xs), loss(*xs)), 1e-14)
    close(pullback(1.0), gradients(loss, xs), 1e-14)
    close((dot(pullback(1.0), dxs),), (dy,))
    numeric = qd.numeric.derivative(
        lambda t: loss(*(x + t * d for x, d in zip(xs, dxs, strict=True))),
        0.0,
        step=1e-3,
        full=True,
    )
    assert abs(dy - numeric.value) <= 1e-8 * (1 + abs(dy)) + 10 * numeric.error
    assert all(np.array_equal(x, b) for x, b in zip(xs, before, strict=True))


@each(200)
def test_second_derivatives_agree_however_they_are_nested(program):
    xs, loss = program.inputs, weighed(program)
    dxs = directions(program)

    def slope(*z):
        return qd.jvp(loss, z, dxs)[1]

    forward_reverse = qd.jvp(lambda *z: gradients(loss, z), xs, dxs)[1]
    reverse_reverse = qd.vjp(lambda *z: gradients(loss, z), *xs)[1](dxs)
    reverse_forward = gradients(slope, xs)
    close(reverse_reverse, forward_reverse)
    close(reverse_forward, forward_reverse)
    forward_forward = qd.jvp(slope, xs, dxs)[1]
    close((dot(forward_reverse, dxs),), (forward_forward,))
    numeric = qd.numeric.derivative(
        lambda t: dot(gradients(loss, [x + t * d for x, d in zip(xs, dxs, strict=True)]), dxs),
        0.0, step=1e-3, full=True,
    )  # fmt: skip
    assert abs(forward_forward - numeric.value) <= (
        1e-7 * (1 + abs(forward_forward)) + 10 * numeric.error
    )


@each(80)
def test_hessians_agree(program):
    xs, loss = program.inputs[:1], weighed(program)
    rest = program.inputs[1:]
    if np.iscomplexobj(xs[0]):
        return  # its second derivative is no one complex number for each pair of elements
    inner = qd.grad(lambda x: loss(x, *rest))
    want = qd.hessian(lambda x: loss(x, *rest))(*xs)
    close((qd.jacfwd(inner)(*xs), qd.jacrev(inner)(*xs)), (want, want))
    n = xs[0].size
    flat = np.reshape(want, (n, n))
    close((flat,), (flat.T,))


@each(80)
def test_third_derivatives_agree(program):
    xs, loss = program.inputs, weighed(program)
    dxs = directions(program)
    _, coefficients = qd.jet(loss, xs, tuple([d, 0 * d, 0 * d] for d in dxs))

    def slope(f):
        return lambda *z: qd.jvp(f, z, dxs)[1]

    first, second = slope(loss), slope(slope(loss))
    got = [c * k for c, k in zip(coefficients, (1, 2, 6), strict=True)]
    want = [first(*xs), second(*xs), dot(gradients(second, xs), dxs)]
    close(got, want, 1e-8)


@each(150)
def test_batches_agree_with_loops(program):
    xs, loss = program.inputs, weighed(program)
    rows = [tuple(x * (1 + 0.05 * k) for x in xs) for k in range(3)]
    stacked = tuple(np.stack(column) for column in zip(*rows, strict=True))
    if any("> 0]" in line for line in program.lines):
        return  # a mask that selects has a different length for each example
    close((qd.vmap(program)(*stacked),), (np.stack([program(*row) for row in rows]),))
    want = [np.stack(g) for g in zip(*(gradients(loss, row) for row in rows), strict=True)]
    close(qd.vmap(lambda *z: gradients(loss, z))(*stacked), want)
    close(gradients(lambda *z: np.sum(qd.vmap(loss)(*z)), stacked), want)
    dxs = tuple(np.ones_like(x) for x in stacked)
    slopes = [qd.jvp(loss, row, tuple(np.ones_like(x) for x in row))[1] for row in rows]
    close((qd.jvp(qd.vmap(loss), stacked, dxs)[1],), (np.stack(slopes),))


@each(120)
def test_tensors_agree_with_functions(program):
    xs, loss = program.inputs, weighed(program)
    leaves = [qd.tensor(x, requires_grad=True) for x in xs]
    want = gradients(loss, xs)
    y = loss(*leaves)
    if not y.requires_grad:
        close(want, [np.zeros_like(x) for x in xs])
        return
    got = qd.grad(y, leaves, unused="zero", create_graph=True)
    close([g.detach().numpy() for g in got], want, 1e-13)
    y.backward()
    close([0 * x if t.grad is None else t.grad.numpy() for t, x in zip(leaves, xs, strict=True)],
          want, 1e-13)  # fmt: skip


@each(80)
def test_single_precision_stays_single(program):
    single = np.complex64 if np.iscomplexobj(program.inputs[0]) else np.float32
    xs = tuple(x.astype(single) for x in program.inputs)
    loss = weighed(program)
    y, pullback = qd.vjp(program, *xs)
    plain = program(*xs)
    assert np.result_type(y) == np.result_type(plain)
    got = pullback(np.ones(np.shape(y), np.result_type(y)))
    want = qd.vjp(program, *program.inputs)[1](np.ones(np.shape(y)))
    assert all(np.result_type(g) == single for g in got)
    close(got, want, 1e-3)
    assert np.isfinite(loss(*program.inputs))


def test_programs_are_drawn_from_every_template():
    """What is left out for its shape is left out of few programs only."""
    text = "\n".join(line for seed in range(1500) for line in drawn(seed, 8).lines)
    text = re.sub(r"\b[xv]\d+", "_", text)
    templates = [t for f in FAMILIES[:8] if f is not INDEX for t in f] + [w[1] for w in WRITES]
    shown = [t.format(x="_", y="_", t="_", axis=0, keep=True) for t in templates]
    assert [t for t in shown if t not in text] == []
    assert [i for i in INDEX if f"_{i}" not in text] == []


@pytest.mark.parametrize("template", [*UNARY, *BINARY])
def test_every_template_is_differentiable(template):
    x = np.array([0.3, -0.7, 1.1])
    assert qd.gradcheck(lambda x: eval(template.format(x="x", y="x[::-1]"), {"np": np, "x": x}), x)


# Programs that once went wrong


def test_a_number_read_from_a_batch_is_no_view():
    def f(x):
        y = np.copy(x)
        number, rest, view = y[0], y[1:], y[2, ...]
        number *= 0.5
        rest *= 3
        view *= 2
        return y + number

    x = np.array([1.0, 2.0, 3.0])
    xs = np.stack([x, 2 * x])
    close((qd.vmap(f)(xs),), (np.stack([f(x), f(2 * x)]),))
    want = qd.grad(lambda x: np.sum(f(x)))(x)
    close((want,), ([2.5, 3.0, 6.0],))
    close((qd.vmap(qd.grad(lambda x: np.sum(f(x))))(xs),), (np.stack([want, want]),))


def test_what_does_not_move_has_no_taylor_series_to_spoil():
    _, found = qd.jet(lambda x: np.abs(0 * x) ** 2.5 + x, (2.0,), ([1.0, 0.0, 0.0],))
    assert found == [1, 0, 0]


@pytest.mark.parametrize("f", [np.sum, np.prod, np.max])
def test_a_number_is_reduced_along_the_axis_that_it_has_not(f):
    assert qd.grad(lambda x: f(x, axis=0))(2.0) == 1
    assert qd.grad(lambda x: f(x, axis=-1, keepdims=True))(2.0) == 1


def test_the_larger_of_two_has_a_gradient_in_a_batch():
    xs = np.array([[1.0, 2.0], [3.0, 3.0]])
    close((qd.vmap(qd.grad(lambda x: np.maximum(x[0], x[1])))(xs),), ([[0, 1], [0.5, 0.5]],))
