"""The whole text of what the array standard's methods and functions raise."""

import numpy as np
import pytest

import qiudao as qd
import qiudao.numpy as xp
from checking import leaf
from messages.raised import raised
from qiudao.core.errors import DetachError, DtypeError

X = leaf([1.0, 4.0, 2.0])

RAISED = [
    (
        lambda: X.to_device("cuda"),
        DtypeError,
        "device: 'cuda' is none that qiudao computes on; leave it out, or give 'cpu'",
    ),
    (
        lambda: xp.asarray(1.0, device="cuda"),
        DtypeError,
        "device: 'cuda' is none that qiudao computes on; leave it out, or give 'cpu'",
    ),
    (
        lambda: X.to_device("cpu", stream=1),
        ValueError,
        "to_device: the CPU has no streams; leave stream=None",
    ),
    (
        lambda: X.__array_namespace__(api_version="1999.1"),
        ValueError,
        "__array_namespace__: version '1999.1' of the array standard is not one that qiudao "
        "follows; ask for one of 2021.12, 2022.12, 2023.12, 2024.12",
    ),
    (
        lambda: qd.tensor([1.0]).__dlpack__(copy=False),
        BufferError,
        "__dlpack__: this tensor's memory must not be written to, which only DLPack 1.0 can say; "
        "ask for max_version=(1, 0) or leave copy=False out",
    ),
    (
        X.__dlpack__,
        DetachError,
        "__dlpack__: this f64[3] carries a gradient, which the conversion would cut in silence; "
        "hand over x.detach(), or use qd.interop to pass gradients on",
    ),
    (
        lambda: xp.asarray(X, dtype=xp.float32, copy=False),
        ValueError,
        "asarray: a float64 tensor becomes float32 by a copy, which copy=False rules out; leave "
        "copy out",
    ),
    (
        lambda: xp.asarray([X], copy=False),
        ValueError,
        "asarray: a list of tensors becomes one tensor by a copy, which copy=False rules out; "
        "leave copy out",
    ),
    (
        lambda: qd.grad(lambda x: x[0].item() * x[1])(np.ones(2)),
        DetachError,
        "x.item(): this f64[] carries a gradient, which the conversion would cut in silence; "
        "compute with the element itself, x[i] (which prints and formats as its number), or cut "
        "on purpose with qd.stop_gradient(x), or let qd.lift(f) run the function unchanged",
    ),
    (
        lambda: qd.jacfwd(lambda x: np.sum(x.tolist()))(np.ones(2)),
        DetachError,
        "x.tolist(): this f64[2] carries a gradient, which the conversion would cut in silence; "
        "compute with the element itself, x[i] (which prints and formats as its number), or cut "
        "on purpose with qd.stop_gradient(x), or let qd.lift(f) run the function unchanged",
    ),
]


@pytest.mark.parametrize("act, kind, text", RAISED)
def test_message(act, kind, text):
    assert raised(act) == (kind, text)


@pytest.mark.parametrize("module", [xp, xp.linalg, xp.special], ids=lambda m: m.__name__)
def test_a_name_that_numpy_has_not(module):
    assert raised(lambda: module.no_such_name) == (
        AttributeError,
        f"module {module.__name__!r} has no attribute 'no_such_name'",
    )


def test_numbers_are_read_out_on_the_tape_and_of_constants():
    assert X[0].item() == 1.0
    assert X.tolist() == [1.0, 4.0, 2.0]
    assert qd.grad(lambda x: (x > 1).item() * qd.stop_gradient(x).item() * x)(3.0) == 3.0
