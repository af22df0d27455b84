"""Every exception that qiudao raises on purpose.

    QiudaoError
    ├── GradientError     (RuntimeError)         a gradient cannot be computed as asked
    │   ├── FreedError                           what the rules kept was freed by an earlier sweep
    │   ├── UnusedError                          an input does not influence the outputs
    │   ├── MutationError                        an array that a rule reads was changed in between
    │   └── LeakError                            a value was kept when its transform had ended
    ├── DetachError       (TypeError)            a conversion would lose a gradient in silence
    │   └── TraceError                           a value is needed that is not known while tracing
    ├── RuleError         (NotImplementedError)  a primitive has no rule for what is asked
    ├── NotDifferentiableError (ArithmeticError) the quantity has no derivative at this point
    ├── NonFiniteError    (ArithmeticError)      a number that should be finite is not
    ├── GradcheckError    (AssertionError)       a derivative disagrees with differences of values
    ├── ShapeError        (ValueError)           shapes do not fit
    ├── DtypeError        (TypeError)            a dtype cannot take part
    └── TreeError         (ValueError)           nested containers do not fit each other

Messages have one shape: ``operation: what is wrong, with the values; what to do``.
"""


class QiudaoError(Exception):
    """Base of every error that qiudao raises on purpose."""


class GradientError(QiudaoError, RuntimeError):
    """A gradient cannot be computed as asked."""


class FreedError(GradientError):
    """The values that the backward sweep needs were freed by an earlier sweep."""


class UnusedError(GradientError):
    """An input does not influence the outputs."""


class MutationError(GradientError):
    """An array that a rule reads later was changed after the operation that uses it."""


class LeakError(GradientError):
    """A value of a transform was kept, and used when the transform had ended."""


class DetachError(QiudaoError, TypeError):
    """A conversion would cut the gradient in silence."""


class TraceError(DetachError):
    """A value is needed that is known only when the traced program runs."""


class RuleError(QiudaoError, NotImplementedError):
    """A primitive has no rule for what is asked of it."""


class NotDifferentiableError(QiudaoError, ArithmeticError):
    """The quantity has no derivative at this point, and none is made up."""


class NonFiniteError(QiudaoError, ArithmeticError):
    """A value or a gradient that was to be checked is NaN or infinite."""


class GradcheckError(QiudaoError, AssertionError):
    """A derivative disagrees with differences of the function's values."""


class ShapeError(QiudaoError, ValueError):
    """Shapes do not fit."""


class DtypeError(QiudaoError, TypeError):
    """A dtype cannot take part in what is asked."""


class TreeError(QiudaoError, ValueError):
    """Nested containers do not fit each other."""
