"""Nothing is imported before an array of another library arrives."""

from structure.source import run_python

LIBRARIES = ("array_api_compat", "array_api_strict", "dask", "torch", "jax", "cupy")


def test_numpy_needs_no_backend():
    run_python(
        f"""
import sys
import numpy as np
import qiudao as qd

x = qd.tensor([1.0, 2.0], requires_grad=True)
np.sum(np.sin(x) * [1.0, 2.0]).backward()
qd.hessian(lambda x: np.sum(x**3))(np.ones(2))
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert not loaded & set({LIBRARIES}), loaded
assert not any(name.startswith("qiudao.backends") for name in sys.modules)
"""
    )


def test_an_array_brings_its_own_library_only():
    run_python(
        f"""
import sys
import numpy as np
import array_api_strict as xp
import qiudao as qd

assert "array_api_compat" not in sys.modules
print(qd.grad(lambda x: np.sum(np.sin(x)))(xp.asarray([1.0, 2.0])))
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert loaded & set({LIBRARIES}) == {{"array_api_compat", "array_api_strict"}}, loaded
"""
    )


def test_guests_are_told_without_their_library():
    run_python(
        """
import sys
import numpy as np
from qiudao.core.arriving import is_foreign
import qiudao as qd

class Array:
    "As dask's, of which only the name and the module are looked at."

Array.__module__ = "dask.array.core"
assert is_foreign(Array())
assert not any(map(is_foreign, [np.ones(2), np.float64(1), 1.0, [1.0], qd.tensor(1.0), None]))
assert "dask" not in sys.modules
"""
    )
