"""Standard output that fails, lacks signs, wants no colours or is narrow."""

import io
import os
import subprocess
import sys

import pytest

from qiudao.cli.main import main
from qiudao.cli.output import is_coloured

pytest.importorskip("rich")

COMMANDS = [
    ["grad", "x**2", "--at", "x=1"],
    ["explain", "x**2", "--at", "x=1"],
    ["explain", "x**2", "--at", "x=1", "--json"],
    ["why", "x**2", "--at", "x=1"],
    ["--help"],
]


class Failing(io.StringIO):
    """A stream that takes nothing."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_disk_is_one_line(words, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout", Failing(OSError(28, "No space left on device")))
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.endswith("cannot write the output: No space left on device\n")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_who_leaves_is_told_nothing(words, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout", Failing(BrokenPipeError(32, "Broken pipe")))
    assert main(words) == 141
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full device")
def test_what_is_still_held_back_when_python_ends_is_told_too():
    with open("/dev/full", "w", encoding="utf-8") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "qiudao", "why", "x**2", "--at", "x=1"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            text=True,
        )
    assert ran.returncode == 2
    assert ran.stderr == "qiudao why: cannot write the output: No space left on device\n"


def test_a_closed_output_is_no_mistake(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    assert main(["explain", "x**2", "--at", "x=1"]) == 0


def test_letters_that_a_terminal_lacks_are_replaced_by_others_that_keep_the_columns():
    ran = subprocess.run(
        [sys.executable, "-m", "qiudao", "explain", "ξ**2", "--at", "ξ=1"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0] == "?**2"
    assert set(lines[2]) == {"-"}
    assert lines[3].split() == ["?", "1", "2"]


@pytest.mark.parametrize(
    "variable, value, coloured",
    [("TERM", "xterm", True), ("TERM", "dumb", False), ("NO_COLOR", "1", False),
     ("NO_COLOR", "", True)],
)  # fmt: skip
def test_colours_are_for_terminals_that_want_them(variable, value, coloured, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable, value)
    shown = Terminal()
    monkeypatch.setattr("sys.stdout", shown)
    assert is_coloured() is coloured
    for words in (["explain", "x", "--at", "x=1"], ["story", "x", "--at", "x=1"]):
        assert main(words) == 0
        assert ("\x1b[" in shown.getvalue()) is coloured


@pytest.mark.parametrize("columns", [30, 59, 60, 80])
def test_a_table_is_as_wide_as_its_terminal(columns, qiudao, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = qiudao("explain", "sum(log(1 + exp(x * 2)))/2 + 0.5*sum(x**2)", "--at", "x=[1,2,3,4,5,6]")
    assert max(map(len, ran.out.splitlines())) <= columns
    flat = " ".join(ran.out.split())
    narrow = "is [1, 2, 3, 4, 5, 6]" in flat and "gradient [1.88, " in flat
    assert narrow is (columns < 60)


def test_lines_of_a_long_title_keep_its_depth():
    import qiudao as qd

    def f(x, w):
        for k in range(2):
            x = x * w * w * w * w * w * w * w * w * w * w * w * w * w * w * w * w * w * k
        return x

    lines = qd.explain(f, 1.0, 2.0).text(width=70).splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("    x * w * w"))
    assert all(line.startswith("    ") for line in lines[first : first + 20])


def test_a_minus_is_printed_to_and_a_variable_may_be_h(qiudao, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert qiudao("explain", "x", "--at", "x=1", "--svg", "-").out.startswith("<svg")
    assert list(tmp_path.iterdir()) == []
    assert "-2" in qiudao("grad", "-h*2", "--at", "h=1").out


def test_an_answer_is_folded_on_a_terminal_and_whole_in_a_pipe(qiudao, monkeypatch):
    words = ("why", "sum(sqrt(x))", "--at", "x=[0, 1]")
    monkeypatch.setenv("COLUMNS", "50")
    whole = qiudao(*words).out
    assert whole.count("\n") == 2
    monkeypatch.setattr("qiudao.cli.output.Output.isatty", lambda self: True, raising=False)
    folded = qiudao(*words).out
    assert max(map(len, folded.splitlines())) <= 50
    assert folded.split() == whole.split()
    assert all(line.startswith("  ") for line in folded.splitlines()[1:])
