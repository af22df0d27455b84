"""What the modes compose to: gradients, Jacobians, Hessians and their products."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.anomalies import examine_function, known_check
from ..core.arriving import arrived, at_home, bare
from ..core.avals import Value, is_inexact
from ..core.complexes import conjugated
from ..core.dispatch import Tracer
from ..core.errors import GradientError, ShapeError
from ..core.modes import modes, running
from ..core.signatures import signature
from ..core.sweep import sweep
from ..core.trees import Tree, flatten
from ..tape.backward import check_guards
from ..tape.operators import product_below
from .batch import vmap
from .directions import pushed
from .entering import check_unchanged, entering
from .forward import jvp
from .results import check_numbers, handed_out, number, owned
from .reverse import as_primal, lower, record_run, split_aux, strip, vjp, zeros_like

FEW = 8  # inputs that cost less to push together than it does to count the outputs
LIFT = f"{__package__}.lifting.lift"  # imported when it is first asked for

Argnums = int | Sequence[int] | None
Argnames = str | Sequence[str] | None


class Derivative(NamedTuple):
    """What a derived function is: of which function, by which of its arguments."""

    kind: str  # "grad", "value_and_grad", "jacobian" or "hessian"
    of: Callable[..., Any]
    argnums: Argnums
    argnames: Argnames


def by_numpy(
    f: Callable[..., Any], numpy: str | None, name: str, argnums: Argnums, argnames: Argnames
) -> Callable[..., Any]:
    """`f` as it meets NumPy, as it is or lifted, once what is asked of it has been checked."""
    if not callable(f):
        raise GradientError(f"{name}: {type(f).__name__} {f!r} is no function; pass one")
    if argnums is not None and not is_choice(argnums, int | np.integer):
        raise GradientError(
            f"{name}: argnums={argnums!r} is neither the number of an argument nor several; give "
            f"names as argnames, and the arguments themselves to what this makes, {name}(f)(x)"
        )
    if argnames is not None and not is_choice(argnames, str):
        raise GradientError(
            f"{name}: argnames={argnames!r} is neither the name of an argument nor several; give "
            "numbers as argnums"
        )
    if numpy is None:
        return f
    if numpy != "lift":
        raise GradientError(f"{name}: numpy={numpy!r} is unknown; use 'lift', or leave it out")
    lift: Callable[..., Callable[..., Any]] = importlib.import_module(LIFT).lift
    return lift(f)


def is_choice(given: Any, kind: Any) -> bool:
    """Whether an argument is of a kind, or several of it."""
    if isinstance(given, kind):
        return True
    several = isinstance(given, Sequence | np.ndarray) and not isinstance(given, str)
    return several and np.ndim(given) == 1 and all(isinstance(x, kind) for x in given)


def derivative(
    kind: str,
    made: Callable[..., Any],
    of: Callable[..., Any],
    argnums: Argnums,
    argnames: Argnames,
) -> Callable[..., Any]:
    """`made`, which remembers what it is, for those who print and explain it."""
    made.derivative = Derivative(kind, of, argnums, argnames)  # type: ignore[attr-defined]
    return made


class Chosen:
    """The arguments of one call that are differentiated, and how to put them back."""

    def __init__(
        self,
        name: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Argnums,
        argnames: Argnames,
    ) -> None:
        if argnums is None and argnames is None:
            argnums = 0
        names = (argnames,) if isinstance(argnames, str) else tuple(argnames or ())
        numbers: Any = () if argnums is None else (argnums,) if is_integer(argnums) else argnums
        self.args = args
        self.kwargs = kwargs
        self.keys: list[int | str] = []  # positions and keywords, in the order asked for
        for n in numbers:
            if not -len(args) <= n < len(args):
                raise GradientError(
                    f"{name}: argnums={argnums} names argument {n}, and the call has "
                    f"{len(args)} positional arguments; name a keyword argument with argnames"
                )
            self.keys.append(int(n) % len(args))
        positions = positions_of(f, args) if names else {}
        for key in names:
            if key not in kwargs and key not in positions:
                raise GradientError(
                    f"{name}: argnames={argnames!r} names {key!r}, which the call does not pass; "
                    f"it passes {[*positions, *kwargs]}"
                )
            self.keys.append(key if key in kwargs else positions[key])
        if len(set(self.keys)) < len(self.keys):
            raise GradientError(
                f"{name}: argnums={argnums} and argnames={argnames!r} name an argument twice; "
                "name each once"
            )
        asked = argnames if argnums is None else argnums
        self.single = len(self.keys) == 1 and (isinstance(asked, str) or is_integer(asked))

    def values(self) -> list[Any]:
        """The chosen arguments."""
        return [self.args[k] if isinstance(k, int) else self.kwargs[k] for k in self.keys]

    def paths(self, tree: Tree) -> list[str]:
        """Where the leaves of the chosen arguments are, for messages: ` 1['w']`."""
        return [self.label(path) for path in tree.paths]

    def label(self, path: str) -> str:
        """A path into the list of chosen arguments as one into the call's."""
        number, _, rest = path.removeprefix("[").partition("]")
        return f" {self.keys[int(number)]!r}{rest}"

    def put(self, values: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """All arguments, the chosen ones replaced."""
        args, kwargs = list(self.args), dict(self.kwargs)
        for k, v in zip(self.keys, values, strict=True):
            if isinstance(k, int):
                args[k] = v
            else:
                kwargs[k] = v
        return args, kwargs

    def result(self, values: Sequence[Any]) -> Any:
        """One entry for each chosen argument: bare when one was asked for by itself."""
        return values[0] if self.single else tuple(values)


def is_integer(x: Any) -> bool:
    """Whether an argument is one integer, of Python's or NumPy's."""
    return isinstance(x, int | np.integer)


def positions_of(f: Callable[..., Any], args: tuple[Any, ...]) -> dict[str, int]:
    """The names of positional arguments."""
    try:
        parameters = signature(f).parameters.values()
    except (TypeError, ValueError):
        return {}
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return {name: k for k, name in enumerate(named[: len(args)])}


def value_and_grad(
    f: Callable[..., Any],
    argnums: Argnums = None,
    has_aux: bool = False,
    *,
    argnames: Argnames = None,
    check: str | None = None,
    numpy: str | None = None,
) -> Callable[..., Any]:
    """A function that gives the value of `f` and its gradient: (value, gradient).

    The gradient is taken with respect to the arguments numbered `argnums` (default: the first) or
    named `argnames`, each any pytree of float or complex values, and mirrors it: a number or a
    string gives a bare gradient, several give a tuple.  `f` must return a real scalar; with
    `has_aux` a pair (scalar, anything), and ((value, aux), gradient) comes back.

    For a complex argument z = x + iy the gradient is df/dx + i df/dy (torch's convention).  With
    `check="nan"` a NaN in the value or the gradient raises `NonFiniteError`, which names the
    operation that made it; with "inf" an infinity too.  With `numpy="lift"` code that NumPy cannot
    dispatch carries derivatives too: see `qd.lift`.

    >>> value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    known_check("grad", check)
    f = by_numpy(f, numpy, "grad", argnums, argnames)

    @functools.wraps(f)
    def with_gradient(*args: Any, **kwargs: Any) -> Any:
        chosen = Chosen("grad", f, args, kwargs, argnums, argnames)
        values = chosen.values()
        if len(values) == 1 and isinstance(values[0], np.ndarray | float | Tracer):
            primals: list[Value] = [as_primal(values[0], "grad", f" {chosen.keys[0]!r}")]
            tree: Tree | None = None
        else:
            leaves, tree = flatten(values)
            paths = chosen.paths(tree)
            primals = [as_primal(x, "grad", p) for x, p in zip(leaves, paths, strict=True)]
        primals, guards = entering(primals)
        run = record_run(f, primals, lambda ts: chosen.put(ts if tree is None else tree.build(ts)))
        result, aux = split_aux("grad", run.result) if has_aux else (run.result, None)
        value, node = lower(result, run.level)
        seed = scalar_seed(value)
        found: dict[Any, Value] = {}
        if node is not None:
            product, wanted = product_below([value]), set(run.leaves)
            running.add(run.level)  # as `Resumed` does, in less time: no other thread sweeps this
            try:
                found = sweep([(node, seed)], wanted=wanted, product=product, after=check_guards)
            finally:
                running.discard(run.level)
        if guards:
            check_unchanged("grad", guards)
        grads = owned(
            conjugated(found[leaf]) if leaf in found else zeros_like(x)
            for leaf, x in zip(run.leaves, primals, strict=True)
        )
        looking = check or modes.check
        if looking is not None:
            examine_function("grad", looking, [value, *grads], f, args, kwargs)
        answer = chosen.result(grads if tree is None else tree.build(grads))
        value = handed_out(value) if isinstance(value, Tracer) else number(value)
        return ((value, strip(aux, run.level)), answer) if has_aux else (value, answer)

    return derivative("value_and_grad", with_gradient, f, argnums, argnames)


def scalar_seed(value: Any) -> Value:
    """The 1 that a gradient starts with."""
    dtype = getattr(value, "dtype", None)
    if dtype is None and isinstance(value, float | int):
        return np.float64(1.0)
    if dtype is None or np.shape(value) != ():
        what = (
            f"returned shape {np.shape(value)}"
            if dtype is not None
            else (f"returned {type(value).__name__}")
        )
        raise ShapeError(
            f"grad: the function must return a scalar, and it {what}; "
            "reduce it (np.sum), or use qd.jacobian"
        )
    if dtype.kind == "c":
        raise GradientError(
            "grad: the function returned a complex number, which has no gradient; return a real "
            "one (np.real, np.abs), or use qd.vjp or qd.jacobian"
        )
    return at_home(dtype.type(1) if dtype.kind == "f" else np.float64(1.0), value)


def grad_of_function(
    f: Callable[..., Any],
    argnums: Argnums = None,
    has_aux: bool = False,
    *,
    argnames: Argnames = None,
    check: str | None = None,
    numpy: str | None = None,
) -> Callable[..., Any]:
    """The gradient function of `f`: `value_and_grad` without the value."""
    both = value_and_grad(f, argnums, has_aux, argnames=argnames, check=check, numpy=numpy)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, answer = both(*args, **kwargs)
        return (answer, value[1]) if has_aux else answer

    return derivative("grad", gradient, f, argnums, argnames)


def basis(tree_leaves: list[Any]) -> list[Value]:
    """For each leaf, the unit vectors of all leaves together, stacked along a leading axis."""
    sizes = [int(np.size(x)) for x in tree_leaves]
    total = sum(sizes)
    columns: list[Value] = []
    start = 0
    for x, n in zip(tree_leaves, sizes, strict=True):
        block = np.eye(total, n, -start, np.result_type(x))
        columns.append(block.reshape(total, *np.shape(x)))
        start += n
    return columns


def split_axis(x: Value, axis: int, leaves: list[Any]) -> list[Value]:
    """Cut a long axis into one piece for each leaf, in the leaf's shape."""
    pieces = []
    start = 0
    for leaf in leaves:
        shape = tuple(np.shape(leaf))
        n = math.prod(shape)
        index = (slice(None),) * axis + (slice(start, start + n),)
        piece = x[index]
        pieces.append(np.reshape(piece, (*x.shape[:axis], *shape, *x.shape[axis + 1 :])))
        start += n
    return pieces


class Differentiated:
    """`f` as a function of the leaves of its chosen arguments."""

    def __init__(
        self, name: str, f: Any, args: Any, kwargs: Any, argnums: Any, argnames: Any
    ) -> None:
        self.chosen = Chosen(name, f, args, kwargs, argnums, argnames)
        self.f = f
        leaves, self.tree = flatten(self.chosen.values())
        paths = self.chosen.paths(self.tree)
        inputs = [as_primal(x, name, p) for x, p in zip(leaves, paths, strict=True)]
        self.inputs, _ = entering(inputs)  # once for all runs of `f`

    def __call__(self, *leaves: Any) -> Any:
        args, kwargs = self.chosen.put(self.tree.build(leaves))
        f = self.f if modes.capture is None else modes.capture(self.f)
        return f(*args, **kwargs)

    @property
    def count(self) -> int:
        """How many numbers there are to differentiate by."""
        return sum(int(np.size(x)) for x in self.inputs)

    def assemble(self, out_tree: Tree, blocks: list[list[Value]]) -> Any:
        """A tree of outputs, each holding a tree like the chosen arguments."""
        rows = [self.chosen.result(self.tree.build(map(bare, map(number, row)))) for row in blocks]
        return out_tree.build(rows)


def jacfwd(
    f: Callable[..., Any],
    argnums: Argnums = None,
    has_aux: bool = False,
    *,
    argnames: Argnames = None,
    chunk_size: int | None = None,
    numpy: str | None = None,
) -> Callable[..., Any]:
    """The Jacobian of `f` by forward mode: one pushed direction an input, batched.

    Entry [i..., j...] is d out[i...] / d x[j...]; trees of outputs hold trees of inputs.  Right
    for few inputs and many outputs.  `chunk_size` directions are pushed at a time.  Up to 8 known
    inputs are pushed side by side, which spares work where a direction moves nothing.

    >>> jacfwd(np.exp)(np.zeros(2))
    array([[1., 0.],
           [0., 1.]])
    """
    f = by_numpy(f, numpy, "jacfwd", argnums, argnames)

    @functools.wraps(f)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        run = Differentiated("jacfwd", f, args, kwargs, argnums, argnames)
        return jacobian_by_columns(run, has_aux, chunk_size)

    return derivative("jacobian", jacobian_of, f, argnums, argnames)


def jacobian_by_columns(run: Differentiated, has_aux: bool, chunk_size: int | None) -> Any:
    """All columns of a Jacobian: the tangents along the unit vectors of the inputs.

    With `has_aux`, (Jacobian, aux).
    """
    seen: list[Any] = []

    def along(*directions: Any) -> Any:
        _, change, *aux = jvp(run, tuple(run.inputs), directions, has_aux=has_aux)
        seen[:] = aux
        return change

    directions = basis(run.inputs)
    if not directions:  # nothing to differentiate by: no columns
        outs, out_tree = flatten(along())
        answer = run.assemble(out_tree, [[] for _ in outs])
        return (answer, *seen) if has_aux else answer
    if (
        chunk_size is None
        and run.count <= FEW
        and not any(isinstance(x, Tracer) for x in run.inputs)
    ):
        changes = pushed(along, directions)
    else:
        changes = vmap(along, chunk_size=chunk_size)(*directions)
    outs, out_tree = flatten(changes)
    outs = list(map(arrived, outs))
    check_holomorphic("jacfwd", run.inputs, outs)
    blocks = []
    for change in outs:
        pieces = split_axis(directions_last(change), change.ndim - 1, run.inputs)
        blocks.append(list(map(as_rate, pieces, run.inputs)))
    answer = run.assemble(out_tree, blocks)
    return (answer, *seen) if has_aux else answer


def as_rate(piece: Value, x: Value) -> Value:
    """The changes of an output per change of the input `x`: of whole numbers and truths, which do
    not move, zeros of the input's dtype, as a pullback has them.
    """
    return piece if is_inexact(piece.dtype) else piece.astype(np.result_type(x))


def directions_last(change: Value) -> Value:
    """A stack of tangents with their axis moved from the front to the end."""
    return np.transpose(change, (*range(1, change.ndim), 0))


def jacrev(
    f: Callable[..., Any],
    argnums: Argnums = None,
    has_aux: bool = False,
    *,
    argnames: Argnames = None,
    chunk_size: int | None = None,
    numpy: str | None = None,
) -> Callable[..., Any]:
    """The Jacobian of `f` by reverse mode: one pulled cotangent an output, batched.

    As `jacfwd`, and right for many inputs and few outputs.

    >>> jacrev(np.exp)(np.zeros(2))
    array([[1., 0.],
           [0., 1.]])
    """
    f = by_numpy(f, numpy, "jacrev", argnums, argnames)

    @functools.wraps(f)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        run = Differentiated("jacrev", f, args, kwargs, argnums, argnames)
        value, pullback, *aux = vjp(run, *run.inputs, has_aux=has_aux)
        answer = jacobian_by_rows(run, value, pullback, chunk_size)
        return (answer, aux[0]) if has_aux else answer

    return derivative("jacobian", jacobian_of, f, argnums, argnames)


def jacobian_by_rows(run: Differentiated, value: Any, pullback: Any, chunk_size: int | None) -> Any:
    """All rows of a Jacobian: the pullback over the unit cotangents of the outputs."""
    outs, out_tree = flatten(value)
    check_numbers("jacrev", outs, out_tree)
    if not outs:  # an empty container, or None: there is no row to pull
        return out_tree.build([])
    outs = list(map(arrived, outs))
    check_holomorphic("jacrev", run.inputs, outs)
    rows = basis(outs)

    def pull(*cts: Value) -> Any:
        return pullback(out_tree.build(cts))

    pulled = list(vmap(pull, chunk_size=chunk_size)(*rows))
    if any(is_complex(y) for y in outs) and not all(map(is_complex, run.inputs)):
        # The cotangent of a real input is a real part; a second sweep finds the imaginary part.
        imaginary = [1j * r if is_complex(r) else 0 * r for r in rows]
        turned = vmap(pull, chunk_size=chunk_size)(*imaginary)
        pulled = [
            conjugated(g) if is_complex(x) else g + 1j * h
            for g, h, x in zip(map(arrived, pulled), map(arrived, turned), run.inputs, strict=True)
        ]
    else:  # torch's convention conjugates the pullback; the Jacobian itself is not conjugated
        pulled = [conjugated(arrived(g)) for g in pulled]
    blocks: list[list[Value]] = [[] for _ in outs]
    for g in pulled:
        for block, piece in zip(blocks, split_axis(g, 0, outs), strict=True):
            block.append(piece)
    return run.assemble(out_tree, blocks)


def is_complex(x: Value) -> bool:
    """Whether a value has a complex dtype."""
    return np.result_type(x).kind == "c"


def check_holomorphic(name: str, inputs: Sequence[Value], outs: Sequence[Value]) -> None:
    """Refuse what is surely not holomorphic: a real result of a complex input."""
    if any(map(is_complex, inputs)) and not all(map(is_complex, outs)):
        raise GradientError(
            f"{name}: a real result of a complex input has no Jacobian over the complex numbers; "
            "use qd.grad, which gives df/dx + i df/dy, or pass the real and imaginary parts"
        )


def jacobian(
    f: Callable[..., Any],
    argnums: Argnums = None,
    has_aux: bool = False,
    *,
    argnames: Argnames = None,
    mode: str = "auto",
    chunk_size: int | None = None,
    numpy: str | None = None,
) -> Callable[..., Any]:
    """The Jacobian of `f`; `mode` is "forward", "reverse" or "auto", which takes the direction with
    fewer sweeps: forward with up to 8 inputs, and otherwise `f` is run once, recording, to learn
    the number of its outputs.

    >>> jacobian(lambda x: x[:1] * x)(np.array([2.0, 3.0]))
    array([[4., 0.],
           [3., 2.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise GradientError(
            f"jacobian: mode={mode!r} is unknown; use 'auto', 'forward' or 'reverse'"
        )
    f = by_numpy(f, numpy, "jacobian", argnums, argnames)
    if mode == "forward":
        return jacfwd(f, argnums, has_aux, argnames=argnames, chunk_size=chunk_size)
    if mode == "reverse":
        return jacrev(f, argnums, has_aux, argnames=argnames, chunk_size=chunk_size)

    @functools.wraps(f)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        run = Differentiated("jacobian", f, args, kwargs, argnums, argnames)
        if run.count <= FEW:
            return jacobian_by_columns(run, has_aux, chunk_size)
        value, pullback, *aux = vjp(run, *run.inputs, has_aux=has_aux)
        if run.count < sum(int(np.size(y)) for y in flatten(value)[0]):
            return jacobian_by_columns(run, has_aux, chunk_size)
        answer = jacobian_by_rows(run, value, pullback, chunk_size)
        return (answer, aux[0]) if has_aux else answer

    return derivative("jacobian", jacobian_of, f, argnums, argnames)


def hessian(
    f: Callable[..., Any],
    argnums: Argnums = None,
    has_aux: bool = False,
    *,
    argnames: Argnames = None,
    chunk_size: int | None = None,
    numpy: str | None = None,
) -> Callable[..., Any]:
    """The matrix of second derivatives of a scalar function, forward over reverse.

    Entry [i..., j...] is d2f / dx[i...] dx[j...]; for several arguments or trees, a tree of trees.

    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    f = by_numpy(f, numpy, "hessian", argnums, argnames)
    inner = grad_of_function(f, argnums, has_aux, argnames=argnames)
    second = jacfwd(inner, argnums, has_aux, argnames=argnames, chunk_size=chunk_size)
    return derivative("hessian", second, f, argnums, argnames)


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The Hessian of a scalar function times a vector, without the Hessian: forward over reverse.

    `primals` and `tangents` are the argument and the direction (any pytree), or tuples of them
    for several arguments.  The result mirrors `primals`.

    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    if type(primals) is tuple:
        numbers = tuple(range(len(primals)))
        return jvp(grad_of_function(f, numbers), primals, tangents)[1]
    return jvp(grad_of_function(f), (primals,), (tangents,))[1]
