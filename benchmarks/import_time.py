"""How long does `import qiudao` take beyond NumPy's own import?  The budget is 60 ms.

python benchmarks/import_time.py [rounds]

Each round times both imports in fresh interpreters, one after the other, so that both meet the same
noise; the interpreter's own start is outside the timed part.  The best of all rounds counts.
"""

import importlib.metadata
import os
import platform
import subprocess
import sys

BUDGET_MS = 60


def import_ms(modules: str) -> float:
    """Milliseconds to import `modules` in a fresh interpreter."""
    program = (
        "from time import perf_counter; start = perf_counter(); "
        f"import {modules}; print(1e3 * (perf_counter() - start))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main(rounds: int) -> None:
    pairs = [(import_ms("numpy"), import_ms("numpy, qiudao")) for _ in range(rounds)]
    alone, together = (min(times) for times in zip(*pairs))
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "optree")]
    print(f"Python {platform.python_version()}, {', '.join(versions)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, best of {rounds}")
    print(f"numpy          {alone:7.1f} ms")
    print(f"numpy, qiudao  {together:7.1f} ms, {together / alone:.2f} of numpy alone")
    print(f"beyond numpy   {together - alone:7.1f} ms, budget {BUDGET_MS} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
