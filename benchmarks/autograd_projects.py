"""Projects that depend on HIPS autograd, on it and on us: the same numbers, and the times.

    python benchmarks/autograd_projects.py [part of an example's name] [--repeats 3]

It needs autograd and the projects installed beside qiudao; nothing of theirs is changed.  The runs
alternate, each in a process of its own; the time is the least processor time of an example, the
deviation the largest of any number relative to it (absolute below 1).
"""

import argparse
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

from autograd_project_examples import EXAMPLES

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
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(", ".join(f"{p} {importlib.metadata.version(p)}" for p in PROJECTS))
    print("| example | numbers | largest deviation | HIPS, s | qiudao, s | ratio |")
    print("|---|---|---|---|---|---|")
    for name in EXAMPLES:
        if options.part not in name:
            continue
        theirs = run(name, "autograd", options.repeats)
        ours = run(name, "qiudao", options.repeats)
        if "error" in ours or "error" in theirs:
            print(f"| {name} | HIPS: {theirs.get('error')} | qiudao: {ours.get('error')} |")
            continue
        off = deviation(ours["numbers"], theirs["numbers"])
        times = ours["seconds"], theirs["seconds"]
        print(
            f"| {name} | {len(ours['numbers'])} | {off:.0e} | {times[1]:.2f} | {times[0]:.2f} | "
            f"{times[0] / times[1]:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
