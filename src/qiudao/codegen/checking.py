"""Checked code: `QIUDAO_JIT=checked` has every element's address compared with the memory it is in.

The memory of a pointer is what it was claimed for (`Code.claim`): an argument, a temporary, a
constant, a local variable; pointers into it inherit that.  An access outside is reported as every
failure is, and goes to memory that nothing else uses.  What libraries do, and functions that take
bare pointers (sorting), is not checked.
"""

from __future__ import annotations

import os

from .code import Module
from .failures import OUTSIDE

WITHIN = f"""\
@qiudao.nowhere = internal global [4096 x i8] zeroinitializer, align 64
define internal ptr @qiudao.within(ptr %status, ptr %at, ptr %start, i64 %size, i64 %count) \
noinline nounwind {{
entry:
  %a = ptrtoint ptr %at to i64
  %s = ptrtoint ptr %start to i64
  %first = sub i64 %a, %s
  %last = sub i64 %size, %count
  %above = icmp sge i64 %first, 0
  %below = icmp sle i64 %first, %last
  %inside = and i1 %above, %below
  br i1 %inside, label %fine, label %outside
fine:
  ret ptr %at
outside:
  %earlier = load i64, ptr %status
  %none = icmp eq i64 %earlier, 0
  br i1 %none, label %report, label %away
report:
  %word1 = getelementptr i64, ptr %status, i64 1
  %word2 = getelementptr i64, ptr %status, i64 2
  store i64 {OUTSIDE}, ptr %status
  store i64 %first, ptr %word1
  store i64 %size, ptr %word2
  br label %away
away:
  ret ptr @qiudao.nowhere
}}"""


def is_checked() -> bool:
    """Whether the environment asks for checked code."""
    mode = os.environ.get("QIUDAO_JIT", "")
    if mode not in ("", "checked"):
        raise ValueError(f"QIUDAO_JIT: {mode!r} is no mode; set it to 'checked' or leave it out")
    return mode == "checked"


def checked_module() -> Module:
    """A module whose code is checked."""
    module = Module()
    module.within = module.define("@qiudao.within", WITHIN)
    return module
