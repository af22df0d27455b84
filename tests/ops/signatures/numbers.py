"""Calls of the functions that compute: products, linear algebra, transforms, polynomials."""

import numpy as np

from qiudao.ops.products import CROSSED

VECTORS = [(3,), (2, 3)]


def matrix(d, *shapes, dtypes=("f8", "f8", "c16", "f4")):
    """A matrix, or several; square ones are far from singular."""
    x = d.array(*(shapes or ((3, 3), (2, 2), (2, 3, 3))), dtypes=dtypes)
    if x.ndim > 1 and x.shape[-1] == x.shape[-2]:
        x = x + 4 * np.eye(x.shape[-1], dtype=x.dtype)
    return x


def hermitian(d):
    x = matrix(d)
    return (x + np.conj(np.swapaxes(x, -1, -2))) / 2 + np.diag(np.arange(x.shape[-1])).astype(
        x.dtype
    )


def pair(d, *shapes):
    return tuple(d.array(*shapes, dtypes=["f8", "f8", "c16", "f4", "i8"]) for _ in range(2))


def product(d):
    return pair(d, (3,), (2, 3), (3, 3), (3, 2), ()), {}


def flat_product(d):
    return pair(d, (3,), (2, 3), (4,)), {}


def tensordot(d):
    a, b = pair(d, (3, 3), (2, 3), (3,))
    if a.ndim == b.ndim == 2:
        return (a, b), d.options(axes=lambda: d.pick(1, 0, ((0,), (0,)), 2))
    return (a, b), {"axes": d.pick(1, 0, ((0,), (0,)))}  # of two axes NumPy has an IndexError


def kron(d):
    return pair(d, (3,), (2, 2), ()), {}


def cross(d):
    shapes = [shape for shape in ((3,), (2, 3), (2, 2), (2,)) if shape[-1] in CROSSED]
    return pair(d, *shapes), d.options(axis=lambda: d.pick(-1, 0))


def cross3(d):
    return pair(d, (3,), (2, 3)), d.options(axis=lambda: d.pick(-1, 0))


def vecdot(d):
    return pair(d, (3,), (2, 3), (3, 3)), d.options(axis=lambda: d.pick(-1, 0))


def einsum(d):
    a, b, c = d.array((3, 3), dtypes=["f8", "c16"]), d.floats((3, 2)), d.floats((3,))
    return d.pick(
        (("ij,jk->ik", a, b), {}), (("ij,jk", a, b), {"optimize": True}), (("ii", a), {}),
        (("ii->i", a), {}), (("ij->", a), {}), (("ij,j,jk->k", a, c, b), {"optimize": "greedy"}),
        (("...j,jk->...k", a, b), {}), ((a, [0, 1], b, [1, 2], [0, 2]), {}), (("i,j", c, c), {}),
        (("ij,j->ji", b, d.floats((2,))), {"dtype": "c16"}), (("ij,k->ij", a, b), {}),
        (("ij", a), {"order": "F"}),
        (("ijk", a), {}), (("ij,ij->i", a, a), {}),
    )  # fmt: skip


def einsum_path(d):
    return ("ij,jk", d.floats((3, 3)), d.floats((3, 2))), {}


def square(d):
    return (matrix(d),), {}


def any_matrix(d):
    return (matrix(d, (3, 3), (2, 3), (3, 2), (2, 2, 3)),), {}


def solve(d):
    return (matrix(d, (3, 3)), d.array((3,), (3, 2), dtypes=["f8", "c16"])), {}


def cholesky(d):
    x = hermitian(d)
    return (x + 6 * np.eye(x.shape[-1], dtype=x.dtype),), d.options(upper=d.flag)


def symmetric(function):
    """A function that reads one triangle, of the Hermitian part of its operand.

    Its gradient is that on Hermitian matrices, while differences may leave them.
    """

    def call(a, *args, **options):
        whole = (a + np.conj(np.swapaxes(a, -1, -2))) / 2 if np.ndim(a) > 1 else a
        return function(whole, *args, **options)

    return call


def eigh(d):
    return (hermitian(d),), d.options(UPLO=lambda: d.pick("L", "U"))


def svd(d):
    return any_matrix(d)[0], {"full_matrices": False, **d.options(compute_uv=lambda: False)}


def qr(d):
    return any_matrix(d)[0], d.options(mode=lambda: d.pick("reduced", "r", "complete", "raw"))


def norm(d):
    x = d.array((3,), (2, 3), (2, 2, 3), dtypes=["f8", "f8", "c16", "f4"])
    axis = d.pick(None, -1, (0, 1), 0)
    order = d.pick(None, 2, 1, np.inf, -np.inf, "fro", "nuc", 3, 0.5, -1, -2, 0)
    return (x,), d.options(ord=lambda: order, axis=lambda: axis, keepdims=d.flag)


def vector_norm(d):
    x = d.array((3,), (2, 3), dtypes=["f8", "c16"])
    return (x,), d.options(
        ord=lambda: d.pick(2, 1, np.inf, 3, -1), axis=lambda: d.pick(-1, None, (0, 1)),
        keepdims=d.flag,
    )  # fmt: skip


def matrix_norm(d):
    return (matrix(d, (3, 3), (2, 3), (2, 2, 3)),), d.options(
        ord=lambda: d.pick("fro", "nuc", 2, -2, 1, -1, np.inf), keepdims=d.flag
    )


def matrix_power(d):
    return (matrix(d), d.pick(2, 3, 0, -1, 1)), {}


def multi_dot(d):
    return ([d.floats((2, 3)), d.floats((3, 3)), d.floats((3,), (3, 2))],), {}


def cond(d):
    return (matrix(d, (3, 3), (2, 2)),), d.options(p=lambda: d.pick(None, 2, 1, "fro", -2))


def lstsq(d):
    return (matrix(d, (3, 2), (4, 2)), d.floats((3,), (4,))), {"rcond": None}


def pinv(d):
    return any_matrix(d)[0], d.options(rcond=lambda: d.pick(1e-12), hermitian=lambda: False)


def rank(d):
    return any_matrix(d)[0], d.options(tol=lambda: 1e-10)


def tensorinv(d):
    return (d.floats((4, 2, 2)) + np.eye(4).reshape(4, 2, 2) * 3,), {"ind": d.pick(1, 1, 2)}


def tensorsolve(d):
    return (d.floats((2, 2, 2, 2)) + np.eye(4).reshape(2, 2, 2, 2) * 4, d.floats((2, 2))), {}


def transform(d):
    x = d.array((4,), (2, 3), (5,), dtypes=["f8", "c16", "f4"])
    return (x,), d.options(n=lambda: d.pick(3, 6, 1), axis=lambda: d.pick(-1, 0),
                           norm=lambda: d.pick("ortho", "forward", "backward"))  # fmt: skip


def real_transform(d):
    (x,), options = transform(d)
    return (x.real,), options


def transforms(d):
    x = d.array((4, 3), (2, 3, 2), dtypes=["f8", "c16"])
    return (x,), d.options(
        s=lambda: d.pick((3, 3), (2, 4)), axes=lambda: d.pick((0, 1), (-1, 0), (-2, -1)),
        norm=lambda: d.pick("ortho", "forward"),
    )  # fmt: skip


def real_transforms(d):
    (x,), options = transforms(d)
    return (x.real,), options


def shift(d):
    x = d.array((4,), (2, 3))
    return (x,), d.options(axes=lambda: d.pick(0, -1, (0,)))


def convolution(d):
    return (d.array((4,), (2,), dtypes=["f8", "c16", "i8"]), d.array((3,), (2,), dtypes=["f8"])), (
        d.options(mode=lambda: d.pick("full", "same", "valid", "none"))
    )


def interp(d):
    xp = np.sort(d.floats((4,)))
    return (d.floats((3,), (), (2, 2), low=-3, high=3), xp, d.array((4,), dtypes=["f8", "c16"])), (
        d.options(left=lambda: -9.0, right=lambda: 9.0, period=lambda: d.pick(5.0, 0))
    )


def unwrap(d):
    return (d.real((5,), (2, 4), low=-9, high=9),), d.options(
        axis=lambda: d.pick(-1, 0), discont=lambda: d.pick(3.5, 4.0), period=lambda: d.pick(4.0, 6)
    )


def diff(d):
    x = d.array((4,), (2, 3))
    return (x,), d.options(n=lambda: d.pick(1, 2, 0, -1), axis=lambda: d.axis(x.ndim, False, False),
                           prepend=lambda: 0.5, append=lambda: 1.0)  # fmt: skip


def ediff1d(d):
    return (d.array((4,), (2, 3)),), d.options(to_end=lambda: d.pick(1.5, 2), to_begin=lambda: 3)


def gradient(d):
    x = d.array((4,), (3, 4), dtypes=["f8", "f8", "c16", "i8"])
    args = d.pick((), (0.5,), tuple(np.cumsum(np.arange(1.0, n + 1)) for n in x.shape))
    return (x, *args), d.options(
        edge_order=lambda: d.pick(1, 2, 3), axis=lambda: d.pick(0, -1, None)
    )


def trapezoid(d):
    y = d.array((4,), (3, 4))
    return (y,), d.options(
        x=lambda: np.cumsum(np.arange(1.0, 5.0)), dx=lambda: 0.5, axis=lambda: d.pick(-1, 0)
    )


def cov(d):
    x = d.floats((3, 5), (5,), (2, 5))
    return (x,), d.options(
        y=lambda: d.floats((5,)), rowvar=d.flag, bias=d.flag, ddof=lambda: d.pick(0, 1, 2),
        fweights=lambda: np.arange(1, 6), aweights=lambda: np.arange(1.0, 6.0),
    )  # fmt: skip


def corrcoef(d):
    return (d.floats((3, 5), (2, 5)),), d.options(y=lambda: d.floats((5,)), rowvar=d.flag)


def polynomial(d):
    return (d.array((3,), (4,), dtypes=["f8", "c16"]),), {}


def polynomials(d):
    return tuple(d.array((3,), (2,), (4,), dtypes=["f8", "f8", "c16"]) for _ in range(2)), {}


def polyval(d):
    return (d.array((3,), dtypes=["f8", "c16"]), d.array((3,), (), (2, 2))), {}


def polyder(d):
    return (d.floats((4,)),), d.options(m=lambda: d.pick(1, 2, 0, 5, -1))


def polyint(d):
    return (d.floats((3,)),), d.options(
        m=lambda: d.pick(1, 2, 0), k=lambda: d.pick(1.5, [1.0, 2.0])
    )


def polyval2d(d):
    return (d.floats((3,)), d.floats((3,), (2,)), d.floats((2, 3))), {}


def polyvalnd(d):
    return ((d.floats((3,)), d.floats((3,), (2,))), d.floats((2, 3))), {}


def polygrid2d(d):
    return (d.floats((3,)), d.floats((2,)), d.floats((2, 3))), {}


def poly(d):
    return (d.array((3,), (2,), dtypes=["f8", "f8"]),), {}


def polyfit(d):
    x = np.sort(d.floats((5,)))
    y = d.floats((5,), (5, 2))
    return (x, y, d.pick(1, 2)), d.options(w=lambda: d.values((5,), "f8", 0.5, 2.0), cov=d.flag)


def spacing(d):
    return (d.array((), (3,), dtypes=["f8", "f8", "c16", "i8"]), d.array((), (3,), (2, 1))), (
        d.options(num=lambda: d.pick(5, 1, 0, -2), endpoint=d.flag, axis=lambda: d.pick(0, -1),
                  retstep=d.flag, dtype=lambda: d.pick("f4", "i8", "c16"))
    )  # fmt: skip


def logspace(d):
    args, options = spacing(d)
    options.pop("retstep", None)
    return args, options | d.options(base=lambda: d.pick(2.0, np.array([2.0, 3.0, 1.5])))


def geomspace(d):
    options = spacing(d)[1]
    options.pop("retstep", None)
    options.pop("dtype", None)
    return (d.floats((), (3,), low=0.5, high=1.0), d.floats((), (3,), low=2.0, high=3.0)), options


def windows(d):
    return (d.array((4,), (3, 4)), d.pick(2, 3, (2, 2), 5)), d.options(
        axis=lambda: d.pick(0, -1, (0, 1))
    )


def scimath(d):
    return (d.array(),), {}


def scimaths(d):
    return (d.array((3,), ()), d.array((3,), ())), {}


def logn(d):
    return (d.pick(2, 3.0), d.array((3,), (), dtypes=["f8", "i8"])), {}


def bincount(d):
    return (d.rng.integers(0, 4, 6),), d.options(
        weights=lambda: d.floats((6,)), minlength=lambda: d.pick(2, 8)
    )


def histogram(d):
    return (d.floats((6,)),), d.options(
        bins=lambda: d.pick(3, np.array([-2.0, -0.5, 0.3, 2.0])), range=lambda: (-1.0, 1.5),
        weights=lambda: d.floats((6,)), density=d.flag,
    )  # fmt: skip


def edges(d):
    return (d.floats((6,)),), d.options(
        bins=lambda: d.pick(3, "auto", "fd", [-1, 0, 1]), range=lambda: (-1, 1)
    )


def histogram2d(d):
    return (d.floats((6,)), d.floats((6,))), d.options(
        bins=lambda: d.pick(2, [2, 3], np.array([-2.0, 0.0, 2.0])),
        weights=lambda: d.floats((6,)), density=d.flag,
    )  # fmt: skip


def histogramdd(d):
    return (d.floats((6, 2)),), d.options(bins=lambda: d.pick(2, [2, 3]), density=d.flag)


def along_axis(d):
    return (
        d.pick(np.sum, np.cumsum, lambda r: r[:1] * 2),
        d.pick(0, -1),
        d.floats((2, 3), (3,)),
    ), {}


def over_axes(d):
    return (d.pick(np.sum, np.max), d.floats((2, 3), (2, 2, 3)), d.pick([0], [0, 1], 0)), {}


def piecewise(d):
    x = d.floats((4,), (2, 3))
    return (x, [x < 0, x >= 0], [d.pick(lambda t: t**2, 1.5), lambda t: -t]), {}


def angle(d):
    return (d.array(),), d.options(deg=d.flag)


def i0(d):
    return (d.floats(),), {}


def dtypes(d):
    return (d.array(), d.array()), {}


def can_cast(d):
    return (d.array((3,)).dtype, "f4"), {}


def astype(d):
    return (d.array(), d.pick("f4", "c16", "i8")), {}


CALLS = {
    **dict.fromkeys(["dot", "inner", "linalg.matmul"], product),
    **dict.fromkeys(["vdot", "outer", "linalg.outer"], flat_product),
    **dict.fromkeys(["tensordot", "linalg.tensordot"], tensordot),
    **dict.fromkeys(["linalg.inv", "linalg.det", "linalg.slogdet", "linalg.eig",
                     "linalg.eigvals"], square),
    **dict.fromkeys(["fft.fft", "fft.ifft", "fft.irfft", "fft.hfft"], transform),
    **dict.fromkeys(["fft.rfft", "fft.ihfft"], real_transform),
    **dict.fromkeys(["fft.fft2", "fft.ifft2", "fft.irfft2", "fft.fftn", "fft.ifftn",
                     "fft.irfftn"], transforms),
    **dict.fromkeys(["fft.rfft2", "fft.rfftn"], real_transforms),
    **dict.fromkeys(["fft.fftshift", "fft.ifftshift"], shift),
    **dict.fromkeys(["convolve", "correlate"], convolution),
    **dict.fromkeys(["polyadd", "polysub", "polymul", "polydiv"], polynomials),
    **dict.fromkeys(["emath.sqrt", "emath.log", "emath.log2", "emath.log10", "emath.arccos",
                     "emath.arcsin", "emath.arctanh"], scimath),
    "kron": kron, "cross": cross, "linalg.cross": cross3, "linalg.vecdot": vecdot,
    "einsum": einsum, "einsum_path": einsum_path, "linalg.solve": solve,
    "linalg.cholesky": cholesky, "linalg.eigh": eigh, "linalg.eigvalsh": eigh,
    "linalg.svd": svd, "linalg.svdvals": any_matrix, "linalg.qr": qr, "linalg.norm": norm,
    "linalg.vector_norm": vector_norm, "linalg.matrix_norm": matrix_norm,
    "linalg.matrix_power": matrix_power, "linalg.multi_dot": multi_dot, "linalg.cond": cond,
    "linalg.lstsq": lstsq, "linalg.pinv": pinv, "linalg.matrix_rank": rank,
    "linalg.tensorinv": tensorinv, "linalg.tensorsolve": tensorsolve,
    "linalg.diagonal": any_matrix, "linalg.trace": any_matrix,
    "linalg.matrix_transpose": any_matrix, "interp": interp, "unwrap": unwrap, "diff": diff,
    "ediff1d": ediff1d, "gradient": gradient, "trapezoid": trapezoid, "cov": cov,
    "corrcoef": corrcoef, "roots": polynomial, "polyval": polyval, "polyder": polyder,
    "polyint": polyint, "poly": poly, "polyfit": polyfit, "linspace": spacing,
    "logspace": logspace, "geomspace": geomspace,
    "polynomial.polynomial.polyval2d": polyval2d,
    **({"polynomial.polynomial.polyvalnd": polyvalnd}
       if hasattr(np.polynomial.polynomial, "polyvalnd") else {}),  # NumPy 2.5
    "polynomial.polynomial.polygrid2d": polygrid2d,
    "lib.stride_tricks.sliding_window_view": windows, "emath.power": scimaths,
    "emath.logn": logn, "bincount": bincount, "histogram": histogram,
    "histogram_bin_edges": edges, "histogram2d": histogram2d, "histogramdd": histogramdd,
    "apply_along_axis": along_axis, "apply_over_axes": over_axes, "piecewise": piecewise,
    "angle": angle, "i0": i0, "result_type": dtypes, "can_cast": can_cast, "astype": astype,
    "common_type": dtypes, "min_scalar_type": i0,
}  # fmt: skip

PREPARED = {name: symmetric(getattr(np.linalg, name)) for name in ("cholesky", "eigh", "eigvalsh")}
