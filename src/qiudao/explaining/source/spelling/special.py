"""SciPy's special functions, and derivatives of them that are computed by functions of our own."""

from __future__ import annotations

import importlib

from ....ops.special import Numeric, Special, Stepped, statements
from ..code import Code, call, method
from ..table import Phrase, spells


@spells(Special, Stepped)
def special(p: Phrase) -> Code:
    """`scipy.special.gamma(x)`, and of several results the one that is meant."""
    name = p.primitive.function
    part = getattr(p.primitive, "part", 0)
    home = "scipy.special._ufuncs" if name.startswith("_") else "scipy.special"
    p.use(importlib.import_module(home))
    found = call(f"{home}.{name}", *p.codes)
    return method(found, f"[{part}]") if statements[name, part].ufunc.nout > 1 else found


@spells(Numeric)
def numeric(p: Phrase) -> Code:
    """A function of our own, printed above, of the orders and the operands."""
    name = p.use(type(p.primitive).compute)
    orders = map(str, vars(p.primitive).values())
    return call(name, *orders, *(call("np.asarray", x) for x in p.codes))
