"""`python -m qiudao`: the same as the command `qiudao`."""

import sys

from qiudao.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
