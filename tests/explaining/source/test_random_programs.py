"""Random programs as NumPy source: values, gradients and tangents, to 1e-12."""

import numpy as np
from hypothesis import given, settings

import qiudao as qd
from test_programs import directions, gradients, programs, weighed

SAME = 1e-12  # relative to the largest element


def selects(program):
    """Whether a mask selects, and so the values decide the shapes."""
    return any("> 0]" in line for line in program.lines)


def flat(result):
    """The arrays of a nested result."""
    if isinstance(result, tuple | list):
        return [x for part in result for x in flat(part)]
    return [np.asarray(result)]


def hold(f, xs):
    """Hold that the source of `f`, run by itself, gives what `f` gives."""
    with np.errstate(all="ignore"):
        want = flat(f(*xs))
        text = qd.source(f)(*xs)
    assert "qiudao" not in text
    got = flat(text.run(*xs))
    for g, w in zip(got, want, strict=True):
        assert (g.dtype, g.shape) == (w.dtype, w.shape), text
        largest = np.max(np.abs(w), where=np.isfinite(w), initial=0.0)
        np.testing.assert_allclose(g, w, rtol=0, atol=SAME * (1 + largest), err_msg=text)


def each(count):
    return lambda test: settings(max_examples=count)(given(programs)(test))


@each(25)
def test_values(program):
    if not selects(program):
        hold(program, program.inputs)


@each(25)
def test_gradients(program):
    loss = weighed(program)
    if not selects(program):
        hold(lambda *z: gradients(loss, z), program.inputs)


@each(12)
def test_tangents(program):
    dxs = directions(program)
    if not selects(program):
        hold(lambda *z: qd.jvp(weighed(program), z, dxs), program.inputs)


@each(8)
def test_second_derivatives(program):
    loss, dxs = weighed(program), directions(program)
    if not selects(program):
        hold(lambda *z: qd.jvp(lambda *y: gradients(loss, y), z, dxs)[1], program.inputs)
