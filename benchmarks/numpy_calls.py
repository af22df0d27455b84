"""A call of each of NumPy's functions whose derivative is not 0, written as a user writes it.

`v` is a vector of 4, `p` one of positive numbers, `m` and `w` matrices of 3 x 3, `h` a symmetric
positive definite one and `s` a number; each call is differentiated in those that it names.  Where
a function writes into its first argument the call shows how that is written without a loop.
"""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(3)
POINTS = {
    "v": np.array([0.7, -0.4, 1.3, 0.2]),
    "p": np.array([0.35, 0.8, 0.55, 0.15]),
    "m": np.array([[2.1, 0.3, -0.4], [0.5, 1.7, 0.2], [-0.3, 0.6, 2.6]]),
    "w": np.array([[0.4, -1.1, 0.8], [1.2, 0.9, -0.5], [0.1, -0.7, 1.6]]),
    "h": np.array([[2.0, 0.3, -0.2], [0.3, 1.5, 0.4], [-0.2, 0.4, 2.5]]),
    "s": np.array(0.6),
}

UFUNCS_OF_ONE = (
    "absolute", "arccos", "arcsin", "arcsinh", "arctan", "arctanh", "cbrt", "cos", "cosh",
    "deg2rad", "degrees", "exp", "exp2", "expm1", "fabs", "log", "log10", "log1p", "log2",
    "negative", "positive", "rad2deg", "radians", "reciprocal", "sin", "sinh", "sqrt", "square",
    "tan", "tanh",
)  # fmt: skip
UFUNCS_OF_TWO = (
    "add", "arctan2", "copysign", "divide", "float_power", "fmax", "fmin", "fmod", "hypot",
    "logaddexp", "logaddexp2", "maximum", "minimum", "multiply", "power", "remainder", "subtract",
)  # fmt: skip

CALLS = {
    **{name: f"np.{name}(p)" for name in UFUNCS_OF_ONE},
    **{name: f"np.{name}(p, v[::-1] + 2.05)" for name in UFUNCS_OF_TWO},
    "arccosh": "np.arccosh(p + 1)",
    "conjugate": "np.conjugate(v)",
    "divmod": "np.divmod(p, 0.3)[1]",
    "modf": "np.modf(p * 3)[0]",
    "frexp": "np.frexp(p)[0]",
    "ldexp": "np.ldexp(p, 2)",
    "matmul": "np.matmul(m, w)",
    "vecdot": "np.vecdot(m, w)",
    "matvec": "np.matvec(m, w[0])",
    "vecmat": "np.vecmat(w[0], m)",
    # reductions
    "sum": "np.sum(m, axis=0)",
    "prod": "np.prod(m, axis=1)",
    "max": "np.max(m, axis=0)",
    "min": "np.min(m, axis=0)",
    "amax": "np.amax(m)",
    "amin": "np.amin(m)",
    "mean": "np.mean(m, axis=1, keepdims=True)",
    "var": "np.var(m, axis=0, ddof=1)",
    "std": "np.std(m, axis=0)",
    "ptp": "np.ptp(m, axis=0)",
    "cumsum": "np.cumsum(m, axis=1)",
    "cumprod": "np.cumprod(v)",
    "cumulative_sum": "np.cumulative_sum(v)",
    "cumulative_prod": "np.cumulative_prod(v)",
    "nansum": "np.nansum(v)",
    "nanprod": "np.nanprod(v)",
    "nanmax": "np.nanmax(m, axis=0)",
    "nanmin": "np.nanmin(m, axis=0)",
    "nanmean": "np.nanmean(m, axis=0)",
    "nanvar": "np.nanvar(m, axis=0)",
    "nanstd": "np.nanstd(m, axis=0)",
    "nancumsum": "np.nancumsum(v)",
    "nancumprod": "np.nancumprod(v)",
    "nanmedian": "np.nanmedian(m, axis=0)",
    "nanquantile": "np.nanquantile(v, 0.3)",
    "nanpercentile": "np.nanpercentile(v, 30)",
    "median": "np.median(m, axis=0)",
    "quantile": "np.quantile(v, 0.3)",
    "percentile": "np.percentile(v, 30)",
    "average": "np.average(m, axis=0, weights=p[:3])",
    "trace": "np.trace(m)",
    "cov": "np.cov(m)",
    "corrcoef": "np.corrcoef(m)",
    # shapes
    "copy": "np.copy(v)",
    "astype": "np.astype(v, np.float64)",
    "reshape": "np.reshape(m, (9,))",
    "ravel": "np.ravel(m)",
    "transpose": "np.transpose(m)",
    "permute_dims": "np.permute_dims(m, (1, 0))",
    "matrix_transpose": "np.matrix_transpose(m)",
    "swapaxes": "np.swapaxes(m, 0, 1)",
    "moveaxis": "np.moveaxis(m, 0, 1)",
    "rollaxis": "np.rollaxis(m, 1)",
    "expand_dims": "np.expand_dims(v, 0)",
    "squeeze": "np.squeeze(v[None])",
    "broadcast_to": "np.broadcast_to(v, (2, 4))",
    "broadcast_arrays": "np.broadcast_arrays(v, s)[1]",
    "atleast_1d": "np.atleast_1d(s)",
    "atleast_2d": "np.atleast_2d(v)",
    "atleast_3d": "np.atleast_3d(v)",
    "flip": "np.flip(v)",
    "fliplr": "np.fliplr(m)",
    "flipud": "np.flipud(m)",
    "rot90": "np.rot90(m)",
    "roll": "np.roll(v, 1)",
    "tile": "np.tile(v, 2)",
    "repeat": "np.repeat(v, 2)",
    "concatenate": "np.concatenate((v, p))",
    "concat": "np.concat((v, p))",
    "stack": "np.stack((v, p))",
    "vstack": "np.vstack((v, p))",
    "hstack": "np.hstack((v, p))",
    "dstack": "np.dstack((v, p))",
    "column_stack": "np.column_stack((v, p))",
    "block": "np.block([[m, w], [w, m]])",
    "append": "np.append(v, p)",
    "split": "np.split(v, 2)[0]",
    "array_split": "np.array_split(v, 3)[0]",
    "hsplit": "np.hsplit(m, 3)[0]",
    "vsplit": "np.vsplit(m, 3)[0]",
    "dsplit": "np.dsplit(m[None], 3)[0]",
    "unstack": "np.unstack(m)[1]",
    "meshgrid": "np.meshgrid(v, p)[0]",
    "pad": "np.pad(v, 2, mode='reflect')",
    "resize": "np.resize(v, (2, 3))",
    "diag": "np.diag(v)",
    "diagflat": "np.diagflat(v)",
    "diagonal": "np.diagonal(m)",
    "tril": "np.tril(m)",
    "triu": "np.triu(m)",
    "vander": "np.vander(v, 3)",
    "full_like": "np.full_like(v, s)",
    # elements
    "take": "np.take(v, np.array([0, 2, 2]))",
    "take_along_axis": "np.take_along_axis(m, np.array([[0], [2], [1]]), axis=1)",
    "compress": "np.compress(np.array([True, False, True, True]), v)",
    "extract": "np.extract(np.array([True, False, True, True]), v)",
    "choose": "np.choose(np.array([0, 1, 0, 1]), [v, p])",
    "select": "np.select([v > 0.5, v < 0], [v**2, p], 1.0)",
    "piecewise": "np.piecewise(v, [v < 0, v >= 0], [lambda t: t**2, lambda t: -t])",
    "where": "np.where(v > 0, v, p)",
    "clip": "np.clip(v, -0.3, 1.0)",
    "delete": "np.delete(v, 1)",
    "insert": "np.insert(v, 1, s)",
    "trim_zeros": "np.trim_zeros(v)",
    "sort": "np.sort(v)",
    "sort_complex": "np.sort_complex(v)",
    "partition": "np.partition(v, 1)[1]",
    "unique": "np.unique(v)",
    "unique_values": "np.sort(np.unique_values(v))",
    "unique_counts": "np.unique_counts(v)[0]",
    "unique_inverse": "np.unique_inverse(v)[0]",
    "unique_all": "np.unique_all(v)[0]",
    "union1d": "np.union1d(v, p)",
    "intersect1d": "np.intersect1d(v, v[::-1])",
    "setdiff1d": "np.setdiff1d(v, p)",
    "setxor1d": "np.setxor1d(v, p)",
    "nan_to_num": "np.nan_to_num(v)",
    "copyto": "written(np.copyto, v, p)",
    "put": "written(np.put, v, [0, 2], p[:2])",
    "putmask": "written(np.putmask, v, np.array([True, False, True, False]), p)",
    "place": "written(np.place, v, np.array([True, False, True, False]), p)",
    "fill_diagonal": "written(np.fill_diagonal, m, s)",
    "put_along_axis": "written(np.put_along_axis, m, np.array([[0], [2], [1]]), p[:3, None], 1)",
    "apply_along_axis": "np.apply_along_axis(np.prod, 0, m)",
    "apply_over_axes": "np.apply_over_axes(np.sum, m, [0, 1])",
    # numbers
    "real": "np.real(v * (1 + 2j))",
    "imag": "np.imag(v * (1 + 2j))",
    "angle": "np.angle(v + 1j * p)",
    "real_if_close": "np.real_if_close(v + 0j)",
    "sinc": "np.sinc(v)",
    "i0": "np.i0(v)",
    "interp": "np.interp(v, np.array([-1.0, 0.0, 0.5, 2.0]), p)",
    "unwrap": "np.unwrap(v * 5)",
    "diff": "np.diff(v)",
    "ediff1d": "np.ediff1d(v)",
    "gradient": "np.gradient(v)",
    "trapezoid": "np.trapezoid(v, np.cumsum(p))",
    "convolve": "np.convolve(v, p[:3])",
    "correlate": "np.correlate(v, p[:3], 'full')",
    "dot": "np.dot(m, w)",
    "vdot": "np.vdot(v, p)",
    "inner": "np.inner(m, w)",
    "outer": "np.outer(v, p)",
    "kron": "np.kron(m, w)",
    "cross": "np.cross(m[0], w[0])",
    "tensordot": "np.tensordot(m, w, 1)",
    "einsum": "np.einsum('ij,jk->k', m, w)",
    "bincount": "np.bincount(np.array([0, 2, 1, 2]), weights=v)",
    "histogram": "np.histogram(np.array([0.1, 0.4, 0.6, 0.7]), bins=2, weights=v)[0]",
    "histogram_bin_edges": "np.histogram_bin_edges(v, bins=3)",
    "histogram2d": "np.histogram2d(np.arange(4.0), np.arange(4.0), bins=2, weights=v)[0]",
    "histogramdd": "np.histogramdd(np.arange(8.0).reshape(4, 2), bins=2, weights=v)[0]",
    "linspace": "np.linspace(s, v[2], 5)",
    "logspace": "np.logspace(s, v[2], 5)",
    "geomspace": "np.geomspace(s, v[2], 5)",
    # polynomials
    "poly": "np.poly(v)",
    "polyadd": "np.polyadd(v, p[:2])",
    "polysub": "np.polysub(v, p[:2])",
    "polymul": "np.polymul(v, p[:2])",
    "polydiv": "np.polydiv(v, p[:2])[0]",
    "polyder": "np.polyder(v)",
    "polyint": "np.polyint(v)",
    "polyval": "np.polyval(v, p)",
    "polyfit": "np.polyfit(np.arange(4.0), v, 2)",
    "roots": "np.abs(np.roots(p))",
    "polynomial.polynomial.polyval2d": "np.polynomial.polynomial.polyval2d(v, p, m)",
    "polynomial.polynomial.polygrid2d": "np.polynomial.polynomial.polygrid2d(v, p, m)",
    # linalg
    "linalg.cholesky": "np.linalg.cholesky(h @ h.T)",
    "linalg.cond": "np.linalg.cond(m)",
    "linalg.cross": "np.linalg.cross(m[0], w[0])",
    "linalg.det": "np.linalg.det(m)",
    "linalg.diagonal": "np.linalg.diagonal(m)",
    "linalg.eig": "np.abs(np.linalg.eig(m)[0])",
    "linalg.eigh": "np.abs(np.linalg.eigh(m + m.T)[1])",
    "linalg.eigvals": "np.abs(np.linalg.eigvals(m))",
    "linalg.eigvalsh": "np.linalg.eigvalsh(m + m.T)",
    "linalg.inv": "np.linalg.inv(m)",
    "linalg.lstsq": "np.linalg.lstsq(m[:, :2], w[0], rcond=None)[0]",
    "linalg.matmul": "np.linalg.matmul(m, w)",
    "linalg.matrix_norm": "np.linalg.matrix_norm(m)",
    "linalg.matrix_power": "np.linalg.matrix_power(m, 3)",
    "linalg.matrix_transpose": "np.linalg.matrix_transpose(m)",
    "linalg.multi_dot": "np.linalg.multi_dot([m, w, m])",
    "linalg.norm": "np.linalg.norm(m)",
    "linalg.outer": "np.linalg.outer(v, p)",
    "linalg.pinv": "np.linalg.pinv(m[:, :2])",
    "linalg.qr": "np.abs(np.linalg.qr(m)[1])",
    "linalg.slogdet": "np.linalg.slogdet(m)[1]",
    "linalg.solve": "np.linalg.solve(m, w)",
    "linalg.svd": "np.linalg.svd(m, full_matrices=False)[1]",
    "linalg.svdvals": "np.linalg.svdvals(m)",
    "linalg.tensordot": "np.linalg.tensordot(m, w, axes=1)",
    "linalg.tensorinv": "np.linalg.tensorinv(m.reshape(3, 1, 3), ind=1)",
    "linalg.tensorsolve": "np.linalg.tensorsolve(m, w[0])",
    "linalg.trace": "np.linalg.trace(m)",
    "linalg.vecdot": "np.linalg.vecdot(m, w)",
    "linalg.vector_norm": "np.linalg.vector_norm(v)",
    # fft
    "fft.fft": "np.abs(np.fft.fft(v))",
    "fft.ifft": "np.abs(np.fft.ifft(v))",
    "fft.rfft": "np.abs(np.fft.rfft(v))",
    "fft.irfft": "np.fft.irfft(v)",
    "fft.hfft": "np.fft.hfft(v)",
    "fft.ihfft": "np.abs(np.fft.ihfft(v))",
    "fft.fft2": "np.abs(np.fft.fft2(m))",
    "fft.ifft2": "np.abs(np.fft.ifft2(m))",
    "fft.rfft2": "np.abs(np.fft.rfft2(m))",
    "fft.irfft2": "np.fft.irfft2(m)",
    "fft.fftn": "np.abs(np.fft.fftn(m))",
    "fft.ifftn": "np.abs(np.fft.ifftn(m))",
    "fft.rfftn": "np.abs(np.fft.rfftn(m))",
    "fft.irfftn": "np.fft.irfftn(m)",
    "fft.fftshift": "np.fft.fftshift(v)",
    "fft.ifftshift": "np.fft.ifftshift(v)",
    # emath, stride tricks
    "emath.sqrt": "np.abs(np.emath.sqrt(v))",
    "emath.log": "np.abs(np.emath.log(v))",
    "emath.log2": "np.abs(np.emath.log2(v))",
    "emath.log10": "np.abs(np.emath.log10(v))",
    "emath.logn": "np.abs(np.emath.logn(2.0, v))",
    "emath.power": "np.abs(np.emath.power(v, 1.5))",
    "emath.arccos": "np.abs(np.emath.arccos(v * 2))",
    "emath.arcsin": "np.abs(np.emath.arcsin(v * 2))",
    "emath.arctanh": "np.abs(np.emath.arctanh(v * 2))",
    "lib.stride_tricks.sliding_window_view": "np.lib.stride_tricks.sliding_window_view(v, 2)",
}  # fmt: skip


def variables(call: str) -> list[str]:
    """The names of `POINTS` that a call reads, in order."""
    code = compile(call, "<call>", "eval")
    names = set(code.co_names)
    for constant in code.co_consts:
        names |= set(getattr(constant, "co_names", ()))
    return [name for name in POINTS if name in names]


def function(call: str, namespace, written, weigh=None):
    """The weighed sum of what `call` gives, of a list of values for its variables."""
    names = variables(call)

    def scalar(*values):
        found = eval(call, {"np": namespace, "written": written, **dict(zip(names, values))})
        parts = found if isinstance(found, list | tuple) else [found]
        total = 0.0
        for part in parts:
            weights = np.random.default_rng(0).uniform(0.5, 1.5, tuple(getattr(part, "shape", ())))
            total = total + namespace.sum(part * (weights if weigh is None else weigh(weights)))
        return namespace.real(total)

    return scalar


def differences(call: str) -> list[np.ndarray]:
    """The gradient in each variable by central differences of NumPy."""

    def written(write, x, *rest):
        y = np.copy(x)
        write(y, *rest)
        return y

    f = function(call, np, written)
    points = [POINTS[name].astype(float) for name in variables(call)]
    found = []
    for i, x in enumerate(points):
        slopes = np.zeros_like(x)
        for k in np.ndindex(x.shape):
            ends = []
            for h in (1e-6, -1e-6):
                moved = [np.copy(each) for each in points]
                moved[i][k] += h
                ends.append(float(f(*moved)))
            slopes[k] = (ends[0] - ends[1]) / 2e-6
        found.append(slopes)
    return found
