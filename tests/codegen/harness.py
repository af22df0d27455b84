"""Compile primitives by their kernels, many in one module, and call them on arrays."""

import ctypes
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np

from qiudao.codegen.code import Buffer, Code, Module
from qiudao.codegen.failures import STATUS_WORDS, raise_failure
from qiudao.codegen.kernels import kernel_for
from qiudao.core.avals import Aval, aval_of

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()


def avals_of(primitive: Any, avals: Any) -> tuple[Aval, ...]:
    found = primitive.shape(*avals)
    return (found,) if isinstance(found, Aval) else tuple(found)


def buffer_of(pointer: str, x: Any) -> Buffer:
    return Buffer(pointer, x.shape, x.dtype, tuple(s // x.itemsize for s in x.strides))


class Job(NamedTuple):
    name: str
    primitive: Any
    operands: list[Any]
    results: list[Aval]
    scratch: int


class Compiled:
    """Functions of one module: `add` each, `build`, then `run` them by number."""

    def __init__(self) -> None:
        self.module = Module()
        self.jobs: list[Job] = []

    def add(self, primitive: Any, *operands: Any) -> int:
        xs = [np.asarray(x) for x in operands]
        results = avals_of(primitive, [aval_of(x) for x in xs])
        kernel = kernel_for(primitive, [aval_of(x) for x in xs], results)
        assert kernel is not None, f"{primitive} has no kernel for these operands"
        if not kernel.accepts_strides:
            xs = [np.array(x, order="C") for x in xs]
        code = Code(self.module)
        buffers = [buffer_of(f"%x{k}", x) for k, x in enumerate(xs)]
        scratch = kernel.scratch(primitive, buffers, results)
        if scratch:
            buffers.append(Buffer("%scratch", (scratch,), np.dtype("u1"), (1,)))
        outs = [buffer_of(f"%y{k}", np.empty(r.shape, r.dtype)) for k, r in enumerate(results)]
        kernel(code, primitive, buffers, outs)
        code.do("ret void")
        names = [*(f"x{k}" for k in range(len(xs))), *(f"y{k}" for k in range(len(outs)))]
        name = f"job{len(self.jobs)}"
        head = ", ".join(f"ptr %{n}" for n in (*names, "scratch", "status"))
        self.module.define(f"@{name}", code.function(f"@{name}({head})"))
        self.jobs.append(Job(name, primitive, xs, list(results), scratch))
        return len(self.jobs) - 1

    def build(self) -> "Compiled":
        parsed = llvm.parse_assembly(str(self.module))
        parsed.verify()
        machine = llvm.Target.from_default_triple().create_target_machine(
            opt=3, cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten()
        )
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization = options.slp_vectorization = True
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(parsed, builder)
        self.text = str(parsed)
        self.engine = llvm.create_mcjit_compiler(parsed, machine)
        for name, address in self.module.libraries.items():
            if name.lstrip("@") in {f.name for f in parsed.functions}:
                self.engine.add_global_mapping(parsed.get_function(name.lstrip("@")), address)
        self.engine.finalize_object()
        return self

    def caller(self, number: int) -> Any:
        """A call without arguments, and the arrays that it fills."""
        job = self.jobs[number]
        count = len(job.operands) + len(job.results) + 2
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)
        f = kind(self.engine.get_function_address(job.name))
        outs = [np.full(r.shape, 77, r.dtype) for r in job.results]
        room = np.empty(job.scratch + 64, np.uint8)
        status = np.zeros(STATUS_WORDS, np.int64)
        pointers = [x.ctypes.data for x in (*job.operands, *outs)]
        start = -(-room.ctypes.data // 64) * 64
        held = (job, outs, room, status)
        return lambda held=held: f(*pointers, start, status.ctypes.data), outs, status

    def run(self, number: int) -> tuple[Any, ...]:
        call, outs, status = self.caller(number)
        call()
        raise_failure(status.tolist())
        return tuple(outs)
