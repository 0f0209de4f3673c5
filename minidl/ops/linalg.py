"""``keras.ops.linalg``: linear algebra. All of these are names of ``minidl.ops`` too."""

# ruff: noqa: I001 - one name a line would be pages

from .linear import cholesky, det, inv, norm, solve, solve_triangular

__all__ = [
    "cholesky", "det", "inv", "norm", "solve", "solve_triangular",
]  # fmt: skip
