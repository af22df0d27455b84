"""Programs in HIPS autograd's words, run on it and on us: each takes the library as `A`.

`A.np`, `A.scipy`, `A.misc` and so on are its modules; the operators stand on `A` itself.
"""

import numpy as np

X = np.array([0.3, -1.2, 2.1, 0.7])
POSITIVE = np.array([0.3, 1.2, 2.1, 0.7])
RNG = np.random.default_rng(3)
M = RNG.normal(size=(4, 4))
SYMMETRIC = M @ M.T + 4 * np.eye(4)
Z = np.array([1.0 + 2.0j, -0.5 + 0.1j, 0.3 - 1.0j])

cases = {}


def case(function):
    cases[function.__name__] = function
    return function


# Functions of arrays: f(np, x), whose elements are summed with weights that tell them apart.

UNARY = [
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "expm1",
    "exp2",
    "arctan",
    "arcsinh",
    "square",
    "abs",
    "negative",
    "reciprocal",
    "sign",
    "floor",
    "cumsum",
    "ravel",
    "sort",
    "flipud",
    "real",
    "imag",
    "fabs",
    "absolute",
    "conj",
    "sinc",
    "deg2rad",
    "rad2deg",
]
UNARY_POSITIVE = ["log", "log2", "log10", "log1p", "sqrt"]
UNARY_SMALL = ["arcsin", "arccos", "arctanh"]

EXPRESSIONS = """
np.sum(x)
np.sum(x, axis=0, keepdims=True)
np.mean(x)
np.var(x)
np.std(x, ddof=1)
np.prod(x)
np.max(x)
np.min(x)
x.max() - x.min()
np.dot(x, x)
np.dot(M, x)
np.outer(x, x)
np.inner(x, x)
np.kron(x, x[:2])
np.tensordot(M, x, 1)
np.einsum("ij,j->i", M, x)
np.einsum("i,i->", x, x)
M @ x
x @ M @ x
np.where(x > 0, x, 2 * x)
np.maximum(x, 0.0)
np.minimum(x, 0.5)
np.clip(x, -1.0, 1.5)
np.concatenate([x, 2 * x])
np.concatenate((x[None], x[None] ** 2), axis=0)
np.stack([x, x * x])
np.stack([x, x * x], axis=1)
np.vstack([x, x])
np.hstack([x, x])
np.column_stack([x, x])
np.append(x, x)
np.append(x, 3.0)
np.array([x[0], 2 * x[1], x[2] * x[3]])
np.array([[x[0], 1.0], [2.0, x[1]]])
np.array(x)
np.r_[x, 1.0]
np.c_[x, x]
np.reshape(x, (2, 2))
x.reshape((2, 2)).T
np.transpose(np.reshape(x, (2, 2)))
np.swapaxes(np.reshape(x, (2, 2)), 0, 1)
np.moveaxis(np.reshape(x, (2, 2, 1)), 2, 0)
np.squeeze(x[None])
np.expand_dims(x, 1)
np.repeat(x, 2)
np.tile(x, 2)
np.tile(x, (2, 1))
np.roll(x, 1)
np.fliplr(np.reshape(x, (2, 2)))
np.rot90(np.reshape(x, (2, 2)))
np.diff(x)
np.gradient(x)
np.trace(np.reshape(x, (2, 2)))
np.diag(x)
np.tril(np.reshape(x, (2, 2)))
np.triu(np.reshape(x, (2, 2)))
np.pad(x, (1, 2), mode="constant")
np.array_split(x, 2)[0]
np.split(x, 2)[1]
x[1:3]
x[::-1]
x[np.array([0, 0, 2])]
x[x > 0]
x[..., None]
x[[1, 1]]
np.sum(x ** 3) / np.sum(x ** 2)
x ** 2 + 2 ** x
x / (1 + x ** 2)
x % 0.7
np.mod(x, 0.7)
np.remainder(x, 0.7)
np.power(np.abs(x), 1.5)
np.arctan2(x, 2.0)
np.logaddexp(x, 1.0)
np.logaddexp2(x, 1.0)
np.sqrt(x ** 2 + 1)
np.linalg.norm(x)
np.linalg.norm(np.outer(x, x) + M)
np.linalg.det(M + np.diag(x))
np.linalg.slogdet(M + np.diag(x))[1]
np.linalg.inv(M + np.diag(x))
np.linalg.solve(M, x)
np.linalg.solve(M + np.diag(x), x)
np.linalg.pinv(M + np.diag(x))
np.linalg.cholesky(S + np.diag(x))
np.linalg.eigh(S + np.diag(x))[0]
np.linalg.svd(M + np.diag(x), compute_uv=False)
(M + np.diag(x)) @ (M + np.diag(x))
np.real(np.fft.fft(x))
np.imag(np.fft.fft(x))
np.abs(np.fft.fft(x)) ** 2
np.real(np.fft.ifft(x))
np.real(np.fft.rfft(x))
np.fft.irfft(np.fft.rfft(x) * 2)
np.real(np.fft.fft2(np.reshape(x, (2, 2))))
np.real(np.fft.fftshift(np.fft.fft(x)))
np.nan_to_num(x)
np.cross(x[:3], np.array([1.0, 2.0, 3.0]))
np.atleast_2d(x)
np.full(x.shape, 1.0) * x
np.zeros_like(x) + x
np.ones_like(x) * x
np.select([x > 1, x > 0], [x, 2 * x])
np.sum(np.sin(x))
x.sum() + x.mean() + x.var() + x.std()
np.dot(x.cumsum()[::-1], M)
np.cumsum(x ** 2)
abs(x) + (-x)
x.flatten() + x.ravel()
x.astype(float)
np.sum(np.array([xi ** 2 for xi in x]))
sum(xi * i for i, xi in enumerate(x))
""".strip().splitlines()

SPECIAL = [
    "gammaln(p)",
    "gamma(p)",
    "psi(p)",
    "digamma(p)",
    "polygamma(1,p)",
    "rgamma(p)",
    "gammainc(2.5,p)",
    "gammaincc(2.5,p)",
    "beta(p,1.5)",
    "betaln(1.5,p)",
    "betainc(1.5,2.5,p/3)",
    "erf(x)",
    "erfc(x)",
    "erfinv(x/3)",
    "erfcinv(p/3)",
    "logit(p/3)",
    "expit(x)",
    "logsumexp(x)",
    "j0(p)",
    "j1(p)",
    "y0(p)",
    "y1(p)",
    "jn(2,p)",
    "yn(2,p)",
    "i0(x)",
    "i1(x)",
    "iv(2,p)",
    "ive(2,p)",
    "multigammaln(p+3,3)",
    "logsumexp(x,axis=0,keepdims=True)",
]

STATS = [
    "norm.pdf(x)",
    "norm.logpdf(x,0.3,1.5)",
    "norm.cdf(x)",
    "norm.cdf(x,0.3,1.5)",
    "norm.logcdf(x)",
    "norm.sf(x)",
    "norm.logsf(x,0.3,1.5)",
    "norm.logpdf(0.4,x,p)",
    "norm.pdf(0.4,x,p)",
    "norm.logcdf(0.4,x,p)",
    "gamma.logpdf(p,2.5)",
    "gamma.pdf(p,2.5)",
    "gamma.cdf(p,2.5)",
    "gamma.logpdf(1.3,p)",
    "beta.logpdf(p/3,1.5,2.5)",
    "beta.pdf(p/3,1.5,2.5)",
    "beta.cdf(p/3,1.5,2.5)",
    "beta.logpdf(0.3,p,p+1)",
    "chi2.logpdf(p,3)",
    "chi2.pdf(p,3)",
    "chi2.cdf(p,3)",
    "t.logpdf(x,3.0)",
    "t.pdf(x,3.0,0.1,1.3)",
    "t.cdf(x,3.0)",
    "t.logcdf(x,3.0)",
    "t.logpdf(0.4,p)",
    "t.logpdf(0.4,3.0,x,p)",
    "poisson.logpmf(2,p)",
    "poisson.pmf(2,p)",
    "poisson.cdf(2,p)",
    "multivariate_normal.logpdf(x,np.zeros(4),S)",
    "multivariate_normal.pdf(x,np.zeros(4),S)",
    "multivariate_normal.logpdf(np.ones(4),x,S)",
    "multivariate_normal.entropy(x,S)",
    "dirichlet.logpdf(np.array([0.2,0.3,0.5]),p[:3])",
    "dirichlet.pdf(np.array([0.2,0.3,0.5]),p[:3])",
]


def of_expression(text, point):
    """The case that weighs the elements of an expression and takes the gradient."""
    code = compile(text, text, "eval")

    def gradient(A):
        np_ = A.np

        def f(x):
            names = {**A.names, "np": np_, "x": x, "p": x, "M": M, "S": SYMMETRIC}
            y = eval(code, names)
            weights = 1.0 + 0.1 * np.arange(np.size(y)).reshape(np.shape(y))
            return np_.sum(y * weights)

        return A.value_and_grad(f)(point)

    return gradient


for _name in UNARY + UNARY_POSITIVE + UNARY_SMALL:
    _point = POSITIVE if _name in UNARY_POSITIVE else X / 3 if _name in UNARY_SMALL else X
    cases[f"np.{_name}"] = of_expression(f"np.{_name}(x)", _point)
for _text in EXPRESSIONS:
    cases[_text] = of_expression(_text, X)
for _text in SPECIAL:
    cases[f"special.{_text}"] = of_expression(
        f"special.{_text}", POSITIVE if "(p" in _text or ",p" in _text else X
    )
for _text in STATS:
    _point = POSITIVE if "p" in _text.replace("pdf", "").partition("(")[2] else X
    cases[f"stats.{_text}"] = of_expression(f"stats.{_text}", _point)


# Operators and what else users write.


@case
def jacobians(A):
    f = lambda x: A.np.array([x[0] * x[1], A.np.sin(x[2]), x[3] ** 2])
    return A.jacobian(f)(X), A.jacobian(lambda x: A.np.outer(x, x))(X)


@case
def hessians(A):
    f = lambda x: A.np.sum(A.np.exp(x) * x[::-1])
    return A.hessian(f)(X), A.hessian(lambda x: x**3)(2.0)


@case
def products(A):
    f = lambda x, k: k * A.np.sum(A.np.sin(x) ** 2 * x[::-1])
    g = lambda x: A.np.dot(M, A.np.tanh(x))
    return (
        A.hessian_vector_product(f)(X, 2.0, POSITIVE),
        A.hessian_tensor_product(f)(X, 2.0, POSITIVE),
        A.vector_jacobian_product(g)(X, POSITIVE),
        A.tensor_jacobian_product(g)(X, POSITIVE),
        A.make_hvp(f)(X, 2.0)[0](POSITIVE),
        A.make_ggnvp(g)(X)(POSITIVE),
        A.make_vjp(g)(X)[0](POSITIVE),
        A.make_jvp_reversemode(g)(X)(POSITIVE),
    )


@case
def forward_mode(A):
    value, tangent = A.make_jvp(lambda x: A.np.sin(x) * x)(X)(POSITIVE)
    return value, tangent, A.deriv(lambda x: x**3)(2.0)


@case
def by_position_and_by_name(A):
    f = lambda x, y, z=3.0: A.np.sum(x * y**2 * z)
    return (
        A.grad(f, 1)(X, 2.0),
        A.grad(f, (0, 1))(X, 2.0),
        A.grad(f, [0, 1])(X, 2.0, z=1.5),
        A.grad_named(f, "y")(X, 2.0),
        A.elementwise_grad(lambda x, y: A.np.tanh(x) * y, 1)(X, X),
    )


@case
def nested_derivatives(A):
    third = A.grad(A.grad(A.grad(lambda x: A.np.sin(x) * x**3)))
    inside = A.grad(lambda x: x * A.grad(lambda y: x * y**2)(2.0))
    egrad = A.elementwise_grad(A.elementwise_grad(A.np.tanh))
    return third(0.7), inside(3.0), egrad(X)


@case
def containers(A):
    def loss(parameters, data):
        h = data
        for w, b in parameters["layers"]:
            h = A.np.tanh(A.np.dot(h, w) + b)
        return A.np.sum(h**2) * parameters["scale"]

    parameters = {"layers": [(M, X), (M.T, POSITIVE)], "scale": 2.0}
    found = A.grad(loss)(parameters, X)
    (w, b), (v, c) = found["layers"]
    return w, b, v, c, found["scale"]


@case
def lists_and_tuples_that_autograd_makes(A):
    def f(x):
        pair = A.builtins.tuple((x, x**2))
        items = A.builtins.list([x, 2 * x])
        named = A.builtins.dict(a=x, b=x**3)
        return A.np.sum(pair[1] * items[1]) + A.np.sum(named["b"])

    return A.grad(f)(X)


@case
def auxiliary_results(A):
    gradient, aux = A.grad_and_aux(lambda x: (A.np.sum(x**2), A.np.cos(x)))(X)
    return gradient, aux


@case
def checkpoints(A):
    inner = A.checkpoint(lambda x: A.np.tanh(A.np.sin(x)))
    return A.grad(lambda x: A.np.sum(inner(inner(x))))(X)


@case
def complex_gradients(A):
    return (
        A.grad(lambda z: A.np.real(z**2 * 1j))(1.0 + 2.0j),
        A.grad(lambda z: A.np.abs(z) ** 2)(1.0 + 2.0j),
        A.grad(lambda z: A.np.sum(A.np.abs(A.np.exp(z) * z)))(Z),
        A.grad(lambda z: A.np.real(A.np.sum(A.np.conj(z) * z * z)))(Z),
        A.grad(lambda z: A.np.sum(A.np.angle(z)))(Z),
        A.holomorphic_grad(lambda z: z**3)(1.0 + 2.0j),
        A.holomorphic_grad(lambda z: A.np.sum(A.np.sin(z) * z))(Z),
        A.make_vjp(lambda z: z * (1.0 + 2.0j))(Z)[0](Z),
        A.make_vjp(lambda x: x * (1.0 + 2.0j))(X)[0](X * 1j),
        A.make_jvp(lambda z: z**2)(Z)(Z * 1j)[1],
        A.grad(lambda x: A.np.sum(A.np.abs(A.np.fft.fft(x * (1 + 1j)))))(X),
    )


@case
def rules_of_users(A):
    @A.extend.primitive
    def logsumexp(x, axis=None):
        top = np.max(x)
        return top + np.log(np.sum(np.exp(x - top), axis=axis))

    A.extend.defvjp(
        logsumexp,
        lambda ans, x, axis=None: lambda g: A.np.full(x.shape, 1.0) * g * A.np.exp(x - ans),
    )
    A.extend.defjvp(
        logsumexp, lambda g, ans, x, axis=None: A.np.sum(g * A.np.exp(x - ans), axis=axis)
    )
    f = lambda x: logsumexp(A.np.sin(x)) ** 2
    return A.grad(f)(X), A.hessian(f)(X), A.make_jvp(f)(X)(POSITIVE)[1]


@case
def rules_by_argument(A):
    @A.extend.primitive
    def combine(a, b, k):
        return a * b**k

    A.extend.defvjp_argnum(
        combine,
        lambda n, ans, args, kwargs: (
            lambda g: g * args[1] ** args[2] if n == 0 else g * ans * args[2] / args[1]
        ),
    )

    @A.extend.primitive
    def product(a, b):
        return a * b

    A.extend.defvjp_argnums(
        product,
        lambda argnums, ans, args, kwargs: lambda g: [g * args[1 - n] for n in argnums],
    )
    A.extend.def_linear(product)
    return (
        A.grad(lambda x: A.np.sum(combine(x, x, 3)))(X),
        A.hessian(lambda x: A.np.sum(combine(x, 2.0 + x, 2) * product(x, x)))(X),
        A.make_jvp(lambda x: product(x, 3.0))(X)(X)[1],
    )


@case
def a_rule_that_returns_several(A):
    @A.extend.primitive
    def split(x):
        return np.sin(x), np.cos(x)

    A.extend.defvjp(split, lambda ans, x: lambda g: g[0] * A.np.cos(x) - g[1] * A.np.sin(x))

    def f(x):
        s, c = split(x)
        return A.np.sum(s * c**2)

    return A.grad(f)(X)


@case
def zeros_and_constants(A):
    f = A.extend.primitive(lambda x, y: x * y)
    A.extend.defvjp(f, lambda ans, x, y: lambda g: g * y, None)
    marked = A.extend.notrace_primitive(np.floor)
    return (
        A.grad(lambda x: A.np.sum(f(x, x)))(X),
        A.grad(lambda x: A.np.sum(x * marked(x)))(X),
        A.grad(lambda x: A.np.sum(x) * A.tracer.getval(x)[0])(X),
    )


@case
def flattening(A):
    tree = {"b": [M, 2.0], "a": (X, X)}
    vector, unflatten = A.misc.flatten(tree)
    back = unflatten(vector * 2)
    gradient = A.grad(lambda v: A.np.sum(unflatten(v)["b"][0] ** 2))(vector)
    return vector, back["b"][0], back["b"][1], back["a"][1], gradient


@case
def optimizers(A):
    loss = lambda p, i: A.np.sum((p["w"] - 1.0) ** 2) + (p["b"] * 1.0) ** 2
    start = {"w": X, "b": 3.0}
    found = []
    for name in ("sgd", "adam", "rmsprop"):
        result = getattr(A.optimizers, name)(A.grad(loss), start, num_iters=20)
        found += [result["w"], result["b"]]
    return found


@case
def fixed_points(A):
    def root(a):
        step = lambda a: lambda x: (x + a / x) / 2
        return A.fixed_points.fixed_point(step, a, 1.0, lambda x, y: abs(x - y), 1e-13)

    return A.grad(root)(3.0), A.grad(A.grad(root))(3.0)


@case
def matrix_functions(A):
    la = A.scipy.linalg
    lower = np.tril(M) + 3 * np.eye(4)
    back = lambda f, at: A.grad(lambda x: A.np.sum(f(x) * M))(at)
    return (
        back(la.sqrtm, SYMMETRIC),
        back(lambda L: la.solve_triangular(L, M, lower=True), lower),
        back(lambda L: la.solve_triangular(L, M, trans="T", lower=True), lower),
        back(lambda B: la.solve_triangular(lower, B, lower=True), M),
        back(lambda B: la.solve_sylvester(SYMMETRIC, M + 9 * np.eye(4), B), M),
        back(lambda B: la.solve_sylvester(B + 9 * np.eye(4), SYMMETRIC, M), M),
    )


@case
def banded_systems(A):
    bands = np.array([[0.0, 1.0, 0.5, 0.3], [4.0, 5.0, 6.0, 5.0], [0.4, 0.2, 0.1, 0.0]])
    f = lambda ab, b: A.np.sum(A.scipy.linalg.solve_banded((1, 1), ab, b) * POSITIVE)
    gradient = A.grad(f)(bands, X)
    return gradient[0, 1:], gradient[1], gradient[2, :-1], A.grad(f, 1)(bands, X)


@case
def convolutions(A):
    found = []
    a, b = RNG_A, RNG_B
    convolve = A.scipy.signal.convolve
    for mode in ("full", "valid"):
        for axes, dots in CONVOLUTIONS:
            options = {"axes": axes, "dot_axes": dots, "mode": mode}
            f = lambda a, b, **options: A.np.sum(A.np.sin(convolve(a, b, **options)))
            found += [f(a, b, **options)]
            found += [A.grad(f, n)(a, b, **options) for n in (0, 1)]
    same = lambda a: A.np.sum(A.np.sin(convolve(a, X[:3], mode="same")))
    return [*found, same(POSITIVE), A.grad(same)(POSITIVE)]


RNG_A = np.random.default_rng(1).normal(size=(2, 5, 6))
RNG_B = np.random.default_rng(2).normal(size=(2, 3, 2))
CONVOLUTIONS = [
    (None, ((), ())),
    (((1, 2), (1, 2)), ((0,), (0,))),
    (((1, 2), (1, 2)), ((), ())),
    (((2,), (1,)), ((), ())),
]


@case
def ordinary_differential_equations(A):
    odeint = A.scipy.integrate.odeint
    times = np.linspace(0.1, 1.2, 5)

    def pendulum(y, t, k, m):
        return A.np.array([y[1], -k * A.np.sin(y[0]) * (1 + 0.1 * t) + m[0]])

    def f(y0, t, k, m):
        y = odeint(pendulum, y0, t, A.builtins.tuple((k, m)), rtol=1e-10, atol=1e-10)
        return A.np.sum(y**2 * y[0, 0])

    arguments = (X[:2], times, 2.0, X[:1])
    return [A.grad(f, n)(*arguments) for n in range(4)]


@case
def a_gaussian_mixture(A):
    data = np.random.default_rng(0).normal(size=(30, 2))

    def log_likelihood(p):
        scores = [
            A.np.log(w) + A.scipy.stats.multivariate_normal.logpdf(data, m, c @ c.T)
            for w, m, c in zip(A.np.exp(p["logits"]), p["means"], p["roots"])
        ]
        return A.np.sum(A.scipy.special.logsumexp(A.np.vstack(scores), axis=0))

    p = {
        "logits": np.array([0.1, -0.3]),
        "means": [np.zeros(2), np.ones(2)],
        "roots": [np.eye(2), np.array([[1.0, 0.0], [0.5, 2.0]])],
    }
    found = A.grad(log_likelihood)(p)
    return found["logits"], *found["means"], *found["roots"]


@case
def gaussian_process(A):
    x = np.linspace(0, 1, 12)

    def marginal(p):
        scale, noise = A.np.exp(p[0]), A.np.exp(p[1])
        K = A.np.exp(-(((x[:, None] - x[None, :]) / scale) ** 2)) + noise * A.np.eye(12)
        return A.scipy.stats.multivariate_normal.logpdf(np.sin(9 * x), np.zeros(12), K)

    return A.value_and_grad(marginal)(np.array([-0.5, -2.0]))


@case
def a_recurrent_network(A):
    inputs = np.random.default_rng(5).normal(size=(6, 3, 4))

    def loss(p):
        h = A.np.zeros((3, 4))
        total = 0.0
        for step in inputs:
            h = A.np.tanh(A.np.dot(step, p[0]) + A.np.dot(h, p[1]) + p[2])
            total = total + A.np.mean(h**2)
        return total

    return A.grad(loss)([M, M.T, X])


@case
def fluid_steps(A):
    def loss(field):
        for _ in range(3):
            field = (A.np.roll(field, 1, axis=0) + A.np.roll(field, -1, axis=1)) / 2
            field = field / (1 + A.np.mean(field**2))
        return A.np.mean((field - 1.0) ** 2)

    return A.value_and_grad(loss)(M)


@case
def stochastic_variational_inference(A):
    draws = np.random.default_rng(7).normal(size=(20, 2))

    def objective(q):
        mean, log_std = q[:2], q[2:]
        samples = draws * A.np.exp(log_std) + mean
        density = A.scipy.stats.norm.logpdf(samples[:, 1], 0, 1.35) + A.scipy.stats.norm.logpdf(
            samples[:, 0], 0, A.np.exp(samples[:, 1])
        )
        return -A.np.mean(density) - A.np.sum(log_std)

    return A.value_and_grad(objective)(np.array([0.1, -0.2, -1.0, -0.5]))


@case
def branches_and_loops(A):
    def f(x):
        while x < 20.0:
            x = x * x if x > 2.0 else x + 1.0
        return A.np.sqrt(x)

    return A.grad(f)(0.3), A.grad(f)(2.5)


@case
def types(A):
    seen = []

    def f(x):
        seen.append(A.builtins.isinstance(x, np.ndarray))
        seen.append(A.builtins.type(x) is np.ndarray)
        seen.append(bool(A.tracer.isbox(x)))
        return A.np.sum(x)

    A.grad(f)(X)
    return [float(s) for s in seen]


@case
def spaces(A):
    space = A.extend.vspace(Z)
    pair = A.extend.vspace((X, 1.0))
    return (
        float(space.size),
        space.ones(),
        list(space.standard_basis()),
        space.inner_prod(Z, Z * 1j + 1),
        float(pair.size),
        pair.zeros()[0],
        float(pair == A.extend.vspace((POSITIVE, 2.0))),
    )
