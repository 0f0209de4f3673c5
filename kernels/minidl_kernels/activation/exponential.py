"""exp in float32 for use inside Numba loops, as a polynomial: LLVM can make vector code of it, not of a library call.

With n the whole number nearest to x / ln 2 and r = x - n ln 2, |r| <= 0.35: exp(x) = 2^n (1 + r q(r)), where
q(r) = (exp(r) - 1) / r is cut after r^6; that leaves a relative error of 1.5e-8, a quarter of float32's rounding.

Do not compile callers with fastmath "reassoc": adding and taking off ROUND would be optimised away.
"""

from typing import Any

import numpy as np

from ..parallel import njit  # not from numba itself: parallel.py sets the cache folder first

__all__ = ["exp", "expm1"]

ROUND = np.float32(1.5 * 2**23)  # a number so large that adding it leaves no fraction: the sum's low bits are n
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH = np.float32(0.693359375)  # ln 2 in two parts; the first has so few bits that n * LN2_HIGH is exact
LN2_LOW = np.float32(-2.1219444005469057e-4)
LOWEST, HIGHEST = np.float32(-87.3), np.float32(88.7)
C2, C3, C4, C5, C6, C7 = (np.float32(1 / f) for f in (2, 6, 24, 120, 720, 5040))
ONE, ZERO = np.float32(1), np.float32(0)
ONE_BITS = np.int32(0x3F800000)  # 1.0f; its exponent is the offset of all exponents


@njit(cache=True, inline="always")
def _parts(x: Any) -> Any:
    """2^n, and r q(r) = exp(r) - 1."""
    shifted = x * LOG2_E + ROUND
    n = shifted - ROUND
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    q = ONE + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * (C6 + r * C7)))))
    power = np.int32((np.float32(shifted).view(np.int32) << 23) + ONE_BITS).view(np.float32)
    return power, r * q


@njit(cache=True, inline="always")
def exp(x: Any) -> Any:
    """exp(x) for a float32 x, to 2 ulp; 0 below -87.3 (no subnormal results), inf above 88.37; NaN stays NaN."""
    # Comparisons with NaN are false, so it passes through both; min and max would lose it.
    clipped = HIGHEST if x > HIGHEST else x
    power, part = _parts(clipped)
    value = power * (ONE + part)  # not power + power * part, which is inf - inf where power overflows
    return ZERO if x < LOWEST else value


@njit(cache=True, inline="always")
def expm1(x: Any) -> Any:
    """exp(x) - 1 for a float32 x from -80 to 80, to a few ulp also near 0; NaN stays NaN."""
    power, part = _parts(x)
    return power * part + (power - ONE)
