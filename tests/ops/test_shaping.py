"""Functions that rearrange, join, split, pad and cut out, against NumPy, in all modes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd
from checking import close, leaf
from ops.agreement import agree
from qiudao.core.dispatch import overrides
from qiudao.core.errors import DetachError, DtypeError, RuleError, ShapeError


def numbers(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


X = numbers(2, 3, 4)

SHAPES = {
    "reshape": lambda x: np.reshape(x, (4, -1)),
    "reshape F": lambda x: np.reshape(x, (4, 6), order="F"),
    "reshape copy": lambda x: np.reshape(x, 24, copy=True),
    "method": lambda x: x.reshape(6, 4).ravel().flatten(),
    "ravel": np.ravel,
    "ravel F": lambda x: np.ravel(x, "F"),
    "transpose": np.transpose,
    "transpose axes": lambda x: np.transpose(x, (1, -1, 0)),
    "permute_dims": lambda x: np.permute_dims(x, (2, 0, 1)),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "matrix_transpose": np.matrix_transpose,
    "swapaxes": lambda x: np.swapaxes(x, 0, -1),
    "moveaxis": lambda x: np.moveaxis(x, (0, 1), (-1, 0)),
    "rollaxis": lambda x: np.rollaxis(x, 2),
    "rollaxis to": lambda x: np.rollaxis(x, -3, 3),
    "expand_dims": lambda x: np.expand_dims(x, (0, -1)),
    "squeeze": lambda x: np.squeeze(x[:1, :, :1]),
    "squeeze axis": lambda x: np.squeeze(x[:1, :, :1], -1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3, 4)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, np.ones((5, 1, 1, 1)))[0],
    "atleast": lambda x: np.atleast_3d(x[0, 0]) + np.atleast_2d(x[0, 0]).T[:, :, None],
    "flip": np.flip,
    "flip axes": lambda x: np.flip(x, (0, -1)),
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "rot90": np.rot90,
    "rot90 twice": lambda x: np.rot90(x, 2, (1, 2)),
    "rot90 back": lambda x: np.rot90(x, -1, (0, 2)),
    "roll": lambda x: np.roll(x, 5),
    "roll axes": lambda x: np.roll(x, (1, -2), (0, 2)),
    "roll both": lambda x: np.roll(x, 1, (0, 1)),
    "tile": lambda x: np.tile(x, 2),
    "tile axes": lambda x: np.tile(x, (2, 1, 2, 1)),
    "repeat": lambda x: np.repeat(x, 2),
    "repeat axis": lambda x: np.repeat(x, [1, 0, 2], 1),
    "meshgrid": lambda x: np.meshgrid(x[0, 0], x[0, :, 0])[1],
    "meshgrid ij": lambda x: np.meshgrid(x[0, 0], x[0, :, 0], x[1, 1], indexing="ij")[0],
    "meshgrid sparse": lambda x: np.meshgrid(x[0, 0], x[0, :, 0], sparse=True)[0],
    "array_split": lambda x: np.array_split(x, 3, 2)[1],
    "split at": lambda x: np.split(x, [1, 2], -1)[2],
    "hsplit": lambda x: np.hsplit(x, 3)[1],
    "vsplit": lambda x: np.vsplit(x, 2)[1],
    "dsplit": lambda x: np.dsplit(x, 2)[1],
    "unstack": lambda x: np.unstack(x, axis=1)[2],
    "concatenate": lambda x: np.concatenate([x, 2 * x, x[:, :, :1]], -1),
    "concatenate flat": lambda x: np.concatenate([x, x[0]], None),
    "stack": lambda x: np.stack([x, -x], -2),
    "vstack": lambda x: np.vstack([x, x]),
    "hstack": lambda x: np.hstack([x[0, 0], x[0, 1]]),
    "dstack": lambda x: np.dstack([x[0], x[1]]),
    "column_stack": lambda x: np.column_stack([x[0, 0], x[0].T]),
    "block": lambda x: np.block([[x[0], x[1]], [x[1], np.ones((3, 4))]]),
    "append": lambda x: np.append(x, x[:1], 0),
    "copy": np.copy,
    "astype": lambda x: x.astype("f4"),
    "diag": lambda x: np.diag(x[0, 0], -1),
    "diag of": lambda x: np.diag(x[0], 1),
    "diagflat": lambda x: np.diagflat(x[0], 2),
    "diagonal": lambda x: np.diagonal(x, 1, 2, 1),
    "diagonal outside": lambda x: np.diagonal(x, 9),
    "linalg.diagonal": lambda x: np.linalg.diagonal(x, offset=-1),
    "trace": np.trace,
    "trace axes": lambda x: np.trace(x, -1, 0, 2),
    "linalg.trace": lambda x: np.linalg.trace(x, offset=1),
    "triu": np.triu,
    "tril": lambda x: np.tril(x, 1),
    "triu of a vector": lambda x: np.triu(x[0, 0], -1),
    "tril of a vector": lambda x: np.tril(x[0, 0]),
    "vander": lambda x: np.vander(x[0, 0]),
    "vander rising": lambda x: np.vander(x[0, 0], 3, increasing=True),
}


@pytest.mark.parametrize("f", SHAPES.values(), ids=SHAPES)
def test_shapes(f):
    agree(f, X)
    agree(f, X + 1j * X[::-1], batched=False) if f is not SHAPES["astype"] else None


@pytest.mark.parametrize("increasing", [False, True])
def test_the_powers_of_a_vector_lie_in_order(increasing):
    def f(x):
        powers = np.vander(x, increasing=increasing)
        np.reshape(powers, (-1,))[1] += 5.0  # a view
        return powers

    agree(f, X[0, 0])


@pytest.mark.parametrize(
    "name", ["flip", "roll", "triu", "pad", "cumsum", "copy", "ravel", "transpose"]
)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_empty_arrays(name, shape):
    options = [1] if name in ("roll", "pad") else []
    agree(lambda x: getattr(np, name)(x, *options), np.zeros(shape))


# Padding

WIDTHS = [1, (2, 0), ((1, 2), (0, 3)), ((0, 0), (7, 9)), {0: 2}, {-1: (0, 4)}]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize(
    "mode",
    [
        "constant",
        "edge",
        "reflect",
        "symmetric",
        "wrap",
        "linear_ramp",
        "maximum",
        "mean",
        "median",
        "minimum",
    ],
)
def test_pad(mode, widths):
    agree(lambda x: np.pad(x, widths, mode), numbers(3, 4))
    agree(lambda x: np.pad(x, widths, mode), numbers(1, 4))


@pytest.mark.parametrize(
    "widths", [((5, 0), (0, 11)), ((1, 2), (2, 1)), ((0, 0), (20, 3))], ids=str
)
@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
def test_pad_turned_over(mode, widths):
    agree(lambda x: np.pad(x, widths, mode, reflect_type="odd"), numbers(3, 4), tolerance=1e-8)
    agree(lambda x: np.pad(x, widths, mode, reflect_type="odd"), numbers(1, 4), tolerance=1e-8)


@pytest.mark.parametrize("value", [2.5, (1.0, 2.0), ((1.0, 2.0), (3.0, 4.0))], ids=str)
def test_pad_with_values(value):
    agree(lambda x: np.pad(x, ((1, 2), (2, 1)), constant_values=value), numbers(3, 4))
    agree(lambda x: np.pad(x, ((1, 2), (2, 1)), "linear_ramp", end_values=value), numbers(3, 4))
    v = np.array(value)
    agree(
        lambda x, v: np.pad(x, ((1, 2), (2, 1)), constant_values=v), numbers(3, 4), v, batched=False
    )
    agree(
        lambda x, v: np.pad(x, ((1, 2), (2, 1)), "linear_ramp", end_values=v),
        numbers(3, 4), v, batched=False,
    )  # fmt: skip


@pytest.mark.parametrize("length", [1, (2, 1), ((1, 3), (4, 2))], ids=str)
@pytest.mark.parametrize("mode", ["maximum", "mean", "median", "minimum"])
def test_pad_with_statistics(mode, length):
    agree(lambda x: np.pad(x, 2, mode, stat_length=length), numbers(3, 4))


def test_pad_keeps_precision_and_records_writes():
    x = leaf(numbers(3).astype("f4"))
    wide = np.pad(x, 1)
    assert wide.dtype == np.float32
    wide[0] = x[1]
    close(qd.grad(wide.sum(), x)[0], np.array([1, 2, 1], "f4"))


def test_pad_refuses():
    x = leaf(np.ones(3))
    with pytest.raises(RuleError, match="pad: a function as mode="):
        np.pad(x, 1, lambda *a: None)
    with pytest.raises(ValueError, match="pad: mode 'sideways' is not supported"):
        np.pad(x, 1, "sideways")
    with pytest.raises(ValueError, match="pad: mode 'edge' takes no constant_values"):
        np.pad(x, 1, "edge", constant_values=1)
    with pytest.raises(ValueError, match="has a negative width"):
        np.pad(x, -1)
    with pytest.raises(ValueError, match="nothing to extend along an empty axis"):
        np.pad(leaf(np.ones(0)), 1, "edge")


# Properties


@given(st.lists(st.integers(0, 3), max_size=3), st.data())
@settings(max_examples=40)
def test_any_order_of_axes(shape, data):
    x = numbers(*shape)
    order = data.draw(st.permutations(range(x.ndim)))
    signed = [k - x.ndim * data.draw(st.booleans()) for k in order]
    agree(lambda x: np.transpose(x, signed), x)
    if x.ndim > 1:
        source, place = (data.draw(st.integers(-x.ndim, x.ndim - 1)) for _ in range(2))
        agree(lambda x: np.moveaxis(x, source, place), x)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=3), st.integers(-5, 5), st.data())
@settings(max_examples=40)
def test_rolls_and_repeats(shape, shift, data):
    x = numbers(*shape)
    axis = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    agree(lambda x: np.roll(x, shift, axis), x)
    agree(lambda x: np.repeat(x, abs(shift), axis), x)
    agree(lambda x: np.tile(x, [abs(shift) % 3] * (x.ndim + shift % 2)), x)


# Casts, out=, refusals


def test_astype():
    x = leaf(np.ones(2))
    assert x.astype("f8") is not x  # a copy, as in NumPy
    assert x.astype("f8", copy=False) is x
    assert x.astype("f4").dtype == np.float32
    assert x.astype(complex).dtype == np.complex128
    with pytest.raises(DtypeError, match="cannot become int64 without losing it"):
        x.astype(int)
    with pytest.raises(DtypeError, match="drops the imaginary part"):
        x.astype(complex).astype(float)
    whole = qd.tensor(np.arange(3))
    assert whole.astype("i4").dtype == np.int32
    assert qd.vmap(lambda k: k.astype("i4"))(np.arange(3)).dtype == np.int32


def test_out_and_copy_are_honoured_or_refused():
    x = leaf(np.ones(2))
    out = np.zeros_like(x, shape=4)
    assert np.concatenate([x, 2 * x], out=out) is out
    close(qd.grad(out.sum(), x)[0], np.full(2, 3.0))
    for f in (np.concatenate, np.stack):
        with pytest.raises(DetachError, match=f"{f.__name__}: out= is a plain NumPy array"):
            f([x, x], out=np.zeros(4))
    copied = np.reshape(out, (2, 2), copy=True)
    out[0] = 7.0
    assert float(copied[0, 0].detach()) == 1.0


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda x: np.reshape(x, (5, 2)), r"reshape: 6 elements do not fit shape \(5, 2\)"),
        (lambda x: np.reshape(x, (4, -1)), "reshape: 6 elements do not divide into shape"),
        (lambda x: np.transpose(x, (0, 0)), "must name each of 2 axes once"),
        (lambda x: np.squeeze(x, 0), "squeeze: axis -2 of f64.2, 3. has size 2, not 1"),
        (lambda x: np.broadcast_to(x, (3, 2)), "broadcast_to: f64.2, 3. does not broadcast"),
        (
            lambda x: np.concatenate([x, x[:, :2]], 0),
            "concatenate: f64.2, 3. and f64.2, 2. do not fit",
        ),
        (lambda x: np.stack([x, x[0]]), "stack: f64.2, 3. and f64.3. differ in shape"),
        (lambda x: np.split(x, 2, 1), "does not divide into 2 equal pieces"),
        (lambda x: np.moveaxis(x, (0, 1), 0), "2 axes cannot go to 1 places"),
        (lambda x: np.expand_dims(x, (0, 0)), "names a place twice"),
        (lambda x: np.diagonal(x[0]), "diagonal: an array of 1 axes has no diagonal"),
        (lambda x: np.diag(x[None]), "diag: an array of 3 axes; give a vector or a matrix"),
    ],
)
def test_what_does_not_fit(call, text):
    with pytest.raises(ShapeError, match=text):
        call(leaf(numbers(2, 3)))


def test_nothing_to_join():
    for f in (np.concatenate, np.stack):
        with pytest.raises(ShapeError, match=f"{f.__name__}: there is nothing to join"):
            overrides[f]([])


def test_applying_along_axes():
    for axis in (0, 1, -1):
        agree(lambda x, axis=axis: np.apply_along_axis(np.sum, axis, x), X)
        agree(lambda x, axis=axis: np.apply_along_axis(np.outer, axis, x, np.arange(2.0)), X)
        agree(lambda x, axis=axis: np.apply_along_axis(lambda v: v[::-1] ** 2, axis, x), X)
    agree(lambda x: np.apply_over_axes(np.sum, x, [0, 2]), X)
    agree(lambda x: np.astype(x, "f4"), X, tolerance=1e-6)
    with pytest.raises(ShapeError, match="apply_along_axis: there is no vector"):
        np.apply_along_axis(np.sum, 0, leaf(np.zeros((2, 0))))


LAID = {
    "row by row": lambda x: x,
    "column by column": lambda x: x.T,
    "permuted": lambda x: x.transpose(1, 0, 2),
    "sliced": lambda x: x.transpose(2, 0, 1)[::-2, 1:],
    "computed": lambda x: np.exp(x.transpose(2, 0, 1)),
}


@pytest.mark.parametrize("lay", LAID.values(), ids=LAID)
def test_the_order_in_memory_is_numpys(lay):
    for order in "CFAK":
        agree(lambda x, o=order: np.ravel(lay(x), o), X, batched=order in "CF")
        agree(lambda x, o=order: lay(x).flatten(o), X, batched=order in "CF")
        if order != "K":
            agree(lambda x, o=order: np.reshape(lay(x), (2, -1), o), X, batched=order in "CF")


@pytest.mark.parametrize(
    "call",
    [
        lambda: qd.vmap(lambda x: x.ravel("K"))(X),
        lambda: qd.jit(lambda x: x.T.reshape(-1, order="A"))(X),
        lambda: np.broadcast_to(leaf(X[0]), (2, 3, 4)).ravel("K"),
    ],
)
def test_an_order_in_memory_that_nobody_knows_is_refused(call):
    with pytest.raises(ShapeError, match="is the order in memory, which traced code, batches and"):
        call()


def test_an_unknown_order():
    with pytest.raises(ValueError, match="ravel: order='Z' is unknown; use one of 'C', 'F', 'A', "):
        np.ravel(leaf(X), "Z")


PARTS = {
    "numbers": (np.float64(0.5), np.float64(-2.0), np.float64(3.0)),
    "a number of Python's": (np.float64(0.5), 2.0, np.float64(3.0)),
    "dtypes": (np.float32(0.5), np.float64(-2.0), np.complex128(3.0j)),
    "vectors": (np.arange(3.0), -np.arange(3.0)),
    "nothing": (np.zeros((0, 2)), np.zeros((0, 2))),
    "matrices": (np.ones((2, 3)), np.zeros((2, 3)), np.full((2, 3), 5.0)),
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_stack_is_numpys_along_every_axis(parts):
    for axis in range(-1 - np.ndim(parts[0]), 1 + np.ndim(parts[0])):
        wanted = np.stack(parts, axis=axis)
        found = np.stack([qd.tensor(parts[0]), *parts[1:]], axis=axis)
        assert found.dtype == wanted.dtype
        close(found, wanted)


def test_stacks_of_what_moves_and_what_does_not():
    for x in (X[0, 0, 0], X[0, 0], X[0]):
        for axis in range(-1 - x.ndim, 1 + x.ndim):
            agree(lambda x, axis=axis: np.stack([np.sin(x), 0 * X[0, 0, 0] + x, x], axis), x)
            agree(lambda x, axis=axis: np.stack([np.ones(x.shape), x * x], axis), x)


def test_a_jacobian_of_stacked_numbers():
    def f(x):
        return np.stack([np.sin(x[0]) * x[1], x[2] ** 2 - x[0], np.exp(x[1] * x[2])])

    x = np.array([0.1, 0.2, 0.3])
    wanted = [
        [np.cos(0.1) * 0.2, np.sin(0.1), 0.0],
        [-1.0, 0.0, 0.6],
        [0.0, 0.3 * np.exp(0.06), 0.2 * np.exp(0.06)],
    ]
    for way in (qd.jacfwd, qd.jacrev, qd.jacobian, lambda f: qd.jit(qd.jacobian(f))):
        close(way(f)(x), np.array(wanted))
    close(qd.vmap(qd.jacobian(f))(np.stack([x, x])), np.stack([wanted, wanted]))


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.complex128])
@pytest.mark.parametrize("end", [0, 3])
def test_ramps_of_other_types(dtype, end):
    x = np.array([[0, 1, 5], [2, 7, 1]]).astype(dtype)
    x = -x if dtype is np.int64 else x
    f = lambda x: np.pad(x, 2, "linear_ramp", end_values=end)
    found, expected = f(qd.tensor(x)).numpy(), f(x)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
