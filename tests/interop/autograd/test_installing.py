"""`import autograd` in unchanged code means us, for as long as it is installed."""

import importlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from qiudao.interop import autograd
from qiudao.interop.autograd.installing import modules

PROGRAM = """
import sys
import autograd
import autograd.numpy as np
from autograd import elementwise_grad as egrad, grad
from autograd.numpy.linalg import det
from autograd.misc.optimizers import adam

assert autograd.__name__ == "qiudao.interop.autograd"
print(sys.argv[1:], __name__, float(grad(lambda x: np.sum(np.array([x, x**2])))(3.0)))
"""


def test_within_a_block_and_not_after_it():
    with autograd.installed():
        import autograd as found
        import autograd.numpy as anp

        assert found is autograd
        assert anp is sys.modules["qiudao.interop.autograd.numpy"]
        assert modules()
    assert not any(sys.modules[name] is autograd for name in modules())
    assert autograd.__spec__.name == "qiudao.interop.autograd"


def test_installing_twice_and_uninstalling_twice_do_no_harm():
    autograd.install()
    autograd.install()
    autograd.uninstall()
    autograd.uninstall()
    assert not any(sys.modules[name] is autograd for name in modules())


def test_a_module_that_is_not_there_is_an_import_error():
    with autograd.installed(), pytest.raises(ImportError):
        importlib.import_module("autograd.nothing")


def test_a_script_runs_unchanged(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    command = [sys.executable, "-m", "qiudao.interop.autograd", str(script), "one", "--two"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "['one', '--two'] __main__ 7.0", done.stderr


def test_without_a_script_it_says_how_to_call_it():
    command = [sys.executable, "-m", "qiudao.interop.autograd"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "usage: python -m qiudao.interop.autograd [--jit] script.py" in done.stderr


def test_scipy_is_imported_only_with_the_scipy_modules():
    program = """
    import sys
    from qiudao.interop.autograd import install
    install()
    import autograd, autograd.numpy
    print("scipy" in sys.modules)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr


def test_numpy_names_are_numpys():
    with autograd.installed():
        import autograd.numpy as anp
    missing = [name for name in np.__all__ if not hasattr(anp, name)]
    assert missing == []
    assert anp.pi is np.pi
    assert anp.sin is np.sin
    with pytest.raises(AttributeError):
        anp.no_such_name  # noqa: B018
