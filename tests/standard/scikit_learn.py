"""scikit-learn's estimators and kernels that run on our values with array dispatch on."""

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import pairwise
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KernelCenterer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    StandardScaler,
)

import qiudao.numpy as xp

sklearn.set_config(array_api_dispatch=True)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
OTHER = RNG.normal(size=(5, 3))
Y = RNG.normal(size=12)
LABELS = np.arange(12) % 3


def mixture(x):
    """Means of a mixture of two normal distributions, by the steps of EM."""
    start = {
        "means_init": x[:2],
        "weights_init": xp.asarray([0.5, 0.5]),
        "precisions_init": xp.stack([xp.eye(3), xp.eye(3)]),
    }
    return GaussianMixture(2, init_params="random", random_state=0, **start).fit(x).means_


def predicted(model):
    """What a model that was fitted to X and Y predicts at X, as a function of X."""
    return lambda x: model().fit(x, xp.asarray(Y)).predict(x)


def beside(name, other, first=lambda x: x):
    """A kernel or distance between `first(x)` and another set of points."""
    return lambda x: getattr(pairwise, name)(first(x), xp.asarray(other))


CASES = {
    "StandardScaler": lambda x: StandardScaler().fit_transform(x),
    "MinMaxScaler": lambda x: MinMaxScaler().fit_transform(x),
    "MaxAbsScaler": lambda x: MaxAbsScaler().fit_transform(x),
    "Normalizer": lambda x: Normalizer().fit_transform(x),
    "PolynomialFeatures": lambda x: PolynomialFeatures(3).fit_transform(x),
    "KernelCenterer": lambda x: KernelCenterer().fit_transform(x @ x.T),
    "PCA": lambda x: xp.abs(PCA(2, svd_solver="full").fit_transform(x)),
    "PCA.explained_variance_": lambda x: PCA(2, svd_solver="full").fit(x).explained_variance_,
    "PCA(covariance_eigh)": lambda x: (
        PCA(2, svd_solver="covariance_eigh").fit(x).explained_variance_
    ),
    "Ridge": predicted(lambda: Ridge(alpha=0.5, solver="svd")),
    "RidgeCV": predicted(RidgeCV),
    "make_pipeline": predicted(
        lambda: make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge(solver="svd"))
    ),
    "LinearDiscriminantAnalysis": lambda x: (
        LinearDiscriminantAnalysis(solver="svd").fit(x, xp.asarray(LABELS)).decision_function(x)
    ),
    "GaussianMixture": mixture,
    **{
        name: beside(name, OTHER)
        for name in [
            "rbf_kernel",
            "linear_kernel",
            "polynomial_kernel",
            "sigmoid_kernel",
            "laplacian_kernel",
            "cosine_similarity",
            "cosine_distances",
            "euclidean_distances",
            "manhattan_distances",
            "pairwise_distances",
        ]
    },
    **{
        name: beside(name, np.abs(OTHER), xp.abs)
        for name in ("chi2_kernel", "additive_chi2_kernel")
    },
    **{
        name: beside(name, X + 0.3)
        for name in ("paired_euclidean_distances", "paired_cosine_distances")
    },
}
CASES = {name: (f, X) for name, f in CASES.items()}
