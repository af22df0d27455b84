"""The text of the errors of the faces of other libraries."""

import numpy as np

import qiudao as qd
import qiudao.interop.paddle_style as paddle
import qiudao.interop.torch_style as torch
from messages.raised import raised
from qiudao.core.errors import ShapeError, TreeError


def test_a_vector_left_out():
    act = lambda: torch.autograd.functional.vjp(lambda x: x * x, np.ones(2))
    assert raised(act) == (
        ShapeError,
        "vjp: v may be left out for a single number only, and the shapes are [(2,)]; pass v",
    )


def test_a_layer_with_the_wrong_count():
    class Mine(paddle.autograd.PyLayer):
        forward = staticmethod(lambda ctx, x, n: x * n)
        backward = staticmethod(lambda ctx, ct: (ct, ct, ct))

    x = paddle.to_tensor(1.0, stop_gradient=False)
    assert raised(lambda: Mine.apply(x, 2).backward()) == (
        TreeError,
        "Mine: backward returned 3 cotangents and apply was given 2 arguments; return one for "
        "each, None for zero",
    )


def test_calling_a_model_with_what_it_has_not():
    model = qd.nn.Linear(2, 1, rng=0)
    kind, text = raised(lambda: qd.nn.functional_call(model, {"wait": np.ones(2)}, np.ones(2)))
    assert (kind, text) == (TreeError, "functional_call: Linear has no wait; it has weight, bias")
    kind, text = raised(lambda: qd.nn.functional_call(model, {"bias": np.ones(2)}, np.ones(2)))
    assert text == "functional_call: bias has shape (2,) and in Linear (1,); both must be equal"
