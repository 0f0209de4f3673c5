"""What TF32 makes of a product: its factors with 11 binary digits, rounded by another formula than the kernels'."""

from typing import Any

import numpy as np

FACTORS = 2  # the leading arguments of every product
BOUND = 1e-3  # of the largest result, for random factors


def rounded(x: np.ndarray) -> np.ndarray:
    """The nearest numbers with a mantissa of 1 + 10 binary digits, halves away from zero."""
    exponent = np.maximum(np.frexp(np.asarray(x, "f8"))[1], -125)  # below 2^-126 the digits become fewer
    steps = np.ldexp(np.asarray(x, "f8"), 11 - exponent)
    return np.ldexp(np.copysign(np.floor(np.abs(steps) + 0.5), steps), exponent - 11).astype(x.dtype)


def in_tf32(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a product, with the factors rounded."""
    return tuple(rounded(a) for a in arrays[:FACTORS]) + arrays[FACTORS:]
