"""LLVM, from the text of a module to the addresses of its functions.

Text is parsed, optimised and made into an object file in memory, which is also what the disk cache
keeps; the object is then linked into this process by LLVM's ORC JIT.  Objects are position
independent and name what they need from outside, so they hold in any process.

What has no loops gains nothing from LLVM's passes (it is even slower after some): the text is
simplified already.  So at the level "straight" functions are inlined, and that is all.  Loops whose
steps follow from each other, as in a simulation, gain a little from few of them, which are those
of the level "steps": the gradient of a double pendulum compiles in half the time.  LLVM's
scheduler and register allocator take longer than linear time in one block of many thousand
operations; at the level "quick" the quick ones take over, and they make code nearly as good
provided that a block has no more than `BLOCK` operations (a jump to the next line costs nothing,
and bounds what must stay in registers).
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import itertools
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from .cache import jit_cache
from .code import Find

BLOCK = 100  # operations after which straight-line code should start a new block


class Level(NamedTuple):
    """What is done for one level of optimisation."""

    passes: int | tuple[str, ...]  # over the text: LLVM's -O, or these alone
    emission: int  # LLVM's -O for selecting, scheduling and allocating registers


INLINING = ("always_inliner", "global_dead_code_eliminate", "sroa", "simplify_cfg")
LEVELS = {
    "quick": Level(("dead_code_elimination",), 0),
    "straight": Level(INLINING, 1),
    # Not new_gvn: LLVM 22 ends the process at some loops, by an assertion of that pass.
    "steps": Level((*INLINING, "instruction_combine", "sinking"), 1),
    "middle": Level(2, 2),
    "full": Level(3, 3),
}


class Statistics:
    """How many modules this process has compiled, and how many it had from the disk cache."""

    def __init__(self) -> None:
        self.compiled = 0
        self.loaded = 0

    def __repr__(self) -> str:
        return f"Statistics(compiled={self.compiled}, loaded={self.loaded})"


statistics = Statistics()


class Native:
    """Machine code in this process, which lives as long as this object does."""

    def __init__(self, tracker: Any, jit: Any) -> None:
        self._tracker = tracker
        self._jit = jit  # must outlive what it has linked

    def address(self, name: str) -> int:
        """The address of a function that was asked for by name."""
        return int(self._tracker[name])


class Host(NamedTuple):
    """The processor of this machine as LLVM calls it."""

    triple: str
    cpu: str
    features: str


class Compiler:
    """LLVM in this process: one JIT, and one lock around all work with it."""

    def __init__(self) -> None:
        self.llvm = llvm = load_llvm()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        self.host = Host(llvm.get_process_triple(), llvm.get_host_cpu_name(), features.flatten())
        self.has_wide_vectors = bool(features.get("avx512f"))
        self.versions = versions(llvm)
        self.lock = threading.Lock()
        self.numbers = itertools.count()
        # JITLink places all sections together, so that code reaches its constants at any distance.
        self.jit = llvm.create_lljit_compiler(self.machine(2), use_jit_link=os.name != "nt")

    def machine(self, emission: int, cpu: str | None = None, jit: bool = True) -> Any:
        """A target machine: for this processor, or for all those that `cpu` names."""
        target = self.llvm.Target.from_triple(self.host.triple)
        return target.create_target_machine(
            cpu=cpu or self.host.cpu,
            features="" if cpu else self.host.features,
            opt=emission,
            reloc="pic",
            codemodel="jitdefault" if jit and os.name == "nt" else "small",
        )

    def optimise(
        self, text: str, level: str, machine: Any, public: Sequence[str] | None = None
    ) -> Any:
        """The module after the passes.  Functions that are not `public` (None: all are) may go."""
        llvm, passes = self.llvm, LEVELS[level].passes
        module = llvm.parse_assembly(text)
        module.triple, module.data_layout = machine.triple, str(machine.target_data)
        module.verify()
        for each in module.functions:
            if public is not None and each.name not in public and not each.is_declaration:
                each.linkage = "internal"
        options = llvm.create_pipeline_tuning_options()
        options.loop_vectorization = options.loop_interleaving = True
        options.loop_unrolling = False  # but for loops that ask for it
        # LLVM 22 gets selects in a loop wrong when it joins scalars (the saddle objective has one).
        options.slp_vectorization = False
        if isinstance(passes, int):
            options.speed_level = passes
            builder = llvm.create_pass_builder(machine, options)
            manager = builder.getModulePassManager()
        else:
            builder = llvm.create_pass_builder(machine, options)
            manager = llvm.create_new_module_pass_manager()
            for each in passes:
                getattr(manager, f"add_{each}_pass")()
        manager.run(module, builder)
        return module

    def object(self, text: str, level: str) -> bytes:
        """The object file of a module, to be linked into this process."""
        with self.lock:
            machine = self.machine(LEVELS[level].emission)
            return bytes(machine.emit_object(self.optimise(text, level, machine)))

    def exported(self, text: str, level: str, cpu: str | None, public: Sequence[str]) -> bytes:
        """The object file of a module, in the platform's own format, for other programs."""
        with self.lock:
            machine = self.machine(LEVELS[level].emission, cpu, jit=False)
            return bytes(machine.emit_object(self.optimise(text, level, machine, public)))

    def link(self, data: bytes, libraries: Mapping[str, int], names: Sequence[str]) -> Native:
        """Place an object in this process."""
        builder = self.llvm.JITLibraryBuilder().add_object_img(data)
        for name, address in libraries.items():
            builder.import_symbol(name, address)
        for name in names:
            builder.export_symbol(name)
        with self.lock:
            return Native(builder.link(self.jit, f"qiudao.{next(self.numbers)}"), self.jit)

    def key(self, text: str, outside: Iterable[str], level: str) -> str:
        """The name of an object on disk: all that its bytes depend on, and nothing else."""
        parts = (text, sorted(outside), level, LEVELS[level], self.host, self.versions)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


class MissingCodeError(LookupError):
    """Code that was compiled in another process is no longer on disk."""


class Object:
    """Machine code before it is in a process: its key on disk, and what it names.

    `data` is the code until it is linked.  A pickle is without it: other processes find it on disk.
    """

    def __init__(
        self, key: str, outside: Mapping[str, Find], names: Sequence[str], data: bytes | None = None
    ) -> None:
        self.key = key
        self.outside = outside
        self.names = names
        self.data = data

    def __reduce__(self) -> Any:
        return Object, (self.key, self.outside, self.names)

    @functools.cached_property
    def native(self) -> Native:
        """The code in this process.  Raises `MissingCodeError`."""
        data, self.data = self.data, None
        if data is None:
            data = jit_cache.get(self.key)
            if data is None:
                raise MissingCodeError(self.key)
            statistics.loaded += 1
        libraries = {name: find() for name, find in self.outside.items()}
        return compiler().link(data, libraries, self.names)


def load_llvm() -> Any:
    """The library `llvmlite.binding`."""
    try:
        return importlib.import_module("llvmlite.binding")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "jit: compiling needs llvmlite, which is not installed; "
            "install it by `pip install 'qiudao[jit]'`",
            name=error.name,
        ) from error


def versions(llvm: Any) -> tuple[str, ...]:
    """What has a say in the machine code besides the text: llvmlite, LLVM, and this very file.

    The file rather than the version of qiudao, which stays as it is while the file is worked on.
    """
    try:
        own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    except OSError:  # qiudao is run from an archive, which does not change
        own = ""
    llvmlite = importlib.import_module("llvmlite")
    return own, llvmlite.__version__, ".".join(map(str, llvm.llvm_version_info))


def compiler() -> Compiler:
    """LLVM, which is loaded when it is first needed."""
    with _loading:  # two threads must not make two of them
        return _compiler()


@functools.cache
def _compiler() -> Compiler:
    return Compiler()


_loading = threading.Lock()


def attributes() -> str:
    """The attributes that functions should carry, as LLVM writes them."""
    wide = ' "prefer-vector-width"="512"' if compiler().has_wide_vectors else ""
    return "nounwind" + wide


def widest_vector() -> int:
    """The bytes of the longest vectors of this processor, as far as variants go."""
    return 64 if compiler().has_wide_vectors else 32


def compiled(
    module_text: str, outside: Mapping[str, Find], entry_names: Sequence[str], level: str = "full"
) -> Object:
    """The code of a module in LLVM's text form, from the disk cache where it has been seen.

    `outside` finds the addresses of outside functions and objects by name; `entry_names` are the
    functions whose addresses are wanted; `level` is "quick" (straight-line code of very many
    operations, in blocks of at most `BLOCK`), "straight" (code without loops), "steps" (loops
    that have no use for vectors), "middle", or "full" (everything LLVM has).
    """
    tool = compiler()
    key = tool.key(module_text, outside, level)
    data = jit_cache.get(key)
    if data is None:
        data = tool.object(module_text, level)
        statistics.compiled += 1
        jit_cache.put(key, data)
    else:
        statistics.loaded += 1
    return Object(key, outside, entry_names, data)


def compile(
    module_text: str,
    libraries: Mapping[str, int],
    entry_names: Sequence[str],
    *,
    level: str = "full",
) -> Native:
    """As `compiled`, linked into this process; `libraries` holds the addresses themselves."""
    outside = {name: partial(int, address) for name, address in libraries.items()}
    return compiled(module_text, outside, entry_names, level).native
