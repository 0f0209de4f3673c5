"""The definitions, word by word, in plain Python integers."""

import numpy as np

from ..arrays import to_numpy
from . import WORD, dropout, dropout_scale, dropout_threshold, philox, random_bits


def _word(key: np.ndarray, position: int) -> int:
    block = position // 4
    k0, k1 = (int(word) for word in to_numpy(key))
    return philox((block & WORD, block >> 32, 0, 0), (k0, k1))[position % 4]


@random_bits.implementation("reference", on="numpy")
def random_bits_reference(key: np.ndarray, *, size: int, offset: int, out: np.ndarray) -> None:
    for i in range(size):
        out[i] = _word(key, offset + i)


@dropout.implementation("reference", on="numpy")
def dropout_reference(x: np.ndarray, key: np.ndarray, *, rate: float, offset: int, out: np.ndarray) -> None:
    scale = x.dtype.type(dropout_scale(rate))
    for position, i in enumerate(np.ndindex(x.shape)):
        out[i] = x[i] * scale if _word(key, offset + position) >= dropout_threshold(rate) else 0
