"""Random nets as ONNX files: what single layers do not show, such as layouts that meet, and what runtimes fuse."""

import numpy as np
import pytest

import minidl as keras
from minidl import activations, layers, ops

from .test_onnx import check, data_for, with_random_weights

pytestmark = pytest.mark.slow

NETS = 120
TOLERANCE = 1e-4  # of the largest number: normalisation of numbers that nearly cancel out magnifies rounding
SMOOTH = [
    name
    for name in activations.__all__
    if name not in (*activations.NOT_ACTIVATIONS, "threshold", "glu", "exponential")
]
FILTERS = ("nearest", "bilinear", "bicubic", "lanczos3")


class Draw:
    """The choices of one net."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def of(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def activation(self):
        return self.of(*SMOOTH)


def moving(cls, *args, **settings):
    """A layer with a window; poolings never move by single cells: there ONNX's evaluator pads the wrong axis."""

    def make(x, draw):
        strides = 2 if "Max" in cls else draw.of(1, 2)
        window = {"strides": strides, "padding": draw.of("same", "valid")}
        return getattr(layers, cls)(*args, draw.of(1, 2, 3), **window, **settings)(x)

    return make


ON_PICTURES = [
    moving("Conv2D", 3), moving("Conv2D", 4, use_bias=False, activation="relu"), moving("DepthwiseConv2D"),
    moving("Conv2DTranspose", 3), moving("SeparableConv2D", 2), moving("MaxPooling2D"), moving("AveragePooling2D"),
    lambda x, draw: layers.Conv2D(2, 2, activation=draw.activation())(x),
    lambda x, draw: layers.BatchNormalization(axis=draw.of(1, 3))(x),
    lambda x, draw: layers.LayerNormalization(axis=draw.of(1, 3, [1, 2], [2, 3]))(x),
    lambda x, draw: layers.GroupNormalization(1, axis=draw.of(1, 2, 3))(x),
    lambda x, draw: layers.UnitNormalization(axis=draw.of(1, 3))(x),
    lambda x, draw: layers.PReLU(shared_axes=[1, 2])(x),
    lambda x, draw: layers.Activation(draw.activation())(x),
    lambda x, draw: layers.Softmax(axis=draw.of(1, 2, 3))(x),
    lambda x, draw: layers.ZeroPadding2D(((0, 1), (2, 0)))(x),
    lambda x, draw: layers.Cropping2D(((1, 0), (0, 1)))(x),
    lambda x, draw: layers.UpSampling2D(draw.of(2, (1, 2)), interpolation=draw.of(*FILTERS))(x),
    lambda x, draw: layers.Resizing(6, 7, interpolation=draw.of(*FILTERS))(x),
    lambda x, draw: layers.Permute(draw.of((2, 1, 3), (3, 1, 2)))(x),
    lambda x, draw: layers.Concatenate(axis=draw.of(1, -1))([x, layers.Activation(draw.activation())(x)]),
    lambda x, draw: layers.Concatenate()([x, layers.Dense(2)(x)]),
    lambda x, draw: layers.Add()([x, x * layers.GlobalAveragePooling2D(keepdims=True)(x)]),
    lambda x, draw: layers.Minimum()([x, layers.GlobalAveragePooling2D()(x)]),
    lambda x, draw: 1.0 - x * 0.5,
    lambda x, draw: ops.relu(x) - ops.mean(x, axis=(1, 2), keepdims=True),
    lambda x, draw: x[:, ::2, :, ::-1],
    lambda x, draw: ops.concatenate([x, x**2], axis=draw.of(1, 2, 3)),
]  # fmt: skip

ON_SEQUENCES = [
    moving("Conv1D", 4), moving("DepthwiseConv1D"), moving("Conv1DTranspose", 3), moving("MaxPooling1D"),
    moving("AveragePooling1D"), moving("Conv1D", 3, data_format="channels_first"),
    moving("MaxPooling1D", data_format="channels_first"),
    lambda x, draw: layers.Conv1D(3, 3, padding="causal", strides=draw.of(1, 2), activation=draw.activation())(x),
    lambda x, draw: layers.Conv1D(2, 3, dilation_rate=2, padding=draw.of("causal", "same"))(x),
    lambda x, draw: layers.BatchNormalization(axis=draw.of(1, 2))(x),
    lambda x, draw: layers.LayerNormalization(axis=draw.of(1, 2))(x),
    lambda x, draw: layers.GroupNormalization(1, axis=draw.of(1, 2))(x),
    lambda x, draw: layers.PReLU()(x),
    lambda x, draw: layers.ZeroPadding1D((0, 2), data_format=draw.of("channels_last", "channels_first"))(x),
    lambda x, draw: layers.Cropping1D((1, 0))(x),
    lambda x, draw: layers.UpSampling1D(2)(x),
    lambda x, draw: layers.Permute((2, 1))(x),
    lambda x, draw: layers.TimeDistributed(keras.Sequential([layers.Dense(3), layers.BatchNormalization()]))(x),
    lambda x, draw: layers.Dot(axes=2)([x, x]),
    lambda x, draw: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")(x),
    lambda x, draw: ops.softmax(x, axis=1),
    lambda x, draw: layers.Average()([x, layers.Activation(draw.activation())(x)]),
]  # fmt: skip


def net(draw, pieces, shape):
    """A few pieces, each on what any earlier one made; pieces that do not fit are left out."""
    batch = draw.of(None, None, 3)
    made = inputs = [layers.Input(shape, batch_size=batch), layers.Input(shape, batch_size=batch)]
    for _ in range(draw.of(4, 6, 8)):
        try:
            y = draw.of(*pieces)(draw.of(*made), draw)
        except ValueError:  # a window that does not fit, for one
            continue
        if max(y.shape[1:]) < 40:
            made = [*made, y]
    last = layers.Dense(2)(layers.Flatten()(made[-1]))
    return keras.Model(inputs, [*made[-2:], last])


def weighted(model, seed):
    """Numbers that stay of the size of 1 through several layers."""
    for weight in with_random_weights(model, str(seed)).weights:
        weight.assign(weight.numpy() * 0.5 + (0.5 if "variance" in weight.name else 0))
    return model


@pytest.mark.parametrize("seed", range(NETS))
def test_nets_on_pictures(seed):
    draw = Draw(seed)
    model = weighted(net(draw, ON_PICTURES, (draw.of(7, 8, 11), draw.of(6, 9, 12), 4)), seed)
    check(model, data_for(model, str(seed)), tolerance=TOLERANCE)


@pytest.mark.parametrize("seed", range(NETS))
def test_nets_on_sequences(seed):
    draw = Draw(seed)
    model = weighted(net(draw, ON_SEQUENCES, (draw.of(7, 8, 11), draw.of(6, 9, 12))), seed)
    check(model, data_for(model, str(seed)), tolerance=TOLERANCE)


@pytest.mark.parametrize("seed", range(NETS // 4))
def test_nets_of_float64(seed):
    keras.config.set_floatx("float64")
    try:
        draw = Draw(seed)
        model = weighted(net(draw, ON_SEQUENCES, (draw.of(7, 8, 11), draw.of(6, 9, 12))), seed)
        # ONNX Runtime lacks many operators of float64, and attributes, such as epsilon, are numbers of float32.
        check(model, data_for(model, str(seed)), runtime=False, tolerance=1e-6)
    finally:
        keras.config.set_floatx("float32")
