"""Compiled programs for C: an object file or a shared library, with a header that says how to call.

What C sees of a program is a function of the addresses of its inputs and outputs,

    int name(const double *x, ..., double *y, ...)

which calls the program with memory for what lies between, and is written here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..core.avals import Aval, Dtype
from ..core.errors import RuleError
from .code import Code, Module, Register
from .engine import compiler
from .entry import ALIGNMENT, ON_STACK, aligned
from .failures import (
    NO_EIGENVALUES,
    NO_SVD,
    NOT_DEFINITE,
    OUT_OF_BOUNDS,
    OVERFLOW,
    SINGULAR,
    STATUS_WORDS,
)

C_TYPES = {
    "b1": "uint8_t", "i1": "int8_t", "u1": "uint8_t", "i2": "int16_t", "u2": "uint16_t",
    "i4": "int32_t", "u4": "uint32_t", "i8": "int64_t", "u8": "uint64_t",
    "f4": "float", "f8": "double", "c8": "float", "c16": "double",
}  # fmt: skip

KEYWORDS = {
    "alignas", "alignof", "asm", "auto", "bool", "break", "case", "catch", "char", "class",
    "const", "constexpr", "continue", "decltype", "default", "delete", "do", "double", "else",
    "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if",
    "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "nullptr", "operator",
    "private", "protected", "public", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "static_assert", "struct", "switch", "template", "this", "thread_local",
    "throw", "true", "try", "typedef", "typeid", "typename", "typeof", "union", "unsigned",
    "using", "virtual", "void", "volatile", "wchar_t", "while",
}  # fmt: skip  # of C and C++, for the header serves both

RETURNED = {  # what C functions return beside 0 and 1: one more than the number of a failure
    1 + SINGULAR: "a matrix was singular",
    1 + NOT_DEFINITE: "a matrix was not positive definite",
    1 + NO_EIGENVALUES: "eigenvalues did not converge",
    1 + NO_SVD: "singular values did not converge",
    1 + OUT_OF_BOUNDS: "an index was out of bounds",
    1 + OVERFLOW: "a loop took more steps than its derivative has room for (max_steps)",
}
OBJECTS = {".o", ".obj"}
LIBRARIES = {".so", ".dylib", ".dll"}


class Signature(NamedTuple):
    """A program `void @program(ptr %args, ptr %arena)`: what it takes, by name, and gives."""

    program: str
    inputs: Mapping[str, Aval]
    outputs: Mapping[str, Aval]
    arena_bytes: int = 0
    may_fail: bool = False  # whether the address of a status follows those of the outputs


def export(
    module_text: str,
    libraries: Mapping[str, int],
    signatures: Mapping[str, Signature],
    path: str | os.PathLike[str],
    *,
    ir: bool = False,
    level: str = "full",
    cpu: str | None = None,
) -> list[Path]:
    """Write programs for C, each as a function of the name that it has in `signatures`.

    `path` ends in `.o` or `.obj` (an object file), or in `.so`, `.dylib` or `.dll` (a shared
    library, which the system's C compiler links).  A header `.h` goes beside it, and with `ir` the
    text `.ll`.  The code is for this processor, or for all that LLVM means by `cpu`
    ("x86-64-v3").  Returns the files.
    """
    target = Path(path)
    if target.suffix not in OBJECTS | LIBRARIES:
        raise ValueError(
            f"export: {target.name!r} names no kind of file; end it in "
            f"{', '.join(sorted(OBJECTS | LIBRARIES))}"
        )
    if libraries:
        raise RuleError(
            "export: the program calls functions that a C program does not have: "
            f"{', '.join(sorted(libraries))}; leave out the operations that need them"
        )
    check_names(module_text, signatures)
    text = "\n".join((module_text, wrappers(module_text, signatures)))
    tool = compiler()
    data = tool.exported(text, level, cpu, list(signatures))
    written = [target, target.with_suffix(".h")]
    if target.suffix in OBJECTS:
        target.write_bytes(data)
    else:
        link(data, target)
    written[1].write_text(header(target.stem, signatures, cpu or tool.host.cpu), encoding="utf-8")
    if ir:
        written.append(target.with_suffix(".ll"))
        written[2].write_text(text, encoding="utf-8")
    return written


def check_names(module_text: str, signatures: Mapping[str, Signature]) -> None:
    """All names must be names in C, and those of one function differ."""
    for name, signature in signatures.items():
        for each in (name, *signature.inputs, *signature.outputs):
            if not re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", each) or each in KEYWORDS:
                raise ValueError(f"export: {each!r} is no name in C; use letters, digits and _")
        if f"@{name}(" in module_text:
            raise ValueError(
                f"export: {name!r} is the name of a function that the program itself has or calls; "
                "choose another"
            )
        twice = sorted(signature.inputs.keys() & signature.outputs.keys())
        if twice:
            raise ValueError(
                f"export: {name} has inputs and outputs of one name, {', '.join(twice)}; "
                "rename one of each"
            )


def wrappers(module_text: str, signatures: Mapping[str, Signature]) -> str:
    """The functions that C calls."""
    module = Module()
    for name, signature in signatures.items():
        wrapper(module, name, signature)
    for each in list(module.declarations):
        if f"@{each}(" in module_text:
            del module.declarations[each]
    return str(module)


def wrapper(module: Module, name: str, signature: Signature) -> None:
    """The function that C calls for one program; it returns 0, 1 for no memory, or `RETURNED`."""
    code = Code(module)
    names = [*signature.inputs, *signature.outputs]
    slots = code.alloca("ptr", len(names) + 1)
    for k, each in enumerate(names):
        at = code.op(f"getelementptr ptr, ptr {slots}, i64 {k}")
        code.do(f"store ptr %arg.{each}, ptr {at}")
    if signature.may_fail:
        status = code.alloca("i64", STATUS_WORDS)
        at = code.op(f"getelementptr ptr, ptr {slots}, i64 {len(names)}")
        code.do(f"store ptr {status}, ptr {at}")
    size = signature.arena_bytes
    if size > ON_STACK:
        module.declare("malloc", "declare noalias ptr @malloc(i64)")
        module.declare("free", "declare void @free(ptr)")
        memory = code.op(f"call ptr @malloc(i64 {size + ALIGNMENT})")
        code.branch(code.op(f"icmp ne ptr {memory}, null"), "enough", "short")
        code.start("short")
        code.do("ret i32 1")
        code.start("enough")
        arena = aligned(code, memory)
    else:
        arena = code.alloca("i8", size) if size else "null"
    code.do(f"call void @{signature.program}(ptr {slots}, ptr {arena})")
    if size > ON_STACK:
        code.do(f"call void @free(ptr {memory})")
    if signature.may_fail:
        failure = code.op(f"load i64, ptr {status}")
        code.do(f"ret i32 {code.op(f'trunc i64 {after_memory(code, failure)} to i32')}")
    else:
        code.do("ret i32 0")
    takes = ", ".join(f"ptr %arg.{each}" for each in names)
    module.define(f"@{name}", code.function(f"@{name}({takes})", "i32", "nounwind"))


def after_memory(code: Code, failure: Register) -> Register:
    """What is returned for the number of a failure: 0 for none, else one more."""
    more = code.op(f"add i64 {failure}, 1")
    return code.op(f"select i1 {code.op(f'icmp eq i64 {failure}, 0')}, i64 0, i64 {more}")


def link(data: bytes, target: Path) -> None:
    """Make a shared library of an object, by the system's C compiler."""
    command = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if command is None:
        raise FileNotFoundError(
            f"export: no C compiler was found to link {target.name}; install one, or export an "
            f"object file, {target.with_suffix('.o').name}"
        )
    with tempfile.TemporaryDirectory() as folder:
        object_file = Path(folder) / "program.o"
        object_file.write_bytes(data)
        done = subprocess.run(
            [*command.split(), "-shared", "-o", str(target), str(object_file), "-lm"],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(
            f"export: {command} could not link {target.name}: {done.stderr.strip()}; "
            "name another compiler in CC"
        )


def header(stem: str, signatures: Mapping[str, Signature], cpu: str) -> str:
    """The C header: a prototype for each function, and what each argument is."""
    guard = f"QIUDAO_{re.sub(r'[^A-Z0-9]', '_', stem.upper())}_H"
    prototypes = "\n".join(prototype(*item) for item in signatures.items())
    return f"""/* {stem}: written by qiudao, for the processor {cpu}.
 *
 * Arrays lie in memory row by row, without gaps.  Outputs share no memory with each other or with
 * inputs.  Every function returns 0, or 1 if memory was short, or what is said there; any number of
 * threads may call it.
 */
#ifndef {guard}
#define {guard}

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

{prototypes}
#ifdef __cplusplus
}}
#endif

#endif
"""


def prototype(name: str, signature: Signature) -> str:
    """The declaration of one function, with the shape and dtype of each argument above it."""
    lines = ["/*"]
    for title, group in (("in ", signature.inputs), ("out", signature.outputs)):
        for each, aval in group.items():
            pairs = ", as pairs: real part, imaginary part" if aval.dtype.kind == "c" else ""
            lines.append(f" * {title} {each}: {aval}{pairs}")
    if signature.may_fail:
        lines += [" * returns 0, 1 if memory was short, and, where the outputs are of no use,"]
        lines += [f" *   {number} if {reason}" for number, reason in RETURNED.items()]
    takes = [
        *(f"const {c_type(aval.dtype)} *{each}" for each, aval in signature.inputs.items()),
        *(f"{c_type(aval.dtype)} *{each}" for each, aval in signature.outputs.items()),
    ]
    return "\n".join((*lines, " */", f"int {name}({', '.join(takes) or 'void'});", ""))


def c_type(dtype: Dtype) -> str:
    """The C type of an element; of one part of it, for complex numbers."""
    return C_TYPES[f"{dtype.kind}{dtype.itemsize}"]
