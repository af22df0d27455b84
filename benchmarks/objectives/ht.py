"""ADBench's HT: the Jacobian of hand tracking, by 26 pose parameters and where points lie on the
hand.

A hand is a tree of bones and a mesh. Each bone turns by its angles in its parent's frame; a
vertex moves with its bones, weighted; the hand turns and moves as a whole. The residual of an
observed point is its distance vector to a vertex ("simple") or to the point (u, v) of a triangle
("complicated").

A residual depends on its own (u, v) only, so that one shift added to all of them has, as its
Jacobian, every residual's derivative by its own: the compressed Jacobian, in 28 directions.
Vertices that nothing refers to are left out beforehand, for all contenders. The published special
case of a hand turned by less than 1e-4 is not there.
"""

import numpy as np

from ctool import filling, native
from objectives import data
from objectives.asking import Array, Inputs, Ways, compiled, jitted_by_jax, load_jax, load_torch

SIZES = [
    {"v": variant, "model": model, "c": count}
    for variant, model, count in (
        ("simple", "small", 100),
        ("simple", "small", 800),
        ("complicated", "small", 800),
        ("complicated", "big", 100),
        ("simple", "big", 3_200),
        ("complicated", "big", 3_200),
    )
]
SMALL = {"v": "complicated", "model": "made", "c": 5}
FINGERS, BONES = 5, 22
PARAMETERS = 6 + 4 * FINGERS  # the whole hand's rotation and translation, four angles a finger
PARENTS = [-1] + [0 if i % 4 == 1 else i - 1 for i in range(1, BONES)]  # wrist, fingers, forearm


def angles_of_bones() -> Array:
    """Which parameter is the x, z and y angle of each bone; the last stands for none."""
    which = np.full((BONES, 3), PARAMETERS)
    for finger in range(FINGERS):
        second = 2 + 4 * finger  # the first bone of a finger is stiff
        which[second, :2] = 6 + 4 * finger, 7 + 4 * finger
        which[second + 1, 0] = 8 + 4 * finger
        which[second + 2, 0] = 9 + 4 * finger
    return which


ANGLES = angles_of_bones()


def inputs(v: str, model: str, c: int) -> Inputs:
    """By the pose (and the shift); data: the bones, the mesh where it is observed, and the points.

    The mesh is stored as weighted homogeneous positions (22, 4, vertices): the posed vertex is the
    sum over bones of the bone's transform times that.
    """
    if model == "made":
        return made(v, c)
    base, inverse, mesh, triangles = hand(model)
    rows = [line.split() for line in data.text(f"hand_{v}_{model}_{c}.txt").splitlines()[1:]]
    which = np.array([int(row[0]) for row in rows[:c]])
    points = np.array([row[1:] for row in rows[:c]], float).T
    theta = np.array([float(row[0]) for row in rows[-PARAMETERS:]])
    if v == "simple":
        return Inputs((theta,), (base, inverse, taken(mesh, which), points))
    at = np.ascontiguousarray(np.array(rows[c : 2 * c], float).T)
    corners = triangles[which].T.ravel()
    return Inputs((theta, np.zeros(2)), (base, inverse, taken(mesh, corners), points, at))


def taken(mesh: Array, which: Array) -> Array:
    """Some vertices, in row-major order: jax and torch copy them beforehand, so for all."""
    return np.ascontiguousarray(mesh[:, :, which])


def hand(model: str) -> tuple[Array, Array, Array, Array]:
    """The bones' base transforms, the inverse of their absolute ones, the mesh, the triangles."""
    bones = [line.split(":") for line in data.text(f"hand_{model}/bones.txt").splitlines()]
    if [int(bone[1]) for bone in bones] != PARENTS:
        raise ValueError(f"hand_{model}/bones.txt: not the published tree of {BONES} bones")
    base, inverse = (
        np.array([bone[i : i + 16] for bone in bones], float).reshape(-1, 4, 4) for i in (2, 18)
    )
    vertices = [line.split(":") for line in data.text(f"hand_{model}/vertices.txt").splitlines()]
    mesh = np.zeros((BONES, 4, len(vertices)))
    for i, fields in enumerate(vertices):
        position = np.array([*fields[:3], 1], float)
        for j in range(int(fields[8])):
            mesh[int(fields[9 + 2 * j]), :, i] = float(fields[10 + 2 * j]) * position
    lines = data.text(f"hand_{model}/triangles.txt").splitlines()
    return base, inverse, mesh, np.array([line.split(":") for line in lines], int)


def made(v: str, c: int) -> Inputs:
    """A hand out of a random generator, for tests."""
    rng = np.random.default_rng(c)
    base = np.tile(np.eye(4), (BONES, 1, 1))
    base[:, :3, 3] = rng.normal(size=(BONES, 3))
    inverse = np.linalg.inv(base)
    mesh = rng.uniform(size=(BONES, 4, c if v == "simple" else 3 * c))
    theta = rng.normal(size=PARAMETERS)
    points = rng.normal(size=(3, c))
    if v == "simple":
        return Inputs((theta,), (base, inverse, mesh, points))
    return Inputs((theta, np.zeros(2)), (base, inverse, mesh, points, rng.uniform(size=(2, c))))


def rotations(angles, xp=np):
    """R_z R_y R_x of each row of angles (x, z, y)."""
    cos, sin = xp.cos(angles), xp.sin(angles)
    cx, cz, cy = cos[:, 0], cos[:, 1], cos[:, 2]
    sx, sz, sy = sin[:, 0], sin[:, 1], sin[:, 2]
    entries = [
        *(cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz),
        *(cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz),
        *(-sy, sx * cy, cx * cy),
    ]
    return xp.stack(entries, 1).reshape(-1, 3, 3)


def rotation_about(axis, xp=np):
    """The rotation about a vector by its length."""
    angle = xp.sqrt((axis * axis).sum())
    unit = axis / angle
    x, y, z = unit[0], unit[1], unit[2]
    c, s = xp.cos(angle), xp.sin(angle)
    entries = [
        *(c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s),
        *(y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s),
        *(z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c)),
    ]
    return xp.stack(entries).reshape(3, 3)


def posed(theta, base, inverse, mesh, xp=np):
    """The positions (3, vertices) of the mesh in a pose."""
    angles = xp.concatenate([theta, xp.zeros_like(theta[:1])])[ANGLES]
    relative = xp.concatenate([base[:, :, :3] @ rotations(angles, xp), base[:, :, 3:]], 2)
    absolute = [relative[0]]
    for bone in range(1, BONES):
        absolute.append(absolute[PARENTS[bone]] @ relative[bone])
    transforms = (xp.stack(absolute) @ inverse)[:, :3]
    local = xp.moveaxis(transforms, 1, 0).reshape(3, -1) @ mesh.reshape(4 * BONES, -1)
    return rotation_about(theta[:3], xp) @ local + theta[3:6, None]


def simple(theta, base, inverse, mesh, points, xp=np):
    return points - posed(theta, base, inverse, mesh, xp)


def complicated(theta, shift, base, inverse, mesh, points, at, xp=np):
    corners = posed(theta, base, inverse, mesh, xp).reshape(3, 3, -1)
    u = at + shift[:, None]
    return points - (
        u[0] * corners[:, 0] + u[1] * corners[:, 1] + (1 - u[0] - u[1]) * corners[:, 2]
    )


def objective(*args, xp=np):
    """Either, by what it is given."""
    return (simple if len(args) == 5 else complicated)(*args, xp=xp)


def by_hand(given: Inputs) -> tuple[Array, ...]:
    """Forward along the tree, all pose parameters at once.

    dR(r)/dr_i = (r_i [r] + [r x (1 - R) e_i]) R / |r|^2, where [a] b = a x b.
    """
    theta, (base, inverse, mesh) = given.by[0], given.data[:3]
    angles = np.append(theta, 0.0)[ANGLES]
    turns = rotations(angles)
    relative = np.concatenate([base[:, :, :3] @ turns, base[:, :, 3:]], 2)
    slopes = np.zeros((PARAMETERS, BONES, 4, 4))
    for axis in range(3):
        bones = np.flatnonzero(ANGLES[:, axis] < PARAMETERS)
        slopes[ANGLES[bones, axis], bones, :, :3] = base[bones, :, :3] @ by_angle(
            angles[bones], axis
        )
    absolute, pushed = relative.copy(), slopes
    for bone in range(1, BONES):
        parent = PARENTS[bone]
        pushed[:, bone] = pushed[:, parent] @ relative[bone] + absolute[parent] @ slopes[:, bone]
        absolute[bone] = absolute[parent] @ relative[bone]
    flat = mesh.reshape(4 * BONES, -1)
    local = (absolute @ inverse)[:, :3].transpose(1, 0, 2).reshape(3, -1) @ flat
    moved = (pushed[6:] @ inverse)[:, :, :3].transpose(0, 2, 1, 3).reshape(-1, 4 * BONES) @ flat
    r, rotation = theta[:3], rotation_about(theta[:3])
    inside = np.cross(r, (np.eye(3) - rotation).T)
    by_r = (r[:, None, None] * cross_matrix(r) + cross_matrix(inside)) @ rotation / (r @ r)
    jacobian = np.empty((PARAMETERS, *local.shape))
    jacobian[:3] = by_r @ local
    jacobian[3:6] = np.eye(3)[:, :, None]
    jacobian[6:] = rotation @ moved.reshape(PARAMETERS - 6, *local.shape)
    if len(given.by) == 1:
        return (np.moveaxis(-jacobian, 0, -1),)
    u, v = given.data[4]
    corners = jacobian.reshape(PARAMETERS, 3, 3, -1)
    by_theta = u * corners[:, :, 0] + v * corners[:, :, 1] + (1 - u - v) * corners[:, :, 2]
    at = (rotation @ local).reshape(3, 3, -1)
    by_shift = np.stack([at[:, 2] - at[:, 0], at[:, 2] - at[:, 1]], -1)
    return np.moveaxis(-by_theta, 0, -1), by_shift


def by_angle(angles: Array, axis: int) -> Array:
    """The derivative of `rotations` by one of the angles: a quarter turn on, where it occurs."""
    turned, away = angles.copy(), angles.copy()
    turned[:, axis] += np.pi / 2
    away[:, axis] -= np.pi / 2
    return (rotations(turned) - rotations(away)) / 2


def cross_matrix(a: Array) -> Array:
    """[a], of each row: the matrix with [a] b = a x b."""
    return np.cross(a[..., None, :], np.eye(3)).swapaxes(-1, -2)


def in_qiudao(given: Inputs) -> Ways:
    import qiudao as qd

    f = simple if len(given.by) == 1 else complicated
    jacobian = qd.jacfwd(f, argnums=given.argnums)
    return (
        {"qiudao": lambda: jacobian(*given.all)}
        | compiled("qiudao.jit", jacobian, given.all)
        | compiled("qiudao.jit primal", f, given.all)
    )


def in_jax(given: Inputs) -> Ways:
    jax = load_jax()
    f = given.bind(objective, xp=jax.numpy)
    return jitted_by_jax(jax.jacfwd(f, argnums=given.argnums), given.all)


def in_torch(given: Inputs) -> Ways:
    torch = load_torch()
    jacobian = torch.func.jacfwd(given.bind(objective, xp=torch), argnums=given.argnums)
    args = [torch.from_numpy(np.ascontiguousarray(arg)) for arg in given.all]
    return {"torch": lambda: jacobian(*args)}


def in_c(given: Inputs) -> Ways:
    theta, (base, inverse, mesh, points, *at) = given.by[0], given.data
    count = points.shape[1]
    function = native("ht").complicated if at else native("ht").simple
    outs = tuple(np.empty((*points.shape, len(by))) for by in given.by)
    return {"C": filling(outs, function, theta, base, inverse, mesh, *at, count)}
