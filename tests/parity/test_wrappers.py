"""Layers around layers, and batch normalisation with a mask, against Keras."""

import numpy as np
import pytest

import minidl
from minidl import layers
from tests.parity.layer_checks import check_configuration, check_files, check_values
from tests.parity.oracle import both, generator, libraries

pytestmark = pytest.mark.oracle

CASES = {
    "dense": (lambda k: k.layers.TimeDistributed(k.layers.Dense(5, activation="tanh")), (4, 3, 2)),
    "one step": (lambda k: k.layers.TimeDistributed(k.layers.Dense(5)), (4, 1, 2)),
    "conv": (lambda k: k.layers.TimeDistributed(k.layers.Conv2D(3, 2)), (2, 3, 5, 4, 2)),
    "flatten": (lambda k: k.layers.TimeDistributed(k.layers.Flatten()), (2, 3, 5, 4)),
    "batch norm": (lambda k: k.layers.TimeDistributed(k.layers.BatchNormalization(momentum=0.5)), (6, 3, 2)),
    "nested": (lambda k: k.layers.TimeDistributed(k.layers.TimeDistributed(k.layers.Dense(2))), (2, 3, 4, 2)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("training", [False, True])
def test_values(name, training):
    check_values(CASES[name], name, training=training)


@pytest.mark.parametrize("name", CASES)
def test_configurations(name):
    check_configuration(*both(CASES[name][0]))


@pytest.mark.parametrize("name", [name for name in CASES])
def test_files(name, tmp_path):
    check_files(CASES[name], name, tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_weights(name):
    make, shape = CASES[name]
    theirs, ours = both(make)
    theirs.build(shape), ours.build(shape)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, tuple(w.shape)) for w in theirs.weights]
    assert ours.compute_output_shape((None, *shape[1:])) == tuple(theirs.compute_output_shape((None, *shape[1:])))


def test_a_wrapper_of_the_user():
    def make(k):
        class Twice(k.layers.Wrapper):
            def call(self, x):
                return self.layer(self.layer(x))

        return Twice(k.layers.Dense(3, kernel_initializer="ones"), name="twice")

    keras, ours = libraries()
    x = generator("twice").normal(size=(4, 3)).astype("float32")
    mine = make(ours)
    np.testing.assert_allclose(mine(x), np.asarray(make(keras)(x)), rtol=1e-5)
    again = type(mine).from_config(mine.get_config())
    assert again.layer.units == 3 and again.name == "twice"


def test_what_is_refused():
    with pytest.raises(ValueError, match="TimeDistributed goes around a layer, not 3"):
        layers.TimeDistributed(3)
    with pytest.raises(ValueError, match="3 axes at least"):
        layers.TimeDistributed(layers.Dense(2))(np.zeros((2, 3), "float32"))
    with pytest.raises(ValueError, match="does not have the batch and steps"):
        layers.TimeDistributed(layers.Softmax())(np.zeros((2, 3, 4), "float32"), mask=np.ones((2, 4), bool))


def test_masks_reach_the_layer_inside():
    x, mask = np.zeros((2, 3, 2), "float32"), np.ones((2, 3, 2), bool)
    mask[:, :, 1] = False
    y = layers.TimeDistributed(layers.Softmax())(x, mask=mask)
    assert y.numpy().tolist() == [[[1, 0]] * 3] * 2


@pytest.mark.parametrize(
    "shape, settings",
    [((6, 4, 3), {}), ((4, 3, 2, 5), {"momentum": 0.5}), ((6, 3), {"scale": False}), ((6, 4, 3), {"center": False})],
)
@pytest.mark.parametrize("training", [False, True])
def test_batch_normalization_with_a_mask(shape, settings, training):
    mask = generator(str(shape)).uniform(size=shape[:-1]) > 0.4
    case = (lambda k: k.layers.BatchNormalization(**settings), shape)
    check_values(case, f"masked {shape}", training=training, mask=mask)


def test_batch_normalization_with_another_mask():
    with pytest.raises(ValueError, match="mask has one axis less"):
        layers.BatchNormalization()(np.zeros((2, 3), "float32"), mask=np.ones((2, 3), bool))
    with pytest.raises(ValueError, match="renorm=True is not supported"):
        minidl.layers.BatchNormalization(renorm=True)
