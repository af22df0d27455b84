"""The whole text of every error of `qd.nn`."""

import numpy as np
import pytest

import qiudao as qd
from messages.raised import raised
from qiudao import nn
from qiudao.core.errors import DtypeError, RuleError, ShapeError, TreeError

ROWS = np.ones((2, 3))


class Silent(nn.Module):
    """A model that computes nothing."""


class Loose(nn.Module):
    """A model that hides its norm from the transform."""

    def __init__(self):
        self.norm = nn.BatchNorm1d(3)


MESSAGES = {
    "no __call__": (
        lambda: Silent()(1.0),
        RuleError,
        "nn: Silent does not say what it computes; give the class a __call__",
    ),
    "no seed": (
        lambda: nn.Linear(2, 2, rng=None),
        TypeError,
        "Linear: rng=None is neither a generator nor a seed; pass np.random.default_rng(seed) or "
        "an integer >= 0, so that a run can be repeated",
    ),
    "no fans": (
        lambda: nn.xavier_normal((3,), rng=0),
        ShapeError,
        "xavier_normal: a weight of shape (3,) has no inputs and outputs to scale by; give "
        "(outputs, inputs, ...)",
    ),
    "an unknown fan": (
        lambda: nn.kaiming_normal((3, 2), rng=0, fan="both"),
        ValueError,
        "kaiming_normal: fan='both' is unknown; use 'in' or 'out'",
    ),
    "missing and unexpected": (
        lambda: nn.Linear(2, 1, rng=0).load_state_dict({"bias": np.ones(1), "scale": np.ones(1)}),
        TreeError,
        "load_state_dict: the state for Linear has no weight and scale that the model has not; "
        "give a state of the same model, or strict=False to take what fits",
    ),
    "another shape": (
        lambda: nn.Linear(2, 1, rng=0).load_state_dict({"bias": np.ones(2)}, strict=False),
        ShapeError,
        "load_state_dict: bias has shape (2,) in the state and (1,) in Linear; build the model "
        "with the sizes that were saved",
    ),
    "linear": (
        lambda: nn.Linear(2, 1, rng=0)(ROWS),
        ShapeError,
        "Linear: an input of shape (2, 3) does not fit 2 inputs; its last axis must have that "
        "length",
    ),
    "embedding": (
        lambda: nn.Embedding(2, 1, rng=0)(ROWS),
        DtypeError,
        "Embedding: indices of dtype float64 choose no rows; give integers",
    ),
    "groups": (
        lambda: nn.Conv1d(3, 4, 1, groups=2, rng=0),
        ShapeError,
        "Conv1d: 3 inputs and 4 outputs do not fall into 2 groups; both must be multiples of it",
    ),
    "adaptive pool": (
        lambda: nn.AdaptiveAvgPool((2, 2))(np.ones((1, 1, 4))),
        ShapeError,
        "AdaptiveAvgPool: an input of shape (1, 1, 4) does not fit (2, 2) windows; give (batch, "
        "channels, *space), none of space empty, and a number for each axis of space",
    ),
    "batch norm": (
        lambda: nn.BatchNorm2d(3)(ROWS),
        ShapeError,
        "BatchNorm2d: an input of shape (2, 3) does not fit; it must have 4 axes, and 3 channels "
        "on the second",
    ),
    "a batch of one": (
        lambda: nn.BatchNorm1d(3)(ROWS[:1]),
        ShapeError,
        "BatchNorm1d: an input of shape (1, 3) has one value for each channel, which has no "
        "variance; give more, or call eval()",
    ),
    "a running mean that would be lost": (
        lambda: qd.trace(Loose().norm)(ROWS),
        RuleError,
        "BatchNorm1d: the running mean of a model that a transform closes over would change "
        "inside it; pass the model as an argument and return it, or call eval()",
    ),
    "layer norm": (
        lambda: nn.LayerNorm(4)(ROWS),
        ShapeError,
        "LayerNorm: an input of shape (2, 3) does not fit; its last axes must be (4,)",
    ),
    "the rate of dropout": (
        lambda: nn.Dropout(1.0),
        ValueError,
        "Dropout: rate=1.0; it is the share of elements that are dropped, from 0 to below 1",
    ),
    "draws of another shape": (
        lambda: nn.Dropout(0.5)(ROWS, draws=np.ones(3)),
        ShapeError,
        "Dropout: draws of shape (3,) do not fit an input of shape (2, 3); give a draw for each "
        "element",
    ),
    "dropout in a trace": (
        lambda: qd.trace(lambda x: nn.Dropout(0.5, rng=0)(x))(ROWS),
        RuleError,
        "Dropout: within qd.jit and qd.vmap a generator would draw once for all calls and "
        "examples; pass draws=, uniform numbers of the input's shape that are an argument of the "
        "function, or call model.eval()",
    ),
    "dropout without a generator": (
        lambda: nn.Dropout(0.5)(ROWS),
        RuleError,
        "Dropout: there is nothing to draw from; give rng=, a generator or a seed, to the layer or "
        "to the call",
    ),
    "recurrent": (
        lambda: nn.GRU(2, 1, rng=0)(ROWS),
        ShapeError,
        "GRU: an input of shape (2, 3) does not fit; it must be (batch, time, 2)",
    ),
    "heads": (
        lambda: nn.MultiheadAttention(3, 2, rng=0),
        ShapeError,
        "MultiheadAttention: a size of 3 does not fall into 2 heads; it must be a multiple of them",
    ),
    "attention": (
        lambda: nn.MultiheadAttention(3, 1, rng=0)(ROWS),
        ShapeError,
        "MultiheadAttention: an input of shape (2, 3) does not fit; it must be (batch, time, size)",
    ),
    "a mask of numbers": (
        lambda: nn.attention(ROWS, ROWS, ROWS, mask=np.ones((2, 2))),
        DtypeError,
        "attention: the mask has dtype float64; give booleans, True where a query may read a key",
    ),
    "a reduction": (
        lambda: nn.mse(ROWS, ROWS, reduction="median"),
        ValueError,
        "mse: reduction='median' is unknown; use 'mean', 'sum' or 'none'",
    ),
    "shapes of a loss": (
        lambda: nn.mse(ROWS, ROWS[0]),
        ShapeError,
        "mse: a prediction of shape (2, 3) and a target of shape (3,) differ; reshape one of them",
    ),
    "neither labels nor probabilities": (
        lambda: nn.cross_entropy(ROWS, ROWS > 0),
        DtypeError,
        "cross_entropy: a target of dtype bool is neither labels nor probabilities; give integers "
        "or floats",
    ),
    "an ignored label among probabilities": (
        lambda: nn.cross_entropy(ROWS, ROWS, ignore_index=1),
        DtypeError,
        "cross_entropy: ignore_index=1 is a label, and the target has probabilities; leave it out, "
        "or multiply rows of reduction='none' by 0",
    ),
    "a label that is no class": (
        lambda: nn.cross_entropy(ROWS, np.array([1, -1])),
        ValueError,
        "cross_entropy: the label -1 is not the number of one of 3 classes, which count from 0; "
        "mend it, or pass it as ignore_index",
    ),
    "labels": (
        lambda: nn.cross_entropy(ROWS, np.array([1])),
        ShapeError,
        "cross_entropy: labels of shape (1,) do not fit logits of shape (2, 3); give one label for "
        "each row of the last axis",
    ),
    "a negative size": (
        lambda: nn.Linear(-1, 2, rng=0),
        ShapeError,
        "Linear: inputs=-1; it must be a whole number, at least 0",
    ),
    "a size that is no whole number": (
        lambda: nn.LSTM(2, 3.0, rng=0),
        ShapeError,
        "LSTM: hidden=3.0; it must be a whole number, at least 0",
    ),
    "no groups": (
        lambda: nn.Conv2d(1, 2, 3, groups=0, rng=0),
        ShapeError,
        "Conv2d: groups=0; it must be a whole number, at least 1",
    ),
    "no heads": (
        lambda: nn.MultiheadAttention(8, 0, rng=0),
        ShapeError,
        "MultiheadAttention: heads=0; it must be a whole number, at least 1",
    ),
    "a window of another rank": (
        lambda: nn.Conv2d(1, 2, (3, 3, 3), rng=0),
        ShapeError,
        "Conv2d: size=(3, 3, 3) has 3 entries, and there are 2 axes of space; give one "
        "number, or one for each axis",
    ),
    "a window that is no whole number": (
        lambda: nn.MaxPool(2.5)(np.ones((1, 1, 4))),
        DtypeError,
        "max_pool: size=2.5; it must be a whole number, or one for each axis",
    ),
    "no windows": (
        lambda: nn.AdaptiveAvgPool(0),
        ShapeError,
        "AdaptiveAvgPool: counts=0; it must be a whole number, at least 1",
    ),
    "a momentum above 1": (
        lambda: nn.BatchNorm1d(3, momentum=2),
        ValueError,
        "BatchNorm1d: momentum=2; it must be a number in [0, 1]",
    ),
    "a delta of 0": (
        lambda: nn.huber(ROWS, ROWS, delta=0.0),
        ValueError,
        "huber: delta=0.0; it must be a number in (0, inf]",
    ),
    "complex losses": (
        lambda: nn.mse(1j * ROWS, ROWS),
        DtypeError,
        "mse: an operand is complex128, and is defined for real numbers; give the real and "
        "the imaginary part, or the absolute value",
    ),
    "a row that is not there": (
        lambda: nn.Embedding(3, 2, rng=0)(np.array([0, -1])),
        IndexError,
        "Embedding: the index -1 is not that of one of 3 rows, which count from 0; mend it",
    ),
    "an unknown approximation": (
        lambda: nn.gelu(ROWS, approximate="erf"),
        ValueError,
        "gelu: approximate='erf' is unknown; use True or False, or torch's 'tanh' or 'none'",
    ),
    "no numbers": (
        lambda: nn.relu(["a"]),
        DtypeError,
        "nn: an operand is list of dtype <U1; give arrays of numbers",
    ),
    "a lone logit": (
        lambda: nn.cross_entropy(1.0, 0),
        ShapeError,
        "cross_entropy: the logits are one number, and have no axis of classes; give (..., "
        "classes)",
    ),
    "a weight for other classes": (
        lambda: nn.cross_entropy(ROWS, np.array([0, 1]), weight=np.ones(2)),
        ShapeError,
        "cross_entropy: a weight of shape (2,) does not fit 3 classes; give one factor for each",
    ),
    "an ignored label that is none": (
        lambda: nn.cross_entropy(ROWS, np.array([0, 1]), ignore_index="a"),
        DtypeError,
        "cross_entropy: ignore_index='a' is no label; give an integer",
    ),
    "a state of another size": (
        lambda: nn.GRU(3, 2, rng=0)(np.ones((2, 4, 3)), np.ones((2, 5))),
        ShapeError,
        "GRU: an initial state of shape (2, 5) does not fit; it must be (2, 2), (batch, hidden)",
    ),
    "one state of two": (
        lambda: nn.LSTM(3, 2, rng=0)(np.ones((2, 4, 3)), np.ones((2, 2))),
        ShapeError,
        "LSTM: an initial state of shape (2, 2) does not fit; it must be a pair (h, c) of "
        "(2, 2), (batch, hidden)",
    ),
    "keys of another size": (
        lambda: nn.attention(ROWS, np.ones((2, 4)), ROWS),
        ShapeError,
        "attention: queries of shape (2, 3), keys of (2, 4) and values of (2, 3) do not fit; "
        "they must be (..., queries, size), (..., keys, size) and (..., keys, width), of a "
        "size >= 1",
    ),
    "a mask of another size": (
        lambda: nn.attention(ROWS, ROWS, ROWS, mask=np.ones((3, 3), bool)),
        ShapeError,
        "attention: a mask of shape (3, 3) does not fit 2 queries and 2 keys; it must "
        "broadcast to (2, 2)",
    ),
    "a list as a layer": (
        lambda: nn.Sequential([nn.relu]),
        DtypeError,
        "Sequential: layer 0 is a list, which cannot be called; give modules and functions "
        "one by one, Sequential(*layers)",
    ),
    "a model as a stack": (
        lambda: nn.stack(nn.relu),
        TreeError,
        "stack: what is given is no list of modules; give stack([model, ...])",
    ),
    "an empty stack": (
        lambda: nn.stack([]),
        TreeError,
        "stack: there are no models; give one at least",
    ),
    "a state that is a list": (
        lambda: nn.Linear(2, 1, rng=0).load_state_dict([np.ones(1)]),
        TreeError,
        "load_state_dict: the state is a list; give a dict from paths to arrays, as "
        "state_dict() does",
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_message(case):
    act, kind, text = MESSAGES[case]
    assert raised(act) == (kind, text)
