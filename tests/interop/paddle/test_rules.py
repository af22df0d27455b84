"""Each rule computes what paddle's operation does: its derivatives are of the same thing."""

import numpy as np
import pytest

paddle = pytest.importorskip("paddle")
RULES = pytest.importorskip("qiudao.interop.paddle.rules").RULES

X = np.array([[0.3, 0.72, -0.4], [0.9, -0.15, 0.55]])
POSITIVE = np.abs(X) + 0.1
SQUARE = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.1]])
LABELS = np.array([[2], [0]])
SOFT = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])

# The arguments of `paddle._C_ops`; left out are operations of X alone.
SAMPLES = {
    "acosh": [(POSITIVE + 1.5,)],
    "argsort": [(X, -1, False, False), (X, 0, True, False)],
    "amax": [(X,), (X, [1], True)],
    "amin": [(X,), (X, [0], False)],
    "atan2": [(X, POSITIVE)],
    "celu": [(X, 0.7)],
    "cholesky": [(SQUARE, False), (SQUARE, True)],
    "clip": [(X, -0.2, 0.6)],
    "cross_entropy_with_softmax": [
        (X, LABELS, False, True, True, -100, -1),
        (X, np.array([[2], [-100]]), False, True, True, -100, -1),
        (X, SOFT, True, True, True, -100, -1),
        (SOFT, LABELS, False, False, True, -100, -1),
    ],
    "cumprod": [(X, 1, False, False), (X, 0, True, False), (X, 1, False, True)],
    "cumsum": [(X, 1, False, False, False), (X, -1, True, False, False), (X, 1, False, True, True)],
    "det": [(SQUARE,)],
    "digamma": [(POSITIVE,)],
    "eigvalsh": [(SQUARE, "L", False)],
    "elu": [(X, 0.7)],
    "frobenius_norm": [(X, [1], True, False), (X, [], False, True)],
    "gelu": [(X,), (X, True)],
    "inverse": [(SQUARE,)],
    "layer_norm": [(X, None, None, 1e-5, 1), (X, X[0], X[1], 1e-3, 1)],
    "leaky_relu": [(X, 0.1)],
    "lgamma": [(POSITIVE,)],
    "log": [(POSITIVE,)],
    "log10": [(POSITIVE,)],
    "log2": [(POSITIVE,)],
    "logcumsumexp": [(X, 1, False, False, False), (X, -1, True, False, True)],
    "logsumexp": [(X, [1], False, False), (X, None, True, True)],
    "max": [(X, None, False), (X, [1], True)],
    "maximum": [(X, POSITIVE)],
    "mean": [(X, None, False), (X, [0], True)],
    "min": [(X, None, False), (X, 1, False)],
    "minimum": [(X, POSITIVE)],
    "mish": [(X, 20.0)],
    "p_norm": [(X, 2.0, -1, 1e-12, False, True), (X, 3.0, 0, 1e-12, True, False)],
    "pow": [(POSITIVE, 2.5)],
    "prod": [(X, [1], True, False), (X, [], False, True)],
    "rsqrt": [(POSITIVE,)],
    "selu": [(X, 1.05, 1.67)],
    "sigmoid_cross_entropy_with_logits": [
        (X, SOFT, None, False, -100),
        (X, SOFT, POSITIVE, False, -100),
        (X, np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]]), None, True, -1),
    ],
    "slogdet": [(SQUARE,)],
    "softmax": [(X, -1), (X, 0)],
    "log_softmax": [(X, -1), (X, 0)],
    "softplus": [(X, 2.0, 1.0)],
    "solve": [(SQUARE, SQUARE[:, :2]), (SQUARE, SQUARE[0])],
    "sqrt": [(POSITIVE,)],
    "topk": [(X, 2, -1, True, True), (X, 1, 0, False, True)],
}


@pytest.mark.parametrize("name", RULES)
def test_values_are_paddles(name):
    for sample in SAMPLES.get(name, [(X,)]):
        tensors = [paddle.to_tensor(a) if isinstance(a, np.ndarray) else a for a in sample]
        found = getattr(paddle._C_ops, name)(*tensors)
        want = found if isinstance(found, tuple | list) else [found]
        made = RULES[name](*sample)
        made = made if isinstance(made, tuple) else (made,)
        assert len(made) == len(want)
        for ours, theirs in zip(made, want, strict=True):
            if np.ndim(ours) or theirs.ndim == 0:  # places and vectors carry no derivative
                if name == "eigvalsh" and theirs.ndim == 2:
                    continue
                np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-6, atol=1e-9)
                assert np.shape(ours) == tuple(theirs.shape)
