"""`qiudao check`: whether the gradient of your own function is right, against differences."""

import argparse
import importlib
import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import qiudao as qd
from qiudao.cli.errors import CommandError
from qiudao.cli.optional import load
from qiudao.core.errors import GradcheckError
from qiudao.core.signatures import signature
from qiudao.core.trees import flatten

__all__ = ["DESCRIPTION", "EXAMPLES", "NAME", "configure", "run"]

NAME = "check"
DESCRIPTION = """Compare the gradient of a function of yours with numerical differences.

The file's arrays are given to the function by name. The floating ones are differentiated,
the others are passed on as they are. Exit code 0: the gradient is right; 1: it is wrong."""
EXAMPLES = """example:
  python -c "import numpy as np; np.savez('point.npz', x=np.ones(3), y=2.0)"
  qiudao check mymodel:loss --at point.npz"""

RIGHT, WRONG = 0, 1

Function: TypeAlias = Callable[..., Any]
Point: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Verdict:
    """Whether a gradient is right, and if not, what differs."""

    right: bool
    reason: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `qiudao check`."""
    parser.add_argument("function", metavar="module:function", help="as in mymodel:loss")
    parser.add_argument(
        "--at",
        type=Path,
        required=True,
        metavar="FILE.npz",
        help="the point: an array for each argument, under the argument's name",
    )


def run(asked: argparse.Namespace) -> int:
    """Check the gradient, print the verdict, and return it as the exit code."""
    function = load_function(asked.function)
    point = load_point(asked.at)
    require_match(asked.function, function, point)
    verdict = judge(asked.function, function, point)
    roles = {name: "checked" if is_floating(x) else "held fixed" for name, x in point.items()}
    screen = load("qiudao.cli.screen")
    screen.show_verdict(asked.function, verdict.right, verdict.reason, point, roles)
    return RIGHT if verdict.right else WRONG


def load_function(spelling: str) -> Function:
    """Import `module:function`; the working folder comes first, as with `python -m`."""
    module_name, _, name = spelling.partition(":")
    if not (module_name and name):
        raise CommandError(f"{spelling}: expected module:function, as in mymodel:loss")
    if module_name.endswith(".py"):
        module = ".".join(Path(module_name).with_suffix("").parts)
        raise CommandError(f"{spelling}: a module is named without .py, as in {module}:{name}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        where = "" if error.name == module_name else f" (imported by {module_name})"
        raise CommandError(f"no module named {error.name}{where}") from error
    except (Exception, SystemExit) as error:  # not ours: whatever stops it is the answer
        raise CommandError(f"importing {module_name}: {describe(error)}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise CommandError(f"{module_name} has no function {name}")
        found = getattr(found, part)
    if not callable(found):
        raise CommandError(f"{spelling} is {type(found).__name__}, not a function")
    return found  # type: ignore[no-any-return]


def load_point(path: Path) -> Point:
    """Read the arrays of an .npz file, never a pickle."""
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise CommandError(f"{path} holds one unnamed array; save with np.savez(path, x=...)")
        with file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise CommandError(f"no file {path}") from error
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CommandError(f"{path} is not an .npz file of plain arrays: {error}") from error


def require_match(spelling: str, function: Function, point: Point) -> None:
    """Refuse a file that lacks an argument of the function or holds one that it does not take."""
    try:
        signature(function).bind(**point)
    except TypeError as error:
        raise CommandError(f"{spelling} and the file do not fit: {error}") from error
    except ValueError:  # a function written in C may not say what it takes: calling it will tell
        pass
    if not any(map(is_floating, point.values())):
        raise CommandError("the file holds no floating array; there is nothing to differentiate")


def judge(spelling: str, function: Function, point: Point) -> Verdict:
    """Hold both modes against differences. What fails for another reason cannot be judged."""

    def of_point(arguments: Point) -> Any:
        return function(**arguments)

    try:
        with np.errstate(all="ignore"):  # a NaN is judged below
            results, _ = flatten(of_point(point))
        has_gradient = any(is_floating(np.asarray(result)) for result in results)
        if has_gradient:
            qd.gradcheck(of_point, dict(point))
    except GradcheckError as error:
        return Verdict(False, str(error))
    except (Exception, SystemExit) as error:  # not ours: whatever stops it is the answer
        raise CommandError(f"{spelling} stopped with {describe(error)}") from error
    if not has_gradient:
        raise CommandError(f"{spelling} gives no floating result; it has no gradient")
    return Verdict(True, "")


def is_floating(array: NDArray[Any]) -> bool:
    """Whether a derivative by this array exists at all."""
    return bool(np.issubdtype(array.dtype, np.inexact))


def describe(error: BaseException) -> str:
    """An error of somebody else's code, in a line."""
    return f"{type(error).__name__}: {error}"
