"""The objectives of the published AD benchmarks ADBench and GradBench, written from their
definitions.

Each file is one objective: `SIZES` (published) and `SMALL` (for tests), `inputs(**size)`, the
objective as a function of arrays, `by_hand(inputs)` (its derivative in plain NumPy, the oracle),
and `in_qiudao`, `in_jax`, `in_torch`: the ways in which a library is asked for that derivative,
each a call without arguments that returns a tuple of arrays. Some have `in_casadi` too, and
`in_c`: the derivative by hand in C, of the folder `native`, compiled where there is a gcc.

* ADBench: Srajer, Kukelova, Fitzgibbon, "A benchmark of selected algorithmic differentiation tools
  on some problems in computer vision and machine learning", 2018: gmm, ba, ht, lstm.
* GradBench adds kmeans, the objectives of CMPAD (det, llsq, ode), lse, and the nested optimisations
  of Pearlmutter and Siskind, "Using programming language theory to make automatic differentiation
  sound and efficient", 2008: particle, saddle.
"""
