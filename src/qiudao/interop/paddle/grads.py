"""`grad`: the gradients of paddle tensors, with what `paddle.grad` leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import paddle
from paddle import Tensor

from ...core.errors import GradientError, ShapeError, UnusedError
from ...core.trees import Tree, flatten, match, prefix
from ...eager.gradients import SKIPPED, known_policy, policies_for, policy_of
from .places import node_of, reaches, tensors_of
from .sweeping import add_to_others, swept


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    no_grad_vars: Any = None,
    *,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
    unused: Any = None,
    batch_dims: Any = 0,
    chunk_size: int | None = None,
) -> Any:
    """The sum over `outputs` of (cotangent x derivative) by each of `inputs`, as `paddle.grad`.

    The positional arguments are paddle's.  `outputs`, `inputs` and `grad_outputs` are paddle
    tensors or any pytree of them; the result is nested as `inputs`, and a list, as paddle's, for a
    lone tensor or a flat tuple or list.  Tensors may occur twice, and an output may be an input.

    - `grad_outputs`: a cotangent of each output's shape; None starts an output of one element
      with 1.  paddle starts every output with ones: say `grad_outputs="ones"` for that.
    - `retain_graph`: taken for paddle's sake; the graph is kept whatever it says, as paddle does.
    - `create_graph`: the result can be differentiated again, to zeros where it is constant.
    - `only_inputs=False`: the gradients of all other leaves are added to their `.grad`.
    - `no_grad_vars`: tensors to treat as constants.
    - `unused`: what an input without a gradient gives: "error" (default), "none", "zero" or "skip"
      (left out of a flat result); or a tree of these that is a prefix of `inputs`, a dict of path
      patterns, or a function of (path, reason).  `allow_unused=True` is "none", and
      `materialize_grads=True` is "zero".
    - `is_grads_batched`: each cotangent has a batch axis (`batch_dims`: which, None for one that
      is shared; an integer or a tree of them) and so has each result, in front.  paddle has no
      batched rules, so it is one sweep for each cotangent; `chunk_size` is taken and changes
      nothing.

    Inside a tensor's hook or a `PyLayer.backward`, where a `paddle.grad` in a `paddle.grad` ends
    the process, this works.

    Raises `GradientError`, `UnusedError`, `ShapeError` or `TreeError`, naming which tensor.

    >>> x = paddle.to_tensor([1.0, 2.0], stop_gradient=False)
    >>> found = grad((x**2).sum(), {"x": x})
    >>> found["x"].tolist()
    [2.0, 4.0]
    """
    policy = policy_of(unused, allow_unused, materialize_grads)
    outs, out_tree, out_paths = tensors_of(outputs, "outputs", "grad")
    ins, in_tree, in_paths = tensors_of(inputs, "inputs", "grad")
    policies = policies_for(policy, in_tree, in_paths)
    constants = [] if no_grad_vars is None else tensors_of(no_grad_vars, "no_grad_vars", "grad")[0]
    cts = cotangents(outs, out_tree, out_paths, grad_outputs)
    dims = prefix(out_tree, batch_dims, "grad") if is_grads_batched else [None] * len(outs)
    dims = [None if ct is None else dim for ct, dim in zip(cts, dims, strict=True)]
    size = batch_size(outs, out_paths, cts, dims)
    if size is not None and not only_inputs:
        raise GradientError(
            "grad: only_inputs=False adds into the .grad of the other leaves, which has no batch "
            "axis; leave out is_grads_batched, or name those leaves as inputs"
        )
    if chunk_size is not None and chunk_size < 1:
        raise GradientError(f"grad: chunk_size={chunk_size} is no size; use 1, 2, ... or None")

    rows = [cts] if size is None else [row(cts, dims, k) for k in range(size)]
    found: list[list[Tensor | None]] = []
    for each in rows or [row(cts, dims, None)]:
        one = swept(outs, ins, each, create_graph, constants)
        if not found:
            settle(one, ins, in_paths, policies, outs, constants, in_tree, inputs)
        found.append(one)
    if not only_inputs:
        add_to_others(outs, ins, cts, constants)
    answers = []
    for k, (x, how) in enumerate(zip(ins, policies, strict=True)):
        column = [one[k] for one in found]
        if column[0] is None:
            zero = paddle.zeros_like(x if size is None else batch_of(x, size))
            answers.append({"zero": zero, "skip": SKIPPED}.get(how))
        elif size is None:
            answers.append(column[0])
        else:
            answers.append(paddle.stack(column) if size else paddle.zeros_like(batch_of(x, 0)))
    return arranged(inputs, in_tree, answers)


def batch_of(x: Tensor, size: int) -> Tensor:
    """Something with the shape of `size` copies of a tensor."""
    return paddle.empty([size, *x.shape], x.dtype)


def arranged(inputs: Any, tree: Tree, answers: list[Any]) -> Any:
    """The gradients nested as `inputs`; a list for a lone tensor and a flat container."""
    if not tree.is_nested or is_flat_sequence(inputs, tree):
        return [g for g in answers if g is not SKIPPED]
    found = tree.build(answers)
    if any(g is SKIPPED for g in answers):
        return {key: g for key, g in found.items() if g is not SKIPPED}
    return found


def is_flat_sequence(inputs: Any, tree: Tree) -> bool:
    """Whether a container is a lone tensor, or a tuple or list of nothing but tensors."""
    if isinstance(inputs, Tensor):
        return True
    return type(inputs) in (tuple, list) and all(isinstance(x, Tensor) for x in inputs)


def cotangents(
    outs: Sequence[Tensor], tree: Tree, paths: Sequence[str], given: Any
) -> list[Tensor | None]:
    """A cotangent for each output, None for one of ones."""
    if isinstance(given, str):
        if given != "ones":
            raise GradientError(
                f"grad: grad_outputs={given!r} is unknown; the only word is 'ones', for a "
                "cotangent of ones for each output"
            )
        return [None] * len(outs)
    if given is None:
        cts: list[Any] = [None] * len(outs)
    elif tree.count == 1 and isinstance(given, Tensor):
        cts = [given]
    elif is_row(given) and len(given) == len(outs):
        cts = list(given)  # a flat list serves outputs of any nesting, as in paddle
    else:
        cts = match_with_none(tree, given)
    for y, ct, path in zip(outs, cts, paths, strict=True):
        if ct is None and y.size != 1:
            raise GradientError(
                f"grad: {path} has shape {tuple(y.shape)}, and only an output of one element "
                "starts with 1 by itself; pass grad_outputs, or grad_outputs='ones' for the "
                "gradient of the sum"
            )
        if ct is not None and not isinstance(ct, Tensor):
            raise GradientError(
                f"grad: the cotangent of {path} is {type(ct).__name__} {ct!r} and no paddle "
                "tensor; use paddle.to_tensor"
            )
    return cts


def is_row(given: Any) -> bool:
    """Whether cotangents came as a flat list."""
    return isinstance(given, tuple | list) and all(
        ct is None or isinstance(ct, Tensor) for ct in given
    )


def match_with_none(tree: Tree, given: Any) -> list[Any]:
    """The cotangents of a container nested as the outputs, in which None stands for a leaf."""
    leaves, found = flatten(given, none_is_leaf=True)
    if len(leaves) == tree.count and found.paths == tree.paths:
        return leaves
    return match(tree, given, "grad")


def batch_size(
    outs: Sequence[Tensor],
    paths: Sequence[str],
    cts: Sequence[Tensor | None],
    dims: Sequence[int | None],
) -> int | None:
    """The number of cotangents in a batch, None where there is no batch; all shapes checked."""
    sizes: set[int] = set()
    for y, ct, dim, path in zip(outs, cts, dims, paths, strict=True):
        if ct is None:
            continue
        shape, want = tuple(ct.shape), tuple(y.shape)
        if dim is not None:
            if not -len(shape) <= dim < len(shape):
                raise ShapeError(
                    f"grad: the batched cotangent of {path} has shape {shape} and no axis {dim}; "
                    "say in batch_dims where its batch is, None for a cotangent that is shared"
                )
            rest = list(shape)
            sizes.add(rest.pop(dim))
            shape = tuple(rest)
        if shape != want:
            batch = "" if dim is None else f" beside its batch axis {dim}"
            raise ShapeError(
                f"grad: the cotangent of {path} has shape {shape}{batch}, and the output {want}; "
                "they must be equal"
            )
    if len(sizes) > 1:
        raise ShapeError(
            f"grad: the batched cotangents have different batch sizes {sorted(sizes)}; all must "
            "be equal"
        )
    return sizes.pop() if sizes else None


def row(
    cts: Sequence[Tensor | None], dims: Sequence[int | None], k: int | None
) -> list[Tensor | None]:
    """The k-th cotangents of a batch; zeros for None, the row of a batch of no rows."""
    found: list[Tensor | None] = []
    for ct, dim in zip(cts, dims, strict=True):
        if ct is None or dim is None:
            found.append(ct)
        elif k is None:
            shape = list(ct.shape)
            shape.pop(dim)
            found.append(paddle.zeros(shape, ct.dtype))
        else:
            found.append(paddle.moveaxis(ct, dim, 0)[k])
    return found


def settle(
    found: Sequence[Tensor | None],
    ins: Sequence[Tensor],
    paths: Sequence[str],
    policies: list[Any],
    outs: Sequence[Tensor],
    constants: Sequence[Tensor],
    tree: Tree,
    inputs: Any,
) -> None:
    """Settle the policy of each input that got no gradient."""
    flat = is_flat_sequence(inputs, tree) or (type(inputs) is dict and len(inputs) == len(ins))
    for k, (x, path) in enumerate(zip(ins, paths, strict=True)):
        if found[k] is not None:
            continue
        reason = why_unused(x, outs, constants)
        if callable(policies[k]):
            policies[k] = known_policy(policies[k](path.removeprefix("inputs"), reason))
        if policies[k] == "skip" and not flat:
            raise GradientError(
                f"grad: unused='skip' cannot leave {path} out of nested inputs, only out of a "
                "flat tuple, list or dict; use 'none' or 'zero'"
            )
        if policies[k] == "error":
            raise UnusedError(
                f"grad: {path} gets no gradient from the outputs: {reason}; pass unused='zero' or "
                "unused='none' if that is meant"
            )


def why_unused(x: Tensor, outs: Sequence[Tensor], constants: Sequence[Tensor]) -> str:
    """Why no gradient arrived."""
    target = node_of(x)
    if target is None:
        return "it has stop_gradient=True"
    starts = [node_of(y) for y in outs]
    if all(node is None for node in starts):
        return "no output has a graph, they have stop_gradient=True"
    if constants and reaches(starts, target):
        return "every path to it goes through no_grad_vars"
    return "no path leads to it"
