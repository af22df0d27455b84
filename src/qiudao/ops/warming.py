"""What a process does once so that all its later steps are quick."""

from __future__ import annotations

import functools

import numpy as np

ROWS, SIDE = 64, 512  # of a product that touches as much of BLAS's memory as any needs


@functools.cache
def warm() -> None:
    """Have BLAS touch its memory; the first call takes about 2 ms.

    OpenBLAS packs operands into memory of its own and fetches ahead in it.  Where no product has
    been there yet it has no pages, and fetching them in vain takes half the time of a product of
    long, thin matrices (measured on zen 1: 2.8 ms against 1.0 for 32 x 4,096 x 144).
    """
    np.matmul(np.zeros((ROWS, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32))
