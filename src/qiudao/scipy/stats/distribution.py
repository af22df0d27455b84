"""What all distributions of one number have in common."""

from typing import Any, ClassVar

import numpy as np

import qiudao as qd
from scipy import stats as theirs

from ...core.avals import Aval
from ...core.errors import GradientError
from ..operands import depends, solve
from .moments import MOMENTS

INF = np.inf


class Distribution:
    """SciPy's distribution of the same name, with derivatives in the value and all parameters.

    Where no argument is a tensor, or the like, the answer is SciPy's own; so are moments, draws and
    whatever else is not stated here.  A subclass states `log_density(z, *shapes)` for loc 0 and
    scale 1, and what it can of `below` (the cdf), `log_below`, `above` (its complement) and
    `log_above`; the others follow.  Beyond the support the density is 0, with derivative 0.
    """

    shapes: ClassVar[tuple[str, ...]] = ()
    is_discrete: ClassVar[bool] = False

    def __init__(self) -> None:
        self.name = type(self).__name__.removesuffix("Distribution")
        self.theirs = getattr(theirs, self.name)
        self.__doc__ = f"`scipy.stats.{self.name}`, with derivatives in the value and parameters."

    def __call__(self, *args: Any, **kwargs: Any) -> "Frozen":
        """The distribution with these parameters."""
        return Frozen(self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        """What is not stated here is SciPy's."""
        return getattr(self.theirs, name)

    # Stated by subclasses

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        """The ends of the support, for loc 0 and scale 1."""
        return -INF, INF

    def log_density(self, z: Any, *shapes: Any) -> Any:
        """The logarithm of the density, or of the probability of a whole number."""
        raise NotImplementedError

    def below(self, z: Any, *shapes: Any) -> Any:
        """The probability of a value up to z."""
        raise NotImplementedError

    def above(self, z: Any, *shapes: Any) -> Any:
        """The probability of a value beyond z."""
        return 1 - self.below(z, *shapes)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        """The logarithm of `below`."""
        return np.log(self.below(z, *shapes))

    def log_above(self, z: Any, *shapes: Any) -> Any:
        """The logarithm of `above`."""
        return np.log(self.above(z, *shapes))

    # SciPy's methods

    def ask(self, method: str, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """SciPy's answer, or by name what is stated here, with loc, scale and support seen to."""
        if not depends(x, list(args), kwargs):
            return getattr(self.theirs, method)(x, *args, **kwargs)
        shapes, loc, scale = self.parameters(args, kwargs)
        z = (x - loc) / scale
        low, high = self.support(*shapes)
        is_low = z < low
        inside = (z >= low) & (z <= high)
        if self.is_discrete and method.endswith("pmf"):
            inside = inside & (z % 1 == 0)
        z = np.where(inside, z, inner(low, high))
        if method.startswith("log"):
            outside = {"logcdf": (-INF, 0.0), "logsf": (0.0, -INF)}.get(method, (-INF, -INF))
        else:
            outside = {"cdf": (0.0, 1.0), "sf": (1.0, 0.0)}.get(method, (0.0, 0.0))
        with np.errstate(all="ignore"):  # a probability that underflows has the logarithm -inf
            found = self.standard(method, z, shapes, scale)
        return np.where(inside, found, np.where(is_low, *outside))

    def standard(self, method: str, z: Any, shapes: Any, scale: Any) -> Any:
        """One of the functions within the support."""
        if method in ("logpdf", "logpmf"):
            found = self.log_density(z, *shapes)
            return found if self.is_discrete else found - np.log(scale)
        if method in ("pdf", "pmf"):
            found = np.exp(self.log_density(z, *shapes))
            return found if self.is_discrete else found / scale
        z = np.floor(z) if self.is_discrete else z
        stated = {
            "cdf": self.below, "sf": self.above, "logcdf": self.log_below, "logsf": self.log_above,
        }  # fmt: skip
        return stated[method](z, *shapes)

    def parameters(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Any, Any]:
        """The shapes, loc and scale of a call."""
        names = [*self.shapes, "loc"] + ([] if self.is_discrete else ["scale"])
        if len(args) > len(names) or not set(kwargs) <= set(names[len(args) :]):
            raise TypeError(
                f"{self.name}: the parameters are {', '.join(names)}, and the call gives "
                f"{len(args)} by position and {', '.join(kwargs) or 'none'} by name; give each once"
            )
        given = dict(zip(names, args, strict=False)) | kwargs
        missing = [n for n in self.shapes if n not in given]
        if missing:
            raise TypeError(f"{self.name}: the parameter {missing[0]} is missing; give its value")
        return tuple(given[n] for n in self.shapes), given.get("loc", 0), given.get("scale", 1)

    def logpdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the density."""
        return self.ask("logpdf", x, args, kwargs)

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density."""
        return self.ask("pdf", x, args, kwargs)

    def logpmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of a whole number."""
        return self.ask("logpmf", k, args, kwargs)

    def pmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of a whole number."""
        return self.ask("pmf", k, args, kwargs)

    def cdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of a value up to x."""
        return self.ask("cdf", x, args, kwargs)

    def sf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of a value beyond x."""
        return self.ask("sf", x, args, kwargs)

    def logcdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of `cdf`."""
        return self.ask("logcdf", x, args, kwargs)

    def logsf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of `sf`."""
        return self.ask("logsf", x, args, kwargs)

    # Quantiles, by the implicit function theorem

    def ppf(self, q: Any, *args: Any, **kwargs: Any) -> Any:
        """The value x up to which the probability is `q`: dx = (dq - dF(x)) / density(x), where dF
        is the change of the cdf with the parameters.  Whole numbers do not move.
        """
        return self.quantile("ppf", q, args, kwargs)

    def isf(self, q: Any, *args: Any, **kwargs: Any) -> Any:
        """The value beyond which the probability is `q`."""
        return self.quantile("isf", q, args, kwargs)

    def median(self, *args: Any, **kwargs: Any) -> Any:
        """The value with as much probability to either side."""
        return self.ppf(0.5, *args, **kwargs)

    def interval(self, confidence: Any, *args: Any, **kwargs: Any) -> Any:
        """The ends of the interval about the median that has this probability."""
        tail = (1.0 - confidence) / 2
        return self.ppf(tail, *args, **kwargs), self.ppf(1.0 - tail, *args, **kwargs)

    def quantile(self, method: str, q: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """SciPy's quantile for loc 0 and scale 1, given its derivative by two steps of Newton's
        method, which leave the value as it is.
        """
        scipy = getattr(self.theirs, method)
        if not depends(q, list(args), kwargs):
            return scipy(q, *args, **kwargs)
        shapes, loc, scale = self.parameters(args, kwargs)
        size = np.broadcast_shapes(np.shape(q), *map(np.shape, shapes))
        like = [Aval(size, np.dtype(float))]
        bare = solve(f"{self.name}.{method}", scipy, (q, *shapes), like)
        if self.is_discrete:
            return bare + loc
        inside = (q > 0) & (q < 1) & np.isfinite(bare)
        z = np.where(inside, bare, inner(*self.support(*shapes)))
        for _ in range(2):
            off = self.below(z, *shapes) - q if method == "ppf" else q - self.above(z, *shapes)
            step = off * np.exp(-self.log_density(z, *shapes))
            z = z - (step - qd.stop_gradient(step))
        return loc + scale * np.where(inside, z, bare)

    # Moments

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """The mean."""
        return self.moment_of("mean", args, kwargs)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """The variance."""
        return self.moment_of("var", args, kwargs)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """The standard deviation."""
        if not depends(list(args), kwargs):
            return self.theirs.std(*args, **kwargs)
        return np.sqrt(self.var(*args, **kwargs))

    def entropy(self, *args: Any, **kwargs: Any) -> Any:
        """The differential entropy, in nats; of whole numbers the entropy."""
        return self.moment_of("entropy", args, kwargs)

    def moment_of(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """SciPy's answer, or the closed form with loc and scale."""
        if not depends(list(args), kwargs):
            return getattr(self.theirs, name)(*args, **kwargs)
        shapes, loc, scale = self.parameters(args, kwargs)
        found = self.moments(*shapes)[("mean", "var", "entropy").index(name)]
        if found is None:
            raise GradientError(
                f"{self.name}.{name}: it has no closed form, and its derivatives are not known; "
                f"sum or integrate over {self.name}.{'pmf' if self.is_discrete else 'pdf'}"
            )
        if name == "mean":
            return loc + scale * found
        if name == "var":
            return scale**2 * found + 0.0 * loc
        return found + 0.0 * loc + (0.0 if self.is_discrete else np.log(scale))

    def moments(self, *shapes: Any) -> tuple[Any, Any, Any]:
        """Mean, variance and entropy for loc 0 and scale 1."""
        return MOMENTS[self.name](*shapes)


def inner(low: Any, high: Any) -> Any:
    """A value within the support, for what lies beyond it to be computed at."""
    low, high = qd.stop_gradient(low), qd.stop_gradient(high)
    start = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high - 2.0, 0.0))
    both = np.isfinite(low) & np.isfinite(high)
    middle = 0.5 * (np.where(both, low, 0.0) + np.where(both, high, 0.0))
    return np.where(both, middle, start + 1.0)


class Frozen:
    """A distribution with its parameters given."""

    def __init__(self, of: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.of, self.args, self.kwargs = of, args, kwargs

    def __getattr__(self, name: str) -> Any:
        """A method, with the parameters that were given."""
        method = getattr(self.of, name)

        def called(*xs: Any, **options: Any) -> Any:
            if name == "rvs" or not xs:
                return method(*self.args, **self.kwargs, **options)
            return method(*xs, *self.args, **self.kwargs, **options)

        return called
