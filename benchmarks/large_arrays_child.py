"""Gradients of one chain: `python large_arrays_child.py PEER CHAIN ELEMENTS CLOCK`.

`large_arrays.py` reads the seconds that it prints, of the quickest.
"""

import json
import sys
from time import perf_counter, process_time
from types import SimpleNamespace

from chains import CHAINS, Chain, Shape
from peers import PEERS, Peer, Program

LEAST, SECONDS = 5, 1.0  # gradients, and how long to go on computing them
LENGTH = 20


def _quotients(peer: Peer, shape: Shape, length: int) -> Program:
    def chain(x):
        for _ in range(length // 4):
            x = 2.0 / (1.0 + x * x)
        return peer.xp.sum(x)

    return chain


PROGRAMS = {c.name: c for c in (CHAINS[0], Chain("2 / (1 + x*x)", _quotients), CHAINS[-1])}


def main() -> None:
    name, chain, elements, clock = sys.argv[1:]
    now = process_time if clock == "processor" else perf_counter
    if name == "memory given back":
        name, sys.modules["qiudao.core.memory"] = "qiudao", SimpleNamespace(keep_freed=tuple)
    peer, shape = PEERS[name](), (int(elements),)
    program = PROGRAMS[chain].build(peer, shape, LENGTH)
    gradient = peer.gradient(program, PROGRAMS[chain].start(shape))
    taken: list[float] = []
    while len(taken) < LEAST or sum(taken) < SECONDS:
        start = now()
        gradient()
        taken.append(now() - start)
    print(json.dumps(min(taken)))


if __name__ == "__main__":
    main()
