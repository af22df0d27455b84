"""Projects that depend on HIPS autograd, on it and on us, eager and compiled: numbers and times.

    python benchmarks/autograd_projects.py [part of an example's name] [--repeats 3]

It needs autograd and the projects installed beside qiudao; nothing of theirs is changed.  "jit" is
`install(jit=True)`.  Each library runs an example several times in a process of its own.  Times are
processor seconds, of the first run (which imports the project, and may compile) and the least of
the others; the deviation is the largest of any number relative to HIPS autograd's (absolute below
1), of the last run.
"""

import argparse
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

from autograd_project_examples import EXAMPLES

LIBRARIES = ["autograd", "qiudao", "jit"]
HERE = Path(__file__).parent
PROJECTS = [
    "autograd",
    "lifelines",
    "pymanopt",
    "autograd-gamma",
    "Lifetimes",
    "reliability",
    "surpyval",
    "mici",
    "numpy",
    "scipy",
]


def run(name, library, repeats):
    """What the child printed, or the end of what went wrong."""
    command = [sys.executable, HERE / "autograd_projects_child.py", name, library, str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:200]}
    return json.loads(done.stdout.splitlines()[-1])


def deviation(ours, theirs):
    """The largest deviation of a number, relative to it or absolute where it is below 1."""
    if len(ours) != len(theirs):
        return float("inf")
    return max(abs(a - b) / max(1.0, abs(b)) for a, b in zip(ours, theirs, strict=True))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", default="")
    parser.add_argument("--repeats", type=int, default=4)
    options = parser.parse_args()
    print(", ".join(f"{p} {importlib.metadata.version(p)}" for p in PROJECTS))
    print("| example | numbers | deviation, eager, jit | first run: HIPS, eager, jit | ", end="")
    print("later runs: HIPS, eager, jit | ratios to HIPS |")
    print("|---|---|---|---|---|---|")
    for name in EXAMPLES:
        if options.part not in name:
            continue
        runs = [run(name, library, options.repeats) for library in LIBRARIES]
        if any("error" in each for each in runs):
            print(f"| {name} | {' | '.join(str(each.get('error')) for each in runs)} |")
            continue
        theirs, *ours = runs
        off = [deviation(each["numbers"], theirs["numbers"]) for each in ours]
        first = [each["first"] for each in runs]
        later = [each["seconds"] for each in runs]
        ratios = [each["seconds"] / theirs["seconds"] for each in ours]
        cells = [
            name,
            str(len(theirs["numbers"])),
            ", ".join(f"{x:.0e}" for x in off),
            ", ".join(f"{x:.2f}" for x in first),
            ", ".join(f"{x:.3f}" for x in later),
            ", ".join(f"{x:.2f}" for x in ratios),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
