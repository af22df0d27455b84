"""Memory that arrays leave to each other."""

import os
from contextlib import suppress

import numpy as np

KEPT = (1 << 25) - (1 << 13)  # bytes: the largest block by which glibc sets its bounds, with room


def keep_freed() -> None:
    """Have glibc's allocator keep up to 64 MiB that arrays free for those to come.

    A sweep frees a temporary for each operation, and a graph its arrays all at once.  glibc hands
    what is free at the end of its memory back to the system unless a block as large was freed
    before, and the system gives it again page by page, filled with zeros, which takes several
    times as long as the arithmetic.  A block that nobody touches costs nothing.  Whoever sets
    glibc's own bounds (`MALLOC_TRIM_THRESHOLD_`, `MALLOC_MMAP_THRESHOLD_`) keeps them: then this
    changes nothing.  See `mallopt(3)` on the dynamic mmap threshold.
    """
    if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ()):
        with suppress(MemoryError):  # a limit on the process's addresses: small arrays may fit it
            np.empty(KEPT, np.uint8)
