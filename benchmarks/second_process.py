"""What does a compiled function cost in a process that finds its machine code on disk?

Each case runs in fresh processes that share a folder of machine code: the first compiles, others
do not. "the rest" is the first call less tracing and imports: in the first process the passes, the
text and LLVM, in others what it takes to find the machine code and to link it.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from alternate import Report, Samples, arguments

CHILD = Path(__file__).with_name("second_process_child.py")
CASES = ("ten operations", "recurrent cell", "double pendulum")
PARTS = ("import", "trace", "the rest")


def run(case: str, folder: str, clock: str) -> dict[str, float]:
    """The milliseconds of one process."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["QIUDAO_CACHE_DIR"] = folder
    command = [sys.executable, str(CHILD), case, clock]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise RuntimeError(f"{case}: the process failed\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    options = arguments(__doc__, rounds=5)
    report = Report("second_process", __doc__, options, reference="the rest")
    with tempfile.TemporaryDirectory() as folder:
        for case in filter(report.wants, CASES):
            run(case, folder, options.clock)  # compiles to bytecode
            with tempfile.TemporaryDirectory() as empty:
                first = run(case, empty, options.clock)
            later = [run(case, folder, options.clock) for _ in range(options.rounds)]
            if any(each["compiled"] for each in later):
                raise ArithmeticError(f"{case}: a later process compiled")
            report.add(
                f"{case}, first process",
                {name: Samples((first[name] / 1e3,)) for name in PARTS}, "ms",
            )  # fmt: skip
            report.add(
                f"{case}, later",
                {name: Samples(tuple(each[name] / 1e3 for each in later)) for name in PARTS}, "ms",
            )  # fmt: skip
    report.finish()


if __name__ == "__main__":
    main()
