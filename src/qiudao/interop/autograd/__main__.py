"""`python -m qiudao.interop.autograd [--jit] script.py args...`: its `autograd` is qiudao.

With `--jit` its gradients are compiled where they are called often.
"""

import runpy
import sys
from pathlib import Path

from . import install

jit = sys.argv[1:2] == ["--jit"]
del sys.argv[: 2 if jit else 1]
if not sys.argv:
    sys.exit("usage: python -m qiudao.interop.autograd [--jit] script.py [arguments...]")
sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
install(jit)
runpy.run_path(sys.argv[0], run_name="__main__")
