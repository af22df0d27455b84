"""`torch.autograd`."""

import qiudao as qd

from . import functional

Function = qd.Function
backward = qd.backward
detect_anomaly = qd.detect_anomaly
enable_grad = qd.enable_grad
forward_ad = qd.forward_ad
grad = qd.grad
gradcheck = qd.gradcheck
gradgradcheck = qd.gradgradcheck
graph = qd.graph
inference_mode = qd.inference_mode
no_grad = qd.no_grad
set_grad_enabled = qd.set_grad_enabled

__all__ = [
    "Function",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]
