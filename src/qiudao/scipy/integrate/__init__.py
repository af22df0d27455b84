"""`qd.scipy.integrate`: integrals, and solutions of differential equations, with derivatives."""

from .equations import solve_ivp
from .integrals import quad
from .nested import dblquad, nquad, tplquad
from .samples import cumulative_trapezoid, fixed_quad, romb, simpson, trapezoid
from .systems import odeint
from .vectors import quad_vec

__all__ = [
    "cumulative_trapezoid",
    "dblquad",
    "fixed_quad",
    "nquad",
    "odeint",
    "quad",
    "quad_vec",
    "romb",
    "simpson",
    "solve_ivp",
    "tplquad",
    "trapezoid",
]
