"""`install(jit=...)`: the same results, whatever a function closes over, and machine code."""

import math
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

from qiudao.interop import autograd
from qiudao.interop.autograd import (
    compiled_report,
    elementwise_grad,
    grad,
    grad_and_aux,
    hessian,
    hessian_vector_product,
    jacobian,
    make_vjp,
    multigrad_dict,
    value_and_grad,
)
from qiudao.interop.autograd.compiled.names import names_of

POINT = np.array([0.5, 1.5, 2.5])
SCALE = np.ones(3)
STEPS = [1.0, 2.0]


@pytest.fixture(autouse=True)
def compiling():
    with autograd.installed(jit=3):
        yield


def report():
    return {(r.operator, r.function): r for r in compiled_report()}


def state(operator="grad"):
    """Whether the only function of this test was compiled, and why not."""
    (found,) = [r for r in compiled_report() if r.operator == operator]
    return found.compiled, found.reason


def same(expected, derived, *args, times=5, **kwargs):
    for _ in range(times):
        found = derived(*args, **kwargs)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


MAKERS = [
    (grad, 2 * POINT),
    (elementwise_grad, 2 * POINT),
    (jacobian, 2 * POINT),
    (hessian, 2 * np.eye(3)),
]


@pytest.mark.parametrize("maker, expected", MAKERS, ids=lambda x: getattr(x, "__name__", ""))
def test_every_maker_compiles_and_gives_the_same(maker, expected):
    same(expected, maker(lambda x: np.sum(x**2)), POINT)
    assert state(maker.__name__) == (True, "")


def test_the_makers_with_several_results_too():
    def f(x, y=2.0):
        return np.sum(x**2) * y

    for _ in range(5):
        value, slope = value_and_grad(f)(POINT)
        both = multigrad_dict(f)(POINT)
        gradient, aux = grad_and_aux(lambda x: (np.sum(x**2), np.cos(x)))(POINT)
    assert float(value) == pytest.approx(17.5)
    np.testing.assert_allclose(slope, 4 * POINT)
    np.testing.assert_allclose(gradient, 2 * POINT)
    np.testing.assert_allclose(aux, np.cos(POINT))
    assert type(both).__name__ == "OrderedDict"
    same(2 * POINT, hessian_vector_product(lambda x: np.sum(x**2)), POINT, POINT)
    assert report()["value_and_grad", "f"].compiled
    assert report()["grad", "vector_dot_grad"].compiled


def test_a_function_made_anew_finds_its_program():
    for _ in range(5):
        same(2 * POINT, grad(lambda x: np.sum(x**2)), POINT, times=1)
    assert state() == (True, "")


def test_dictionaries_keywords_and_static_arguments():
    def loss(params, kind, power=1):
        x = params["w"] * params["b"]
        return np.sum(x**power) if kind == "sum" else np.mean(x**power)

    params = {"w": POINT, "b": 2.0}
    slope = grad(loss)
    for kind, count in (("sum", 1.0), ("mean", 3.0)):
        for _ in range(5):
            found = slope(params, kind, power=2)
            np.testing.assert_allclose(found["w"], 8 * POINT / count)
            assert float(found["b"]) == pytest.approx(4 * np.sum(POINT**2) / count)
    assert [r.compiled for r in compiled_report()] == [True, True]


def test_branches_on_values_are_captured():
    slope = grad(lambda x: np.sum(x**2) if np.sum(x) > 0 else np.sum(x))
    same(2 * POINT, slope, POINT)
    same(np.ones(3), slope, -POINT)
    assert state() == (True, "")


def test_an_array_written_to_between_calls_is_read_again():
    weights = np.ones(3)
    slope = grad(lambda x: np.sum(weights * x))
    for k in (1.0, 5.0, 7.0):
        weights[:] = k
        same(np.full(3, k), slope, POINT)


def test_globals_attributes_lists_and_closures_are_read_again(monkeypatch):
    class Model:
        rate = 2.0

        def __init__(self):
            self.shift = 1.0

        def loss(self, x):
            return np.sum(SCALE * x * self.rate + self.shift * x) * STEPS[0] * factor

    model, factor = Model(), 1.0
    slope = grad(model.loss)
    same(np.full(3, 3.0), slope, POINT)
    model.shift = 2.0
    same(np.full(3, 4.0), slope, POINT)
    Model.rate = 5.0
    same(np.full(3, 7.0), slope, POINT)
    model.rate = 3.0  # an attribute of the instance hides the class's
    same(np.full(3, 5.0), slope, POINT)
    monkeypatch.setitem(globals(), "SCALE", np.full(3, 2.0))
    same(np.full(3, 8.0), slope, POINT)
    STEPS[0] = 10.0
    same(np.full(3, 80.0), slope, POINT)
    STEPS[0] = 1.0
    factor = 0.5
    same(np.full(3, 4.0), slope, POINT)
    assert all(r.compiled for r in compiled_report() if r.calls >= 3)


def test_attributes_by_names_that_are_put_together():
    class Model:
        def __init__(self, rate):
            self.rate1 = np.full(3, rate)

        def loss(self, x):
            return np.sum(x * getattr(self, f"rate{1}"))

    model = Model(1.0)
    slope = grad(model.loss)
    same(np.full(3, 1.0), slope, POINT)
    model.rate1[:] = 2.0
    same(np.full(3, 2.0), slope, POINT)
    same(np.full(3, 5.0), grad(Model(5.0).loss), POINT)
    assert all(r.compiled for r in compiled_report())


def test_what_changes_from_call_to_call_stays_eager():
    weights = np.ones(3)
    slope = grad(lambda x: np.sum(weights * x))
    for k in range(30):
        weights[:] = k
        same(np.full(3, float(k)), slope, POINT, times=1)
    assert "what it reads besides its arguments changes" in str(compiled_report())


def test_effects_stay_what_they_are():
    seen, model, count = [], type("Model", (), {})(), 0

    def logged(x):
        seen.append(1)
        return np.sum(x)

    def stored(x):
        model.calls = getattr(model, "calls", 0) + 1
        return np.sum(x)

    def counted(x):
        nonlocal count
        count += 1
        return np.sum(x)

    for f in (logged, stored, counted):
        same(np.ones(3), grad(f), POINT, times=8)
    assert (len(seen), model.calls, count) == (8, 8, 8)
    found = report()
    assert found["grad", "logged"].reason == "it changes what it reads"
    assert found["grad", "stored"].reason == "it changes what it reads"
    assert "assigns to count" in found["grad", "counted"].reason


def test_draws_and_prints_stay_eager(capsys):
    rng = np.random.default_rng(0)
    drawing = grad(lambda x: np.sum(x * rng.normal()))
    assert len({float(drawing(POINT)[0]) for _ in range(8)}) == 8
    drawing = grad(lambda x: np.sum(x * np.random.normal()))  # noqa: NPY002 - as users do
    assert len({float(drawing(POINT)[0]) for _ in range(8)}) == 8
    same(np.ones(3), grad(lambda x: print("called") or np.sum(x)), POINT)
    assert capsys.readouterr().out == "called\n" * 5
    reasons = [r.reason for r in compiled_report()]
    assert "rng is of Generator, which may change unseen" in reasons
    assert "it draws from numpy.random, or may" in reasons
    assert "it calls print, or may" in reasons


def test_what_is_selected_by_an_argument_decides_shapes():
    mask = np.array([True, False, True])
    slope = grad(lambda x, m: np.sum(x[m] ** 2))
    same(2 * POINT * mask, slope, POINT, mask)
    same(2 * POINT * ~mask, slope, POINT, ~mask)
    mask[:] = True
    same(2 * POINT, slope, POINT, mask)
    assert all(r.compiled for r in compiled_report())


def test_a_number_of_the_iteration_becomes_data():
    slope = grad(lambda x, k: np.sum(x) * k)
    for k in range(12):
        same(np.full(3, float(k)), slope, POINT, k, times=1)
    assert any(r.compiled and r.calls > 5 for r in compiled_report())


def test_what_cannot_be_traced_stays_eager_and_errors_stay_the_same():
    def refusing(x):
        if x[0] < 0:
            raise ValueError("negative")
        return np.sum(np.sqrt(x))

    slope = grad(refusing)
    same(0.5 / np.sqrt(POINT), slope, POINT)
    with pytest.raises(ValueError, match="negative"):
        slope(-POINT)
    compiled, reason = state()
    assert not compiled
    assert reason.startswith("it cannot be traced: capture: ")


def test_conventions_stay():
    with pytest.raises(TypeError, match="Can't differentiate"):
        grad(lambda x: x * 2.0)(3)
    constant = grad(lambda x: 3.0)
    for _ in range(5):
        with pytest.warns(UserWarning, match="Output seems independent"):
            assert float(constant(1.0)) == 0.0
    z = 1 + 2j
    for _ in range(5):
        assert complex(grad(lambda z: np.real(z**2))(z)) == pytest.approx(2 + 4j)
    same(6.0, grad(grad(lambda x: x**3)), 1.0)
    assert type(grad(lambda x: x**3)(1.0)) is np.float64


def test_within_another_derivative_and_makers_of_functions():
    inner = grad(lambda x: np.sum(x**3))
    same(6 * np.diag(POINT), jacobian(lambda x: inner(x)), POINT)
    for _ in range(4):
        vjp, _ = make_vjp(lambda x: np.sum(x))(POINT)
    np.testing.assert_allclose(vjp(2.0), np.full(3, 2.0))
    assert state("make_vjp") == (False, "it returns a function")


def test_arguments_of_other_kinds_stay_eager():
    class Data:
        x = 2.0

    same(np.full(3, 2.0), grad(lambda x, d: np.sum(x * d.x)), POINT, Data())
    assert state() == (False, "an argument is of Data")


def test_arguments_that_are_written_to():
    def f(x, table):
        table[0] = table[0] + 1.0
        return np.sum(x) * table[0]

    table, slope = np.zeros(2), grad(f)
    for k in range(6):
        same(np.full(3, k + 1.0), slope, POINT, table, times=1)
    assert state() == (False, "it changes an argument")


def test_rules_of_the_users():
    from autograd.extend import defvjp, primitive

    @primitive
    def cube(x):
        return x**3

    defvjp(cube, lambda ans, x: lambda g: g * 3 * x**2)
    same(3 * POINT**2, grad(lambda x: np.sum(cube(x))), POINT)


def test_several_threads():
    slope = grad(lambda x: np.sum(x**2) * SCALE[0])
    failures = []

    def work(k):
        failures.extend(k for _ in range(20) if not np.allclose(slope(k * POINT), 2 * k * POINT))

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []


def test_by_time_the_slow_are_compiled_and_the_quick_are_not(monkeypatch):
    from qiudao.interop.autograd.compiled import programs

    autograd.install(jit=True)
    same(2 * POINT, grad(lambda x: np.sum(x**2)), POINT)
    assert state() == (False, "it was called too rarely")
    monkeypatch.setattr(programs, "PATIENCE", 0.0)
    monkeypatch.setattr(programs, "WORTH", 0.0)
    same(3 * POINT**2, grad(lambda x: np.sum(x**3)), POINT)
    assert state() == (True, "")


def test_uninstalled_it_goes_on_eagerly():
    slope = grad(lambda x: np.sum(x**2))
    same(2 * POINT, slope, POINT, times=1)
    autograd.uninstall()
    same(2 * POINT, slope, POINT)
    assert compiled_report() == []


def test_no_warning_of_a_compiled_function_is_lost():
    def warning(x):
        warnings.warn("look", stacklevel=1)
        return np.sum(x)

    slope = grad(warning)
    for _ in range(5):
        with pytest.warns(UserWarning, match="look"):
            slope(POINT)
    assert state() == (False, "it warns: look")


def test_modules_of_python_whose_functions_are_pure():
    same(np.full(3, math.pi), grad(lambda x: np.sum(x) * math.pi), POINT)
    assert state() == (True, "")


def test_a_script_with_jit(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import autograd.numpy as np\n"
        "from autograd import grad\n"
        "from qiudao.interop.autograd.compiled import compilation\n"
        "print(compilation.on, grad(lambda x: np.sum(x**2))(np.ones(2)))\n"
    )
    command = [sys.executable, "-m", "qiudao.interop.autograd", "--jit", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True [2. 2.]", done.stderr


def test_a_store_to_a_global_is_not_hidden_by_one_to_a_variable_around():
    def outer():
        count = 0

        def inner(x):
            global LAST
            nonlocal count
            LAST = x
            count += 1

        return inner

    named = names_of(outer.__code__)
    assert named.stores == "assigns to the global LAST"
    assert named.outer == frozenset()
    assert names_of(outer().__code__).outer == {"count"}
