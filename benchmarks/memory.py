"""What does a long chain of operations cost in memory, forward and backward?

Each library runs 100,000 operations on 10-element float64 arrays in a process of its own; what
counts is the peak resident size beyond that of a process that made the same imports and swept a
chain of 10.
"""

import resource
import subprocess
import sys
from pathlib import Path

from alternate import Report, Samples, arguments
from chains import CHAINS, Chain
from peers import PEERS, load

CONTENDERS = ("qiudao", "torch", "autograd")
LENGTH = 100_000
SHAPE = (10,)


def main() -> None:
    options = arguments(__doc__, rounds=2)
    report = Report("memory", __doc__, options)
    names = [peer.name for peer in load(CONTENDERS, report)]
    for number, chain in enumerate(CHAINS):
        if report.wants(chain.name):
            turns = range(options.rounds)
            taken = {
                name: Samples(tuple(beyond_baseline(name, number) for _ in turns)) for name in names
            }
            report.add(chain.name, taken, "B", per=LENGTH)
    report.finish()


def beyond_baseline(name: str, number: int) -> int:
    return _in_a_process(name, number, LENGTH) - _in_a_process(name, number, 10)


def _in_a_process(name: str, number: int, length: int) -> int:
    command = [sys.executable, __file__, "--child", name, str(number), str(length)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def child(name: str, chain: Chain, length: int) -> None:
    """Sweep one chain and print this process's peak resident size in bytes."""
    peer = PEERS[name]()
    peer.gradient(chain.build(peer, SHAPE, length), chain.start(SHAPE))()
    print(peak())


def peak() -> int:
    """Peak resident size in bytes, by Linux's own figure: `ru_maxrss` there inherits."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return size if sys.platform == "darwin" else size * 1024
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], CHAINS[int(sys.argv[3])], int(sys.argv[4]))
    else:
        main()
