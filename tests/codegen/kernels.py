"""Compiles a loop that applies one mathematical function to arrays."""

import ctypes
import importlib

import numpy as np

from qiudao.codegen.code import Code, Module
from qiudao.codegen.math import inlined
from qiudao.codegen.math.table import BINARY, COMPLEX_BINARY, COMPLEX_UNARY

C_TYPES = {"double": ctypes.c_double, "float": ctypes.c_float}
DTYPES = {"double": np.dtype(np.float64), "float": np.dtype(np.float32)}


COMPLEX = {"double": np.dtype(np.complex128), "float": np.dtype(np.complex64)}


def kernel_text(name, type_):
    """A module with a function `kernel(out, x, y, n)`."""
    module = Module()
    code = Code(module)
    parts = range(2 if name in COMPLEX_UNARY or name in COMPLEX_BINARY else 1)

    def places(array, i):
        element = f"[{len(parts)} x {type_}]"
        first = code.op(f"getelementptr inbounds {element}, ptr {array}, i64 {i}")
        return [code.op(f"getelementptr inbounds {type_}, ptr {first}, i64 {k}") for k in parts]

    with code.loop("%n") as i:
        operands = [
            code.op(f"load {type_}, ptr {place}")
            for array in ("%x", "%y")[: 2 if name in BINARY or name in COMPLEX_BINARY else 1]
            for place in places(array, i)
        ]
        result = inlined(code, name, type_, operands)
        for k, place in enumerate(places("%out", i)):
            pair = f"{{ {type_}, {type_} }}"
            value = code.op(f"extractvalue {pair} {result}, {k}") if len(parts) > 1 else result
            code.do(f"store {type_} {value}, ptr {place}")
    code.do("ret void")
    head = "@kernel(ptr noalias %out, ptr noalias %x, ptr noalias %y, i64 %n)"
    module.define("@kernel", code.function(head))
    return str(module)


class Kernel:
    """One function, compiled for this machine: call it with arrays."""

    def __init__(self, name, type_):
        llvm = importlib.import_module("llvmlite.binding")
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(),
            features=llvm.get_host_cpu_features().flatten(),
            opt=3,
            jit=True,
        )
        module = llvm.parse_assembly(kernel_text(name, type_))
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization = options.slp_vectorization = True
        passes = llvm.create_pass_builder(machine, options)
        passes.getModulePassManager().run(module, passes)
        self.dtype = (COMPLEX if name.startswith("complex.") else DTYPES)[type_]
        self.text = str(module)
        self.assembly = machine.emit_assembly(module)
        self.engine = llvm.create_mcjit_compiler(module, machine)
        self.engine.finalize_object()
        pointers = [ctypes.c_void_p] * 3
        self.run = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)(
            self.engine.get_function_address("kernel")
        )

    def __call__(self, x, y=None):
        x = np.ascontiguousarray(x, self.dtype)
        y = x if y is None else np.ascontiguousarray(y, self.dtype)
        out = np.empty_like(x)
        self.run(out.ctypes.data, x.ctypes.data, y.ctypes.data, x.size)
        return out
