"""The benchmark objectives: every library gives the derivative by hand, which is the right one."""

import shutil
from importlib import import_module
from importlib.util import find_spec
from itertools import product

import numpy as np
import pytest

import qiudao as qd

NAMES = ("lse", "llsq", "ode", "gmm", "kmeans", "det", "ba", "lstm", "ht", "saddle", "particle")
SMALL = [(name, {}) for name in NAMES]
SMALL += [("ht", {"v": "simple"}), ("saddle", {"modes": "rr"}), ("particle", {"modes": "rr"})]
AWKWARD = [  # sizes that no vector or block divides, and where zeros matter
    ("lse", {"n": 2_100}),
    ("llsq", {"n": 141, "m": 37}),
    ("ode", {"n": 150, "s": 38}),
    ("ode", {"n": 151, "s": 50}),
    ("ode", {"n": 9, "s": 2}),
    ("det", {"l": 7}),
    ("gmm", {"d": 9, "k": 30, "n": 301}),
    ("kmeans", {"k": 9, "n": 77, "d": 5}),
    ("ba", {"p": 133}),
    ("ht", {"c": 14}),
    ("ht", {"v": "simple", "c": 19}),
    ("lstm", {"l": 3, "c": 12}),
]
STEP = 1e-30  # of a complex step, which has no cancellation


def case(name, changes):
    module = import_module(f"objectives.{name}")
    return module, module.inputs(**module.SMALL | changes)


def close(got, expected):
    """To the scale of the whole answer."""
    assert len(got) == len(expected)
    scale = max(np.abs(part).max() for part in expected)
    for mine, theirs in zip(got, expected):
        np.testing.assert_allclose(np.asarray(mine), theirs, rtol=0, atol=1e-11 * scale)


def derivatives(module, given, library):
    found = getattr(module, f"in_{library}")(given)
    return {name: run for name, run in found.items() if "primal" not in name}


def written_in_c(example):
    return hasattr(import_module(f"objectives.{example[0]}"), "in_c")


def written_in_casadi(example):
    return hasattr(import_module(f"objectives.{example[0]}"), "in_casadi")


@pytest.mark.parametrize("name, changes", SMALL)
def test_qiudao_is_the_derivative_by_hand(name, changes):
    module, given = case(name, changes)
    found = derivatives(module, given, "qiudao")
    assert "qiudao" in found
    for run in found.values():
        answer = run()
        close(answer if isinstance(answer, tuple) else (answer,), module.by_hand(given))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
@pytest.mark.parametrize("name, changes", [*filter(written_in_c, SMALL), *AWKWARD])
def test_c_is_the_derivative_by_hand(name, changes):
    module, given = case(name, changes)
    for run in derivatives(module, given, "c").values():
        close(run(), module.by_hand(given))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_ba_in_c_is_right_of_a_camera_that_is_not_turned():
    module, given = case("ba", {})
    given.by[0][2, :3] = 0
    (c,), qiudao = derivatives(module, given, "c").values(), derivatives(module, given, "qiudao")
    close(c(), qiudao["qiudao"]())


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # of its own, at its first jacfwd
@pytest.mark.parametrize("library", ["jax", "torch"])
@pytest.mark.parametrize("name, changes", SMALL)
def test_peers_give_the_derivative_by_hand(name, changes, library):
    pytest.importorskip(library)
    module, given = case(name, changes)
    for run in derivatives(module, given, library).values():
        answer = run()
        close(answer if isinstance(answer, tuple) else (answer,), module.by_hand(given))


@pytest.mark.peer
@pytest.mark.parametrize("name, changes", [*filter(written_in_casadi, SMALL)])
def test_casadi_gives_the_derivative_by_hand(name, changes):
    pytest.importorskip("casadi")
    module, given = case(name, changes)
    for run in derivatives(module, given, "casadi").values():
        close(run(), module.by_hand(given))


@pytest.mark.peer
@pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed")
def test_jax_answers_all_but_the_outer_reverse():
    for name in NAMES:
        assert derivatives(*case(name, {}), "jax"), name


def along(f, given, directions):
    """The derivative of a smooth function along a direction, by a complex step."""
    moved = [x + 1j * STEP * d for x, d in zip(given.by, directions)]
    return np.imag(f(*moved, *given.data)) / STEP


@pytest.mark.parametrize("name", ["lse", "llsq", "ode", "gmm", "det", "lstm"])
def test_by_hand_is_the_gradient_of_the_objective(name):
    module, given = case(name, {})
    rng = np.random.default_rng(0)
    directions = [rng.normal(size=x.shape) for x in given.by]
    expected = along(given.bind(module.objective), given, directions)
    got = sum(np.vdot(g, d) for g, d in zip(module.by_hand(given), directions))
    np.testing.assert_allclose(got, expected, rtol=1e-11)


def test_gmm_is_the_density_that_it_claims():
    """One component of unit covariance: the normal density, and Wishart's prior of the identity."""
    module = import_module("objectives.gmm")
    d, n = 3, 4
    x = np.random.default_rng(1).normal(size=(n, d))
    mean = np.array([[0.5, -0.2, 0.1]])
    factors = np.zeros((1, d + d * (d - 1) // 2))
    got = module.objective(np.array([0.7]), mean, factors, x)
    fit = -0.5 * ((x - mean) ** 2).sum() - n * d / 2 * np.log(2 * np.pi)
    np.testing.assert_allclose(got, fit + 0.5 * d - module.log_wishart(d, 1), rtol=1e-14)


def test_det_is_the_determinant_in_every_form():
    module, given = case("det", {"l": 5})
    expected = np.linalg.det(given.by[0])
    np.testing.assert_allclose(module.objective(*given.all), expected, rtol=1e-13)
    np.testing.assert_allclose(module.on_matrix(*given.by), expected, rtol=1e-13)
    for last, axis in product((1, 2, 3, 4, 5), (0, -1)):
        found = module.in_blocks(*module.for_blocks(given, last, axis).all, axis=axis)
        np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("last", [3, 4, 5])
def test_det_in_blocks_has_the_gradient_by_hand(last):
    module, given = case("det", {"l": 6})
    got = qd.grad(module.in_blocks, (0,))(*module.for_blocks(given, last).all)
    close(got, module.by_hand(given))


def test_llsq_is_the_same_by_horner():
    module, given = case("llsq", {})
    few = module.without_matrix(given)
    np.testing.assert_allclose(module.horner(*few.all), module.objective(*given.all), rtol=1e-13)


def test_ode_nears_its_exact_solution():
    module, given = case("ode", {"n": 3, "s": 50})
    (x,) = given.by
    exact = module.END**3 / 6 * np.prod(x)
    np.testing.assert_allclose(given.bind(module.objective)(x), exact, rtol=1e-12)


def test_ba_block_is_the_slope_of_the_residuals():
    module, given = case("ba", {})
    by_camera, by_point, by_weight, slope = module.by_hand(given)
    rng = np.random.default_rng(2)
    cameras, points, weights = directions = [rng.normal(size=x.shape) for x in given.by]
    moved = [x + 1j * STEP * d for x, d in zip(given.by, directions)]
    cameras_at, points_at, weights_at = moved
    found = module.residuals(cameras_at.T, points_at.T, weights_at, given.data[0].T)
    got = np.imag(found) / STEP
    expected = (
        np.einsum("pij,pj->ip", by_camera, cameras)
        + np.einsum("pij,pj->ip", by_point, points)
        + (by_weight * weights[:, None]).T
    )
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(slope, -2 * given.by[2])


def test_kmeans_direction_leads_to_the_means_of_the_clusters():
    module, given = case("kmeans", {})
    (centroids,), (points,) = given.by, given.data
    nearest = ((points[:, None] - centroids) ** 2).sum(2).argmin(1)
    means = [points[nearest == j].mean(0) for j in range(len(centroids))]
    np.testing.assert_allclose(centroids - module.by_hand(given)[0], means, rtol=1e-12)


@pytest.mark.parametrize("variant", ["simple", "complicated"])
def test_ht_jacobian_is_the_slope_of_the_residuals(variant):
    module, given = case("ht", {"v": variant})
    directions = [np.random.default_rng(3).normal(size=x.shape) for x in given.by]
    got = sum(j @ d for j, d in zip(module.by_hand(given), directions))
    expected = along(module.objective, given, directions)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_particle_finds_the_published_control():
    """Pearlmutter and Siskind give 0.20719187464861194."""
    module, given = case("particle", {"step": 1e-5, "tolerance": 1e-5})
    np.testing.assert_allclose(module.by_hand(given)[0], 0.20719187464861194, rtol=1e-12)
