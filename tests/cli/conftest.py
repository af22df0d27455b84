from collections.abc import Callable
from dataclasses import dataclass

import pytest

from qiudao.cli.main import main


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def qiudao(capsys) -> Callable[..., Ran]:
    """Runs a command line in this process."""

    def run(*words: str) -> Ran:
        try:
            code = main(words)
        except SystemExit as leave:  # argparse's way to say that the arguments are wrong
            code = leave.code
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(qiudao) -> Callable[..., str]:
    """Runs a command line that cannot be done, and gives the line that says so."""

    def run(*words: str) -> str:
        ran = qiudao(*words)
        assert ran.code == 2
        assert ran.out == ""
        assert ran.err.count("\n") == 1
        assert ran.err.startswith("qiudao")
        return ran.err.strip()

    return run
