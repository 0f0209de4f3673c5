"""What Embedding and EinsumDense refuse."""

import numpy as np
import pytest

from minidl import layers


@pytest.mark.parametrize("arguments", [(0, 3), (3, 0), (2.5, 3), (True, 3)])
def test_extents_of_an_embedding(arguments):
    with pytest.raises(ValueError, match="_dim must be a positive whole number"):
        layers.Embedding(*arguments)


@pytest.mark.parametrize("numbers", [[[0, 5]], [[-1, 2]]])
def test_numbers_without_a_row(numbers):
    with pytest.raises(ValueError, match=r"rows for 0 to 4 \(input_dim=5\), but the inputs reach from"):
        layers.Embedding(5, 2)(np.array(numbers))


def test_mask_zero_masks_the_zeros():
    embedding = layers.Embedding(5, 2, mask_zero=True)
    x = np.array([[3, 0, 1]])
    assert embedding.compute_mask(x).tolist() == [[True, False, True]]
    assert layers.Embedding(5, 2).compute_mask(x) is None


@pytest.mark.parametrize("equation", ["ab,bc", "ab->ac", "a b,bc->ac", "...ab,bc->ac...", "...a...,ab->...b..."])
def test_equations(equation):
    with pytest.raises(ValueError, match="equation must read like"):
        layers.EinsumDense(equation, 3)


@pytest.mark.parametrize(
    "arguments, shape, message",
    [
        (("abc,cd->abd", (3, 5)), (2, 4), "does not fit an input"),
        (("abc,cd->abd", 5), (2, 3, 4), "output_shape .* does not fit"),
        (("abc,cd->abd", (7, 5)), (2, 3, 4), "axis 'b' .* is 3 in the input, but 7"),
        (("abc,cd->abd", (None, None)), (2, 3, 4), r"axes \['d'\] .* must be known"),
    ],
)
def test_shapes_that_do_not_fit(arguments, shape, message):
    with pytest.raises(ValueError, match=message):
        layers.EinsumDense(*arguments).build(shape)


def test_bias_axes():
    with pytest.raises(ValueError, match="bias_axes='x' names axes"):
        layers.EinsumDense("ab,bc->ac", 3, bias_axes="x")
