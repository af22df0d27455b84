"""`qd.scipy.integrate`: integrals, and solutions of differential equations, with derivatives."""

from .equations import odeint, solve_ivp
from .integrals import quad
from .samples import cumulative_trapezoid, simpson, trapezoid

__all__ = ["cumulative_trapezoid", "odeint", "quad", "simpson", "solve_ivp", "trapezoid"]
