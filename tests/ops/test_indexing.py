"""Reading and writing by every kind of index that NumPy takes, in value, derivative and batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd
from checking import close, leaf
from ops.agreement import agree
from qiudao.core.errors import DetachError, DtypeError, GradientError, ShapeError
from qiudao.ops.indexing import GetItem
from qiudao.ops.writing import Put

rng = np.random.default_rng(7)


def numbers(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


# Indices of all kinds


@st.composite
def indices(draw, masks=True):
    """A shape and an index into it."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    common = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))  # of the index arrays
    parts, axis, dots = [], 0, False
    while axis < len(shape):
        kind = draw(st.sampled_from(KINDS if masks else [k for k in KINDS if k != "mask"]))
        n = shape[axis]
        if kind == "new":
            parts.append(None)
            if len(parts) > 6:
                break
            continue
        if kind == "dots":
            if not dots:
                parts.append(Ellipsis)
                dots = True
                axis += draw(st.integers(0, len(shape) - axis))
            continue
        if kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "zero-d":
            parts.append(np.array(draw(st.integers(-n, n - 1))))
        elif kind == "slice":
            step = draw(st.sampled_from([None, 1, 2, -1, -2]))
            ends = st.one_of(st.none(), st.integers(-n - 1, n + 1))
            parts.append(slice(draw(ends), draw(ends), step))
        elif kind == "array":
            sizes = [m if draw(st.booleans()) else 1 for m in common][draw(st.integers(0, 1)) :]
            parts.append(np.random.default_rng(len(parts)).integers(-n, n, sizes))
        elif kind == "list":
            parts.append(np.random.default_rng(axis).integers(-n, n, common[-1:] or 1).tolist())
        elif kind == "mask":
            deep = draw(st.integers(1, min(2, len(shape) - axis)))
            count = common[-1] if common else 1
            mask = np.zeros(shape[axis : axis + deep], bool)
            mask.reshape(-1)[:count] = True
            parts.append(mask)
            axis += deep - 1
        elif kind == "end":
            break
        axis += 1
    index = tuple(parts)
    return shape, index[0] if len(index) == 1 and draw(st.booleans()) else index


KINDS = ["int", "slice", "array", "new", "dots", "zero-d", "list", "mask", "end"]


def result(x, index):
    """`x[index]` by NumPy, or None where the drawn index does not fit."""
    try:
        return x[index]
    except IndexError:
        return None


@given(indices())
@settings(max_examples=150)
def test_reading(case):
    shape, index = case
    x = numbers(*shape)
    if result(x, index) is None:
        with pytest.raises(IndexError):
            leaf(x)[index]
        return
    agree(lambda x: x[index], x)
    counts = np.zeros(shape)
    np.add.at(counts, index, 1.0)
    close(qd.grad(lambda x: np.sum(x[index]))(x), counts)


def with_arrays(index, arrays):
    """The index with its arrays replaced by others in turn."""
    given = iter(arrays)
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(next(given) if is_array(part) else part for part in parts)


def is_array(part):
    return isinstance(part, np.ndarray | list)


@given(indices(masks=False))
@settings(max_examples=150)
def test_reading_by_batched_indices(case):
    shape, index = case
    x = numbers(*shape)
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [np.asarray(part) for part in parts if is_array(part)]
    if result(x, index) is None or not arrays:
        return
    many = [np.stack([a, -1 - a, np.zeros_like(a)]) for a in arrays]
    stack = np.stack([x, 2 * x, x**2])
    ct = numbers(*x[index].shape)
    f = lambda x, *arrays: x[with_arrays(index, arrays)]
    g = lambda x, *arrays: qd.vjp(lambda x: f(x, *arrays), x)[1](ct)[0]
    one = (x if k else leaf(x) for k in range(2))
    for function in (lambda x, *a: f(qd.tensor(x) if type(x) is np.ndarray else x, *a), g):
        for xs, axis in ((next(one, x), None), (stack, 0)):
            xs = x if axis is None else stack
            found = qd.vmap(function, (axis, *(0 for _ in many)))(xs, *many)
            rows = [
                function(xs if axis is None else xs[k], *(a[k] for a in many)) for k in range(3)
            ]
            close(found, np.stack([np.asarray(getattr(r, "value", r)) for r in rows]))
    if len(many) > 1:  # only the first array differs between the examples
        found = qd.vmap(f, (0, 0, *(None for _ in many[1:])))(stack, many[0], *arrays[1:])
        close(found, np.stack([f(stack[k], many[0][k], *arrays[1:]) for k in range(3)]))


@given(indices(), st.sampled_from(["whole", "scalar", "row", "unit"]))
@settings(max_examples=150)
def test_writing(case, kind):
    shape, index = case
    x = numbers(*shape)
    place = result(x, index)
    if place is None:
        return
    place = np.asarray(place)
    sizes = {
        "whole": place.shape, "scalar": (), "row": place.shape[1:],
        "unit": (1, *(1 if k % 2 else n for k, n in enumerate(place.shape))),
    }[kind]  # fmt: skip

    def f(x, v):
        y = x + 0.0 * np.sum(v)
        y[index] = v
        return y

    v = numbers(*sizes, 1)[..., 0]
    try:
        f(x, v)
    except (TypeError, ValueError):  # NumPy takes no such value at a mask
        return
    agree(f, x, v)


@given(indices(masks=False), st.booleans())
@settings(max_examples=100)
def test_writing_by_batched_indices(case, whole):
    shape, index = case
    x = numbers(*shape)
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [np.asarray(part) for part in parts if is_array(part)]
    if result(x, index) is None or not arrays:
        return
    v = numbers(*x[index].shape, 1)[..., 0] if whole else np.array(0.5)
    many = [np.stack([a, -1 - a, np.zeros_like(a)]) for a in arrays]

    def f(x, v, *arrays):
        y = x + 0.0 * np.sum(v)
        y[with_arrays(index, [np.array(a) if type(a) is np.ndarray else a for a in arrays])] = v
        return y

    xs, vs = np.stack([x, 2 * x, x**2]), np.stack([v, -v, 3 * v])
    ct = numbers(*shape)
    g = lambda x, v, *a: qd.vjp(lambda x, v: f(x, v, *a), x, v)[1](ct)
    for axes in ((0, 0), (0, None), (None, 0), (None, None)):
        operands = [xs if axes[0] == 0 else x, vs if axes[1] == 0 else v]
        lead = lambda k, axes=axes, operands=operands: [
            o[k] if a == 0 else o for o, a in zip(operands, axes, strict=True)
        ]
        in_axes = (*axes, *(0 for _ in many))
        if axes != (None, None):
            rows = [f(*lead(k), *(a[k] for a in many)) for k in range(3)]
            close(qd.vmap(f, in_axes)(*operands, *many), np.stack(rows))
        found = qd.vmap(g, in_axes)(*operands, *many)
        rows = [g(*lead(k), *(a[k] for a in many)) for k in range(3)]
        for part, column in zip(found, zip(*rows, strict=True), strict=True):
            close(part, np.stack(column))


# Single truths, 0-d, empty


@pytest.mark.parametrize("truth", [True, False, np.True_, np.array(True)])
@pytest.mark.parametrize("rest", [(), (slice(None),), (None, 0), ([0, 0, 1],), (slice(1), [2, 1])])
def test_a_single_truth_is_a_new_axis(truth, rest):
    x = numbers(2, 3)
    if not truth and any(isinstance(p, list) for p in rest):
        return
    agree(lambda x: x[(truth, *rest)], x)
    agree(lambda x: x[(*rest, truth)], x)

    def f(x):
        y = np.copy(x)
        y[(truth, *rest)] = 2.0
        return y

    agree(f, x)


def test_empty_indices():
    x = numbers(3, 2)
    for index in ([], np.zeros((0, 2), int), (slice(None), []), np.zeros(3, bool), slice(0)):
        agree(lambda x, index=index: x[index], x)


def test_zero_dimensional_arrays():
    x = np.array(2.0)
    for index in ((), Ellipsis, None, (Ellipsis, None)):
        agree(lambda x, index=index: x[index], x)
    agree(lambda x: x[x > 1], x, batched=False)


def test_a_list_of_tensors_as_index():
    x, k = leaf(numbers(4)), qd.tensor(np.array(2))
    close(x[[k, k]], x.detach().numpy()[[2, 2]])
    close(x[k], x.detach().numpy()[2])


def test_a_mask_from_the_values():
    f = lambda x: np.sum(x[x > 0] ** 2)
    x = np.array([1.0, -2.0, 3.0])
    close(qd.grad(f)(x), np.array([2.0, 0, 6]))
    with pytest.raises(DetachError, match="a mask that differs between the examples of a batch"):
        qd.vmap(f)(np.stack([x, -x]))


def test_writing_by_a_mask_works_in_a_batch():
    def f(x):
        y = x * 2
        y[x < 0] = 0.0
        y[x > 2] = x[0]
        return y

    x = np.array([[1.0, -2.0, 3.0], [3.0, 4.0, -1.0]])
    close(qd.vmap(f)(x), np.stack([f(row) for row in x]))
    close(qd.vmap(qd.jacrev(f))(x), np.stack([qd.jacrev(f)(row) for row in x]))


def test_what_an_index_drops_contributes_nothing():
    for pick in (
        lambda y: y[1:],
        lambda y: y[[1, 1]],
        lambda y: np.take_along_axis(y, np.array([1]), 0),
    ):
        f = lambda x, pick=pick: np.sum(pick(np.sqrt(x)))
        assert np.isfinite(qd.grad(f)(np.array([0.0, 4.0]))).all()

    def covered(x):
        y = np.sqrt(x)
        y[0] = 1.0
        y[np.array([1])] = 2.0
        return np.sum(y)

    close(qd.grad(covered)(np.array([0.0, 0.0, 4.0])), np.array([0, 0, 0.25]))


# Repeats: a write keeps the last, `add.at` adds up


def test_the_last_value_written_stays():
    def f(v):
        y = np.zeros_like(v, shape=3)
        y[[1, 1, 0]] = v
        return y

    v = np.array([5.0, 6.0, 7.0])
    agree(f, v)
    close(qd.jacrev(f)(v), np.array([[0.0, 0, 1], [0, 1, 0], [0, 0, 0]]))


def test_adding_in_place_by_an_array_reads_and_writes_once():
    def f(x, v):
        y = x + 0.0 * np.sum(v)
        y[[0, 0, 2]] += v
        y[1] += v[0]
        y[1:] *= 2.0
        return y

    agree(f, numbers(3), numbers(3), batched=False)
    close(qd.jacrev(f, argnums=1)(numbers(3), numbers(3))[0], np.array([0.0, 1, 0]))


@pytest.mark.parametrize("ufunc", [np.add, np.subtract], ids=lambda u: u.__name__)
@pytest.mark.parametrize(
    "index",
    [[0, 0, 2], 1, slice(None, None, 2), ([0, 0], [1, 1]), (slice(None), [0, 0]), np.eye(3) > 0],
)
def test_at(ufunc, index):
    def f(x, v):
        y = x + 0.0 * np.sum(v)
        ufunc.at(y, index, v)
        return y

    agree(f, numbers(3, 3), np.array(0.5))
    agree(f, numbers(3, 3), numbers(*numbers(3, 3)[index].shape))


def test_at_refuses():
    v = leaf(np.ones(2))
    with pytest.raises(DetachError, match=r"add\.at: the values carry a gradient"):
        np.add.at(np.zeros(3), [0, 1], v)
    with pytest.raises(DtypeError, match="a complex value cannot be kept in a float64 array"):
        np.add.at(np.zeros_like(v), [0, 1], v + 1j)
    with pytest.raises(
        DtypeError, match="float64 values cannot be added to int64 ones in place; make the target"
    ):
        np.add.at(qd.tensor(np.arange(3)), [0, 0], 0.5)  # NumPy cuts after each addition


# NumPy's functions that read


@pytest.mark.parametrize("act", [lambda x: np.take(x, 0, axis=0), lambda x: np.take(x, 1, -1)])
def test_what_is_taken_is_new_memory(act):
    def f(x):
        x = x * 1.0
        taken = act(x)
        taken += 5.0
        x *= 2.0
        return np.sum(x, 0), taken

    for k in (0, 1):
        agree(lambda x, k=k: f(x)[k], numbers(2, 3))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_take(axis, mode):
    index = np.array([[0, 2, 2], [1, 0, 1]])
    if mode != "raise":
        index = index * 5 - 4
    agree(lambda x: np.take(x, index, axis, mode=mode), numbers(3, 4))
    f = lambda x, i: np.take(x, i, axis, mode=mode)
    x = numbers(3, 4)
    want = np.stack([f(x, i) for i in index])
    close(qd.vmap(f, (None, 0))(qd.tensor(x), index), want)


@pytest.mark.parametrize("shape", [(3, 2), (1, 2), (3, 1)])
@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_take_along_axis(shape, axis):
    x = numbers(3, 4)
    index = rng.integers(-3, 3, shape)
    if axis is None:
        index = index.reshape(-1)
    elif shape[1 - axis % 2] == 2:
        return
    f = lambda x, i: np.take_along_axis(x, i, axis)
    agree(lambda x: f(x, index), x)
    many = np.stack([index, -1 - index])
    close(qd.vmap(f, (None, 0))(leaf(x), many), np.stack([f(x, i) for i in many]))
    with pytest.raises(ShapeError, match="take_along_axis: the array has 2 axes and the indices 3"):
        np.take_along_axis(leaf(x), np.zeros((1, 1, 1), int), 0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.compress([True, False, True], x, 0),
        lambda x: np.compress([False, True], x),
        lambda x: np.extract(x > 0, x),
        lambda x: (
            x.compress([0, 1], axis=1) if type(x) is np.ndarray else np.compress([0, 1], x, 1)
        ),
        lambda x: np.delete(x, 1, 0),
        lambda x: np.delete(x, [0, -1], 1),
        lambda x: np.delete(x, slice(None, None, 2)),
        lambda x: np.delete(x, np.array([True, False, True]), 0),
        lambda x: np.resize(x, (2, 7)),
        lambda x: np.resize(x, 5),
        lambda x: np.resize(x, (0, 3)),
        lambda x: x[np.ix_([0, 2], [True, False, True, True])],
        lambda x: x[np.triu_indices_from(x[:, :3])],
        lambda x: x[np.diag_indices_from(x[:, :3])],
        lambda x: x[np.nonzero(x > 0)],
        lambda x: x.ravel()[np.flatnonzero(x > 0)],
        lambda x: x[tuple(np.argwhere(x > 0).T)],
        lambda x: x[np.unravel_index(np.argmax(x), x.shape)],
    ],
)
def test_readers(f):
    agree(f, numbers(3, 4), batched=False)


@pytest.mark.parametrize(
    "obj", [0, -1, [1], [0, 2, 2], slice(0, 3, 2), np.array([True, False, True])]
)
@pytest.mark.parametrize("axis", [0, None])
def test_insert(obj, axis):
    agree(lambda x, v: np.insert(x, obj, v, axis), numbers(3, 4), np.array(2.0))
    if axis == 0:
        agree(lambda x, v: np.insert(x, obj, v, axis), numbers(3, 4), numbers(4))


def test_insert_of_several_at_one_place():
    agree(lambda x, v: np.insert(x, 1, v), numbers(3), numbers(2))
    agree(lambda x, v: np.insert(x, [1], v, 0), numbers(3, 2), numbers(4, 2))
    agree(lambda x, v: np.insert(x, 1, v, 1), numbers(3, 2), numbers(3))
    agree(lambda x, v: np.append(x, v), numbers(3, 2), numbers(3))


@pytest.mark.parametrize("trim", ["f", "b", "fb"])
@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_trim_zeros(trim, axis):
    x = np.pad(numbers(2, 2), ((1, 2), (0, 1)))
    agree(lambda x: np.trim_zeros(x, trim, axis), x, batched=False)
    agree(lambda x: np.trim_zeros(x, trim), np.array([0.0, 1, 0, 2, 0]), batched=False)
    agree(lambda x: np.trim_zeros(x, trim), np.zeros(3), batched=False)


def test_flat_positions():
    shape = (3, 4, 5)
    flat = np.array([[0, 7, 59], [20, 1, 33]])
    for order in "CF":
        found = qd.vmap(lambda k, order=order: np.unravel_index(k, shape, order))(flat)
        np.testing.assert_array_equal(found, np.unravel_index(flat, shape, order))
        back = qd.vmap(lambda *k, order=order: np.ravel_multi_index(k, shape, order=order))(*found)
        np.testing.assert_array_equal(back, flat)
    with pytest.raises(IndexError, match="unravel_index: an index is out of bounds"):
        np.unravel_index(qd.tensor(np.array([60])), shape)


# NumPy's functions that write


@pytest.mark.parametrize(
    "write",
    [
        lambda y, v: np.put(y, [0, 3, -1], v),
        lambda y, v: np.put(y, [[1, 2], [3, 4]], v),
        lambda y, v: np.put(y, [0, 99], v, mode="clip"),
        lambda y, v: np.put(y, [0, 99, -99], v, mode="wrap"),
        lambda y, v: np.putmask(y, y > 0, v),
        lambda y, v: np.place(y, y > 0, v),
        lambda y, v: np.fill_diagonal(y, v),
        lambda y, v: np.put_along_axis(y, np.array([[0], [2], [1], [1]]), v[0], 1),
        lambda y, v: np.put_along_axis(y, np.array([[0, 2, 1]]), v, 0),
        lambda y, v: np.put_along_axis(y, np.array([0, 2, 1]), v, None),
        lambda y, v: np.copyto(y, v[:3], where=y > 0),
    ],
)
@pytest.mark.parametrize("size", [1, 3])
def test_writers(write, size):
    def f(x, v):
        y = x + 0.0 * np.sum(v)
        write(y, v)
        return y

    agree(f, numbers(4, 3), numbers(size))
    if size == 3:
        v = leaf(numbers(3))
        with pytest.raises(DetachError, match="plain NumPy array"):
            write(numbers(4, 3), v)


FLAT_READS = {
    "elements": lambda x: x.flat[2] * x.flat[-1],
    "a slice": lambda x: x.flat[2:9:3],
    "places": lambda x: x.flat[[1, 1, 2]] * len(x.flat),
    "a mask": lambda x: x.flat[np.arange(x.size) % 3 == 0],
    "transposed": lambda x: x.T.flat[1:7],
    "gone through": lambda x: sum(e * k for k, e in enumerate(x.T.flat)),
    "a copy": lambda x: x.flat.copy(),
}
FLAT_WRITES = {
    "an element": lambda y, v: y.flat.__setitem__(3, v[0]),
    "values repeated": lambda y, v: y.flat.__setitem__(slice(1, 11, 2), v),
    "places": lambda y, v: y.flat.__setitem__([0, 0, 5], np.stack([v[0], v[1], v[0]])),
    "a mask": lambda y, v: y.flat.__setitem__(np.arange(y.size) % 3 == 0, v),
    "transposed": lambda y, v: y.T.flat.__setitem__(slice(5), v),
    "all": lambda y, v: setattr(y, "flat", v),
    "a number": lambda y, v: setattr(y, "flat", 2.0),
}


@pytest.mark.parametrize("read", FLAT_READS.values(), ids=FLAT_READS)
def test_flat_is_read(read):
    agree(read, numbers(4, 3))


@pytest.mark.parametrize("write", FLAT_WRITES.values(), ids=FLAT_WRITES)
def test_flat_is_written_to(write):
    def f(x, v):
        y = x + 0.0 * np.sum(v)
        write(y, v)
        return y

    agree(f, numbers(4, 3), numbers(2))


def test_flat_gives_copies_and_loses_no_gradient():
    y = leaf(numbers(2, 3)) * 1.0
    first, part = next(y.flat), y.flat[:2]
    kept = first.item()
    y[0, 0] = 9.0
    assert first.item() == kept == part[0].item()
    part[0] = 5.0
    assert y[0, 0].item() == 9.0
    with pytest.raises(DetachError, match="conversion to a plain NumPy array"):
        np.asarray(y.flat)
    with pytest.raises(IndexError, match="index 99 is out of bounds"):
        y.flat[99]


def test_a_list_is_copied_to():
    def f(x, v):
        y = x + 0.0 * np.sum(v)
        np.copyto(y, [v[0], 2.5, 3], where=[True, False, True])
        np.copyto(y[1], [1, 2, 3])
        return y

    agree(f, numbers(4, 3), numbers(1))


@pytest.mark.parametrize("shape", [(5, 2), (2, 5), (3, 3, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_fill_diagonal(shape, wrap):
    def f(x, v):
        y = x + 0.0 * np.sum(v)
        np.fill_diagonal(y, v, wrap)
        return y

    agree(f, numbers(*shape), numbers(2))


# What is refused


def test_refusals():
    x = leaf(numbers(3))
    with pytest.raises(
        IndexError, match="getitem: an index must be integers or booleans, and this one is float64"
    ):
        x[np.array([0.5])]
    with pytest.raises(
        IndexError, match="getitem: an index must be integers or booleans, and this one is float64"
    ):
        x[0.5]
    with pytest.raises(IndexError, match="boolean index did not match"):
        x[np.array([True, False])]
    with pytest.raises(IndexError, match="too many indices"):
        x[0, 0]
    with pytest.raises(IndexError, match="out of bounds"):
        x[[5]]
    with pytest.raises(GradientError, match=r"setitem: this f64.3. is a leaf"):
        x[0] = 1.0
    y = x * 1
    with pytest.raises(
        DtypeError, match="setitem: a complex value cannot be kept in a float64 array"
    ):
        y[0] = 1j
    whole = qd.tensor(np.arange(3))
    with pytest.raises(DtypeError, match="cannot be kept in a int64 array without losing it"):
        whole[0] = x[0]


# The primitives


def test_primitives_with_slices_are_equal_and_hash_alike():
    one, two = (GetItem((slice(1, None), None, 0)) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert GetItem((slice(1, 2),)) != GetItem((slice(1, 3),))
    assert len({Put((0, slice(1)), (0,)), Put((0, slice(1)), (0,)), Put((0, slice(2)), (0,))}) == 2


def test_views_see_writes():
    x = qd.tensor(np.arange(4.0))
    part = x[1:3]
    part[0] = 10.0
    x[2] = 20.0
    close(part, np.array([10.0, 20.0]))
    close(x, np.array([0.0, 10, 20, 3]))
    y = qd.tensor(np.eye(3))
    diagonal = np.diagonal(y)
    y[1, 1] = 5.0
    close(diagonal, np.array([1.0, 5, 1]))
