"""The chain rule on one line: what every number of a backward pass is.

A sigmoid neuron with a squared error: loss = (sigmoid(w x + b) - t)^2.
"""

import math

import minidl
from minidl import ops

x, t = 2.0, 1.0
w, b = minidl.Variable(0.5, name="w"), minidl.Variable(-1.0, name="b")

z = w * x + b
s = ops.sigmoid(z)
loss = (s - t) ** 2
loss.backward()

# The same by hand: each line is one rule times the line above it.
d_loss = 1.0
d_s = d_loss * 2 * (s.item() - t)
d_z = d_s * s.item() * (1 - s.item())
d_w, d_b = d_z * x, d_z * 1.0

print(f"z = {z.item():.4f}   s = {s.item():.4f}   loss = {loss.item():.4f}")
print(f"dloss/ds = {d_s:+.4f}   dloss/dz = {d_z:+.4f}")
print(f"dloss/dw = {float(w.grad):+.4f} (by hand {d_w:+.4f})")
print(f"dloss/db = {float(b.grad):+.4f} (by hand {d_b:+.4f})")
assert math.isclose(float(w.grad), d_w, rel_tol=1e-6) and math.isclose(float(b.grad), d_b, rel_tol=1e-6)
