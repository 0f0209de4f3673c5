"""What the layers that join branches refuse, and that they say why."""

import numpy as np
import pytest

from minidl import layers


def zeros(*shapes):
    return [np.zeros(shape, "float32") for shape in shapes]


@pytest.mark.parametrize(
    "make, inputs, message",
    [
        (layers.Add, np.zeros((2, 3), "float32"), "a list of tensors"),
        (layers.Add, zeros((2, 3), (2, 4)), r"shapes \[\(None, 3\), \(None, 4\)\] cannot be joined"),
        (layers.Multiply, zeros((2, 3, 5), (2, 4)), "cannot be joined"),
        (layers.Subtract, zeros((2, 3), (2, 3), (2, 3)), "exactly 2 tensors, not 3"),
        (layers.Concatenate, zeros((2, 3, 4), (2, 5, 4)), "differ on other axes than -1"),
        (lambda: layers.Dot(axes=1), zeros((2, 3), (2, 3), (2, 3)), "exactly 2 tensors, not 3"),
        (lambda: layers.Dot(axes=1), zeros((2, 3), (2, 4)), "has extent 3, but axis 1"),
        (lambda: layers.Dot(axes=0), zeros((2, 3), (2, 3)), "names axis 0"),
        (lambda: layers.Dot(axes=-1), zeros((2,), (2, 3)), "2 axes at least"),
    ],
)
def test_inputs_that_do_not_fit(make, inputs, message):
    with pytest.raises(ValueError, match=message):
        make()(inputs)


def test_batch_sizes_that_differ():
    with pytest.raises(ValueError, match="differ in batch size"):
        layers.Add().build([(2, 3), (4, 3)])


@pytest.mark.parametrize("axes, error", [("1", TypeError), ((1, 2, 3), ValueError), ((1, 2.0), ValueError)])
def test_axes_of_dot(axes, error):
    with pytest.raises(error, match="axes must be a whole number or two"):
        layers.Dot(axes)
