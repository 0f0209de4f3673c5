"""Arrays into variables, all of them or none."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl_kernels.arrays import to_numpy

from .tensor import raw
from .variable import Variable

__all__ = ["assign_in_order"]


def assign_in_order(variables: Sequence[Variable], arrays: Sequence[Any], owner: str, hint: str = "") -> None:
    """What ``set_weights`` does: give each variable its array.

    Args:
        owner: what error messages say first, such as "'dense' has 2 weights".
        hint: what they add where there are not as many arrays as variables.

    Raises:
        ValueError: a different number of arrays, or a shape that differs; then nothing is assigned.
    """
    values = [np.asarray(to_numpy(raw(array))) for array in arrays]
    if len(variables) != len(values):
        raise ValueError(f"{owner}, but set_weights() was given {len(values)} arrays{hint}")
    for variable, value in zip(variables, values, strict=True):
        if variable.shape != value.shape:
            raise ValueError(f"{variable.path} has shape {variable.shape}, but set_weights() was given {value.shape}")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
