"""The whole text of every error of `qd.optim`."""

import numpy as np
import pytest

import qiudao as qd
from checking import leaf
from messages.raised import raised
from qiudao.core.errors import DtypeError, GradientError, ShapeError

optim = qd.optim
X, Y = leaf([1.0, 2.0]), leaf(3.0)


def stepped_in_a_transform():
    def f(x):
        w = leaf([1.0, 2.0])
        w.grad = np.ones(2)
        w.value = x
        optim.SGD([w]).step()
        return x

    return qd.jit(f)(np.ones(2))


def loaded(state, params=(X,)):
    groups = [{"params": list(range(len(params)))}]
    return optim.SGD([X]).load_state_dict({"state": state, "param_groups": groups})


def past_the_cycle():
    scheduler = optim.lr_scheduler.OneCycleLR(optim.SGD([X], momentum=0.9), 1.0, total_steps=2)
    for _ in range(3):
        scheduler.step()


MESSAGES = {
    "a negative rate": (
        lambda: optim.SGD([X], lr=-1.0),
        GradientError,
        "SGD: lr=-1.0 is out of range; give a number >= 0",
    ),
    "betas": (
        lambda: optim.adam(betas=(0.9, 1.0)),
        GradientError,
        "adam: betas=(0.9, 1.0) is out of range; give two numbers from 0 to less than 1",
    ),
    "one beta": (
        lambda: optim.Adam([X], betas=0.9),
        GradientError,
        "Adam: betas=0.9 is not a pair; give two numbers",
    ),
    "a rate that is text": (
        lambda: optim.SGD([X], lr="0.1"),
        GradientError,
        "SGD: lr='0.1' is no number; give a number >= 0",
    ),
    "no list of parameters": (
        lambda: optim.SGD({"w": X}),
        GradientError,
        "SGD: the parameters are dict; pass a list of them, such as model.parameters(), or a list "
        "of groups",
    ),
    "a group without parameters": (
        lambda: optim.SGD([{"param": [X]}]),
        GradientError,
        "SGD: a group has 'param' and no 'params'; give it a list of its parameters under that "
        "name",
    ),
    "Nesterov": (
        lambda: optim.SGD([X], nesterov=True),
        GradientError,
        "SGD: nesterov=True with momentum=0 and dampening=0 is not defined; give momentum > 0 and "
        "dampening=0",
    ),
    "no parameters": (
        lambda: optim.Adam([]),
        GradientError,
        "Adam: there are no parameters to move; pass model.parameters()",
    ),
    "a computed parameter": (
        lambda: optim.Adam([X * 2]),
        GradientError,
        "Adam: a parameter is a computed tensor, and only leaves can be moved; make it with "
        "qd.tensor(x, requires_grad=True)",
    ),
    "an array": (
        lambda: optim.Adam([np.ones(2)]),
        GradientError,
        "Adam: a parameter is a ndarray, and only leaves can be moved; make it with "
        "qd.tensor(x, requires_grad=True)",
    ),
    "a parameter twice": (
        lambda: optim.SGD([X, X]),
        GradientError,
        "SGD: a parameter of shape (2,) is listed twice, and would be moved twice a step; list "
        "each once",
    ),
    "a step in a transform": (
        stepped_in_a_transform,
        GradientError,
        "step: a parameter or its gradient belongs to a transform (qd.jit, qd.vmap, qd.grad), and "
        "a step writes in place; use a rule there, such as qd.optim.adam(lr=...)",
    ),
    "a state of other parameters": (
        lambda: loaded({}, (X, Y)),
        GradientError,
        "load_state_dict: the state is of groups of [2] parameters, and this optimiser has groups "
        "of [1]; make it with the same parameters first",
    ),
    "a state of another shape": (
        lambda: loaded({0: {"momentum_buffer": np.ones(3)}}),
        ShapeError,
        "load_state_dict: momentum_buffer of parameter 0 has shape (3,), and the parameter (2,); "
        "load the state of the same network",
    ),
    "a complex parameter of a rule": (
        lambda: optim.sgd().init({"z": np.ones(2, complex)}),
        DtypeError,
        "init: params['z'] has dtype complex128, and the rules move real floats; give a complex "
        "parameter as its real and imaginary parts, or use the optimiser classes",
    ),
    "an unknown line search": (
        lambda: optim.LBFGS([X], line_search_fn="wolfe"),
        GradientError,
        "LBFGS: line_search_fn='wolfe' is unknown; use 'strong_wolfe' or None",
    ),
    "two groups": (
        lambda: optim.LBFGS([{"params": [X]}, {"params": [Y]}]),
        GradientError,
        "LBFGS: there can be one group of parameters only, for all move along one direction; pass "
        "them in one list",
    ),
    "two dtypes": (
        lambda: optim.LBFGS([X, qd.tensor(np.float32(1.0), requires_grad=True)]),
        DtypeError,
        "LBFGS: the parameters have dtypes float32, float64, and all must have the same real float "
        "dtype; convert them",
    ),
    "no closure": (
        lambda: optim.LBFGS([X]).step(),
        GradientError,
        "LBFGS: step() needs a closure, for it asks for the loss several times; pass a function "
        "that zeroes the gradients, computes the loss, calls backward and returns the loss",
    ),
    "an unknown curve": (
        lambda: optim.schedules.one_cycle(1.0, 10, anneal="sine"),
        GradientError,
        "one_cycle: anneal='sine' is unknown; use 'cos' or 'linear'",
    ),
    "schedules without a meeting point": (
        lambda: optim.schedules.sequence([abs, abs], at=[]),
        GradientError,
        "sequence: 2 schedules meet at 1 steps, and 0 are given; name the step at which each but "
        "the first begins",
    ),
    "past the cycle": (
        past_the_cycle,
        GradientError,
        "OneCycleLR: step 3 is past the 2 steps of the cycle; make it with a larger total_steps",
    ),
    "a factor that does not reduce": (
        lambda: optim.lr_scheduler.ReduceLROnPlateau(optim.SGD([X]), factor=1.0),
        GradientError,
        "ReduceLROnPlateau: factor=1.0 does not reduce; give one below 1",
    ),
    "an unknown mode": (
        lambda: optim.lr_scheduler.ReduceLROnPlateau(optim.SGD([X]), mode="least"),
        GradientError,
        "ReduceLROnPlateau: mode='least' with threshold_mode='rel' is unknown; use 'min' or "
        "'max', and 'rel' or 'abs'",
    ),
    "a momentum above 1 of the mean square": (
        lambda: optim.RMSprop([X], alpha=2),
        GradientError,
        "RMSprop: alpha=2 is out of range; give a number <= 1",
    ),
    "betas that are no numbers": (
        lambda: optim.Adam([X], betas=(0.9, None)),
        GradientError,
        "Adam: betas=(0.9, None) is not a pair; give two numbers",
    ),
    "a group that is none": (
        lambda: optim.SGD([X]).add_param_group([Y]),
        GradientError,
        "SGD: a group is a list; give a dict with a list of its parameters under 'params'",
    ),
    "a group without a list": (
        lambda: optim.SGD([{"params": 3}]),
        GradientError,
        "SGD: 'params' of a group is a int; give a list",
    ),
    "a schedule for the tape": (
        lambda: optim.SGD([X], lr=lambda t: 0.1),
        GradientError,
        "SGD: lr is a function, and the optimisers of the tape take a number; give one, and "
        "step a scheduler of qd.optim.lr_scheduler",
    ),
    "a closure that is none": (
        lambda: optim.SGD([X]).step(3),
        GradientError,
        "SGD: step() was given a int, and takes a function that computes the loss and calls "
        "backward, or nothing",
    ),
    "a state that is none": (
        lambda: optim.SGD([X]).load_state_dict({}),
        GradientError,
        "load_state_dict: the state is not that of an optimiser (KeyError('param_groups')); "
        "give what state_dict() gave",
    ),
    "a state of more parameters": (
        lambda: loaded({5: {"step": 1}}),
        GradientError,
        "load_state_dict: the state has a parameter 5, and this optimiser 1 of them; load "
        "the state of the same network",
    ),
    "no iterations": (
        lambda: optim.LBFGS([X], max_iter=0),
        GradientError,
        "LBFGS: max_iter=0; it must be a whole number, at least 1",
    ),
    "a closure without a loss": (
        lambda: optim.LBFGS([X]).step(lambda: None),
        GradientError,
        "LBFGS: the closure returned nothing; it must return the loss, which is one number",
    ),
    "no norm": (
        lambda: optim.global_norm([1.0, 2.0], norm_type=0),
        GradientError,
        "clipping: norm_type=0 is no norm; give a number above 0, or np.inf",
    ),
    "a negative norm": (
        lambda: optim.clip_by_norm([np.ones(2)], -1.0),
        GradientError,
        "clipping: max_norm=-1.0; it must be a number, at least 0",
    ),
    "complex values to clip": (
        lambda: optim.clip_by_value([1j * np.ones(2)], 0.5),
        DtypeError,
        "clipping: a gradient is complex, and complex numbers have no order to clip by; use "
        "clip_by_norm",
    ),
    "parameters to clip in a dict": (
        lambda: optim.clip_grad_norm_({"x": X}, 1.0),
        GradientError,
        "clipping: the parameters are a dict; give a list of tensors",
    ),
    "arrays to clip the gradients of": (
        lambda: optim.clip_grad_norm_([np.ones(2)], 1.0),
        GradientError,
        "clipping: a parameter is a ndarray; give tensors, whose .grad is clipped, or clip "
        "gradients themselves by clip_by_norm and clip_by_value",
    ),
    "a state of another rule": (
        lambda: optim.adam().update(1.0, optim.sgd().init(1.0), 1.0),
        GradientError,
        "update: the state has no 'exp_avg'; make it by init of this rule, and pass on what "
        "update gave",
    ),
    "a gradient of another shape": (
        lambda: optim.sgd().update([np.ones((3, 2))], optim.sgd().init([np.ones(2)]), [np.ones(2)]),
        ShapeError,
        "update: a gradient has shape (3, 2), and its parameter params[0] (2,); both must be equal",
    ),
    "a schedule that never steps": (
        lambda: optim.lr_scheduler.StepLR(optim.SGD([X]), 0),
        GradientError,
        "StepLR: step_size=0; it must be a number, at least 1",
    ),
    "no milestones": (
        lambda: optim.lr_scheduler.MultiStepLR(optim.SGD([X]), 3),
        GradientError,
        "milestones: at=3; it must be a list of numbers of steps",
    ),
    "a cycle from nothing": (
        lambda: optim.schedules.one_cycle(1.0, 10, div_factor=0),
        GradientError,
        "one_cycle: div_factor=0 divides a rate; give a number above 0",
    ),
    "a cycle that only goes up": (
        lambda: optim.schedules.one_cycle(1.0, 10, pct_start=2),
        GradientError,
        "one_cycle: pct_start=2; it is the share of the way up, from 0 to 1",
    ),
    "a scheduler of no optimiser": (
        lambda: optim.lr_scheduler.ExponentialLR(X, 0.5),
        GradientError,
        "ExponentialLR: the optimiser is a Tensor; give one of qd.optim",
    ),
    "a scheduler's state that is none": (
        lambda: optim.lr_scheduler.ExponentialLR(optim.SGD([X]), 0.5).load_state_dict({}),
        GradientError,
        "load_state_dict: the state of a scheduler has no 'last_epoch'; give what "
        "state_dict() gave",
    ),
    "functions for a scheduler": (
        lambda: optim.lr_scheduler.LambdaLR(optim.SGD([X]), [abs]),
        GradientError,
        "LambdaLR: lr_lambda is a list; give one function of the number of steps",
    ),
    "a sequence with a plateau": (
        lambda: optim.lr_scheduler.SequentialLR(
            optim.SGD([X]), [optim.lr_scheduler.ReduceLROnPlateau(optim.SGD([X]))], []
        ),
        GradientError,
        "SequentialLR: a scheduler is a ReduceLROnPlateau, which has no rate by the number "
        "of steps; give others of this module",
    ),
    "a sequence with a cycle of momentum": (
        lambda: optim.lr_scheduler.SequentialLR(
            (opt := optim.SGD([X], momentum=0.9)),
            [optim.lr_scheduler.OneCycleLR(opt, 1.0, 10)],
            [],
        ),
        GradientError,
        "SequentialLR: a OneCycleLR moves the momentum too, which a sequence of rates leaves as it "
        "is; make it with cycle_momentum=False",
    ),
    "a negative patience": (
        lambda: optim.lr_scheduler.ReduceLROnPlateau(optim.SGD([X]), patience=-1),
        GradientError,
        "ReduceLROnPlateau: patience=-1; it must be a number, at least 0",
    ),
}


@pytest.mark.parametrize("act, error, text", MESSAGES.values(), ids=MESSAGES)
def test_message(act, error, text):
    assert raised(act) == (error, text)
