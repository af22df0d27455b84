"""`why`: which leaf of a graph of torch's got no gradient, and where it was cut."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from ...core.errors import FreedError, GradientError
from ...explaining.labels import brief
from ...explaining.questions.answer import Answer, Finding
from . import autograd_graph as theirs
from .explaining import array_or_none


def why(
    loss: torch.Tensor, about: torch.Tensor | torch.nn.Module | None = None, /, **names: Any
) -> Answer:
    """Why the gradients that `loss` gives are as they are: none, zero, not finite, or well.

    `about` is a tensor, or a module whose parameters are asked about; keywords are more of them, by
    name.  Left out, all leaves behind `loss` are asked about.  Where a tensor has no path to
    `loss`, the place is looked for among what torch kept of constants and the tensors that are
    alive: a detached value shares its memory with what it was detached from.  One backward sweep is
    run, which changes no `.grad`.  The lines are known under `torch.autograd.detect_anomaly`.

    Raises `GradientError` where `loss` is no tensor; `FreedError` where its graph was freed.

    >>> w = torch.tensor(2.0, requires_grad=True)
    >>> h = w * 3.0
    >>> print(why(torch.ones((), requires_grad=True) * h.detach(), w=w))
    w: no gradient: mul reads a constant that shares the memory of mul(...), which ...
    """
    if not isinstance(loss, torch.Tensor):
        raise GradientError(
            f"why: {type(loss).__name__} {loss!r} is no tensor of torch; for functions and tensors "
            "of ours, ask qd.why"
        )
    word = "" if isinstance(about, torch.nn.Module) else "this tensor"
    asked = theirs.names_of({**({word: about} if about is not None else {}), **names})
    if loss.grad_fn is None:
        return Answer([cut_loss(loss, name) for name in asked or {"the loss": loss}])
    nodes = theirs.walk(loss.grad_fn)
    if not asked:
        leaves = [n.variable for n in nodes if theirs.is_leaf(n)]
        asked = {f"leaf {k}": x for k, x in enumerate(leaves)}
    try:
        passed = theirs.sweep([loss], nodes)
    except RuntimeError as error:
        raise FreedError(
            f"why: torch's backward sweep fails ({str(error).partition('.')[0]}); ask before the "
            "sweep, or sweep with retain_graph=True"
        ) from error
    return Answer([about_tensor(x, name, nodes, passed) for name, x in asked.items()])


def about_tensor(
    x: torch.Tensor, name: str, nodes: Sequence[Any], passed: dict[Any, theirs.Passed]
) -> Finding:
    """The finding about one tensor."""
    place = theirs.place_of(x)
    if place is None:
        return not_asked(x, name)
    node, k = place
    if node not in set(nodes):
        return not_behind(x, name, nodes)
    found = passed.get(node)
    gradient = None if found is None else found.results[k]
    if gradient is None:
        return Finding(
            name,
            "unused",
            "no gradient: it is behind the loss, and no rule on the way passes a gradient to it",
            "a custom Function returned None, or an operation marks its result as constant",
        )
    return of_gradient(gradient, name, node, nodes, passed)


def of_gradient(
    gradient: torch.Tensor,
    name: str,
    node: Any,
    nodes: Sequence[Any],
    passed: dict[Any, theirs.Passed],
) -> Finding:
    """The finding about a gradient that arrived."""
    leading = leading_to(node, nodes)
    ahead = [n for n in reversed(nodes) if n in passed and n in leading]
    if not torch.isfinite(gradient).all():
        kind = "nan" if torch.isnan(gradient).any() else "inf"
        first = next((n for n in ahead if spoils(n, passed[n], leading)), None)
        where = "the loss itself" if first is None else theirs.operation(first)
        return Finding(
            name,
            kind,
            f"the gradient is not finite ({kind}): it comes from {where}, whose own gradient is "
            "finite and which makes this of it",
            "keep its operand away from the point where its slope is infinite, with a mask before "
            "the operation",
            None if first is None else theirs.line(first),
        )
    if not gradient.any():
        first = next((n for n in ahead if silences(n, passed[n], leading)), None)
        where = "an operation" if first is None else theirs.operation(first)
        return Finding(
            name,
            "zero",
            f"the gradient is zero: {where} passes nothing on of the gradient that it gets",
            "its slope is zero at this value, or it is multiplied by zero",
            None if first is None else theirs.line(first),
        )
    shown = brief(array_or_none(gradient))
    return Finding(name, "healthy", f"nothing is wrong: the gradient is {shown}")


def leading_to(node: Any, nodes: Sequence[Any]) -> set[Any]:
    """The nodes that were computed from one, and itself; operands come first among `nodes`."""
    found = {node}
    for n in nodes:
        if any(operand in found for operand, _ in n.next_functions):
            found.add(n)
    return found


def terms(node: Any, passed: theirs.Passed, leading: set[Any]) -> list[torch.Tensor]:
    """What a node makes for the operands that lead to the tensor asked about."""
    pairs = zip(node.next_functions, passed.operands, strict=False)
    return [g for (operand, _), g in pairs if g is not None and operand in leading]


def spoils(node: Any, passed: theirs.Passed, leading: set[Any]) -> bool:
    """Whether a node makes what is not finite of what is."""
    given = [g for g in passed.results if g is not None]
    made = terms(node, passed, leading)
    return all(torch.isfinite(g).all() for g in given) and not all(
        torch.isfinite(g).all() for g in made
    )


def silences(node: Any, passed: theirs.Passed, leading: set[Any]) -> bool:
    """Whether a node makes zeros of what is not zero."""
    given = [g for g in passed.results if g is not None]
    made = terms(node, passed, leading)
    return any(g.any() for g in given) and any(not g.any() for g in made)


def cut_loss(loss: torch.Tensor, name: str) -> Finding:
    """About a loss with no graph."""
    if loss.is_leaf and loss.requires_grad:
        return Finding(name, "unused", "no gradient: the loss is a leaf, computed from nothing")
    for source in living():
        if same_memory(loss, source):
            made = theirs.operation(source.grad_fn)
            return Finding(
                name,
                "cut",
                f"no gradient: the loss has no graph, and shares its memory with {made}(...), "
                "which has one: it was made by detach() or .data of that",
                "leave that out",
                theirs.line(source.grad_fn),
            )
    return Finding(
        name,
        "cut",
        "no gradient: the loss has no graph. It was computed under torch.no_grad or "
        "inference_mode, was detached, or nothing that it was computed from requires grad; torch "
        "does not tell which",
        "ask about what it was made from, one step back",
    )


def not_asked(x: torch.Tensor, name: str) -> Finding:
    """About a tensor that does not require grad."""
    if not (x.is_floating_point() or x.is_complex()):
        return Finding(
            name,
            "cut",
            f"no gradient: it is {x.dtype}, and derivatives exist by float or complex values only",
            "convert it before use, x.float().requires_grad_()",
        )
    return Finding(
        name,
        "cut",
        "no gradient: it does not require grad",
        "x.requires_grad_() before computing from it; what was frozen stays so",
    )


def not_behind(x: torch.Tensor, name: str, nodes: Sequence[Any]) -> Finding:
    """About a tensor with no path to the loss: where the path ends, as far as it can be told."""
    start: Any = theirs.place_of(x)
    for reader, constant in constants_of(nodes):
        if same_memory(constant, x):
            return cut_at(reader, name, "shares its memory, so was made by detach() or .data of it")
        for source in living():
            if same_memory(constant, source) and start[0] in theirs.walk(source.grad_fn):
                made = theirs.operation(source.grad_fn)
                return cut_at(
                    reader,
                    name,
                    f"shares the memory of {made}(...), which was computed from here: it was made "
                    "by detach() or .data of that",
                )
    for reader, constant in constants_of(nodes):
        if constant.ndim == 0 and constant.item() not in (0, 1, 2, -1):
            for source in living():
                if (
                    source.numel() == 1
                    and source.item() == constant.item()
                    and start[0] in theirs.walk(source.grad_fn)
                ):
                    made = theirs.operation(source.grad_fn)
                    return cut_at(
                        reader,
                        name,
                        f"is {constant.item():.6g}, the very value of {made}(...), which was "
                        "computed from here, as item() gives it",
                    )
    return Finding(
        name,
        "unused",
        "no gradient: nothing that the loss was computed from reads it, as far as torch's graph "
        "tells; detach(), .data, item(), numpy(), torch.no_grad and casts to integers leave no "
        "trace in it",
        "see that this very tensor is used, and that no such step lies between",
    )


def cut_at(reader: Any, name: str, what: str) -> Finding:
    """A cut before an operation."""
    return Finding(
        name,
        "cut",
        f"no gradient: {theirs.operation(reader)} reads a constant that {what}",
        "leave that out if the gradient should pass there",
        theirs.line(reader),
    )


def constants_of(nodes: Sequence[Any]) -> Iterator[tuple[Any, torch.Tensor]]:
    """What the operations of a graph keep of values without one, each with its reader."""
    for node in nodes:
        for t in theirs.tensors_in(theirs.saved(node)):
            if not t.requires_grad:
                yield node, t


def living() -> Iterator[torch.Tensor]:
    """All tensors with a graph that are alive."""
    for each in gc.get_objects():
        # not isinstance, which wakes the lazy objects of other modules
        if torch.Tensor in type(each).__mro__ and each.grad_fn is not None:
            yield each


def same_memory(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two dense tensors lie in the same memory."""
    if a.layout is not torch.strided or b.layout is not torch.strided:
        return False
    return bool(a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr() != 0)
