"""A new op: a forward and one equation per input; then the check that finds the mistake in a wrong one."""

import numpy as np

import minidl
from minidl import ops


@minidl.op
def swish_of(x, beta):
    """x * sigmoid(beta * x)."""
    return x / (1 + np.exp(-beta * x))


@swish_of.grad("x")
def _(g, x, beta, y):
    s = ops.sigmoid(beta * x)
    return g * (s + beta * y * (1 - s))


@swish_of.grad("beta")
def _(g, x, y, beta):
    return g * x * y * (1 - ops.sigmoid(beta * x))


inputs = [np.array([[-2.0, 0.3, 1.7]]), np.array([0.5, 1.0, 2.0])]
print(minidl.gradcheck(swish_of, inputs))


@swish_of.grad("beta")  # the same rule with a slip: (1 - s) is missing
def _(g, x, y):
    return g * x * y


report = minidl.gradcheck(swish_of, inputs, raise_on_failure=False)
print(report)
assert not report.ok
