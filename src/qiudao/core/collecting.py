"""Python's garbage collector, which waits while modules are imported.

An import makes thousands of objects and drops none of them, so a collector that looks for cycles
meanwhile finds nothing.  It falls due all the same, and goes through every object in the process:
after `import scipy.optimize` that takes as long as our whole import.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """Have the collector wait for the end of the block, unless it is off anyway.

    Then it goes through the objects that the block made, and those alone, so that its next turn is
    as far off as before.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        gc.enable()
