"""The text of every error of `qd.graph`, `qd.forward_ad`, and of how gradients accumulate."""

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from messages.raised import raised
from qiudao.core.errors import DtypeError, GradientError, ShapeError, TreeError

ad = qd.forward_ad


def product():
    """A computed tensor and its leaf."""
    x = leaf([1.0, 2.0])
    return x * x, x


def swept(prehook=None, hook=None):
    """Act: a sweep with a hook on the product."""

    def act():
        y, _ = product()
        if prehook is not None:
            y.grad_fn.register_prehook(prehook)
        if hook is not None:
            y.grad_fn.register_hook(hook)
        y.sum().backward()

    return act


def two(cts):
    return cts[0], cts[0]


def short(cts):
    return (cts[0][:1],)


def many(grads, cts):
    return (*grads, None)


def narrow(grads, cts):
    return grads[0][:1], grads[1]


def within_disabled():
    with (
        qd.graph.disable_saved_tensors_hooks("this block is timed; leave it first"),
        qd.graph.save_in_float32(),
    ):
        pass


def unpacked_wrongly():
    with qd.graph.saved_tensors_hooks(lambda x: x, lambda x: x[:1]):
        x = leaf([1.0, 2.0])
        y = np.sin(x)
    y.sum().backward()


def within(act):
    def inside():
        with ad.dual_level():
            act()

    return inside


def swept_into(into, inputs, **options):
    def act():
        y, x = product()
        y.sum().backward(inputs=inputs(x), into=into, **options)

    return act


def dtype_of_gradient(make, dtype):
    def act():
        make().grad_dtype = dtype

    return act


MESSAGES = [
    (
        "prehook on a leaf",
        lambda: leaf(1.0).edge.register_prehook(print),
        GradientError,
        "register_prehook: this leaf was made by no operation, so no rule runs for it; use the "
        "tensor's register_hook or register_post_accumulate_grad_hook",
    ),
    (
        "hook on a leaf",
        lambda: leaf(1.0).edge.register_hook(print),
        GradientError,
        "register_hook: this leaf was made by no operation, so no rule runs for it; use the "
        "tensor's register_hook or register_post_accumulate_grad_hook",
    ),
    (
        "a prehook that is no function",
        lambda: (leaf(1.0) * 2).grad_fn.register_prehook(3),
        GradientError,
        "register_prehook: int 3 is no function; give one that takes a tuple of cotangents",
    ),
    (
        "a hook that is no function",
        lambda: (leaf(1.0) * 2).grad_fn.register_hook(3),
        GradientError,
        "register_hook: int 3 is no function; give one that takes two tuples, of gradients and of "
        "cotangents",
    ),
    (
        "a hook of a group that is no function",
        lambda: qd.graph.register_multi_grad_hook([leaf(1.0)], 3),
        GradientError,
        "register_multi_grad_hook: int 3 is no function; give one that takes a list of gradients",
    ),
    (
        "what packs is no function",
        lambda: qd.graph.saved_tensors_hooks(3, print),
        GradientError,
        "saved_tensors_hooks: int 3 is no function; give one that takes a tensor",
    ),
    (
        "what unpacks is no function",
        lambda: qd.graph.saved_tensors_hooks(print, 3),
        GradientError,
        "saved_tensors_hooks: int 3 is no function; give one that takes what the first one "
        "returned",
    ),
    (
        "a hook of nodes that is no function",
        lambda: qd.graph.node_creation_hook(3),
        GradientError,
        "node_creation_hook: int 3 is no function; give one that takes a node",
    ),
    (
        "count from a prehook",
        swept(prehook=two),
        GradientError,
        "register_prehook: the hook two returned 2 gradients for 1; return a tuple of as many, or "
        "None to leave them as they are",
    ),
    (
        "shape from a prehook",
        swept(prehook=short),
        ShapeError,
        "register_prehook: the hook short returned shape (1,) for a gradient of shape (2,); both "
        "must be equal",
    ),
    (
        "text from a prehook",
        swept(prehook=lambda cts: np.array(["a", "b"])),
        DtypeError,
        "register_prehook: what the hook <lambda> returned has dtype <U1, which holds no numbers; "
        "give an array of them",
    ),
    (
        "a complex gradient from a hook",
        swept(hook=lambda grads, cts: (1j * grads[0], None)),
        DtypeError,
        "register_hook: what the hook <lambda> returned is complex128 and the value float64, which "
        "has no imaginary part to go with it; give its real part, np.real(v), or make the value "
        "complex",
    ),
    (
        "dtype of a buffer",
        swept_into(np.zeros(2, int), lambda x: x),
        DtypeError,
        "backward: into has dtype int64, which cannot keep a gradient of float64; give an array of "
        "floats",
    ),
    (
        "count from a hook",
        swept(hook=many),
        GradientError,
        "register_hook: the hook many returned 3 gradients for 2; return a tuple of as many, or "
        "None to leave them as they are",
    ),
    (
        "shape from a hook",
        swept(hook=narrow),
        ShapeError,
        "register_hook: the hook narrow returned shape (1,) for a gradient of shape (2,); both "
        "must be equal",
    ),
    (
        "mode of a group",
        lambda: qd.graph.register_multi_grad_hook([leaf(1.0)], print, mode="some"),
        GradientError,
        "register_multi_grad_hook: mode='some' is unknown; use 'all' or 'any'",
    ),
    (
        "constant in a group",
        lambda: qd.graph.register_multi_grad_hook([leaf(1.0), qd.tensor(1.0)], print),
        GradientError,
        "register_multi_grad_hook: tensors[1] does not require grad, so no gradient ever passes "
        "it; leave it out, or call requires_grad_() first",
    ),
    (
        "empty group",
        lambda: qd.graph.register_multi_grad_hook([], print),
        GradientError,
        "register_multi_grad_hook: no tensors were given; give one or more",
    ),
    (
        "packing where it is disabled",
        within_disabled,
        GradientError,
        "saved_tensors_hooks: this block is timed; leave it first",
    ),
    (
        "unpacked wrongly",
        unpacked_wrongly,
        GradientError,
        "saved_tensors_hooks: unpack returned f64[1] for the f64[2] that sin at file.py:N "
        "(`y = np.sin(x)`) kept; return what pack was given",
    ),
    (
        "dual outside of a level",
        lambda: ad.make_dual(1.0, 1.0),
        GradientError,
        "make_dual: level None is not open; work within `with qd.forward_ad.dual_level():`",
    ),
    (
        "tangent of another shape",
        within(lambda: ad.make_dual(1.0, [1.0])),
        ShapeError,
        "make_dual: the tangent has shape (1,) and the value (); both must be equal",
    ),
    (
        "complex tangent of a real value",
        within(lambda: ad.make_dual(1.0, 1j)),
        DtypeError,
        "make_dual: the tangent is complex128 and the value float64, which has no imaginary part "
        "to go with it; give its real part, np.real(v), or make the value complex",
    ),
    (
        "accumulate",
        lambda: qd.grad(leaf(1.0) * 2, leaf(1.0), accumulate="mean", unused="zero"),
        GradientError,
        "grad: accumulate='mean' is unknown; use 'sum', 'kahan', 'separate' or a function of a "
        "list of terms",
    ),
    (
        "accumulate in a batch",
        lambda: qd.grad(*product(), np.ones((3, 2)), is_grads_batched=True, accumulate="kahan"),
        GradientError,
        "grad: accumulate= is for one cotangent, and is_grads_batched sweeps many at once; leave "
        "one of them out",
    ),
    (
        "what accumulate returned",
        lambda: product()[0].sum().backward(accumulate=lambda terms: 0.0),
        ShapeError,
        "backward: accumulate returned shape () for terms of shape (2,); both must be equal",
    ),
    (
        "separate terms in .grad",
        lambda: product()[0].sum().backward(accumulate="separate"),
        GradientError,
        "backward: accumulate='separate' gives several terms, and .grad holds one gradient; use "
        "qd.grad",
    ),
    (
        "into without inputs",
        swept_into([np.zeros(2)], lambda x: None),
        TreeError,
        "backward: into= is nested as [*] and inputs= as None; give an array for each input",
    ),
    (
        "into and a graph",
        swept_into([np.zeros(2)], lambda x: [x], create_graph=True),
        GradientError,
        "backward: into= adds into plain arrays, which hold no graph; leave out create_graph, or "
        "use qd.grad",
    ),
    (
        "into of another shape",
        swept_into([np.zeros(3)], lambda x: [x]),
        ShapeError,
        "backward: into[0] is f64[3] and the input f64[2]; give a writable NumPy array of the same "
        "shape",
    ),
    (
        "grad_dtype of a computed tensor",
        dtype_of_gradient(lambda: product()[0], np.float32),
        GradientError,
        "grad_dtype: this tensor is no leaf that requires grad, and only those collect gradients; "
        "set it on the parameter",
    ),
    (
        "grad_dtype of integers",
        dtype_of_gradient(lambda: leaf(1.0), int),
        DtypeError,
        "grad_dtype: a gradient of f64[] cannot be kept as int64; use a float dtype (for a complex "
        "tensor a complex one)",
    ),
]


@pytest.mark.parametrize("act, kind, text", [m[1:] for m in MESSAGES], ids=[m[0] for m in MESSAGES])
def test_message(act, kind, text):
    assert raised(act) == (kind, text)


def test_levels_end_in_the_opposite_order():
    with ad.dual_level() as outer, ad.dual_level() as inner:
        kind, text = raised(lambda: ad.exit_dual_level(level=outer))
    assert (kind, text) == (
        GradientError,
        f"exit_dual_level: the innermost open level is {inner}; end levels in the opposite order, "
        "best by `with qd.forward_ad.dual_level():`",
    )


def test_one_name_to_save():
    assert raised(lambda: qd.checkpoint(np.sin, save="matmul")) == (
        TypeError,
        "checkpoint: save='matmul' is one name, and its letters would be taken for names; write "
        "save=['matmul']",
    )
