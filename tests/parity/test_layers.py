"""Every layer against Keras: outputs, gradients, moving statistics, shapes and configurations."""

import json

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries

pytestmark = pytest.mark.oracle

PICTURES = (3, 7, 8, 4)
ACTIVATIONS = [
    "elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "relu", "relu6",
    "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip


def conv(*args, **kwargs):
    return lambda k: k.layers.Conv2D(*args, **kwargs)


def norm(**kwargs):
    return lambda k: k.layers.BatchNormalization(**kwargs)


# name: (layer, shape of the input, or a list of shapes)
CASES = {
    "dense": (lambda k: k.layers.Dense(5), (6, 7)),
    "dense no bias": (lambda k: k.layers.Dense(5, use_bias=False), (6, 7)),
    "dense relu": (lambda k: k.layers.Dense(5, activation="relu"), (6, 7)),
    "dense relu no bias": (lambda k: k.layers.Dense(5, activation="relu", use_bias=False), (6, 7)),
    "dense sigmoid": (lambda k: k.layers.Dense(1, activation="sigmoid"), (6, 7)),
    "dense softmax": (lambda k: k.layers.Dense(5, activation="softmax"), (6, 7)),
    "dense on sequences": (lambda k: k.layers.Dense(5, activation="relu"), (4, 3, 7)),
    "dense on pictures": (lambda k: k.layers.Dense(5, activation="tanh"), (2, 3, 4, 7)),
    "dense one sample": (lambda k: k.layers.Dense(3), (1, 1)),
    "conv 3x3": (conv(5, 3), PICTURES),
    "conv 1x1": (conv(5, 1), PICTURES),
    "conv same": (conv(5, 3, padding="same"), PICTURES),
    "conv same even": (conv(5, (2, 4), padding="same"), PICTURES),
    "conv strides": (conv(5, 3, strides=2), PICTURES),
    "conv strides same": (conv(5, 3, strides=2, padding="same"), PICTURES),
    "conv strides same odd": (conv(5, 4, strides=3, padding="same"), (2, 9, 11, 3)),
    "conv strides of two kinds": (conv(5, (3, 2), strides=(1, 2), padding="same"), PICTURES),
    "conv strides above the kernel": (conv(5, 2, strides=3), PICTURES),
    "conv relu": (conv(5, 3, activation="relu"), PICTURES),
    "conv relu same no bias": (conv(5, 3, activation="relu", padding="same", use_bias=False), PICTURES),
    "conv softmax": (conv(5, 3, activation="softmax"), PICTURES),
    "conv kernel as large as the picture": (conv(6, (7, 8)), PICTURES),
    "conv kernel above the picture, same": (conv(3, 5, padding="same"), (2, 3, 2, 3)),
    "conv one channel": (conv(8, 5, padding="same"), (2, 12, 12, 1)),
    "conv many channels": (conv(17, 3), (2, 6, 6, 19)),
    "max pool": (lambda k: k.layers.MaxPooling2D(), PICTURES),
    "max pool same": (lambda k: k.layers.MaxPooling2D(padding="same"), PICTURES),
    "max pool overlapping": (lambda k: k.layers.MaxPooling2D(3, strides=2), PICTURES),
    "max pool overlapping same": (lambda k: k.layers.MaxPooling2D(3, strides=2, padding="same"), PICTURES),
    "max pool sparse": (lambda k: k.layers.MaxPooling2D((2, 1), strides=(3, 2)), PICTURES),
    "max pool ties": (lambda k: k.layers.MaxPooling2D(3, strides=1, padding="same"), PICTURES),
    "average pool": (lambda k: k.layers.AveragePooling2D(2), PICTURES),
    "average pool same": (lambda k: k.layers.AveragePooling2D(2, padding="same"), PICTURES),
    "average pool overlapping": (lambda k: k.layers.AveragePooling2D(3, strides=2), PICTURES),
    "average pool overlapping same": (lambda k: k.layers.AveragePooling2D((3, 4), strides=2, padding="same"), PICTURES),
    "global average pool": (lambda k: k.layers.GlobalAveragePooling2D(), PICTURES),
    "global average pool keepdims": (lambda k: k.layers.GlobalAveragePooling2D(keepdims=True), PICTURES),
    "flatten": (lambda k: k.layers.Flatten(), PICTURES),
    "flatten of numbers": (lambda k: k.layers.Flatten(), (5,)),
    "flatten of rows": (lambda k: k.layers.Flatten(), (5, 3)),
    "reshape": (lambda k: k.layers.Reshape((8, 28)), PICTURES),
    "reshape -1": (lambda k: k.layers.Reshape((-1, 4, 2)), PICTURES),
    "relu layer": (lambda k: k.layers.ReLU(), (6, 7)),
    "relu layer max": (lambda k: k.layers.ReLU(max_value=1.0), (6, 7)),
    "relu layer max 6": (lambda k: k.layers.ReLU(max_value=6.0), (6, 7)),
    "relu layer slope": (lambda k: k.layers.ReLU(negative_slope=0.3), (6, 7)),
    "relu layer slope max": (lambda k: k.layers.ReLU(negative_slope=0.3, max_value=1.0), (6, 7)),
    "relu layer threshold": (lambda k: k.layers.ReLU(threshold=0.4), (6, 7)),
    "relu layer all": (lambda k: k.layers.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.4), (6, 7)),
    "leaky relu layer": (lambda k: k.layers.LeakyReLU(), (6, 7)),
    "leaky relu layer slope": (lambda k: k.layers.LeakyReLU(negative_slope=0.01), (6, 7)),
    "softmax layer": (lambda k: k.layers.Softmax(), (6, 7)),
    "softmax layer axis": (lambda k: k.layers.Softmax(axis=1), (6, 7, 3)),
    "softmax layer axes": (lambda k: k.layers.Softmax(axis=(1, 2)), (6, 7, 3)),
    "dropout 0": (lambda k: k.layers.Dropout(0.0), (6, 7)),
    "batch norm": (norm(), (16, 5)),
    "batch norm of pictures": (norm(), PICTURES),
    "batch norm settings": (norm(momentum=0.6, epsilon=0.1), PICTURES),
    "batch norm no center": (norm(center=False), PICTURES),
    "batch norm no scale": (norm(scale=False), PICTURES),
    "batch norm neither": (norm(center=False, scale=False), (16, 5)),
    "batch norm first axis": (norm(axis=1), PICTURES),
    "batch norm second axis": (norm(axis=2), PICTURES),
    "batch norm frozen": (norm(trainable=False), PICTURES),
    "add": (lambda k: k.layers.Add(), [(4, 5), (4, 5), (4, 5)]),
    "add broadcast": (lambda k: k.layers.Add(), [(4, 5, 6), (4, 1, 6)]),
    "concatenate": (lambda k: k.layers.Concatenate(), [(4, 5), (4, 2), (4, 1)]),
    "concatenate axis": (lambda k: k.layers.Concatenate(axis=1), [(4, 5, 3), (4, 2, 3)]),
    **{f"activation {name}": (lambda k, name=name: k.layers.Activation(name), (6, 7)) for name in ACTIVATIONS},
}
TWO_PHASES = [name for name in CASES if name.startswith(("batch norm", "dropout"))]


def inputs_of(name, shapes):
    """Random inputs; those of a case about ties hold few different numbers."""
    rng = generator(name)
    arrays = [rng.normal(size=s).astype("float32") for s in (shapes if isinstance(shapes, list) else [shapes])]
    if "ties" in name:
        arrays = [np.round(a) for a in arrays]
    return arrays if isinstance(shapes, list) else arrays[0]


def prepared(name):
    """(Keras' layer, ours, inputs, upstream gradient), the layers with equal weights."""
    make, shapes = CASES[name]
    theirs, ours = both(make)
    x = inputs_of(name, shapes)
    theirs.build(shapes), ours.build(shapes)
    copy_weights(theirs, ours, name)
    upstream = generator(name + " upstream").normal(size=theirs.compute_output_shape(shapes))
    return theirs, ours, x, upstream.astype("float32")


def plain(config):
    """A configuration as a file holds it."""
    return json.loads(json.dumps(config))


def keras_results(layer, x, upstream, training):
    """(output, gradients of inputs and trainable weights, non-trainable weights after the call)."""
    import jax

    trainable = [v.value for v in layer.trainable_variables]
    fixed = [v.value for v in layer.non_trainable_variables]
    phase = {"training": training} if layer._call_has_training_arg else {}

    @jax.jit
    def run(trainable, x, upstream):
        def forward(trainable, x):
            return layer.stateless_call(trainable, fixed, x, **phase)

        y, pull, fixed_after = jax.vjp(forward, trainable, x, has_aux=True)
        g_trainable, g_x = pull(upstream)
        return y, g_x, g_trainable, fixed_after

    y, g_x, g_trainable, fixed_after = run(trainable, x, upstream)
    return y, [*(g_x if isinstance(g_x, list) else [g_x]), *g_trainable], fixed_after


def our_results(layer, x, upstream, training):
    leaves = [minidl.Tensor(a, requires_grad=True) for a in (x if isinstance(x, list) else [x])]
    y = layer(leaves if isinstance(x, list) else leaves[0], training=training)
    gradients = minidl.grad(y, [*leaves, *layer.trainable_variables], upstream)
    return y, gradients, layer.non_trainable_variables


@pytest.mark.parametrize("name, training", [(name, False) for name in CASES] + [(name, True) for name in TWO_PHASES])
def test_outputs_and_gradients(name, training):
    theirs, ours, x, upstream = prepared(name)
    y, gradients, fixed = keras_results(theirs, x, upstream, training)
    our_y, our_gradients, our_fixed = our_results(ours, x, upstream, training)
    close(our_y, y, "output")
    for i, (mine, reference) in enumerate(zip(our_gradients, gradients, strict=True)):
        close(mine, reference, f"gradient {i}")
    for mine, reference in zip(our_fixed, fixed, strict=True):
        close(mine, reference, mine.path)


@pytest.mark.parametrize("name", CASES)
def test_weights_shapes_and_configurations(name):
    make, shapes = CASES[name]
    keras, _ = libraries()
    theirs, ours = both(make)
    theirs.build(shapes), ours.build(shapes)
    assert ours.name == theirs.name
    described = [(w.name, tuple(w.shape), w.trainable) for w in theirs.weights]
    assert [(w.name, w.shape, w.trainable) for w in ours.weights] == described
    assert [w.name for w in ours.trainable_weights] == [w.name for w in theirs.trainable_weights]
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]

    unknown = [(None, *s[1:]) for s in shapes] if isinstance(shapes, list) else (None, *shapes[1:])
    for shape in (shapes, unknown):
        assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)

    there = keras.layers.deserialize(minidl.layers.serialize(ours))
    back = minidl.layers.deserialize(keras.layers.serialize(theirs))
    assert type(there) is type(theirs) and type(back) is type(ours)
    assert plain(there.get_config()) == plain(theirs.get_config())
    assert plain(back.get_config()) == plain(ours.get_config())


CONFIGURATIONS = {
    "dense": lambda k: k.layers.Dense(
        3, activation="leaky_relu", use_bias=False, kernel_initializer=k.initializers.HeNormal(seed=3),
        kernel_regularizer=k.regularizers.L1L2(0.25, 0.5), activity_regularizer="l2", name="mine", trainable=False,
    ),
    "dense of float64": lambda k: k.layers.Dense(3, dtype="float64", bias_initializer="ones", bias_regularizer="l2"),
    "conv": lambda k: k.layers.Conv2D(
        4, (2, 3), strides=(2, 1), padding="same", activation="relu", bias_initializer=k.initializers.Constant(0.5),
        kernel_initializer=k.initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=1),
    ),
    "batch norm": lambda k: k.layers.BatchNormalization(
        axis=1, momentum=0.5, epsilon=0.125, center=False, gamma_regularizer="l2", moving_variance_initializer="zeros",
        gamma_initializer=k.initializers.RandomNormal(1.0, 0.5, seed=2),
    ),
    "dropout": lambda k: k.layers.Dropout(0.25, noise_shape=(None, 1, 3), seed=7),
    "max pool": lambda k: k.layers.MaxPooling2D((3, 2), strides=2, padding="same"),
    "relu": lambda k: k.layers.ReLU(max_value=3.0, negative_slope=0.5, threshold=0.25),
    "input": lambda k: k.layers.InputLayer(shape=(3, None), batch_size=4, dtype="int32", name="numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations_with_all_settings(name):
    keras, _ = libraries()
    theirs, ours = both(CONFIGURATIONS[name])
    there = keras.layers.deserialize(minidl.layers.serialize(ours))
    back = minidl.layers.deserialize(keras.layers.serialize(theirs))
    assert plain(there.get_config()) == plain(theirs.get_config())
    assert plain(back.get_config()) == plain(ours.get_config())


@pytest.mark.parametrize("shape, rate", [((200, 300), 0.3), ((50, 8, 9, 10), 0.5)])
def test_dropout_keeps_the_statistics_of_keras(shape, rate):
    theirs, ours = both(lambda k: k.layers.Dropout(rate, seed=1))
    x = np.ones(shape, "float32")
    kept = 1 / (1 - rate)
    for y in (np.asarray(theirs(x, training=True)), ours(x, training=True).numpy()):
        assert set(np.unique(y)) <= {np.float32(0), np.float32(kept)}
        deviation = np.sqrt(rate * (1 - rate) / x.size)
        assert abs((y == 0).mean() - rate) < 5 * deviation
    np.testing.assert_array_equal(ours(x), x)  # a plain call is inference
    mask = ours(x, training=True).numpy() != 0
    for axis in range(2):  # no row and no column is favoured
        rates = mask.mean(axis=tuple(i for i in range(len(shape)) if i != axis))
        assert np.abs(rates - (1 - rate)).max() < 6 * np.sqrt(rate * (1 - rate) * shape[axis] / x.size)


def test_dropout_noise_shape_repeats_the_mask():
    _, ours = both(lambda k: k.layers.Dropout(0.5, noise_shape=(None, 1, 6), seed=3))
    mask = ours(np.ones((5, 4, 6), "float32"), training=True).numpy() != 0
    assert (mask == mask[:, :1]).all() and 0 < mask.mean() < 1
