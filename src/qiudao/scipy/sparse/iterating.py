"""Solutions of linear systems by iteration, and their implicit derivatives.

From the solution x of A x = b that SciPy finds, the step x <- x + A^-1 (b - A x) with the A of now
keeps the value, and adds an order of right derivatives, in b and in all that A depends on: its
linear part is solved by the same method, in reverse mode with A^H.  Two steps are taken.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import linalg as theirs

import qiudao as qd
from scipy import sparse

from ...core.avals import Aval, Value, is_inexact
from ...core.errors import GradientError
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...transforms.foreign import run_foreign
from ...transforms.one_by_one import one_by_one
from ..operands import depends, plain, plainly
from .products import elements, product

STEPS = 2
CLOSE = 1e-13  # relative residuals that are rounding
RESTARTS = 5  # after breakdowns
Function = Callable[..., Any]


class Method:
    """One of SciPy's iterative methods with its options, on plain arrays."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name = name
        self.options = options
        self.info = 0

    def first(self, A: Any, b: Any, x0: Any) -> Any:
        """The solution from `x0`; how it went is kept."""
        x, self.info = getattr(theirs, self.name)(A, b, x0, **self.options)
        return x

    def further(self, A: Any, b: Any, turn: bool) -> Any:
        """A solution that a derivative asks for, of the adjoint system if `turn`."""
        if not np.any(b):
            return np.zeros_like(b)
        options = {k: x for k, x in self.options.items() if k != "callback"}
        if turn and options.get("M") is not None:
            options["M"] = theirs.aslinearoperator(options["M"]).H
        A = theirs.aslinearoperator(A)
        A = A.H if turn else A
        close = np.linalg.norm(b) * max(options.get("rtol", 1e-5), CLOSE)
        x, rest = np.zeros_like(b), b
        for _ in range(RESTARTS):
            size = np.linalg.norm(rest)  # of 1, since SciPy takes some absolute sizes for zero
            step, info = getattr(theirs, self.name)(A, rest / size, **options)
            if info == 0:
                return x + size * step
            if info > 0:
                break
            x = x + size * step  # a breakdown, from where another start goes on
            rest = b - A.matvec(x) + options.get("shift", 0.0) * x
            if np.linalg.norm(rest) <= close:
                return x
        raise GradientError(
            f"{self.name}: the system of a derivative is not solved to the tolerance "
            f"(info={info}); raise maxiter=, give a preconditioner M=, or raise rtol="
        )


class LinearMap(Primitive):
    """A map of vectors, linear in the last operand; the others are constants that make it."""

    function: str  # of SciPy's: what messages and programs call the map

    def __repr__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return self.function

    def is_linear(self, positions: set[int]) -> bool:
        return True

    def shape(self, *avals: Aval) -> Aval:
        kinds = [a.dtype for a in avals if is_inexact(a.dtype)]
        return Aval(avals[-1].shape, np.result_type(*kinds))

    def adjoint(self) -> Primitive:
        """The adjoint map."""
        raise NotImplementedError

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return None if dxs[-1] is None else self(*xs[:-1], dxs[-1])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        back = np.conj(self.adjoint()(*xs[:-1], np.conj(ct)))
        return (*(None,) * (len(xs) - 1), back)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        return one_by_one(self, size, mapped, xs)


@primitive
class Iterated(LinearMap):
    """The solution of `operator(*constants) x = b`, or of the adjoint system if `turn`."""

    how: Method
    operator: Function
    turn: bool = False
    samples = (
        sample(
            "f64[2,2]",
            "f64[2]",
            kind="definite",
            held=(0,),
            how=Method("cg", {"rtol": 1e-14}),
            operator=np.asarray,
        ),
        sample(
            "c128[2,2]",
            "c128[2]",
            kind="regular",
            held=(0,),
            how=Method("bicgstab", {"rtol": 1e-14}),
            operator=np.asarray,
            turn=True,
        ),
    )

    @property
    def label(self) -> str:
        return self.how.name

    def evaluate(self, *xs: Value) -> Value:
        return self.how.further(self.operator(*xs[:-1]), xs[-1], self.turn)

    def adjoint(self) -> Primitive:
        return Iterated(self.how, self.operator, not self.turn)


@primitive
class Applied(LinearMap):
    """SciPy's LinearOperator applied to a vector, or to the columns of a matrix."""

    operator: Any
    function: str = "matvec"
    samples = (
        sample("f64[2]", operator=theirs.aslinearoperator(np.eye(3, 2, dtype=np.float32) + 1)),
        sample("f64[2,2]", operator=theirs.aslinearoperator(np.eye(2, dtype=np.complex64) + 1j)),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        sizes = (self.operator.shape[0], *x.shape[1:])
        return Aval(sizes, np.result_type(self.operator.dtype, x.dtype))

    def evaluate(self, *xs: Value) -> Value:
        return self.operator @ xs[0]

    def adjoint(self) -> Primitive:
        return Applied(self.operator.H, self.function)


def operator_of(apply: Function, n: int, dtype: Any) -> Any:
    """A linear function of ours as SciPy's operator, on plain vectors."""
    turned = qd.vjp(apply, np.zeros(n, dtype))[1]
    return theirs.LinearOperator(
        (n, n),
        matvec=plainly(lambda x: apply(np.reshape(x, -1))),
        rmatvec=plainly(lambda y: turned(np.reshape(y, -1).astype(dtype))[0]),
        dtype=dtype,
    )


def iterated(name: str, A: Any, b: Any, x0: Any, data: Any, options: dict[str, Any]) -> Any:
    """(x, info) by one of SciPy's methods, with derivatives."""
    is_function = callable(A) and not isinstance(A, theirs.LinearOperator)
    if not is_function and not depends(A, b, data) and data is None:
        return getattr(theirs, name)(A, b, x0, **options)
    if depends(x0) or np.ndim(b) != 1:
        raise GradientError(
            f"{name}: derivatives are known for a vector b and a plain x0, on which the solution "
            "does not depend; reshape b, and cut x0 with qd.stop_gradient"
        )
    how = Method(name, options)
    state, apply, operator = parts_of(name, A, b, data)
    constants = [constant(x) for x in (*state, b)]
    like = Aval(np.shape(b), np.result_type(np.float32, *(x.dtype for x in constants)))
    start = None if x0 is None else plain(x0)

    def value(*xs: Any) -> Any:
        return how.first(operator(*xs[:-1]), xs[-1], start)

    x = run_foreign(name, value, [like], *constants)
    invert, shift = Iterated(how, operator), options.get("shift", 0.0)  # of minres: A - shift
    for _ in range(STEPS):
        rest = b - apply(x) + shift * x
        x = x + invert(*constants[:-1], rest - constant(rest))
    return x, how.info


def constant(x: Any) -> Any:
    """A value that no derivative passes."""
    return qd.stop_gradient(x) if depends(x) else np.asarray(x)


def parts_of(name: str, A: Any, b: Any, data: Any) -> tuple[tuple[Any, ...], Function, Function]:
    """What a matrix is made of, how it is applied to x, and SciPy's operator from plain parts."""
    if isinstance(A, theirs.LinearOperator):
        return (), Applied(A), lambda: A
    if callable(A):
        made = operator_of(A, len(b), np.result_type(b.dtype, np.float32))
        return (), A, lambda: made
    if depends(A) or isinstance(A, np.ndarray):
        return (A,), lambda x: A @ x, lambda A: A
    places, values = elements(name, A, data)
    rows, columns, shape = places

    def operator(v: Any) -> Any:
        return sparse.csr_array((v, (rows, columns)), shape=shape)

    return (values,), lambda x: product(places, values, x), operator


def method(name: str, summary: str) -> Function:
    """One of SciPy's iterative methods, with derivatives of its solution."""

    def function(A: Any, b: Any, x0: Any = None, *, data: Any = None, **options: Any) -> Any:
        return iterated(name, A, b, x0, data, options)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""`scipy.sparse.linalg.{name}`: (x, info) with A x = b, {summary}.

    A is a sparse or dense matrix, a LinearOperator, or a function of ours that is linear.  The
    derivative is that of the exact solution, to the tolerance `rtol`: in b, in the stored elements
    (`data`, in the order of `A.tocoo().data`), and in all that a function A reads (Griewank and
    Walther, Evaluating derivatives, chapter 15).
    """
    return function


cg = method("cg", "for A Hermitian and positive, by conjugate gradients")
minres = method("minres", "for A Hermitian, by minimal residuals")
gmres = method("gmres", "by generalised minimal residuals")
bicgstab = method("bicgstab", "by stabilised biconjugate gradients")
