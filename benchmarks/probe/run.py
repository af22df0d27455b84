"""Runs the snippets: which gradients are right, which wrong without a word, which refused.

`python -m probe.run qiudao autograd jax torch` from `benchmarks/` runs those that are installed and
writes results/probe.json; without arguments it prints the scores that are there.  A gradient is
right where it agrees with central differences of the snippet run by NumPy alone.  A refusal names
its cure if the error says what to do after a semicolon, as ours do.  Peers see their own NumPy in
place of `np` (torch: torch._numpy, what torch.compile makes of NumPy code), and their own SciPy
where they have one; `qiudao lift` is `qd.grad(f, numpy="lift")`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import json
import linecache
import math
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from probe.snippets import SNIPPETS

RESULTS = Path(__file__).parents[1] / "results" / "probe.json"
X = np.array([0.7, 0.4, 1.3, 0.2])
B = np.array([0.5, -0.3, 1.1, 0.9])
A = np.array([[2, 0.3, 0.1, 0], [0.3, 1.5, 0.2, 0.1], [0.1, 0.2, 1.8, 0.4], [0, 0.1, 0.4, 1.2]])
SCIPY = {
    "special": "special", "linalg": "linalg", "integrate": "integrate", "optimize": "optimize",
    "interpolate": "interpolate", "signal": "signal", "sfft": "fft", "stats": "stats",
    "ndimage": "ndimage", "spatial": "spatial", "sparse": "sparse",
}  # fmt: skip
TOLERANCE = 2e-5
SECONDS = 20  # for one snippet
Gradient = Callable[[Callable[[Any], Any]], Any]


def body(snippet: str) -> Callable[[dict[str, Any]], Callable[[Any], Any]]:
    """What makes a function of `x` from a snippet and the names that it reads."""
    *lines, last = snippet.split("\n") if "\n" in snippet else snippet.split("; ")
    text = "\n".join(["def f(x):", *(f"    {line}" for line in lines), f"    return {last}"])
    name = f"<snippet {hash(snippet)}>"
    linecache.cache[name] = (
        len(text),
        None,
        text.splitlines(True),
        name,
    )  # a source
    code = compile(text, name, "exec")

    def make(names: dict[str, Any]) -> Callable[[Any], Any]:
        space = dict(names)
        exec(code, space)
        return space["f"]

    return make


def imports(xp: Any, scipy: str) -> dict[str, Any]:
    """The names that snippets read: NumPy's, and SciPy's modules from `scipy` where it has them."""
    names = {"np": xp, "math": math, "b": xp.asarray(B), "A": xp.asarray(A)}
    for name, module in SCIPY.items():
        for package in (scipy, "scipy"):
            try:
                names[name] = importlib.import_module(f"{package}.{module}")
                break
            except ImportError:
                continue
    return names


def of_qiudao(**options: Any) -> tuple[dict[str, Any], Gradient]:
    import qiudao as qd

    return imports(np, "scipy"), lambda f: qd.grad(f, **options)(X)


def of_autograd() -> tuple[dict[str, Any], Gradient]:
    import autograd

    return imports(autograd.numpy, "autograd.scipy"), lambda f: autograd.grad(f)(X)


def of_jax() -> tuple[dict[str, Any], Gradient]:
    import jax

    jax.config.update("jax_enable_x64", True)
    return imports(jax.numpy, "jax.scipy"), lambda f: jax.grad(f)(X)


def of_torch() -> tuple[dict[str, Any], Gradient]:
    import torch
    import torch._numpy as xp

    def gradient(f: Callable[[Any], Any]) -> Any:
        leaf = torch.tensor(X, requires_grad=True)
        out = f(xp.asarray(leaf))
        out.tensor.backward()
        return np.zeros(4) if leaf.grad is None else leaf.grad.numpy()

    return imports(xp, "scipy"), gradient


def of_mygrad() -> tuple[dict[str, Any], Gradient]:
    import mygrad

    def gradient(f: Callable[[Any], Any]) -> Any:
        leaf = mygrad.tensor(X)
        f(leaf).backward()
        return np.zeros(4) if leaf.grad is None else leaf.grad

    return imports(np, "scipy"), gradient


LIBRARIES: dict[str, Callable[[], tuple[dict[str, Any], Gradient]]] = {
    "qiudao": of_qiudao,
    "qiudao lift": lambda: of_qiudao(numpy="lift"),
    "autograd": of_autograd,
    "jax": of_jax,
    "torch": of_torch,
    "mygrad": of_mygrad,
}


def slopes(f: Callable[[Any], Any]) -> Any:
    """The gradient of a snippet that NumPy runs, by central differences."""
    found = np.zeros(4)
    for k in range(4):
        ends = []
        for h in (1e-6, -1e-6):
            x = X.copy()
            x[k] += h
            ends.append(float(np.real(f(x))))
        found[k] = (ends[0] - ends[1]) / 2e-6
    return found


def verdict(make: Any, names: dict[str, Any], gradient: Gradient) -> tuple[str, str]:
    """What a library makes of a snippet, and its error if it has one."""
    wanted = slopes(make(imports(np, "scipy")))
    try:
        with at_most(SECONDS):
            found = np.asarray(gradient(make(names)), float)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        while error.__cause__ is not None:  # NumPy wraps what a write into its arrays raises
            error = error.__cause__
            text = f"{type(error).__name__}: {error}"
        return ("refused with its cure" if "; " in text else "refused"), text
    right = np.allclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE)
    return ("right" if right else "wrong"), ""


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise `TimeoutError` where the block takes longer."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"not done in {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run(library: str) -> dict[str, Any]:
    """The verdicts of a library on every snippet."""
    names, gradient = LIBRARIES[library]()
    verdicts: dict[str, dict[str, str]] = {}
    errors = {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for family, snippets in SNIPPETS.items():
            verdicts[family] = {}
            for snippet in snippets:
                with contextlib.redirect_stdout(io.StringIO()):
                    found, error = verdict(body(snippet), names, gradient)
                verdicts[family][snippet] = found
                if error:
                    errors[snippet] = error[:300]
    version = importlib.metadata.version(library.split()[0])
    return {"version": version, "verdicts": verdicts, "errors": errors}


def score(result: dict[str, Any]) -> str:
    """A line of counts, by family and in all."""
    parts = []
    for family, verdicts in result["verdicts"].items():
        count = Counter(verdicts.values())
        wrong = f" ({count['wrong']} wrong)" if count["wrong"] else ""
        parts.append(f"{family} {count['right']}/{len(verdicts)}{wrong}")
    total = Counter(v for verdicts in result["verdicts"].values() for v in verdicts.values())
    return f"{dict(total)}\n    " + ", ".join(parts)


def earlier() -> dict[str, Any]:
    """The results that are there."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def main() -> None:
    for library in sys.argv[1:]:
        result = run(library)
        RESULTS.write_text(json.dumps(earlier() | {library: result}, indent=1) + "\n")
    for library, result in earlier().items():
        print(library, result["version"], score(result))


if __name__ == "__main__":
    main()
