"""A library under test: HIPS autograd's modules and operators, from it or from us."""

import importlib

MODULES = {
    "np": "numpy",
    "scipy": "scipy",
    "builtins": "builtins",
    "extend": "extend",
    "misc": "misc",
    "optimizers": "misc.optimizers",
    "fixed_points": "misc.fixed_points",
    "tracer": "tracer",
    "test_util": "test_util",
    "operators": "differential_operators",
}


class Library:
    def __init__(self, root):
        self.root = importlib.import_module(root)
        for name, path in MODULES.items():
            setattr(self, name, importlib.import_module(f"{root}.{path}"))
        for part in ("special", "stats", "linalg", "signal", "integrate"):
            importlib.import_module(f"{root}.scipy.{part}")
        self.make_jvp_reversemode = self.operators.make_jvp_reversemode
        self.names = {"special": self.scipy.special, "stats": self.scipy.stats}

    def __getattr__(self, name):
        return getattr(self.root, name)
