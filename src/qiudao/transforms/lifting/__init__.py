"""The user's own functions made to work where NumPy cannot dispatch: `qd.lift`.

A lifted function is rewritten from its source as `transforms.capture` does it: with its own
globals, closure and defaults, and with each call `g(x)` and each `z[i] = v` going through us.
Where an argument carries a derivative, something stands in for a function that would lose it:

    standing   the table of what stands in for what, and when
    numbers    Python's own functions and `math`
    arrays     NumPy's functions that do not dispatch, and methods of plain arrays
    memory     what goes through memory: `memoryview`, `np.nditer`, `np.save`
    indexing   `np.r_[...]`, `np.c_[...]`
    lift       the public function
"""
