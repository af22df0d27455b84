"""Examples from the documentation of projects that depend on HIPS autograd, unchanged.

Each function returns the numbers that the example is about.  `autograd_projects.py` runs them.
"""

import warnings

import numpy as np


def lifelines_univariate():
    import lifelines
    from lifelines.datasets import load_waltons

    data = load_waltons()
    found = []
    for name in ("Weibull", "Exponential", "LogNormal", "LogLogistic", "GeneralizedGamma"):
        fitter = getattr(lifelines, f"{name}Fitter")().fit(data["T"], data["E"])
        found += [*fitter.params_, fitter.log_likelihood_, fitter.AIC_]
    return found


def lifelines_piecewise_and_spline():
    import lifelines
    from lifelines.datasets import load_waltons

    data = load_waltons()
    found = []
    for fitter in (
        lifelines.PiecewiseExponentialFitter([10, 30, 50]),
        lifelines.SplineFitter([6, 20, 40, 75]),
    ):
        fitter.fit(data["T"], data["E"])
        found += [*fitter.params_, fitter.log_likelihood_]
    return found


def lifelines_regression():
    import lifelines
    from lifelines.datasets import load_rossi

    data = load_rossi()
    found = []
    for name in ("WeibullAFT", "LogNormalAFT", "LogLogisticAFT"):
        fitter = getattr(lifelines, f"{name}Fitter")().fit(data, "week", "arrest")
        found += [*fitter.params_, *fitter.standard_errors_, fitter.log_likelihood_]
    return found


def pymanopt_dominant_eigenvector():
    import autograd.numpy as anp
    import pymanopt

    rng = np.random.default_rng(42)
    dim = 30
    matrix = rng.normal(size=(dim, dim))
    matrix = (matrix + matrix.T) / 2
    manifold = pymanopt.manifolds.Sphere(dim)

    @pymanopt.function.autograd(manifold)
    def cost(point):
        return -point @ matrix @ point

    start = np.ones(dim) / np.sqrt(dim)
    problem = pymanopt.Problem(manifold, cost)
    found = []
    for optimizer in (
        pymanopt.optimizers.SteepestDescent(verbosity=0),
        pymanopt.optimizers.TrustRegions(verbosity=0),
    ):
        result = optimizer.run(problem, initial_point=start)
        point = result.point * anp.sign(result.point[0])
        found += [result.cost, *np.round(point, 4)]
    return found


def pymanopt_low_rank_approximation():
    import autograd.numpy as anp
    import pymanopt

    matrix = np.random.default_rng(1).normal(size=(20, 15))
    manifold = pymanopt.manifolds.FixedRankEmbedded(20, 15, 3)

    @pymanopt.function.autograd(manifold)
    def cost(u, s, vt):
        return anp.linalg.norm(u @ anp.diag(s) @ vt - matrix) ** 2

    np.random.seed(3)  # noqa: NPY002 - the project draws from it
    optimizer = pymanopt.optimizers.ConjugateGradient(verbosity=0, max_iterations=60)
    result = optimizer.run(pymanopt.Problem(manifold, cost))
    return [result.cost]


def autograd_gamma_derivatives():
    from autograd import elementwise_grad, grad
    from autograd_gamma import (
        betainc,
        betaincinv,
        gammainc,
        gammaincc,
        gammainccinv,
        gammainccln,
        gammaincinv,
        gammaincln,
    )

    a = np.linspace(0.5, 4.0, 40)
    found = []
    for f in (gammainc, gammaincc, gammaincln, gammainccln):
        for argnum in (0, 1):
            found += [*elementwise_grad(f, argnum)(a, a[::-1].copy())]
    for f in (gammaincinv, gammainccinv):
        for argnum in (0, 1):
            found += [*elementwise_grad(f, argnum)(a, np.linspace(0.1, 0.9, 40))]
    for argnum in range(3):
        found += [grad(betainc, argnum)(1.0, 2.0, 0.5), grad(betaincinv, argnum)(1.0, 2.0, 0.5)]
    return found


def lifetimes_customers():
    from lifetimes import BetaGeoFitter, GammaGammaFitter, ParetoNBDFitter
    from lifetimes.datasets import load_cdnow_summary_data_with_monetary_value

    data = load_cdnow_summary_data_with_monetary_value()
    found = []
    for fitter in (BetaGeoFitter(), ParetoNBDFitter()):
        np.random.seed(0)  # noqa: NPY002 - the project draws from it
        fitter.fit(data["frequency"], data["recency"], data["T"])
        found += [*fitter.params_]
    returning = data[data["frequency"] > 0]
    spending = GammaGammaFitter(penalizer_coef=0.0)
    spending.fit(returning["frequency"], returning["monetary_value"])
    return [*found, *spending.params_]


def reliability_distributions():
    from reliability.Fitters import (
        Fit_Gamma_2P,
        Fit_Loglogistic_2P,
        Fit_Lognormal_2P,
        Fit_Normal_2P,
        Fit_Weibull_2P,
        Fit_Weibull_Mixture,
    )

    times = [58, 75, 36, 52, 63, 65, 22, 17, 28, 64, 23, 40, 73, 45, 52, 36, 52, 60, 13, 55]
    censored = [50, 60, 70, 80]
    options = {"show_probability_plot": False, "print_results": False}
    found = []
    for fit in (Fit_Weibull_2P, Fit_Normal_2P, Fit_Lognormal_2P, Fit_Gamma_2P, Fit_Loglogistic_2P):
        fitted = fit(failures=times, right_censored=censored, **options)
        found += [fitted.loglik, *fitted.results["Point Estimate"], fitted.AICc]
    mixture = Fit_Weibull_Mixture(failures=[*times, 200, 210, 230, 240, 300], **options)
    return [*found, mixture.loglik]


def surpyval_distributions():
    import surpyval

    rng = np.random.default_rng(8)
    x = surpyval.Weibull.qf(rng.uniform(size=60), 30.0, 2.5)
    censored = (x > 35).astype(int)
    x = np.minimum(x, 35)
    found = []
    for name in ("Weibull", "LogNormal", "Gamma", "LogLogistic", "Gumbel", "ExpoWeibull"):
        model = getattr(surpyval, name).fit(x=x, c=censored)
        found += [*model.params, model.neg_ll()]
    return found


def mici_hamiltonian_monte_carlo():
    import autograd.numpy as anp
    import mici

    def neg_log_dens(q):
        x, y = q
        return (1 - x) ** 2 / 2 + 5 * (y - x**2) ** 2 + anp.logaddexp(0.0, x * y) / 10

    system = mici.systems.EuclideanMetricSystem(neg_log_dens=neg_log_dens, backend="autograd")
    integrator = mici.integrators.LeapfrogIntegrator(system, step_size=0.1)
    rng = np.random.default_rng(11)
    state = mici.states.ChainState(pos=np.array([0.3, -0.2]), mom=rng.normal(size=2), dir=1)
    found = []
    for _ in range(200):
        state = integrator.step(state)
        found += [*state.pos, system.h(state)]
    return found


EXAMPLES = {
    "lifelines: five distributions": lifelines_univariate,
    "lifelines: piecewise and spline": lifelines_piecewise_and_spline,
    "lifelines: three AFT regressions": lifelines_regression,
    "pymanopt: dominant eigenvector": pymanopt_dominant_eigenvector,
    "pymanopt: low-rank approximation": pymanopt_low_rank_approximation,
    "autograd-gamma: eight functions": autograd_gamma_derivatives,
    "lifetimes: customer models": lifetimes_customers,
    "reliability: distributions": reliability_distributions,
    "surpyval: six distributions": surpyval_distributions,
    "mici: leapfrog steps": mici_hamiltonian_monte_carlo,
}


def numbers(name):
    """The example's numbers, its warnings put aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [float(x) for x in EXAMPLES[name]()]
