"""The parameters of a function, whatever its annotations name."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

if sys.version_info >= (3, 14):
    from annotationlib import Format

    def signature(f: Callable[..., Any]) -> inspect.Signature:
        """The signature of a function; annotations, which may name what is not there, as text."""
        return inspect.signature(f, annotation_format=Format.STRING)

else:

    def signature(f: Callable[..., Any]) -> inspect.Signature:
        """The signature of a function."""
        return inspect.signature(f)
