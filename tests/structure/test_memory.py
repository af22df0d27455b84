"""Memory that arrays leave to each other, seen from fresh processes."""

import os
import subprocess
import sys

import pytest

from structure.source import run_python

pytestmark = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", ()), reason="of glibc's allocator"
)

WORK = """
import resource, sys
import numpy as np
if "qiudao" in sys.argv:
    import qiudao
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def hold_and_free():
    held = [np.ones(100_000) for _ in range(20)]  # 16 MB in pieces, of 200 pages each
for _ in range(3):
    hold_and_free()
before = faults()
for _ in range(10):
    hold_and_free()
print((faults() - before) // 10)
"""


def pages_a_round(*names, **variables):
    """How many pages a round of work is given anew by the system."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", WORK, *names],
        env=others | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.fixture(scope="module")
def by_itself():
    """The pages a round that the allocator asks for by itself."""
    pages = pages_a_round()
    if pages < 1_000:
        pytest.skip("here the system gives memory in large pages, or the allocator keeps it")
    return pages


def test_what_arrays_free_serves_those_to_come(by_itself):
    assert pages_a_round("qiudao") < by_itself / 10


def test_who_sets_the_bounds_of_the_allocator_keeps_them(by_itself):
    assert pages_a_round("qiudao", MALLOC_TRIM_THRESHOLD_="131072") > by_itself / 2


def test_a_limit_on_addresses_is_no_obstacle():
    run_python(
        """
import resource
import numpy as np
from qiudao.core import memory

size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 20),) * 2)
try:
    np.empty(memory.KEPT, np.uint8)
except MemoryError:
    memory.keep_freed()
else:
    raise SystemExit("there was room")
"""
    )
