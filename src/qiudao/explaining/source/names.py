"""Names for the values of a program: the user's own where there is one, else a word for it."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from types import CodeType

from ...core.node import Equation
from ...core.primitive import Primitive
from ...core.program import Program, inner_programs
from ...core.roles import role_of
from ...core.source import line_of
from ..expressions import name_at, names_at

RESERVED = {"np", "math", "string", "itertools", *keyword.kwlist, *dir(builtins)}
WORDS = {
    "absolute": "size", "add": "total", "cast": "copy", "concatenate": "joined",
    "divide": "ratio", "einsum": "product", "gather": "chosen", "getitem": "part",
    "max": "largest", "min": "smallest", "matmul": "product", "multiply": "product",
    "negative": "negated", "part": "result", "place": "placed", "power": "power",
    "prod": "product", "reshape": "reshaped", "round": "rounded", "scatteradd": "added",
    "setitem": "written", "sort": "ordered", "step": "mask", "stretch": "repeated",
    "subtract": "difference", "sum": "total", "transpose": "turned", "weigh": "product",
    "where": "choice", "switch": "result", "scan": "state", "while": "state", "vectornorm": "norm",
    "scale": "product",
}  # fmt: skip
PARTS = {
    "eigh": ("w", "V"), "eig": ("w", "V"), "svd": ("U", "s", "Vh"), "qr": ("Q", "R"),
    "slogdet": ("sign", "logdet"),
}  # fmt: skip
MUTE = {"stopgradient", "copy", "cast", "part"}  # what adds nothing to what a value is called
Place = tuple[CodeType, int]


class Names:
    """Gives each value a name that no other has."""

    def __init__(self, taken: Iterable[str], ignored: tuple[CodeType, int]) -> None:
        self.taken = {*taken, *RESERVED}
        self.ignored = ignored  # the line of the call that prints names nothing
        self.labels: dict[Place, str] = {}

    def fresh(self, wanted: str) -> str:
        """The wanted name, or with a number behind it where it is taken."""
        name, count = wanted, 1
        while name in self.taken:
            count += 1
            name = f"{wanted}{count}" if not wanted[-1:].isdigit() else f"{wanted}_{count}"
        self.taken.add(name)
        return name

    def learn(self, program: Program) -> None:
        """Remember what the values of the user's own computation are called, by their places."""
        for equation in program.equations:
            place = place_of(equation)
            if (
                place is not None
                and role_of(equation) is None
                and equation.primitive.name not in MUTE
            ):
                self.labels[place] = self.given(place) or word(equation.primitive)
            for inner in inner_programs(equation.primitive):
                self.learn(inner)

    def given(self, place: Place) -> str | None:
        """The user's name for what an instruction makes, as an identifier."""
        target = name_at(*place)
        if target is None or (place[0], line_of(*place).number) == self.ignored:
            return None
        return identifier(target)

    def wanted(self, equation: Equation) -> tuple[str, bool]:
        """What an equation's value should be called, and whether the user names it."""
        role, place = role_of(equation), place_of(equation)
        if role is None:
            given = None if place is None else self.given(place)
            return (given, True) if given else (word(equation.primitive), False)
        if role.kind == "tangent" and place is not None:
            given = self.given(place)
            return (f"{given}_dot", True) if given else (f"{self.label(place)}_dot", False)
        if role.code is not None:
            place = (role.code, role.offset)
            return f"{self.label(place)}_grad", self.given(place) is not None
        return word(equation.primitive), False

    def several(self, equation: Equation, count: int) -> list[str]:
        """What the results of an equation should be called."""
        place = place_of(equation)
        given = () if place is None else names_at(*place)
        found = [None if target is None else identifier(target) for target in given]
        function = getattr(equation.primitive, "function", equation.primitive.name)
        words = PARTS.get(str(function), ("result",) * count)
        if len(found) != count:
            return list(words)
        return [name or other for name, other in zip(found, words, strict=True)]

    def label(self, place: Place) -> str:
        """A name for the value made at a place."""
        return self.given(place) or self.labels.get(place, "value")


def place_of(equation: Equation) -> Place | None:
    """The instruction of the user's that an equation comes from."""
    code = getattr(equation, "code", None)
    return None if code is None else (code, equation.offset)


def word(primitive: Primitive) -> str:
    """A noun for the result of a primitive."""
    name = getattr(primitive, "function", primitive.name)
    found = WORDS.get(primitive.name, name if isinstance(name, str) else primitive.name)
    return found if found not in RESERVED and found.isidentifier() else f"{found}_value"


def identifier(target: str) -> str | None:
    """A target or path as a name: `h` of `self.h`, `W1` of `params['W1']`, `x0` of `x[0]`."""
    head, _, rest = target.partition("[")
    keys = re.findall(r"\[['\"](\w+)['\"]\]", target)
    if keys and keys[-1].isidentifier():
        return str(keys[-1])
    name = head.split(".")[-1]
    numbers = "_".join(re.findall(r"\[(\d+)\]", f"[{rest}")) if rest else ""
    if ".".join(target.split(".")[1:]) and "." in target:
        name = target.split(".")[-1].split("[")[0]
    made = name + numbers
    return made if made.isidentifier() else None
