"""The machinery: values' types, primitives, equations, levels and the one backward sweep.

Read in this order: `avals`, `node`, `modes`, `dispatch`, `primitive`, `families`, `sweep`, `slot`.
Nothing in here knows any mathematics beyond the sum of two cotangents.
"""
