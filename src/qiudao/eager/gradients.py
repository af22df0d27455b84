"""`qd.grad`: one name for the gradient of a function and of computed values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, overload

import numpy as np

from ..core.anomalies import known_check
from ..core.arriving import at_home, lasting
from ..core.avals import Value
from ..core.complexes import check_real, conjugated
from ..core.dispatch import Tracer
from ..core.errors import GradientError, ShapeError, UnusedError
from ..core.gathering import gather_for
from ..core.modes import TAPE, Resumed, new_level
from ..core.node import Leaf, Node
from ..core.trees import Tree, flatten, prefix
from ..tape.backward import (
    Seeds,
    as_gradient,
    blocked_by,
    check_output,
    common_level,
    cotangents_for,
    is_settled,
    place_of,
    refuse_none,
    run,
    seed_for,
    store,
    why_cut,
)
from ..tape.cut import SETTLED
from ..tape.reaching import reaching, walk
from ..tape.tensor import Tensor
from ..transforms.batch import Batch, check_chunk, to_front, whole_batch
from ..transforms.derived import Argnames, Argnums, grad_of_function

POLICIES = ("error", "none", "zero", "skip")


@overload
def grad(
    f: Callable[..., Any],
    argnums: Argnums = ...,
    has_aux: bool = ...,
    *,
    argnames: Argnames = ...,
    check: str | None = ...,
    numpy: str | None = ...,
) -> Callable[..., Any]: ...


@overload
def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = ...,
    retain_graph: bool | None = ...,
    create_graph: bool = ...,
    only_inputs: bool = ...,
    allow_unused: bool | None = ...,
    is_grads_batched: bool = ...,
    materialize_grads: bool = ...,
    no_grad_vars: Any = ...,
    *,
    unused: Any = ...,
    batch_dims: Any = ...,
    chunk_size: int | None = ...,
    accumulate: Any = ...,
    check: str | None = ...,
) -> Any: ...


def grad(*args: Any, **kwargs: Any) -> Any:
    """The gradient of a function, or of values already computed.

    `grad(f, argnums=0, has_aux=False, *, argnames=None, check=None, numpy=None)` gives the function
    that computes the gradient of the scalar function `f`; see `value_and_grad` for the arguments.

    `grad(outputs, inputs, ...)` gives the gradients of computed tensors, the sum over `outputs`
    of (cotangent x derivative), and leaves `.grad` alone (but for `retain_grad`).  `outputs`,
    `inputs` and `grad_outputs` are tensors, edges (`x.edge`) or any pytree of them, and the result
    mirrors `inputs`; a bare input gives a 1-tuple and a flat list a tuple, as in torch.
    Duplicates, and outputs that are also inputs, are allowed.

    - `grad_outputs`: a cotangent for each output; None starts a real scalar with 1.
    - `retain_graph`: keep what the rules need for another sweep (default: as `create_graph`).
    - `create_graph`: record the sweep, so that the result can be differentiated again.
    - `only_inputs=False`: also add the gradients of all other leaves into their `.grad`.
    - `unused`: what an input that gets no gradient gives: "error" (default), "none", "zero" or
      "skip" (left out of a flat result); or a tree of these that is a prefix of `inputs`, a dict
      of path patterns, or a function of (path, reason).  `allow_unused` and `materialize_grads`
      are torch's spellings of "none" and "zero".
    - `is_grads_batched`: each cotangent has a batch axis (`batch_dims`: which, None for one that
      is shared; an integer or a tree of them), and so has each result, in front; computed by
      batched rules, `chunk_size` at a time.
    - `no_grad_vars`: tensors to treat as constants.
    - `accumulate`: how terms that arrive along several paths become one: their "sum", in the order
      of the sweep, which is fixed; "kahan", a compensated sum; a function of the list of terms; or
      "separate", for a tuple of the terms in place of each gradient.
    - `check`: "nan" raises `NonFiniteError` for a NaN in a gradient, naming the operation that made
      it, "inf" for an infinity too; of functions also (and in the value).

    Raises `GradientError`, `UnusedError`, `ShapeError`, `FreedError` or `MutationError`, and then
    has changed nothing.

    >>> grad(lambda x: x**2)(3.0)
    np.float64(6.0)
    >>> x = qd.tensor([1.0, 2.0], requires_grad=True)
    >>> grad((x**2).sum(), x)
    (tensor([2., 4.]),)
    """
    first = args[0] if args else kwargs.get("f", kwargs.get("outputs"))
    if callable(first) and not isinstance(first, Tracer):
        refuse_unknown(kwargs, grad_of_function, "a function")
        return grad_of_function(*args, **kwargs)
    if len(args) < 2 and "inputs" not in kwargs:
        raise GradientError(
            f"grad: {type(first).__name__} is no function, and no inputs are given; pass a "
            "function, grad(f), or computed values and what they were computed from, grad(y, x)"
        )
    refuse_unknown(kwargs, grad_of_values, "computed values")
    return grad_of_values(*args, **kwargs)


def refuse_unknown(given: dict[str, Any], face: Callable[..., Any], of: str) -> None:
    """Refuse options that one of the two faces of `grad` has not, by the name that users know."""
    if given:
        code = face.__code__
        known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        for name in given:
            if name not in known:
                raise GradientError(
                    f"grad: {name}= is no option of gradients of {of}; there are "
                    f"{', '.join(known[1:])}"
                )


def grad_of_values(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
    no_grad_vars: Any = None,
    *,
    unused: Any = None,
    batch_dims: Any = 0,
    chunk_size: int | None = None,
    accumulate: Any = "sum",
    check: str | None = None,
) -> Any:
    """The gradients of computed tensors; documented at `grad`."""
    policy = policy_of(unused, allow_unused, materialize_grads)
    check_chunk("grad", chunk_size)
    refuse_none(outputs, "grad")
    outs, out_tree = flatten(outputs)
    ins, in_tree = flatten(inputs)
    in_paths = [f"inputs{p}" for p in in_tree.paths]
    targets = [place_of(x, path, "grad") for x, path in zip(ins, in_paths, strict=True)]
    policies = policies_for(policy, in_tree, in_paths)
    cts = cotangents_for(outs, out_tree, grad_outputs, "grad")
    dims = batch_dims_for(cts, out_tree, batch_dims) if is_grads_batched else [None] * len(cts)
    if is_grads_batched and not only_inputs:
        raise GradientError(
            "grad: only_inputs=False adds into the .grad of the other leaves, which has no batch "
            "axis; leave out is_grads_batched, or name those leaves as inputs"
        )

    level = common_level([*outs, *ins], "grad")
    seeds: Seeds = []
    settled = any(map(is_settled, outs))
    for y, ct, dim, path in zip(outs, cts, dims, out_tree.paths, strict=True):
        if not is_settled(y):
            checked = check_output(y, level, "grad", f"outputs{path}")
            seeds.append((checked.node, batched_seed(checked, ct, dim, f"outputs{path}")))  # type: ignore[arg-type]
    create_graph = create_graph or level > TAPE
    keep = create_graph if retain_graph is None else retain_graph

    blocked = blocked_by(no_grad_vars, "grad")
    starts = [n for n, _ in seeds]
    wanted = {t for t in targets if t is not None}
    others: set[Node] = set()
    if not only_inputs:
        others |= {n for n in walk(starts, 0, blocked) if isinstance(n, Leaf)} - wanted
    needed, is_all = reaching(starts, wanted | others, blocked)
    seeds = [(n, ct) for n, ct in seeds if n not in blocked]

    gather = gather_for("grad", accumulate)
    if gather is not None and is_grads_batched:
        raise GradientError(
            "grad: accumulate= is for one cotangent, and is_grads_batched sweeps many at once; "
            "leave one of them out"
        )
    is_flat = not in_tree.is_nested or is_flat_dict(inputs)
    check_unused(ins, targets, in_paths, policies, needed, settled, is_flat)
    size = batch_size_of(seeds) if is_grads_batched else None
    found = sweep_in_chunks(
        seeds,
        size,
        chunk_size,
        wanted=None if is_all else wanted | others,
        needed=None if is_all else needed,
        level=level,
        create_graph=create_graph,
        retain_graph=keep,
        check=known_check("grad", check),
        name="grad",
        gather=gather,
    )
    retained = size is None  # a batch of gradients is none that a tensor could keep
    kept = {n: ct for n, ct in found.items() if n in others or (retained and n.retains)}
    store(kept, level, create_graph)
    answers: list[Any] = []
    for x, target, how in zip(ins, targets, policies, strict=True):
        if target in found and accumulate == "separate":
            terms = gather.terms[target.number]  # type: ignore[union-attr]
            answers.append(tuple(as_gradient(t, level, create_graph) for t in terms))
        elif target in found:
            answers.append(as_gradient(found[target], level, create_graph))
        elif settled or how == "zero" or (how != "none" and target in needed):
            # where a path leads there, its slope is zero: the sum of no terms
            answers.append(() if accumulate == "separate" else zeros_for(x, level, size))
        else:
            answers.append(SKIPPED if how == "skip" else None)
    return arranged(inputs, in_tree, answers)


def is_flat_dict(inputs: Any) -> bool:
    """Whether these are a plain dict with a tensor, or an edge, under each key."""
    return type(inputs) is dict and all(isinstance(x, Tensor | Node) for x in inputs.values())


SKIPPED = object()  # stands for a gradient that is left out


def arranged(inputs: Any, tree: Tree, answers: list[Any]) -> Any:
    """The gradients nested as `inputs`; a bare input or a flat list gives a tuple, as in torch."""
    if not tree.is_nested:
        return tuple(g for g in answers if g is not SKIPPED)
    found = tree.build(answers)
    if any(g is SKIPPED for g in answers):
        return {key: g for key, g in found.items() if g is not SKIPPED}
    return found


def policy_of(unused: Any, allow_unused: bool | None, materialize: bool) -> Any:
    """One policy from three spellings."""
    if materialize and allow_unused is False:
        raise GradientError(
            "grad: materialize_grads=True gives zeros and allow_unused=False an error for an "
            "unused input; give one of them"
        )
    if unused is not None:
        if allow_unused is not None or materialize:
            raise GradientError(
                "grad: unused= stands for allow_unused and materialize_grads; give it alone"
            )
        return unused
    if materialize:
        return "zero"
    return "none" if allow_unused else "error"


def policies_for(policy: Any, tree: Any, paths: list[str]) -> list[Any]:
    """A policy for each input."""
    if callable(policy):
        return [policy] * len(paths)
    if isinstance(policy, str):
        return [known_policy(policy)] * len(paths)
    if isinstance(policy, dict) and any(is_pattern(key) for key in policy):
        chosen = [
            next((how for key, how in policy.items() if fits(key, path)), "error") for path in paths
        ]
    else:
        chosen = prefix(tree, policy, "grad")
    return [how if callable(how) else known_policy(how) for how in chosen]


def known_policy(how: Any) -> str:
    """A policy, checked."""
    if how not in POLICIES:
        raise GradientError(f"grad: unused={how!r} is unknown; use one of {', '.join(POLICIES)}")
    policy: str = how
    return policy


def is_pattern(key: Any) -> bool:
    """Whether a key of a policy dict is a pattern over paths rather than a key of the inputs."""
    return isinstance(key, str) and ("*" in key or key.startswith(("[", ".", "inputs[", "inputs.")))


def fits(pattern: str, path: str) -> bool:
    """Whether a path such as `inputs['enc']['b']` fits a pattern in which `*` is any text."""
    body = ".*".join(map(re.escape, pattern.split("*")))
    return re.fullmatch(f"(inputs)?{body}", path) is not None


def check_unused(
    ins: list[Any],
    targets: list[Node | None],
    paths: list[str],
    policies: list[Any],
    needed: set[Node],
    settled: bool,
    is_flat: bool,
) -> None:
    """Settle the policy of each input that gets no gradient, before anything is computed."""
    for k, (x, target, path) in enumerate(zip(ins, targets, paths, strict=True)):
        if target is not None and target in needed:
            continue
        reason = (
            f"it does not require grad, {why_cut(x)}" if target is None else "no path leads to it"
        )
        if callable(policies[k]):
            policies[k] = known_policy(policies[k](path.removeprefix("inputs"), reason))
        if settled:
            continue
        if policies[k] == "skip" and not is_flat:
            raise GradientError(
                f"grad: unused='skip' cannot leave {path} out of nested inputs, only out of a "
                "flat tuple, list or dict; use 'none' or 'zero'"
            )
        if policies[k] == "error":
            raise UnusedError(
                f"grad: {path} gets no gradient from the outputs: {reason}; pass unused='zero' or "
                "unused='none' if that is meant"
            )


def batch_dims_for(cts: list[Any], tree: Any, batch_dims: Any) -> list[int | None]:
    """The batch axis of each cotangent; one that is left out has none."""
    dims = prefix(tree, batch_dims, "grad")
    for dim in dims:
        if dim is not None and not isinstance(dim, int):
            raise ShapeError(
                f"grad: batch_dims has {dim!r}, which is no axis; give whole numbers, and None "
                "for a cotangent that is shared"
            )
    return [None if ct is None else dim for ct, dim in zip(cts, dims, strict=True)]


class Batched:
    """A cotangent with its batch axis in front, before it gets a level."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


def batched_seed(output: Tensor, ct: Any, dim: int | None, path: str) -> Value:
    """The cotangent of an output, with or without a batch."""
    if dim is None:
        return seed_for(output, ct, "grad", path)
    if not -np.ndim(ct) <= dim < np.ndim(ct):
        raise ShapeError(
            f"grad: the batched cotangent of {path} has shape {np.shape(ct)} and no axis {dim}; "
            "say in batch_dims where its batch is, None for a cotangent that is shared"
        )
    moved = to_front(lasting(ct), dim)
    if tuple(moved.shape[1:]) != output.shape:
        raise ShapeError(
            f"grad: the batched cotangent of {path} has shape {np.shape(ct)} with its batch at "
            f"axis {dim}, and the output {output.shape}; the other axes must be equal"
        )
    check_real(f"grad: the batched cotangent of {path}", moved, output)
    return Batched(conjugated(moved))


def batch_size_of(seeds: Seeds) -> int | None:
    """The number of cotangents in a batch, or None when there is no batch."""
    sizes = {ct.value.shape[0] for _, ct in seeds if isinstance(ct, Batched)}
    if len(sizes) > 1:
        raise ShapeError(
            f"grad: the batched cotangents have different batch sizes {sorted(sizes)}; all must "
            "be equal"
        )
    return sizes.pop() if sizes else None


def sweep_in_chunks(
    seeds: Seeds, size: int | None, chunk_size: int | None, *, retain_graph: bool, **options: Any
) -> dict[Node, Value]:
    """The sweep; for `size` batched cotangents by batched rules, a chunk at a time."""
    if not seeds:
        return {}
    if size is None:
        return run(seeds, retain_graph=retain_graph, **options)
    step = min(size if chunk_size is None else chunk_size, size) or 1
    pieces: list[dict[Node, Value]] = []
    for start in range(0, max(size, 1), step):
        level = new_level()
        part = [
            (n, Batch(ct.value[start : start + step], level) if isinstance(ct, Batched) else ct)
            for n, ct in seeds
        ]
        last = start + step >= size
        with Resumed(level):
            found = run(part, retain_graph=retain_graph or not last, **options)
        count = min(step, size - start)
        pieces.append({n: whole_batch(ct, level, count) for n, ct in found.items()})
    if len(pieces) == 1:
        return pieces[0]
    return {n: np.concatenate([piece[n] for piece in pieces]) for n in pieces[0]}


def zeros_for(x: Any, level: float, size: int | None) -> Tensor:
    """The zero gradient of an input."""
    shape = tuple(x.shape) if size is None else (size, *x.shape)
    zeros = at_home(np.zeros(shape, x.dtype)[()], x)
    return Tensor.make(zeros, None, level, SETTLED)
