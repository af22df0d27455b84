"""How much of NumPy is differentiated: by qiudao, function by function, and by its peers in total.

`python benchmarks/numpy_coverage.py` writes docs/numpy-coverage.md from the code and from
results/numpy-coverage.json; `... peers` first runs the calls of `numpy_calls.py` in the libraries
that are installed, through the NumPy front that each has (autograd.numpy, jax.numpy,
torch._numpy), and compares their gradients with central differences of NumPy itself.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import overrides as dispatched

from numpy_calls import CALLS, POINTS, differences, function, variables

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "numpy-coverage.json"
PROBE = HERE / "results" / "probe.json"
PAGE = HERE.parent / "docs" / "numpy-coverage.md"
TEXT = ("numpy.strings", "numpy.char")
NUMBERS = set("?bhilqBHILQefdgFDG")
PREFIXES = {
    "numpy": "", "numpy.linalg": "linalg.", "numpy.fft": "fft.", "numpy.lib.scimath": "emath.",
    "numpy.lib.stride_tricks": "lib.stride_tricks.", "numpy.lib.recfunctions":
    "lib.recfunctions.", "numpy.polynomial.polynomial": "polynomial.polynomial.",
}  # fmt: skip


def functions() -> dict[str, Callable[..., Any]]:
    """Everything that NumPy dispatches, by its public name; those of text are left out."""
    found = {}
    for module in PREFIXES:
        importlib.import_module(module)
    for f in dispatched.get_overridable_numpy_array_functions():
        if f.__module__ in TEXT or f.__name__.startswith("_"):
            continue
        name = PREFIXES[f.__module__] + f.__name__
        found[name] = getattr(np, name, f)  # of two of that name the public one
    for u in dispatched.get_overridable_numpy_ufuncs():
        numeric = any(set(types.split("->")[0]) <= NUMBERS for types in u.types)
        if (numeric or u is np.isnat) and not u.__name__.startswith("_"):
            found[u.__name__] = getattr(np, u.__name__)
    return dict(sorted(found.items()))


def standing(name: str, f: Callable[..., Any]) -> tuple[str, str]:
    """How qiudao meets a function: the kind of its row, and what is to be said."""
    from qiudao.core.dispatch import makers, overrides
    from qiudao.ops import refusing, rerunning

    if getattr(f, "__module__", "") in rerunning.MODULES:
        return "re-run", "NumPy's own code, on our primitives"
    reason = refusing.REASONS.get(f) or refusing.MODULES.get(getattr(f, "__module__", ""))
    if reason is not None:
        return "reason", f"not differentiable, because {reason}"
    if makers.find(f) is not None:
        return "made", "with `like=` a tensor: what it makes records what is written into it"
    if f not in overrides:
        return "missing", "nothing"
    if name in CALLS:
        return "rule", f"`{CALLS[name]}`"
    return "constant", "its result does not change but in jumps, or is no float"


def gradient(library: str, call: str) -> list[np.ndarray]:
    """The gradient of a call by a library."""
    names = variables(call)
    points = [POINTS[name] for name in names]
    if library == "torch":
        import torch
        import torch._numpy as xp

        leaves = [torch.tensor(x, requires_grad=True) for x in points]
        f = function(call, xp, writer(xp), xp.asarray)
        f(*(xp.asarray(leaf) for leaf in leaves)).tensor.backward()
        return [leaf.grad.numpy() for leaf in leaves]
    positions = tuple(range(len(names)))
    if library == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        f = function(call, jax.numpy, writer(jax.numpy))
        return [np.asarray(g) for g in jax.grad(f, positions)(*points)]
    if library == "autograd":
        import autograd

        f = function(call, autograd.numpy, writer(autograd.numpy))
        return list(autograd.grad(f, positions)(*points))
    import qiudao as qd

    return list(qd.grad(function(call, np, written_beside), positions)(*points))


def writer(xp: Any) -> Callable[..., Any]:
    """A copy written into by a function of a library's."""

    def written(write: Any, x: Any, *rest: Any) -> Any:
        y = xp.copy(x)
        write(y, *rest)
        return y

    return written


def written_beside(write: Any, x: Any, *rest: Any) -> Any:
    """The same with NumPy's functions."""
    y = np.copy(x)
    write(y, *rest)
    return y


def verdict(library: str, call: str) -> str:
    """Whether a library's gradient of a call is right, wrong or refused."""
    try:
        found = gradient(library, call)
        wanted = differences(call)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    except AssertionError:
        return "wrong"
    except Exception:
        return "refused"
    return "right"


def measured(library: str) -> dict[str, Any]:
    """A library's version and its verdicts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdicts = {name: verdict(library, call) for name, call in CALLS.items()}
    return {"version": importlib.metadata.version(library), "verdicts": verdicts}


def probed() -> list[str]:
    """The table of the snippets of `probe/`, from its results."""
    results = json.loads(PROBE.read_text())
    families = list(next(iter(results.values()))["verdicts"])
    total = sum(len(v) for v in next(iter(results.values()))["verdicts"].values())
    lines = [
        "## One line at a time",
        "",
        f"{total} snippets of plain NumPy and SciPy (`benchmarks/probe/snippets.py`), mutation and "
        "hostile ones included, run as they stand. *Cure* is a refusal that says what to "
        "write. *Wrong* of ours is `isinstance(x, np.ndarray) * x[0]`, unless lifted: a tensor is "
        "none.",
        "",
        f"| library | right | wrong | refused | with its cure | {' | '.join(families)} |",
        f"|---|---|---|---|---|{'---|' * len(families)}",
    ]
    for library, result in results.items():
        tally = Counter(v for verdicts in result["verdicts"].values() for v in verdicts.values())
        refused = tally["refused"] + tally["refused with its cure"]
        by_family = (
            f"{Counter(verdicts.values())['right']}/{len(verdicts)}"
            for verdicts in result["verdicts"].values()
        )
        lines.append(
            f"| {library} | {tally['right']} | {tally['wrong']} | {refused} | "
            f"{tally['refused with its cure']} | {' | '.join(by_family)} |"
        )
    return [*lines, ""]


def page(results: dict[str, Any]) -> str:
    """The text of docs/numpy-coverage.md."""
    rows = {name: standing(name, f) for name, f in functions().items()}
    count = Counter(kind for kind, _ in rows.values())
    lines = [
        "# NumPy, function by function",
        "",
        f"Of {len(rows)} functions and ufuncs that NumPy {np.__version__} dispatches, "
        f"{count['rule']} have a derivative by a rule, {count['re-run']} by NumPy's own code run "
        f"on our primitives, {count['constant']} have none because they are constant between "
        f"jumps or give no floats, {count['made']} make arrays, and {count['reason']} are refused "
        "with the reason. This page is written by `benchmarks/numpy_coverage.py`; a test holds it "
        "to the code.",
        "",
        "## Beside others",
        "",
        f"The {len(CALLS)} calls below whose derivative is not 0, each by the library's own NumPy "
        "front, compared with central differences of NumPy. *Wrong* is a gradient that differs, "
        "with no error; *refused* is any error, a missing function too.",
        "",
        "| library | version | right | wrong | refused |",
        "|---|---|---|---|---|",
    ]
    for library, result in results.items():
        tally = Counter(result["verdicts"].values())
        lines.append(
            f"| {library} | {result['version']} | {tally['right']} | {tally['wrong']} | "
            f"{tally['refused']} |"
        )
    lines += ["", *probed(), "## Each", "", "| function | how | what |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {kind} | {text.replace('|', chr(92) + '|')} |"
        for name, (kind, text) in rows.items()
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for library in sys.argv[1:]:
        results[library] = measured(library)
    if sys.argv[1:]:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    else:
        PAGE.write_text(page(results), encoding="utf-8")
    for library, result in results.items():
        print(library, result["version"], Counter(result["verdicts"].values()))


if __name__ == "__main__":
    main()
