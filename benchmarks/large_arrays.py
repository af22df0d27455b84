"""What does a gradient cost on arrays whose memory the system has to give?

Chains of 20 operations on 10,000, 100,000 and 1,000,000 elements, forward and backward, each
contender in processes of its own: how the allocator treats freed memory is a matter of the whole
process. "memory given back" is qiudao that leaves the allocator as it is.
A figure is the least of the gradients that a process computes within a second.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from alternate import Report, Samples, arguments
from chains import describe
from large_arrays_child import LENGTH, PROGRAMS

CHILD = Path(__file__).with_name("large_arrays_child.py")
ELEMENTS = (10_000, 100_000, 1_000_000)
CONTENDERS = ("qiudao", "memory given back", "torch", "autograd")


def run(contender: str, chain: str, elements: int, clock: str) -> float:
    """The seconds of one gradient in a fresh process."""
    command = [sys.executable, str(CHILD), contender, chain, str(elements), clock]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{contender}: the process failed\n{done.stderr}")
    seconds: float = json.loads(done.stdout)
    return seconds


def main() -> None:
    options = arguments(__doc__, rounds=5)
    report = Report("large_arrays", __doc__, options)
    wanted = [name for name in CONTENDERS if name not in options.without]
    for name in [n for n in wanted if n in ("torch", "autograd") and find_spec(n) is None]:
        report.note(f"{name}: not installed, left out.")
        wanted.remove(name)
    for chain in PROGRAMS:
        for elements in ELEMENTS:
            case = f"{chain}; {describe((elements,))}"
            if not report.wants(case):
                continue
            taken: dict[str, list[float]] = {name: [] for name in wanted}
            for _ in range(options.rounds):
                for name in wanted:
                    taken[name].append(run(name, chain, elements, options.clock))
            samples = {name: Samples(tuple(each)) for name, each in taken.items()}
            report.add(case, samples, "us", per=LENGTH)
    report.finish()


if __name__ == "__main__":
    main()
