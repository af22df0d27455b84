"""Holds a call with tensors against the same call with arrays: results, errors, gradients."""

import copy
import warnings

import numpy as np

import qiudao as qd


def is_data(x):
    """Whether an argument can carry a derivative."""
    return isinstance(x, np.ndarray | np.inexact) and x.dtype.kind in "fc"


def mapped(x, change):
    """A structure of arguments with `change` applied to its arrays."""
    if isinstance(x, list | tuple) and not isinstance(x, str):
        made = [mapped(each, change) for each in x]
        return type(x)(made) if type(x) in (list, tuple) else made
    if isinstance(x, dict):
        return {key: mapped(each, change) for key, each in x.items()}
    return change(x) if is_data(x) else x


def collected(x):
    """The arrays in a structure of arguments, in order."""
    found = []
    mapped(x, lambda a: (found.append(a), a)[1])
    return found


def outcome(f, args, options):
    """What a call gives, or the error it raises."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return f(*args, **options), None
    except Exception as error:
        return None, error


def family(error):
    """The built-in classes of an error."""
    return {c for c in type(error).__mro__ if c.__module__ == "builtins"} - {
        Exception, BaseException, object,
    }  # fmt: skip


def is_lossy(error):
    """Whether a cast was refused that would lose the gradient, or an imaginary part."""
    text = str(error)
    lost = "without losing it" in text or "imaginary part" in text or "make the target" in text
    return isinstance(error, TypeError) and lost


def leaves(y):
    """The arrays and numbers of a result, in order."""
    if isinstance(y, list | tuple):
        return [leaf for each in y for leaf in leaves(each)]
    return [y]


def plain(y):
    return y.detach().numpy() if isinstance(y, qd.Tensor) else y


def hold(f, args, options, name="", order=True):
    """`f` of tensors is `f` of arrays, and its gradient the slope of differences."""
    call = copy.deepcopy((args, options))
    wanted, refused = outcome(f, *call)
    tensors = []

    def tensor(x):
        tensors.append(qd.tensor(np.array(x), requires_grad=True))
        return tensors[-1]

    given = mapped(copy.deepcopy((args, options)), tensor)
    if not tensors:
        given = (wrapped(given[0]), given[1])
    got, error = outcome(f, *given)
    if refused is not None:
        assert error is not None, f"NumPy raises {refused!r}, and we give {got}"
        assert is_lossy(error) or family(error) & family(refused), f"{error!r} is no {refused!r}"
        return
    if error is not None and is_lossy(error):
        return
    if error is not None:
        raise AssertionError(f"NumPy gives {wanted}") from error
    single = any(np.result_type(x) in SINGLE for x in collected((args, options)))
    agree(got, wanted, single)
    if tensors:
        hold_gradient(f, args, options, got, tensors)


def hold_out(f, args, options):
    """`f(..., out=y)` of tensors writes into the tensor `y` what `f` gives, and gives `y`."""
    wanted, refused = outcome(f, *copy.deepcopy((args, options)))
    if refused is not None or not isinstance(wanted, np.ndarray | np.inexact):
        return
    wanted = np.asarray(wanted)
    if wanted.dtype.kind not in "fc" or not collected((args, options)):
        return
    given = mapped(copy.deepcopy((args, options)), lambda x: qd.tensor(x, requires_grad=True))
    y = qd.tensor(np.zeros_like(wanted))
    got, error = outcome(f, given[0], {**given[1], "out": y})
    if error is not None and is_lossy(error):
        return
    assert error is None, repr(error)
    assert got is y
    without = f(*given[0], **given[1])
    assert y.requires_grad == (isinstance(without, qd.Tensor) and without.requires_grad)
    np.testing.assert_allclose(plain(y), wanted, rtol=1e-4)


def wrapped(args):
    """The first array as a tensor without a gradient."""
    for k, x in enumerate(args):
        if isinstance(x, np.ndarray):
            return (*args[:k], qd.tensor(x), *args[k + 1 :])
    return args


SINGLE = (np.float16, np.float32, np.complex64)


def agree(got, wanted, single):
    """Same structure, shapes, dtypes and values."""
    if isinstance(wanted, tuple | list):
        assert isinstance(got, tuple | list)
        assert len(got) == len(wanted)
        if hasattr(wanted, "_fields"):
            assert type(got) is type(wanted)
        for one, other in zip(got, wanted, strict=True):
            agree(one, other, single)
        return
    got = plain(got)
    if isinstance(wanted, np.ndarray | np.generic | int | float | complex):
        assert np.shape(got) == np.shape(wanted), f"shape {np.shape(got)}, not {np.shape(wanted)}"
        assert np.result_type(got) == np.result_type(wanted), (
            f"dtype {np.result_type(got)}, not {np.result_type(wanted)}"
        )
        rtol = 2e-5 if single or np.result_type(wanted) in SINGLE else 1e-10
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol)
    else:
        assert got == wanted


def weighed(y, weights=None):
    """The sum of all inexact results, each times a number of its own; and these numbers."""
    total, made = 0.0, []
    for k, each in enumerate(leaf for leaf in leaves(y) if inexact(leaf)):
        if weights is None:
            rng = np.random.default_rng(k)
            w = rng.uniform(0.5, 1.5, np.shape(each))
            w = w - 1j * rng.uniform(0.5, 1.5, np.shape(each)) if kind(each) == "c" else w
            made.append(w)
        else:
            w = weights[k]
        total = total + np.sum(np.real(w * each))
    return total, made


def kind(x):
    return np.result_type(x.dtype if isinstance(x, qd.Tensor) else x).kind


def inexact(x):
    return isinstance(x, qd.Tensor | np.ndarray | np.generic | float) and kind(x) in "fc"


def hold_gradient(f, args, options, got, tensors):
    """The gradient along a random direction, against central differences of two widths."""
    data = collected((args, options))
    if any(np.result_type(x) not in (np.float64, np.complex128) for x in data):
        return
    if any(np.size(x) == 0 or not np.all(np.isfinite(x)) for x in data):
        return
    total, weights = weighed(got)
    if not all(np.all(np.isfinite(plain(y))) for y in leaves(got) if inexact(y)):
        return
    rng = np.random.default_rng(5)
    steps = []
    for x in data:
        d = rng.uniform(-1, 1, np.shape(x))
        steps.append(d + 1j * rng.uniform(-1, 1, np.shape(x)) if kind(x) == "c" else d)

    def along(t):
        moves = iter(steps)
        moved = mapped(copy.deepcopy((args, options)), lambda x: np.asarray(x + t * next(moves)))
        y, error = outcome(f, *moved)
        if error is not None:
            return np.nan
        try:
            return weighed(y, weights)[0]
        except (ValueError, IndexError):  # another number of results
            return np.nan

    widths = [1e-5, 2.3e-6]
    slopes = [(along(h) - along(-h)) / (2 * h) for h in widths]
    scale = 1 + abs(slopes[0])
    if not np.all(np.isfinite(slopes)) or abs(slopes[0] - slopes[1]) > 1e-5 * scale:
        return
    if abs(along(0.0) - 0.5 * (along(1e-7) + along(-1e-7))) > 1e-5 * scale:
        return  # a jump
    grads = [None] * len(tensors)
    if isinstance(total, qd.Tensor) and total.requires_grad:
        try:
            grads = qd.grad(total, tensors, allow_unused=True)
        except qd.core.errors.NotDifferentiableError:
            return  # complex eigenvectors, whose phase is free
    found = 0.0
    for g, d in zip(grads, steps, strict=True):
        if g is not None:
            found += np.sum(np.real(np.conj(plain(g)) * d))
    assert abs(found - slopes[0]) < 2e-5 * scale, f"gradient {found}, differences {slopes[0]}"
