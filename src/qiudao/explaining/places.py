"""Where in the user's program a value is made: which call, which loop, which of its iterations."""

from __future__ import annotations

from types import CodeType, FrameType
from typing import Any

from ..core.source import Line, is_ours, line_of
from .expressions import Loop, expression_at, loops_at

COMPREHENSIONS = {"<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>"}


class Group:
    """A named part of a computation: a call, a loop, or one iteration of a loop."""

    __slots__ = ("children", "kind", "line", "parent", "title")

    def __init__(self, parent: Group | None, kind: str, title: str, line: Line | None) -> None:
        self.parent = parent
        self.kind = kind
        self.title = title
        self.line = line
        self.children = 0
        if parent is not None:
            parent.children += 1

    @property
    def path(self) -> list[Group]:
        """This group and those around it, outermost first."""
        path = [self]
        while path[0].parent is not None:
            path.insert(0, path[0].parent)
        return path


class Turning:
    """A loop that is running in a frame: its group, its iteration, what it steps, where it was."""

    __slots__ = ("group", "iteration", "offset", "stepped")

    def __init__(self, group: Group, iteration: Group, stepped: list[Any], offset: int) -> None:
        self.group = group
        self.iteration = iteration
        self.stepped = stepped
        self.offset = offset


class Call:
    """A frame of the user's that was seen running, and the loops that run in it."""

    __slots__ = ("frame", "group", "loops")

    def __init__(self, frame: FrameType, group: Group | None) -> None:
        self.frame = frame
        self.group = group
        self.loops: dict[Loop, Turning] = {}


class Places:
    """Follows the user's stack from one operation to the next, and groups what is made."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def find(self, frame: FrameType | None, base: FrameType) -> Group | None:
        """The innermost group of what `frame` does now; `base` called the function observed."""
        frames: list[FrameType] = []
        while frame is not None and frame is not base:
            if not is_ours(frame.f_code.co_filename):
                frames.append(frame)
            frame = frame.f_back
        frames.reverse()
        group: Group | None = None
        for k, each in enumerate(frames):
            if k >= len(self.calls) or self.calls[k].frame is not each:
                del self.calls[k:]
                self.calls.append(Call(each, self.entered(k, frames, group)))
            group = self.turn(self.calls[k])
        del self.calls[len(frames) :]
        return group

    def entered(self, k: int, frames: list[FrameType], group: Group | None) -> Group | None:
        """The group of a call that begins; the observed function itself needs none."""
        if k == 0:
            return None
        caller, called = frames[k - 1], frames[k].f_code
        where: tuple[CodeType, int] = caller.f_code, caller.f_lasti
        title = expression_at(*where)
        if called.co_name in COMPREHENSIONS:
            return Group(group, "loop", title or called.co_name, line_of(*where))
        return Group(group, "call", title or f"{called.co_name}(...)", line_of(*where))

    def turn(self, call: Call) -> Group | None:
        """The innermost iteration that a call is in."""
        frame = call.frame
        code, offset, line = frame.f_code, frame.f_lasti, frame.f_lineno
        running = [
            loop for loop in loops_at(code.co_filename, line) if loop.first >= code.co_firstlineno
        ]
        for loop in [known for known in call.loops if known not in running]:
            del call.loops[loop]
        group, renewed = call.group, False
        for depth, loop in enumerate(running):
            stepped = [frame.f_locals.get(name) for name in loop.targets]
            known = None if renewed else call.loops.get(loop)
            innermost = depth == len(running) - 1
            if known is None:
                entered = Group(group, "loop", loop.title, Line(code.co_filename, loop.head, ""))
                group = self.begin(call, loop, entered, stepped, offset)
                renewed = True
            elif moved(known, stepped, offset, innermost):
                group = self.begin(call, loop, known.group, stepped, offset)
                renewed = True
            else:
                known.offset = offset
                group = known.iteration
        return group

    def begin(self, call: Call, loop: Loop, group: Group, stepped: list[Any], offset: int) -> Group:
        """The next iteration of a loop."""
        shown = [
            f"{name} = {value!r}"
            for name, value in zip(loop.targets, stepped, strict=True)
            if isinstance(value, int | float | str) and name != "_"
        ]
        title = ", ".join(shown) or f"turn {group.children + 1}"
        iteration = Group(group, "iteration", title, group.line)
        call.loops[loop] = Turning(group, iteration, stepped, offset)
        return iteration


def moved(known: Turning, stepped: list[Any], offset: int, innermost: bool) -> bool:
    """Whether a loop has gone on to its next iteration: its names moved, or it jumped back."""
    if any(a is not b for a, b in zip(known.stepped, stepped, strict=True)):
        return True
    return innermost and offset < known.offset
