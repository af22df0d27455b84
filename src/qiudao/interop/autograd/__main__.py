"""`python -m qiudao.interop.autograd script.py args...`: a script whose `autograd` is qiudao."""

import runpy
import sys
from pathlib import Path

from . import install

if len(sys.argv) < 2:
    sys.exit("usage: python -m qiudao.interop.autograd script.py [arguments...]")
del sys.argv[0]
sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
install()
runpy.run_path(sys.argv[0], run_name="__main__")
