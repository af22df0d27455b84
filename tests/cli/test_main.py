import subprocess
import sys

import pytest

from qiudao.cli.main import main

COMMANDS = ("tour", "grad", "check")


def run_without(library, *words):
    """Run a command line in a Python where importing `library` fails."""
    program = (
        "import sys\n"
        f"sys.modules[{library!r}] = None\n"
        "from qiudao.cli.main import main\n"
        f"sys.exit(main({list(words)!r}))\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_help_names_every_command(qiudao):
    for words in ((), ("--help",)):
        ran = qiudao(*words)
        assert ran.code == 0
        for command in COMMANDS:
            assert f"    {command} " in ran.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(qiudao, command):
    ran = qiudao(command, "--help")
    assert ran.code == 0
    assert f"qiudao {command}" in ran.out.partition("example")[2]


def test_version(qiudao):
    ran = qiudao("--version")
    assert ran.code == 0
    assert ran.out.startswith("qiudao ")


@pytest.mark.parametrize("words", [["walk"], ["grad"], ["check", "m:f"], ["tour", "--far"]])
def test_wrong_arguments_are_one_line_and_exit_code_2(refused, words):
    assert "--help" in refused(*words)


def test_python_dash_m():
    ran = subprocess.run([sys.executable, "-m", "qiudao", "--help"], capture_output=True, text=True)
    assert ran.returncode == 0
    assert ran.stdout.startswith("usage: qiudao")


@pytest.mark.parametrize(
    "library, words",
    [
        ("rich", ["tour", "--out", "FOLDER"]),
        ("matplotlib", ["tour", "--out", "FOLDER"]),
        ("rich", ["grad", "x", "--at", "x=1"]),
    ],
)
def test_a_missing_library_names_the_extra(library, words, tmp_path):
    words = [str(tmp_path / word) if word == "FOLDER" else word for word in words]
    ran = run_without(library, *words)
    assert ran.returncode == 2
    assert ran.stderr == (
        f"qiudao {words[0]}: {library} is not installed; `pip install qiudao[cli]` brings it\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_help_and_mistakes_need_no_library():
    assert run_without("rich", "grad", "--help").returncode == 0
    assert "no value for y" in run_without("rich", "grad", "y").stderr


def test_ctrl_c_is_not_a_traceback(monkeypatch, capsys):
    def interrupted(asked):
        raise KeyboardInterrupt

    monkeypatch.setattr("qiudao.cli.grad.run", interrupted)
    assert main(["grad", "x"]) == 130
    assert capsys.readouterr().err == ""


def test_a_terminal_that_does_not_know_its_width(qiudao, monkeypatch):
    monkeypatch.setenv("COLUMNS", "0")
    assert "14" in qiudao("grad", "3*x**2 - 4*x + 5", "--at", "x=3").out
