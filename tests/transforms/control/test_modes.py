"""Control flow under every mode and their compositions: traced, it gives what Python gives."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, slopes
from transforms.control.loops_and_branches import FUNCTIONS
from transforms.control.tracing import agree

XS = np.array([0.15, 0.62, 0.95, 1.3])

each = pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)


def total(f):
    return lambda xs: np.sum(np.sin(qd.vmap(f)(xs)))


@each
def test_the_gradient_is_right(f):
    for x in XS:
        close(qd.grad(f)(x), slopes(f, x), rtol=1e-6, atol=1e-7)


@each
def test_vmap_is_a_loop_over_the_examples(f):
    close(qd.vmap(f)(XS), [f(x) for x in XS])
    close(qd.vmap(qd.grad(f))(XS), [qd.grad(f)(x) for x in XS])
    close(qd.grad(lambda xs: np.sum(qd.vmap(f)(xs)))(XS), [qd.grad(f)(x) for x in XS])


@each
def test_values(f):
    for x in XS:
        agree(f, x)
    agree(qd.vmap(f), XS)


@each
def test_first_derivatives(f):
    agree(qd.grad(f), 0.62)
    agree(lambda x: qd.jvp(f, (x,), (2.0,))[1], 0.62)
    agree(qd.vmap(qd.grad(f)), XS)
    agree(qd.grad(total(f)), XS)
    agree(qd.vmap(lambda x: qd.jvp(f, (x,), (1.0,))[1]), XS)
    agree(lambda xs: qd.jvp(qd.vmap(f), (xs,), (xs,))[1], XS)


@each
def test_second_derivatives(f):
    agree(qd.grad(qd.grad(f)), 0.62)
    agree(lambda x: qd.jvp(qd.grad(f), (x,), (1.0,))[1], 0.62)
    agree(qd.grad(lambda x: qd.jvp(f, (x,), (1.0,))[1]), 0.62)
    agree(qd.hessian(total(f)), XS)
    agree(qd.jacrev(qd.jacfwd(total(f))), XS)
    agree(qd.vmap(qd.grad(qd.grad(f))), XS)


@each
def test_third_derivatives(f):
    agree(qd.grad(qd.grad(qd.grad(f))), 0.62, rtol=1e-10)
    agree(lambda x: qd.jet(f, (x,), ([1.0, 0.0, 0.0],))[1][2], 0.62, rtol=1e-10)


@each
def test_a_program_is_differentiated_like_the_function_it_was_traced_from(f):
    for x in XS:
        program = qd.trace(f)(x)

        def g(x, program=program):
            return program(x)[0]

        close(qd.grad(g)(x), qd.grad(f)(x), rtol=1e-11)
        close(qd.grad(qd.grad(g))(x), qd.grad(qd.grad(f))(x), rtol=1e-10)
        close(qd.jvp(g, (x,), (1.0,))[1], qd.grad(f)(x), rtol=1e-11)
    close(qd.vmap(g)(XS), qd.vmap(f)(XS))


@each
def test_the_eager_tape(f):
    x = qd.tensor(0.62, requires_grad=True)
    f(x).backward()
    close(x.grad, qd.grad(f)(0.62))
