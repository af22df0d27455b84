"""Arrays of other libraries as the values of tensors.

    np.sin(t)  ->  the rule of sin  ->  Guest.process  ->  Sin.evaluate  ->  np.sin(translated)
                                                       ->  xp.sin(array)

A rule is written with NumPy's functions.  A `Guest` wraps an array of a library that follows the
Python array standard (https://data-apis.org/array-api) and applies primitives to it: in
`evaluate` a `Translated` stands for the array, which answers NumPy's functions by those of the
library's own namespace; what NumPy writes in place is put differently in `evaluations.py`.

Read `guests.py` first.  Nothing here is imported before such an array arrives.
"""
