"""SciPy's functions that run on our values with `SCIPY_ARRAY_API=1`, each on an example."""

import numpy as np
import scipy.cluster
import scipy.constants
import scipy.differentiate
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.optimize.elementwise
import scipy.signal
import scipy.special
import scipy.stats
from scipy.spatial.transform import Rotation, Slerp

import qiudao.numpy as xp

X = np.array([0.5, 1.5, 2.25, 1.0])
Y = np.array([0.2, 1.1, 0.3, 2.0])
TABLE = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 0.5], [0.3, 0.2, 5.0], [1.0, 1.5, 1.2]])
A = np.array([[2.0, 0.3], [0.1, 1.0]])

CASES = {}


def of(module, names, point=X, **special):
    """Cases `module.name`: the function itself, or one of `special` that calls it."""
    for name in names.split():
        CASES[f"{module.__name__.removeprefix('scipy.')}.{name}"] = (getattr(module, name), point)
    for name, f in special.items():
        CASES[f"{module.__name__.removeprefix('scipy.')}.{name}"] = (f, point)


def statistic(name, data, *others):
    """The statistic of a test of `scipy.stats`, on `data(x)` beside other samples."""
    return lambda x: getattr(stats, name)(data(x), *map(xp.asarray, others)).statistic


special, fft, integrate, stats, signal = (
    scipy.special,
    scipy.fft,
    scipy.integrate,
    scipy.stats,
    scipy.signal,
)
elementwise = scipy.optimize.elementwise

of(
    special,
    "logsumexp softmax log_softmax expit logit gammaln digamma erf erfc erfinv ndtr ndtri log_ndtr "
    "i0 i0e i1 i1e exp1 expi sinc entr",
    X / 4,
    xlogy=lambda x: special.xlogy(x, x),
    rel_entr=lambda x: special.rel_entr(x, x * x),
    betainc=lambda x: special.betainc(2.0, 3.0, x),
    gammainc=lambda x: special.gammainc(2.0, x),
    polygamma=lambda x: special.polygamma(1, x),
    multigammaln=lambda x: special.multigammaln(x + 3, 2),
    zeta=lambda x: special.zeta(x + 1.5, 1.0),
    stdtrit=lambda x: special.stdtrit(3.0, x),
    chdtr=lambda x: special.chdtr(3.0, x),
    poch=lambda x: special.poch(x, 2.0),
    binom=lambda x: special.binom(x, 2.0),
    beta=lambda x: special.beta(x, 2.0),
    betaln=lambda x: special.betaln(x, 2.0),
)
of(
    fft,
    "irfft hfft fftshift",
    fft=lambda x: xp.real(fft.fft(x)),
    ifft=lambda x: xp.imag(fft.ifft(x)),
    rfft=lambda x: xp.real(fft.rfft(x)),
    ihfft=lambda x: xp.real(fft.ihfft(x)),
    fft2=lambda x: xp.real(fft.fft2(xp.reshape(x, (2, 2)))),
    fftn=lambda x: xp.imag(fft.fftn(x)),
    fht=lambda x: fft.fht(x, 0.1, 0.0),
)
of(
    integrate,
    "trapezoid cumulative_trapezoid cumulative_simpson",
    tanhsinh=lambda x: (
        integrate.tanhsinh(
            lambda t, a: xp.exp(-a * t * t), xp.asarray(0.0), xp.asarray(1.0), args=(x,)
        ).integral
    ),
    cubature=lambda x: (
        integrate.cubature(
            lambda t: xp.exp(-x[0] * t[:, 0] ** 2), xp.asarray([0.0]), xp.asarray([1.0])
        ).estimate
    ),
    nsum=lambda x: (
        integrate.nsum(
            lambda k, a: 1 / (k + a) ** 2, xp.asarray(1.0), xp.asarray(np.inf), args=(x,)
        ).sum
    ),
)
of(
    scipy.differentiate,
    "",
    derivative=lambda x: scipy.differentiate.derivative(xp.exp, x).df,
    jacobian=lambda x: scipy.differentiate.jacobian(lambda t: t**2, x).df,
)
of(scipy.optimize, "rosen rosen_der")
of(
    stats,
    "zscore skew kurtosis moment variation sem gmean hmean gzscore circmean circvar circstd iqr "
    "tmean tvar tstd kstat kstatvar entropy lmoment gstd rankdata",
    pmean=lambda x: stats.pmean(x, 1.5),
    **{"gmean(weights)": lambda x: stats.gmean(x, weights=xp.asarray(Y))},
    zmap=lambda x: stats.zmap(x, xp.asarray(Y)),
    trim_mean=lambda x: stats.trim_mean(x, 0.1),
    describe=lambda x: stats.describe(x).variance,
    jarque_bera=lambda x: stats.jarque_bera(x).statistic,
    ttest_1samp=lambda x: stats.ttest_1samp(x, 0.5).statistic,
    directional_stats=lambda x: stats.directional_stats(xp.reshape(x, (2, 2))).mean_direction,
    **{
        name: statistic(name, lambda x: xp.concat([x, x * x, xp.exp(x), x + 1]))
        for name in ("skewtest", "kurtosistest", "normaltest")
    },
    **{
        name: statistic(name, lambda x: x, Y)
        for name in [
            "pearsonr",
            "spearmanr",
            "ttest_ind",
            "ttest_rel",
            "f_oneway",
            "bartlett",
            "wilcoxon",
            "ks_2samp",
            "chatterjeexi",
        ]
        if hasattr(stats, name)
    },
)

of(
    signal,
    "",
    fftconvolve=lambda x: signal.fftconvolve(x, xp.asarray(Y)),
    oaconvolve=lambda x: signal.oaconvolve(x, xp.asarray(Y)),
    hilbert=lambda x: xp.imag(signal.hilbert(x)),
    freqz=lambda x: xp.real(signal.freqz(x, worN=8)[1]),
    resample=lambda x: signal.resample(x, 8),
    hann=lambda x: x * signal.windows.hann(4, xp=xp),
    zpk2tf=lambda x: signal.zpk2tf(x, x * 2, 1.0)[0],
)
of(scipy.linalg, "fiedler", block_diag=lambda x: scipy.linalg.block_diag(x[:, None], x))
CASES["cluster.vq.whiten"] = (lambda x: scipy.cluster.vq.whiten(x), TABLE)
CASES["constants.convert_temperature"] = (
    lambda x: scipy.constants.convert_temperature(x, "C", "K"),
    X,
)
CASES |= {
    f"spatial.transform.{name}": (f, X)
    for name, f in {
        "Rotation.from_quat": lambda x: Rotation.from_quat(x).as_matrix(),
        "Rotation.from_rotvec": lambda x: Rotation.from_rotvec(x[:3]).as_matrix(),
        "Rotation.from_euler": lambda x: Rotation.from_euler("zyx", x[:3]).as_quat(),
        "Rotation.apply": lambda x: Rotation.from_quat(x).apply(xp.asarray([1.0, 2.0, 3.0])),
        "Rotation.as_rotvec": lambda x: Rotation.from_quat(x).as_rotvec(),
        "Rotation.as_euler": lambda x: Rotation.from_quat(x).as_euler("xyz"),
        "Rotation.*": lambda x: (Rotation.from_quat(x) * Rotation.from_quat(x)).as_quat(),
        "Slerp": lambda x: Slerp([0, 1.0], Rotation.from_quat(xp.stack([x, x[::-1]])))(
            [0.3]
        ).as_quat(),
    }.items()
}
