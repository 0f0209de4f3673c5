"""Convolutions, pooling, borders and upsampling against Keras: values, gradients, settings, training, files."""

import itertools

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries
from tests.parity.test_layers import keras_results, our_results, plain

pytestmark = pytest.mark.oracle

PICTURES, SEQUENCES = (2, 9, 8, 4), (2, 11, 4)
FIRST = "channels_first"
PADDINGS, FORMATS = ("valid", "same"), ("channels_last", FIRST)


def layer(name, *args, **kwargs):
    return lambda k: getattr(k.layers, name)(*args, **kwargs)


def grid(**settings):
    """All combinations of settings, each with a text that names it."""
    for values in itertools.product(*settings.values()):
        chosen = dict(zip(settings, values, strict=True))
        yield " ".join(f"{name}={value}" for name, value in chosen.items()), chosen


def moving(name, rank, *args, **settings):
    """Cases of a layer whose strides and dilation_rate exclude each other."""
    shape = PICTURES if rank == 2 else SEQUENCES
    for text, chosen in grid(**settings):
        if chosen.get("strides", 1) == 1 or chosen.get("dilation_rate", 1) == 1:
            first = chosen.get("data_format") == FIRST
            placed = (shape[0], shape[-1], *shape[1:-1]) if first else shape
            yield f"{name} {text}", (layer(name, *args, **chosen), placed)


CASES = {
    **dict(moving("Conv2D", 2, 8, 3, strides=(1, 2), padding=PADDINGS, dilation_rate=(1, 2), groups=(1, 2, 4))),
    **dict(moving("Conv2D", 2, 4, (2, 3), padding=PADDINGS, dilation_rate=((3, 1), (1, 2)))),
    **dict(moving("Conv2D", 2, 8, 2, data_format=(FIRST,), padding=PADDINGS, strides=(1, 2), groups=(1, 2))),
    **dict(moving("Conv1D", 1, 6, 3, strides=(1, 2), padding=("valid", "same", "causal"), dilation_rate=(1, 3))),
    **dict(moving("Conv1D", 1, 4, 2, groups=(2, 4), padding=("causal",), data_format=FORMATS)),
    **dict(moving("Conv2DTranspose", 2, 3, 3, strides=(1, 2, 3, 4), padding=PADDINGS)),
    **dict(moving("Conv2DTranspose", 2, 3, (4, 2), strides=(2, 3), padding=PADDINGS)),
    **dict(moving("Conv2DTranspose", 2, 3, 5, strides=(2, 3), padding=PADDINGS, output_padding=(0, 1))),
    **dict(moving("Conv2DTranspose", 2, 3, 2, padding=PADDINGS, dilation_rate=(2, 3))),
    **dict(moving("Conv2DTranspose", 2, 3, 3, strides=(2,), padding=("same",), data_format=(FIRST,))),
    **dict(moving("Conv1DTranspose", 1, 3, 4, strides=(1, 2, 5), padding=PADDINGS)),
    **dict(moving("Conv1DTranspose", 1, 3, 3, strides=(2,), padding=("same",), output_padding=(1,))),
    **dict(moving("DepthwiseConv2D", 2, 3, strides=(1, 2), padding=PADDINGS, depth_multiplier=(1, 3))),
    **dict(moving("DepthwiseConv2D", 2, (2, 3), padding=PADDINGS, dilation_rate=(2,))),
    **dict(moving("DepthwiseConv2D", 2, 3, padding=("same",), data_format=(FIRST,), depth_multiplier=(2,))),
    **dict(moving("DepthwiseConv1D", 1, 3, strides=(1, 2), padding=PADDINGS, depth_multiplier=(1, 2))),
    **dict(moving("SeparableConv2D", 2, 5, 3, strides=(1, 2), padding=PADDINGS, depth_multiplier=(1, 2))),
    **dict(moving("SeparableConv2D", 2, 5, 3, padding=("same",), dilation_rate=(2,), data_format=FORMATS)),
    **dict(moving("SeparableConv1D", 1, 5, 3, strides=(1, 2), padding=PADDINGS, dilation_rate=(1, 2))),
    **dict(moving("MaxPooling1D", 1, pool_size=(2, 3), strides=(None, 1, 2), padding=PADDINGS)),
    **dict(moving("AveragePooling1D", 1, pool_size=(2, 3), strides=(None, 1, 2), padding=PADDINGS)),
    **dict(moving("MaxPooling2D", 2, pool_size=(2, (3, 2)), padding=PADDINGS, data_format=(FIRST,))),
    **dict(moving("AveragePooling2D", 2, pool_size=(2, (3, 2)), padding=PADDINGS, data_format=(FIRST,))),
    **dict(moving("MaxPooling1D", 1, data_format=(FIRST,))),
    **{
        f"{name}{rank}D {text}": (layer(f"{name}{rank}D", **settings), PICTURES if rank == 2 else SEQUENCES)
        for name in ("GlobalMaxPooling", "GlobalAveragePooling")
        for rank in (1, 2)
        for text, settings in grid(keepdims=(False, True), data_format=FORMATS)
    },
    **dict(moving("ZeroPadding1D", 1, padding=(1, 0, (2, 3)), data_format=FORMATS)),
    **dict(moving("ZeroPadding2D", 2, padding=(2, (1, 3), ((1, 2), (3, 0))), data_format=FORMATS)),
    **dict(moving("Cropping1D", 1, cropping=(1, (2, 3), (0, 4)))),
    **dict(moving("Cropping2D", 2, cropping=(1, 0, (1, 2), ((1, 0), (0, 2))))),
    **dict(moving("Cropping2D", 2, cropping=(1,), data_format=(FIRST,))),
    **dict(moving("UpSampling1D", 1, size=(1, 2, 3))),
    **dict(moving("UpSampling2D", 2, size=(2, (1, 3)), interpolation=("nearest", "bilinear", "bicubic"))),
    **dict(moving("UpSampling2D", 2, size=((2, 3),), interpolation=("lanczos3", "lanczos5"))),
    **dict(moving("UpSampling2D", 2, size=(2,), interpolation=("nearest", "bilinear"), data_format=(FIRST,))),
    "flatten, first": (layer("Flatten", data_format=FIRST), PICTURES),
    "relu": (layer("Conv1D", 6, 3, activation="relu", padding="causal"), SEQUENCES),
    "relu, channels first": (layer("Conv2D", 6, 3, activation="relu", data_format=FIRST), PICTURES),
    "softmax, first": (layer("Conv2D", 6, 3, activation="softmax", use_bias=False, data_format=FIRST), PICTURES),
    "transposed, relu": (layer("Conv2DTranspose", 6, 3, activation="relu", strides=2), PICTURES),
    "transposed, no bias": (layer("Conv2DTranspose", 6, 3, use_bias=False, strides=2, padding="same"), PICTURES),
    "depthwise, no bias": (layer("DepthwiseConv2D", 3, use_bias=False, activation="tanh"), PICTURES),
    "depthwise, strides of two kinds": (layer("DepthwiseConv2D", 3, strides=(2, 2), padding="same"), (2, 7, 9, 3)),
    "separable, no bias": (layer("SeparableConv2D", 5, 3, use_bias=False, activation="relu"), PICTURES),
    "a channel of many": (layer("Conv2D", 24, 3, groups=12), (2, 6, 6, 12)),
}  # fmt: skip


def prepared(name):
    make, shape = CASES[name]
    theirs, ours = both(make)
    theirs.build(shape), ours.build(shape)
    copy_weights(theirs, ours, name)
    x = generator(name).normal(size=shape).astype("float32")
    upstream = generator(name + " upstream").normal(size=tuple(theirs.compute_output_shape(shape)))
    return theirs, ours, x, upstream.astype("float32")


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients(name):
    theirs, ours, x, upstream = prepared(name)
    y, gradients, _ = keras_results(theirs, x, upstream, False)
    our_y, our_gradients, _ = our_results(ours, x, upstream, False)
    close(our_y, y, "output")
    for i, (mine, reference) in enumerate(zip(our_gradients, gradients, strict=True)):
        close(mine, reference, f"gradient {i}")


@pytest.mark.parametrize("name", CASES)
def test_weights_shapes_and_configurations(name):
    make, shape = CASES[name]
    keras, _ = libraries()
    theirs, ours = both(make)
    theirs.build(shape), ours.build(shape)
    assert ours.name == theirs.name
    described = [(w.name, w.path, tuple(w.shape)) for w in theirs.weights]
    assert [(w.name, w.path, w.shape) for w in ours.weights] == described
    assert ours.count_params() == theirs.count_params()
    channels = 1 if getattr(ours, "data_format", None) == FIRST else len(shape) - 1
    open_shape = tuple(n if i == channels else None for i, n in enumerate(shape))
    for one in (shape, (None, *shape[1:]), open_shape):
        assert ours.compute_output_shape(one) == tuple(theirs.compute_output_shape(one))
    assert plain(ours.get_config()).keys() | {"activity_regularizer"} >= plain(theirs.get_config()).keys() - {"dtype"}
    there = keras.layers.deserialize(minidl.layers.serialize(ours))
    back = minidl.layers.deserialize(keras.layers.serialize(theirs))
    assert plain(there.get_config()) == plain(theirs.get_config())
    assert plain(back.get_config()) == plain(ours.get_config())


ALIASES = [
    "AvgPool1D", "AvgPool2D", "Convolution1D", "Convolution1DTranspose", "Convolution2D", "Convolution2DTranspose",
    "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalMaxPool1D", "GlobalMaxPool2D", "MaxPool1D", "MaxPool2D",
    "SeparableConvolution1D", "SeparableConvolution2D",
]  # fmt: skip


@pytest.mark.parametrize("name", ALIASES)
def test_aliases(name):
    keras, ours = libraries()
    assert getattr(ours.layers, name).__name__ == getattr(keras.layers, name).__name__


def test_global_average_of_masked_steps():
    theirs, ours = both(layer("GlobalAveragePooling1D"))
    x = generator("masked").normal(size=(3, 5, 2)).astype("float32")
    mask = np.array([[1, 1, 0, 0, 1], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
    close(ours(x, mask=mask), theirs(x, mask=mask), "output")


def transposing_autoencoder(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((8, 8, 2)), layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        layers.DepthwiseConv2D(3, padding="same"), layers.SeparableConv2D(6, 3, padding="same", activation="relu"),
        layers.ZeroPadding2D(1), layers.Cropping2D(1),
        layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
        layers.UpSampling2D(2, interpolation="bilinear"), layers.Conv2D(4, 3, groups=2, dilation_rate=2),
        layers.GlobalMaxPooling2D(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def wavenet(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((16, 3)),
        *[layers.Conv1D(4, 2, padding="causal", activation="relu", dilation_rate=2**i) for i in range(3)],
        layers.SeparableConv1D(5, 3), layers.DepthwiseConv1D(2, depth_multiplier=2), layers.MaxPooling1D(),
        layers.Conv1DTranspose(4, 3, strides=2), layers.UpSampling1D(2), layers.ZeroPadding1D(1), layers.Cropping1D(2),
        layers.AveragePooling1D(2), layers.GlobalAveragePooling1D(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


@pytest.mark.parametrize("make", [transposing_autoencoder, wavenet])
def test_training_and_files(make, tmp_path):
    keras, _ = libraries()
    theirs, ours = both(make)
    theirs.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
    ours.compile(minidl.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
    copy_weights(theirs, ours, make.__name__, 0.3)
    assert ours.count_params() == theirs.count_params()
    x = generator(make.__name__).normal(size=(24, *theirs.input_shape[1:])).astype("float32")
    y = np.arange(24) % 3
    close(ours.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"],
          theirs.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"], "losses")  # fmt: skip
    for mine, reference in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(mine, reference, "weights", 5e-5)

    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    expected = theirs.predict(x, verbose=0)
    close(minidl.models.load_model(tmp_path / "theirs.keras").predict(x, verbose=0), expected, "their file here")
    again = keras.models.load_model(tmp_path / "ours.keras").predict(x, verbose=0)
    close(again, ours.predict(x, verbose=0), "our file there")
