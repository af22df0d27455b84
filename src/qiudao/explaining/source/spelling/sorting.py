"""Orders, places and segments."""

from __future__ import annotations

from ....ops import piecewise, sorting
from .. import helpers
from ..code import Code, call, infix
from ..table import Phrase, spells


@spells(sorting.Sort)
def sort(p: Phrase) -> Code:
    """`np.sort(x)`."""
    return call("np.sort", p.codes[0], **last(p))


def last(p: Phrase) -> dict[str, object]:
    """The argument `axis=`, which is the last by itself."""
    return {} if p.primitive.axis == -1 else {"axis": p.primitive.axis}


@spells(sorting.Partition)
def partition(p: Phrase) -> Code:
    """`np.partition(x, kth)`."""
    return call("np.partition", p.codes[0], str(list(p.primitive.kth)), **last(p))


@spells(sorting.ArgSort)
def argsort(p: Phrase) -> Code:
    """`np.argsort(x)`."""
    kind = p.primitive.kind
    named = last(p) | ({} if kind is None else {"kind": repr(kind)})
    return call("np.argsort", p.codes[0], **named)


@spells(sorting.ArgPartition)
def argpartition(p: Phrase) -> Code:
    """`np.argpartition(x, kth)`."""
    return call("np.argpartition", p.codes[0], str(list(p.primitive.kth)), **last(p))


@spells(sorting.LexSort)
def lexsort(p: Phrase) -> Code:
    """`np.lexsort((b, a))`."""
    keys = ", ".join(x.text for x in p.codes)
    return call("np.lexsort", f"({keys},)" if len(p.codes) == 1 else f"({keys})", **last(p))


@spells(sorting.Runs)
def runs(p: Phrase) -> Code:
    """The number of the run of equal neighbours that each element is in."""
    return call(p.use(helpers.runs), p.codes[0], **last(p))


@spells(sorting.Level)
def level(p: Phrase) -> Code:
    """The mean over each run."""
    return call(p.use(helpers.mean_of_runs), *p.codes, **last(p))


@spells(sorting.SearchSorted)
def search(p: Phrase) -> Code:
    """`np.searchsorted(lane, sought)`, lane by lane where there are several."""
    lane, sought = p.xs
    side = p.primitive.side
    named: dict[str, object] = {} if side == "left" else {"side": repr(side)}
    if lane.ndim == 1:
        return call("np.searchsorted", lane.code, sought.code, **named)
    return call(p.use(helpers.search_lanes), lane.code, sought.code, repr(side))


@spells(piecewise.Segment)
def segment(p: Phrase) -> Code:
    """The segment of knots that each value is in."""
    x, knots = p.codes
    q = p.primitive
    if q.lead:
        return call(p.use(helpers.segments), x, knots, repr(q.side), str(q.lead))
    named = {} if q.side == "left" else {"side": repr(q.side)}
    return infix("-", call("np.searchsorted", knots, x, **named), Code("1"))


@spells(piecewise.Interp)
def interp(p: Phrase) -> Code:
    """`np.interp(x, xp, fp)`."""
    if p.primitive.lead:
        return call(p.use(helpers.interp_rows), *p.codes, str(p.primitive.lead))
    return call("np.interp", *p.codes)


@spells(piecewise.Unwrap)
def unwrap(p: Phrase) -> Code:
    """`np.unwrap(x)`."""
    q = p.primitive
    named: dict[str, object] = {}
    if q.discont is not None:
        named["discont"] = repr(q.discont)
    if q.axis != -1:
        named["axis"] = q.axis
    if q.period != piecewise.Unwrap.period:
        named["period"] = repr(q.period)
    return call("np.unwrap", p.codes[0], **named)
