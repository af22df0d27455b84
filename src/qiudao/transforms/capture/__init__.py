"""Python's control flow on values that are unknown while tracing, from a function's source.

`captured(f)` is `f` compiled anew from its source.  At each decision it first asks whether the
deciding value is known; if so it goes on as Python does, and if not it traces the ways that control
may go and joins them by `cond`, `while_loop` and `fori_loop`.

    source, scopes, jumps, liveness     what a function's text says
    rewrite, assignments, expressions   the new text, and
    compiling                           its code
    sites, state, outcomes, owners      a decision, the variables around it, the ways out
    sides, branch                       decisions traced
    carrying, step, loops               loops traced
    courses, columns                    what loops go through
    trial, effects, stepping, foreseen  loops of known length whose step is traced once
    finishing                           what follows where a decision lets control jump
    conditions, writes, masks, calls    truth values, elements of arrays, Python's functions
    places, touching                    attributes and elements of containers, as variables
    sharing, holders                    arrays that share memory, and what holds them

Where Python and the captured function differ:

* an `assert` of an unknown value is refused, and so is a `raise` that hangs on one;
* what a step of a loop makes of Python's numbers decides their dtype before the first step;
* a loop that turns out to end by an unknown value begins its step anew: what the step has done
  beside changing variables, attributes, arrays and containers (printing, say) is done twice;
* a `for` of 32 steps or more whose step only computes is traced as one step and becomes a scan,
  where nothing in it asks for the number of the step (`trial.py`);
* a plain array that a traced value is written into is another object afterwards, so this is
  refused where another name holds it.
"""

from .function import captured

__all__ = ["captured"]
