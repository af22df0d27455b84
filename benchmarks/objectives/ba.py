"""ADBench's BA: the sparse Jacobian of bundle adjustment, as the dense block of each observation.

A camera is a rotation vector r, a centre, a focal length f, a principal point and two
coefficients of radial distortion. It sees a point X at

    f d(x) x + principal,   x = perspective(R(r) (X - centre)),   d(x) = 1 + k_1 |x|^2 + k_2 |x|^4

The residuals are w (seen - observed), whose block is (2, 11 + 3 + 1), and 1 - w^2.
"""

from types import SimpleNamespace

import numpy as np

from ctool import filling, native
from objectives import data
from objectives.asking import (
    Array,
    Inputs,
    Ways,
    compiled,
    jitted_by_jax,
    load_casadi,
    load_jax,
    load_torch,
    through_casadi,
)

SIZES = [{"n": 49, "m": 7_776, "p": 31_843}, {"n": 93, "m": 61_203, "p": 287_451}]
SMALL = {"n": 3, "m": 5, "p": 7}
PUBLISHED = "ba1.txt"  # one camera, one point, one weight, one observed feature
CAMERA = [-0.7, -1.1, -0.8, 34.0, 39.0, 53.0, 420.0, 5.0, -8.0, 0.09, 0.003]
POINT, FEATURE = [7.0, 0.0, 3.0], [270.0, 830.0]


def inputs(n: int, m: int, p: int) -> Inputs:
    """The cameras, points and weights of each of p observations, and what it observed.

    ADBench repeats one camera and one point; here each differs a little from its fellows.
    """
    rng = np.random.default_rng((n, m, p))
    camera, point, feature = published() if data.folder() else (CAMERA, POINT, FEATURE)
    cameras = np.array(camera) * (1 + 0.01 * rng.normal(size=(n, 11)))
    points = np.array(point) + rng.normal(size=(m, 3))
    weights = rng.uniform(size=p)
    features = np.array(feature) + rng.normal(size=(p, 2))
    seen = np.arange(p)
    return Inputs((cameras[seen % n], points[seen % m], weights), (features,))


def published() -> tuple[list[float], list[float], list[float]]:
    """The camera, the point and the feature of ADBench's file."""
    _, camera, point, _, feature = data.text(PUBLISHED).splitlines()[:5]
    return tuple([float(word) for word in line.split()] for line in (camera, point, feature))


def residuals(camera, point, weight, feature, xp=np):
    """The two residuals of one observation."""
    rx, ry, rz = camera[0], camera[1], camera[2]
    x, y, z = point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]
    square = rx * rx + ry * ry + rz * rz
    turned = square > 0
    angle = xp.sqrt(xp.where(turned, square, 1.0))
    # Rodrigues: X cos t + (r x X) sin t / t + r (r . X) (1 - cos t) / t^2; at r = 0: X + r x X
    cos = xp.where(turned, xp.cos(angle), 1.0)
    sin = xp.where(turned, xp.sin(angle) / angle, 1.0)
    along = xp.where(turned, (1 - cos) / angle**2, 0.0) * (rx * x + ry * y + rz * z)
    seen_x = x * cos + (ry * z - rz * y) * sin + rx * along
    seen_y = y * cos + (rz * x - rx * z) * sin + ry * along
    seen_z = z * cos + (rx * y - ry * x) * sin + rz * along
    u, v = seen_x / seen_z, seen_y / seen_z
    radius = u * u + v * v
    scale = camera[6] * (1 + camera[9] * radius + camera[10] * radius * radius)
    return xp.stack(
        [
            weight * (scale * u + camera[7] - feature[0]),
            weight * (scale * v + camera[8] - feature[1]),
        ]
    )


def weight_error(weight):
    return 1 - weight**2


def objective(cameras, points, weights, features):
    """All residuals, observations last."""
    return residuals(cameras.T, points.T, weights, features.T), weight_error(weights)


def by_hand(given: Inputs) -> tuple[Array, Array, Array, Array]:
    """The chain rule, of all observations at once.

    d(R(r) X)/dr = -R [X] (r r^T + (R^T - 1) [r]) / |r|^2, where [a] b = a x b.
    """
    (cameras, points, weights), (features,) = given.by, given.data
    count = len(weights)
    r, focal, k1, k2 = cameras[:, :3], cameras[:, 6], cameras[:, 9], cameras[:, 10]
    x = points - cameras[:, 3:6]
    square = (r**2).sum(1)
    angle = np.sqrt(square)
    skew = cross_matrices(r)
    one = np.eye(3)
    rotation = (
        one
        + (np.sin(angle) / angle)[:, None, None] * skew
        + ((1 - np.cos(angle)) / square)[:, None, None] * (skew @ skew)
    )
    inner = r[:, :, None] * r[:, None, :] + (rotation.transpose(0, 2, 1) - one) @ skew
    by_r = -rotation @ cross_matrices(x) @ (inner / square[:, None, None])
    seen = (rotation @ x[:, :, None])[:, :, 0]
    u = seen[:, :2] / seen[:, 2:]
    radius = (u**2).sum(1)
    distortion = 1 + k1 * radius + k2 * radius**2
    by_radius = 2 * (k1 + 2 * k2 * radius)
    by_u = focal[:, None, None] * (
        distortion[:, None, None] * np.eye(2)
        + by_radius[:, None, None] * u[:, :, None] * u[:, None, :]
    )
    by_seen = np.empty((count, 2, 3))
    by_seen[:, :, :2] = by_u / seen[:, 2, None, None]
    by_seen[:, :, 2] = -(by_u @ u[:, :, None])[:, :, 0] / seen[:, 2:]
    by_point = by_seen @ rotation
    by_camera = np.zeros((count, 2, 11))
    by_camera[:, :, :3] = by_seen @ by_r
    by_camera[:, :, 3:6] = -by_point
    by_camera[:, :, 6] = distortion[:, None] * u
    by_camera[:, 0, 7] = by_camera[:, 1, 8] = 1
    by_camera[:, :, 9] = (focal * radius)[:, None] * u
    by_camera[:, :, 10] = (focal * radius**2)[:, None] * u
    error = (focal * distortion)[:, None] * u + cameras[:, 7:9] - features
    scale = weights[:, None, None]
    return scale * by_camera, scale * by_point, error, -2 * weights


def cross_matrices(a: Array) -> Array:
    """[a], of each row: the matrix with [a] b = a x b."""
    x, y, z = a.T
    zero = np.zeros_like(x)
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).reshape(-1, 3, 3)


def in_qiudao(given: Inputs) -> Ways:
    import qiudao as qd

    blocks = qd.vmap(qd.jacrev(residuals, argnums=(0, 1, 2)))
    slopes = qd.vmap(qd.grad(weight_error))

    def jacobian(cameras, points, weights, features):
        return *blocks(cameras, points, weights, features), slopes(weights)

    return (
        {"qiudao": lambda: jacobian(*given.all)}
        | compiled("qiudao.jit", jacobian, given.all)
        | compiled("qiudao.jit primal", objective, given.all)
    )


def in_jax(given: Inputs) -> Ways:
    jax = load_jax()
    f = given.bind(residuals, xp=jax.numpy)
    slopes = jax.vmap(jax.grad(weight_error))
    ways: Ways = {}
    for name, transform in (("jax.jit", jax.jacrev), ("jax.jit, forward", jax.jacfwd)):
        blocks = jax.vmap(transform(f, argnums=(0, 1, 2)))

        def jacobian(cameras, points, weights, features, blocks=blocks):
            return *blocks(cameras, points, weights, features), slopes(weights)

        ways |= jitted_by_jax(jacobian, given.all, name)
    return ways


def in_torch(given: Inputs) -> Ways:
    """Two sweeps, one for each residual, of all observations at once."""
    torch = load_torch()
    leaves = [torch.from_numpy(x.copy()).requires_grad_() for x in given.by]
    (features,) = (torch.from_numpy(x) for x in given.data)
    cameras, points, weights = leaves

    def jacobian():
        found = residuals(cameras.T, points.T, weights, features.T, torch)
        first = torch.autograd.grad(found[0].sum(), leaves, retain_graph=True)
        second = torch.autograd.grad(found[1].sum(), leaves)
        blocks = [torch.stack(rows, 1) for rows in zip(first, second)]
        (slopes,) = torch.autograd.grad(weight_error(weights).sum(), weights)
        return *blocks, slopes

    return {"torch": jacobian}


def in_casadi(given: Inputs) -> Ways:
    """The blocks of one observation, mapped."""
    casadi = load_casadi()
    xp = SimpleNamespace(cos=casadi.cos, sin=casadi.sin, sqrt=casadi.sqrt, where=casadi.if_else)
    xp.stack = lambda rows: casadi.vertcat(*rows)
    symbols = [
        casadi.SX.sym(name, size) for name, size in (("c", 11), ("p", 3), ("w", 1), ("f", 2))
    ]
    found = residuals(*symbols, xp)
    blocks = [casadi.densify(casadi.jacobian(found, x).T) for x in symbols[:3]]
    slope = casadi.gradient(weight_error(symbols[2]), symbols[2])
    one = casadi.Function("one", symbols, [*blocks, slope], {"cse": True})
    count = len(given.by[2])
    return through_casadi(one.map(count), given.all, shapes_of_blocks(count))


def shapes_of_blocks(count: int) -> list[tuple[int, ...]]:
    return [(count, 2, 11), (count, 2, 3), (count, 2), (count,)]


def in_c(given: Inputs) -> Ways:
    count = len(given.by[2])
    outs = tuple(np.empty(shape) for shape in shapes_of_blocks(count))
    return {"C": filling(outs, native("ba").ba, *given.all, count)}
