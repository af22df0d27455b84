"""Optional libraries are optional: importing qiudao loads none of them, and needs none of them."""

import math

from structure.source import OPTIONAL, run_python


def test_importing_qiudao_loads_no_optional_library():
    loaded = run_python(
        "import sys, qiudao; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    assert "qiudao" in loaded.split()
    assert sorted(OPTIONAL & set(loaded.split())) == []


def test_a_gradient_needs_no_optional_library():
    printed = run_python(
        f"""
import sys
sys.modules.update(dict.fromkeys({sorted(OPTIONAL)}))  # None: importing it now raises ImportError

import numpy as np
import qiudao as qd

for name in qd.__all__:
    getattr(qd, name)
print(float(qd.grad(lambda x: x * np.sin(x))(2.0)))
"""
    )
    assert math.isclose(float(printed), math.sin(2) + 2 * math.cos(2), rel_tol=1e-14)
