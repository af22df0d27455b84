"""Gradients of one chain: `python large_arrays_child.py PEER CHAIN ELEMENTS LENGTH CLOCK`.

`large_arrays.py` reads the seconds that it prints, of the quickest.
"""

import json
import sys
from time import perf_counter, process_time

from chains import CHAINS
from peers import PEERS

LEAST, SECONDS = 5, 1.0  # gradients, and how long to go on computing them


def main() -> None:
    name, chain, elements, length, clock = sys.argv[1:]
    now = process_time if clock == "processor" else perf_counter
    peer, shape = PEERS[name](), (int(elements),)
    program = CHAINS[int(chain)].build(peer, shape, int(length))
    gradient = peer.gradient(program, CHAINS[int(chain)].start(shape))
    taken: list[float] = []
    while len(taken) < LEAST or sum(taken) < SECONDS:
        start = now()
        gradient()
        taken.append(now() - start)
    print(json.dumps(min(taken)))


if __name__ == "__main__":
    main()
