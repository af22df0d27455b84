"""One example on one library: prints its numbers and its processor times as JSON."""

import json
import sys
import time

name, library, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
if library != "autograd":
    from qiudao.interop.autograd import install

    install(jit=library == "jit")

from autograd_project_examples import numbers  # noqa: E402 - after the library is chosen

found, times = [], []
for _ in range(repeats):
    start = time.process_time()
    found = numbers(name)
    times.append(time.process_time() - start)
print(
    json.dumps({"numbers": found, "first": times[0], "seconds": min(times[1:], default=times[0])})
)
