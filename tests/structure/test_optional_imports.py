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


def test_trees_are_imported_when_a_nested_container_is_met():
    run_python(
        """
import sys
import numpy as np
import qiudao as qd

x = qd.tensor([1.0, 2.0], requires_grad=True)
(x * x).sum().backward()
qd.grad((x * x).sum(), x)
qd.grad(lambda x, y: np.sum(x * y), (0, 1))(np.ones(2), np.ones(2))
qd.jacobian(lambda x: x * x)(np.ones(2))
assert "optree" not in sys.modules
assert qd.grad(lambda tree: np.sum(tree["x"]))({"x": np.ones(2)})["x"].tolist() == [1.0, 1.0]
assert "optree" in sys.modules
"""
    )


def test_names_that_many_programs_do_without_are_imported_when_asked_for():
    run_python(
        """
import sys
import qiudao as qd

waiting = ["qiudao.numeric", "qiudao.compiling.front", "qiudao.transforms.taylor"]
assert not any(name in sys.modules for name in waiting)
assert set(qd.__all__) <= set(dir(qd))
assert callable(qd.gradcheck) and qd.numeric.gradient and qd.jet(abs, (1.0,), ([1.0],))
assert all(getattr(qd, name) is getattr(qd, name) for name in qd.__all__)
"""
    )


def test_functions_keep_their_names_whatever_is_imported_first():
    run_python("import qiudao; assert qiudao.jit.__name__ == 'jit' and qiudao.jit is qiudao.jit")
    run_python("import qiudao.compiling.front; import qiudao as qd; assert callable(qd.jit)")
    run_python("import qiudao.explaining.text; import qiudao as qd; assert callable(qd.explain)")


def test_an_unknown_name_is_an_attribute_error():
    printed = run_python(
        "import qiudao\ntry:\n    qiudao.gradd\nexcept AttributeError as e:\n    print(e)"
    )
    assert printed == "module 'qiudao' has no attribute 'gradd'"
