"""What convolution, pooling, border and upsampling layers say about arguments and inputs that cannot be."""

import numpy as np
import pytest

from minidl import layers, models, ops

PICTURES, SEQUENCES = np.zeros((2, 6, 5, 4), "f"), np.zeros((2, 6, 4), "f")

CASES = {
    "strides with dilation": (lambda: layers.Conv2D(3, 3, strides=2, dilation_rate=2), "strides and dilation_rate"),
    "filters in groups": (lambda: layers.Conv2D(3, 3, groups=2), "filters must be a multiple of groups.*filters=3"),
    "channels in groups": (lambda: layers.Conv2D(9, 3, groups=3)(PICTURES), "4 channels.*groups=3"),
    "groups of none": (lambda: layers.Conv1D(3, 3, groups=0), "groups must be a positive.*not 0"),
    "causal pictures": (lambda: layers.Conv2D(3, 3, padding="causal"), "must be 'valid' or 'same', not 'causal'"),
    "unknown padding": (lambda: layers.Conv1D(3, 3, padding="full"), "'valid', 'same' or 'causal', not 'full'"),
    "unknown layout": (lambda: layers.MaxPooling2D(data_format="first"), "data_format must be .* not 'first'"),
    "output_padding": (lambda: layers.Conv2DTranspose(3, 3, strides=2, output_padding=2), "output_padding .*(2, 2)"),
    "dilated window": (lambda: layers.Conv1D(3, 3, dilation_rate=3)(SEQUENCES), "window of 3 with dilation_rate.*of 6"),
    "window above": (lambda: layers.DepthwiseConv2D(7)(PICTURES), "window of 7x7 .* 6x5 .*padding='same'"),
    "window above, first": (
        lambda: layers.SeparableConv2D(3, 5, data_format="channels_first")(PICTURES), "5x5 does not fit .*5x4",
    ),
    "rank of the input": (lambda: layers.Conv1D(3, 3)(PICTURES), "expected ndim=3, found ndim=4"),
    "unknown channels": (lambda: layers.DepthwiseConv2D(3).build((None, 6, 5, None)), "channels of the input must"),
    "multiplier": (lambda: layers.SeparableConv1D(3, 3, depth_multiplier=0), "depth_multiplier must be a positive"),
    "pool size": (lambda: layers.MaxPooling1D((2, 2)), r"pool_size must be a positive whole number, not \(2, 2\)"),
    "pool above": (lambda: layers.AveragePooling1D(7)(layers.Input((6, 4))), "window of 7 does not fit .* of 6"),
    "padding of three": (lambda: layers.ZeroPadding2D((1, 2, 3)), r"padding must be a number, two, .*not \(1, 2, 3\)"),
    "negative padding": (lambda: layers.ZeroPadding1D(-1), "padding must be a whole number of at least 0.*not -1"),
    "cropping all": (lambda: layers.Cropping2D(3)(PICTURES), r"leaves nothing of inputs of shape \(2, 6, 5, 4\)"),
    "cropping all steps": (lambda: layers.Cropping1D(3)(SEQUENCES), "leaves nothing"),
    "size": (lambda: layers.UpSampling1D(0), "size must be a positive whole number, not 0"),
    "interpolation": (lambda: layers.UpSampling2D(interpolation="area"), "interpolation must be one of .* not 'area'"),
    "op of four axes": (lambda: ops.conv(PICTURES[None], np.zeros((1, 1, 4, 2))), r"have shape \(1, 2, 6, 5, 4\)"),
    "op with a flat kernel": (lambda: ops.conv(PICTURES, np.zeros((1, 4, 2))), r"kernel has shape \(1, 4, 2\)"),
    "op with another activation": (
        lambda: ops.conv_bias(PICTURES, np.zeros((1, 1, 4, 2), "f"), np.zeros(2, "f"), activation="tanh"),
        "conv_bias: activation must be None or \"relu\", not 'tanh'",
    ),
    "op with a bias of another size": (
        lambda: ops.conv_bias(PICTURES, np.zeros((1, 1, 4, 2), "f"), np.zeros(4, "f")),
        r"b has shape \(4,\); expected \(2,\)",
    ),
    "op in no groups": (lambda: ops.conv(PICTURES, np.zeros((1, 1, 3, 2), "f")), "4 channels .* groups of 3"),
    "op, dilated": (
        lambda: ops.depthwise_conv(SEQUENCES, np.zeros((4, 4, 1), "f"), dilation_rate=2),
        r"kernel of shape \(1, 4\) with dilation_rate \(1, 2\) does not fit",
    ),
    "op, transposed": (
        lambda: ops.conv_transpose(PICTURES, np.zeros((1, 1, 4, 3), "f")), "have 4 channels, .*is for 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_errors(name):
    action, message = CASES[name]
    with pytest.raises(ValueError, match=message):
        action()


def test_ops_on_symbolic_tensors():
    x = layers.Input((None, 4))
    assert ops.conv(x, np.zeros((3, 4, 5), "f"), padding="same").shape == (None, None, 5)
    assert ops.conv_transpose(layers.Input((6, 4)), np.zeros((3, 5, 4), "f"), 2).shape == (None, 13, 5)
    data, kernel = np.arange(72, dtype="f").reshape(2, 9, 4), np.arange(60, dtype="f").reshape(3, 4, 5)
    given = layers.Input((9, 4))
    made = ops.conv(given, kernel, padding="same", dilation_rate=3)
    assert made.shape == (None, 9, 5)
    expected = ops.conv(data, kernel, padding="same", dilation_rate=3)
    np.testing.assert_array_equal(models.Model(given, made)(data).numpy(), expected)
    with pytest.raises(ValueError, match="with a dilation_rate the inputs' extents must be known"):
        ops.conv(x, np.zeros((3, 4, 5), "f"), dilation_rate=3)
