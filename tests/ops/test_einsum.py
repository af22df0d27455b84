import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qiudao as qd
from ops.agreement import agree
from qiudao.core.primitive import registry
from qiudao.ops import einsum as module


def values(*shapes, kind="f"):
    rng = np.random.default_rng(sum(map(sum, shapes)) + 7)
    xs = [rng.normal(size=s) for s in shapes]
    return [x + 1j * rng.normal(size=x.shape) for x in xs] if kind == "c" else xs


CASES = [
    ("", [()]),
    ("ij", [(2, 3)]),
    ("ba", [(2, 3)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->j", [(3, 3, 2)]),
    ("iji->ji", [(3, 2, 3)]),
    ("iii->i", [(2, 2, 2)]),
    ("ijij->ij", [(2, 3, 2, 3)]),
    ("ijij", [(2, 3, 2, 3)]),
    ("...ij->...ji", [(4, 2, 3)]),
    ("...ii->...", [(4, 3, 3)]),
    ("i...->i...", [(4, 3, 3)]),
    ("...->...", [(2, 3)]),
    (" i j , j k -> i k ", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij,jk->ki", [(2, 3), (3, 4)]),
    ("ij,kj->ik", [(2, 3), (4, 3)]),
    ("ji,jk->ik", [(3, 2), (3, 4)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]),
    ("ijb,jkb->bik", [(3, 4, 2), (4, 2, 2)]),
    ("kij,kl->ijl", [(2, 3, 4), (2, 2)]),
    ("ikj,kl->lij", [(2, 3, 4), (3, 2)]),
    ("i,i", [(3,), (3,)]),
    ("i,i->i", [(3,), (3,)]),
    ("i,j->ij", [(3,), (2,)]),
    ("i,j->ji", [(3,), (2,)]),
    ("i,j->", [(3,), (2,)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("ij,ji->", [(2, 3), (3, 2)]),
    ("bi,bi->b", [(2, 3), (2, 3)]),
    ("ib,bi->b", [(3, 2), (2, 3)]),
    ("ii,i->", [(3, 3), (3,)]),
    ("ii,ij->j", [(3, 3), (3, 2)]),
    ("ij,k->jk", [(2, 3), (4,)]),
    (",ij->ij", [(), (2, 3)]),
    ("ij,->ij", [(2, 3), ()]),
    (",", [(), ()]),
    ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)]),
    ("...ij,...jk", [(5, 2, 3), (1, 3, 4)]),
    ("...i,...i->...", [(4, 1, 3), (2, 3)]),
    ("i...,i...->...", [(3, 2), (3, 1)]),
    ("...,...", [(2, 3), (3,)]),
    ("ij,jk", [(2, 1), (5, 3)]),
    ("i,i->i", [(1,), (4,)]),
    ("ij,jk,kl", [(2, 3), (3, 4), (4, 2)]),
    ("ij,jk,kl->li", [(2, 3), (3, 4), (4, 2)]),
    ("i,j,k->kji", [(2,), (3,), (2,)]),
    ("i,i,i", [(3,), (3,), (3,)]),
    ("ijk,il,jm,kn->lmn", [(2, 3, 2), (2, 2), (3, 2), (2, 3)]),
    ("ea,fb,abcd,gc,hd->efgh", [(2, 2), (2, 2), (2, 2, 2, 2), (2, 2), (2, 2)]),
    ("ij,jk->ik", [(0, 3), (3, 2)]),
    ("ij,jk->ik", [(2, 0), (0, 2)]),
    ("ij->i", [(2, 0)]),
]
IDS = [f"{spec}{shapes}" for spec, shapes in CASES]


@pytest.mark.parametrize("spec, shapes", CASES, ids=IDS)
def test_subscripts(spec, shapes):
    agree(lambda *xs: np.einsum(spec, *xs), *values(*shapes))
    first, *rest = values(*shapes, kind="c")
    agree(lambda *xs: np.einsum(spec, *xs), first, *(x.real for x in rest), batched=False)


@pytest.mark.parametrize(
    "spec, shapes", [("ij,jk,ki->", [(2, 3), (3, 2), (2, 2)]), ("iij,j->i", [(2, 2, 3), (3,)])]
)
def test_derivatives_to_third_order(spec, shapes):
    assert qd.gradcheck(lambda *xs: np.einsum(spec, *xs) ** 2, *values(*shapes), order=3)


LISTS = [
    lambda a, b: np.einsum(a, [0, 1], b, [1, 2]),
    lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [2, 0]),
    lambda a, b: np.einsum(a, [..., 1], b, [1, 2], [2, ...]),
    lambda a, b: np.einsum(a, [0, ...], b, [..., 30]),
    lambda a, b: np.einsum(a, [40, 3], b, [3, 20]),
    lambda a, b: np.einsum(a, [np.int64(0), 1], b, (1, 2), []),
]


@pytest.mark.parametrize("f", LISTS)
def test_axes_as_lists_of_numbers(f):
    if f is LISTS[3]:
        agree(f, *values((2, 3), (3, 3)))
    else:
        agree(f, *values((2, 3), (3, 2)))


@pytest.mark.parametrize(
    "optimize",
    [True, False, None, "greedy", "optimal", ("greedy", 4), ["einsum_path", (0, 1), (0, 1)],
     ["einsum_path", (1, 2), (0, 1)], ["einsum_path", (0, 1, 2)], ("einsum_path", (0, 2), (0, 1))],
)  # fmt: skip
def test_every_way_to_optimize(optimize):
    def f(*xs):
        return np.einsum("ij,jk,kl->il", *xs, optimize=optimize)

    agree(f, *values((2, 3), (3, 4), (4, 2)))


def test_a_path_must_be_whole():
    with pytest.raises(RuntimeError, match="has to be contracted"):
        qd.vjp(
            lambda x: np.einsum("ij,jk,kl", x, x, x, optimize=["einsum_path", (0, 1)]), np.eye(2)
        )


def test_einsum_path_reads_shapes_only():
    xs = values((2, 3), (3, 4), (4, 2))
    want = np.einsum_path("ij,jk,kl->il", *xs, optimize="optimal")
    got = np.einsum_path("ij,jk,kl->il", *map(qd.tensor, xs), optimize="optimal")
    assert got == want
    assert np.einsum_path(qd.tensor(xs[0]), [0, 1], xs[1], [1, 2])[0] == ["einsum_path", (0, 1)]


def test_dtype_and_casting():
    a, b = (x.astype("f4") for x in values((2, 3), (3, 4)))
    agree(lambda x, y: np.einsum("ij,jk", x, y, dtype="f8"), a, b, batched=False)
    t = qd.tensor(a.astype("f8"), requires_grad=True)
    with pytest.raises(TypeError, match="einsum: float64 does not cast to float32 by"):
        np.einsum("ij,jk", t, b, dtype="f4")
    assert np.einsum("ij,jk", t, b, dtype="f4", casting="same_kind").dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, bool])
@pytest.mark.parametrize("spec", ["iij->j", "ijk->k", "iii"])
def test_small_integers_stay_small(spec, dtype):
    x = (np.arange(8).reshape(2, 2, 2) * 40).astype(dtype)
    expected = np.einsum(spec, x)
    for found in (np.einsum(spec, qd.tensor(x)).numpy(), qd.jit(np.einsum)(spec, x)):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_out_is_written_into_a_tensor_only():
    a, b = values((2, 3), (3, 4))
    t = qd.tensor(a, requires_grad=True)
    out = np.zeros_like(t @ b)
    assert np.einsum("ij,jk", t, b, out=out) is out
    np.testing.assert_allclose(out.detach().numpy(), a @ b)
    with pytest.raises(TypeError, match="einsum: out= is a plain NumPy array"):
        np.einsum("ij,jk", t, b, out=np.zeros((2, 4)))


@pytest.mark.parametrize(
    "spec, shapes, text",
    [
        ("ij,jk", [(2, 3)], "describes 2 operands and 1 were given"),
        ("i", [(2, 3)], "names 1 axes of operand 0, which has 2"),
        ("ijk", [(2, 3)], "names 3 axes of operand 0, which has 2"),
        ("ij,jk", [(2, 3), (4, 3)], "'j' has length 4 in operand 1 and 3 before it"),
        ("ii", [(1, 5)], "'i' names axes of lengths 1 and 5 in operand 0"),
        ("ij->ik", [(2, 3)], "'k' in the result and in no operand"),
        ("ij->ii", [(2, 3)], "'i' in the result twice"),
        ("i1", [(2, 3)], "the character '1'"),
        ("..ij", [(2, 3)], "stray '.' in operand 0"),
        ("......ij", [(2, 3)], "stray '.' in operand 0"),
        ("ij->i.", [(2, 3)], "stray '.' in the result"),
        ("i...->i", [(2, 3)], "stands for 1 axes that the result leaves out"),
        ("ij->i->j", [(2, 3)], "the character"),
    ],
)
def test_what_is_wrong_is_said(spec, shapes, text):
    xs = values(*shapes)
    with pytest.raises(ValueError):  # noqa: PT011  (NumPy's own text is not ours to hold)
        np.einsum(spec, *xs)
    with pytest.raises(ValueError, match=text):
        qd.vjp(lambda *xs: np.einsum(spec, *xs), *xs)


def test_labels_out_of_range():
    with pytest.raises(ValueError, match="axis label 52"):
        qd.vjp(lambda x: np.einsum(x, [0, 52]), np.eye(2))


def test_a_result_without_the_ellipsis_of_no_axes():
    agree(lambda x: np.einsum("ij...->", x), *values((2, 3)))
    agree(lambda x: np.einsum("ij->...", x), *values((2, 3)))


@st.composite
def contractions(draw):
    """Subscripts with repeats, an ellipsis and an explicit result, and operands for them."""
    count = draw(st.integers(1, 3))
    sizes = {x: draw(st.integers(1, 3)) for x in "abcd"}
    wide = [draw(st.integers(1, 2)) for _ in range(draw(st.integers(0, 2)))]
    terms, shapes = [], []
    for _ in range(count):
        letters = draw(st.text("abcd", max_size=3))
        dots = wide and draw(st.booleans())
        kept = wide[draw(st.integers(0, len(wide))) :] if dots else []
        at = draw(st.integers(0, len(letters)))
        terms.append(letters[:at] + "..." * bool(dots) + letters[at:])
        own = [sizes[x] for x in letters]
        shapes.append((*own[:at], *kept, *own[at:]))
    spec = ",".join(terms)
    if draw(st.booleans()):
        found = sorted({x for t in terms for x in t if x != "."})
        out = draw(st.permutations(found))[: draw(st.integers(0, len(found)))]
        at = draw(st.integers(0, len(out)))
        spec += "->" + "".join(out[:at]) + "..." * ("..." in spec) + "".join(out[at:])
    return spec, shapes


@given(contractions(), st.sampled_from("fc"), st.booleans())
def test_any_contraction(case, kind, optimize):
    spec, shapes = case
    agree(lambda *xs: np.einsum(spec, *xs, optimize=optimize), *values(*shapes, kind=kind))


def test_the_gradient_of_an_einsum_is_one_einsum():
    used = []
    xs = values((2, 3, 4), (2, 4, 2))
    with pytest.MonkeyPatch.context() as patch:
        plain = module.Einsum.evaluate

        def evaluate(self, *xs):
            used.append(self.spec)
            return plain(self, *xs)

        patch.setattr(module.Einsum, "evaluate", evaluate)
        _, pull = qd.vjp(lambda a, b: np.einsum("bij,bjk->bik", a, b), *xs)
        pull(np.ones((2, 3, 2)))
    assert used == ["bij,bjk->bik", "bik,bjk->bij", "bij,bik->bjk"]
    assert module.Einsum in registry


def test_more_letters_than_the_alphabet_has():
    assert len(set(module.unused("", 100))) == 100
    a = np.ones((1,) * 30)
    y, pull = qd.vjp(lambda x: np.tensordot(x, np.ones((1,) * 30), 0), a)
    assert y.shape == (1,) * 60
    assert pull(np.ones_like(y))[0].shape == a.shape


@pytest.mark.peer
def test_gradients_against_jax():
    jax = pytest.importorskip("jax")
    xs = values((2, 3, 4), (3, 2), (4, 2))

    def f(numpy, *xs):
        return numpy.sum(numpy.einsum("ijk,jl,km->ilm", *xs) ** 3)

    ours = qd.grad(lambda *xs: f(np, *xs), (0, 1, 2))(*xs)
    theirs = jax.grad(lambda *xs: f(jax.numpy, *xs), (0, 1, 2))(*xs)
    for g, t in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(g, t, rtol=1e-10)
