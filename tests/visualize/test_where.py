"""Occlusion and Grad-CAM on nets whose maps follow from their weights, and beside JAX."""

import re

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.visualize import enlarge, grad_cam, occlusion


def linear_in_pixels(weights):
    """A model whose one output is the sum of the pixels, weighted."""
    model = minidl.Sequential([layers.Input(weights.shape), layers.Flatten(), layers.Dense(1, use_bias=False)])
    model.layers[-1].set_weights([weights.reshape(-1, 1)])
    return model


def covered(x, weights, patch, stride, fill):
    """The map of a linear model: what each square takes away, spread over its pixels."""
    height, width = x.shape[:2]
    fallen, times = np.zeros((height, width)), np.zeros((height, width))
    for top in sorted({*range(0, height - patch + 1, stride), height - patch}):
        for left in sorted({*range(0, width - patch + 1, stride), width - patch}):
            square = np.s_[top : top + patch, left : left + patch]
            fallen[square] += ((x[square] - fill) * weights[square]).sum()
            times[square] += 1
    return fallen / times


@pytest.mark.parametrize("patch, stride, fill", [(3, 2, 0.5), (4, 4, None), (1, 1, 0.0), (5, 3, -1.0)])
@pytest.mark.parametrize("channels", [1, 3])
def test_occlusion_of_a_net_that_looks_at_one_patch(patch, stride, fill, channels):
    rng = np.random.default_rng(0)
    x = rng.random((9, 7, channels)).astype("float32")
    weights = np.zeros((9, 7, channels), "float32")
    weights[2:4, 3:5] = rng.normal(size=(2, 2, channels))
    found = occlusion(linear_in_pixels(weights), x, patch=patch, stride=stride, fill=fill, batch_size=5)
    value = x.mean((0, 1)) if fill is None else fill
    np.testing.assert_allclose(found, covered(x, weights, patch, stride, value), atol=1e-5)
    far = np.ones((9, 7), bool)
    far[max(0, 3 - patch) : 4 + patch, max(0, 4 - patch) : 5 + patch] = False
    assert found.any() and not np.abs(found[far]).max(initial=0) > 1e-6


def test_occlusion_falls_for_the_class_and_rises_against_it():
    """Of two softmax outputs, what speaks for one speaks against the other by as much."""
    model = minidl.Sequential([layers.Input((4, 4)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    weights = np.zeros((16, 2), "float32")
    weights[5] = [3.0, -1.0]
    model.layers[-1].set_weights([weights, np.zeros(2, "float32")])
    x = np.ones((4, 4), "float32")
    best, other = occlusion(model, x, fill=0.0, patch=1, stride=1), occlusion(model, x, 1, fill=0.0, patch=1, stride=1)
    np.testing.assert_allclose(best[1, 1], 1 / (1 + np.exp(-4)) - 0.5, rtol=1e-5)
    np.testing.assert_allclose(best, -other, atol=1e-6)
    assert np.count_nonzero(best) == 1


@pytest.fixture
def averaged():
    """Maps, their means, and a Dense layer: Grad-CAM is the weighted sum of the maps, divided by their size."""
    return minidl.Sequential(
        [
            layers.Input((5, 4, 2)),
            layers.Conv2D(3, 2, activation="relu", name="maps"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("class_index", [None, 0, 3])
@pytest.mark.parametrize("scale", [1.0, 300.0])  # probabilities of 0 and 1: their own gradients have vanished
def test_grad_cam_of_averaged_maps_is_known(averaged, class_index, scale):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(5, 4, 2)).astype("float32")
    for layer in averaged.layers:
        layer.set_weights([scale * rng.normal(size=w.shape) for w in layer.get_weights()])
    maps = minidl.Model(averaged.inputs, averaged.get_layer("maps").output).predict(x[None], verbose=0)[0]
    index = averaged.predict(x[None], verbose=0)[0].argmax() if class_index is None else class_index
    expected = np.maximum(maps @ averaged.layers[-1].get_weights()[0][:, index] / 12, 0)
    found = grad_cam(averaged, x, class_index=class_index)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * expected.max())
    np.testing.assert_array_equal(found, grad_cam(averaged, x[None], "maps", index))


def test_grad_cam_does_not_need_weights_that_train(averaged):
    x = np.random.default_rng(2).normal(size=(5, 4, 2)).astype("float32")
    before = grad_cam(averaged, x, class_index=1)
    averaged.trainable = False
    np.testing.assert_array_equal(grad_cam(averaged, x, class_index=1), before)
    assert all(v.grad is None for v in averaged.weights)


def test_the_last_layer_that_does_not_pool_is_chosen():
    model = minidl.Sequential([
        layers.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.BatchNormalization(), layers.ReLU(name="maps"),
        layers.MaxPooling2D(name="pool"), layers.Flatten(), layers.Dense(2, activation="sigmoid"),
    ])  # fmt: skip
    x = np.random.default_rng(0).normal(size=(8, 8, 1)).astype("float32")
    assert grad_cam(model, x).shape == (6, 6)
    np.testing.assert_array_equal(grad_cam(model, x), grad_cam(model, x, "maps"))
    assert grad_cam(model, x, "pool").shape == (3, 3)


def test_grad_cam_beside_jax(keras, jax):
    """The same net in Keras: gradients of the logits with respect to the maps by jax.grad."""
    head = keras.Sequential([
        keras.layers.Input((6, 6, 5)), keras.layers.MaxPooling2D(), keras.layers.Conv2D(4, 2, activation="tanh"),
        keras.layers.Flatten(), keras.layers.Dense(7, activation="relu"), keras.layers.Dense(3),
    ])  # fmt: skip
    base = keras.Sequential([keras.layers.Input((8, 8, 2)), keras.layers.Conv2D(5, 3, activation="relu")])
    model = minidl.Sequential([
        layers.Input((8, 8, 2)), layers.Conv2D(5, 3, activation="relu", name="maps"), layers.MaxPooling2D(),
        layers.Conv2D(4, 2, activation="tanh"), layers.Flatten(), layers.Dense(7, activation="relu"),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.set_weights([*base.get_weights(), *head.get_weights()])
    x = np.random.default_rng(3).normal(size=(8, 8, 2)).astype("float32")
    maps = base(x[None])
    for index in range(3):
        slope = jax.grad(lambda a, index=index: head(a)[0, index])(maps)
        expected = np.maximum((np.asarray(slope).mean((1, 2), keepdims=True) * np.asarray(maps)).sum(-1), 0)[0]
        found = grad_cam(model, x, "maps", index)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * max(expected.max(), 1e-3))


def test_enlarge_keeps_straight_lines_and_the_size_it_has():
    values = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_array_equal(enlarge(values, (3, 4)), values)
    line = enlarge(np.array([[0.0, 1.0, 2.0, 3.0]]), (2, 8))
    np.testing.assert_allclose(line, np.tile([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3], (2, 1)))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m, x: occlusion(m, x, patch=5), "patch must be from 1 to 4 for a picture of 5 x 4, not 5"),
        (lambda m, x: occlusion(m, x, patch=2, stride=3), "stride must be from 1 to patch (2)"),
        (lambda m, x: occlusion(m, x, 4), "class_index must be from 0 to 3, not 4"),
        (lambda m, x: grad_cam(m, x, class_index=-1), "class_index must be from 0 to 3, not -1"),
        (lambda m, x: grad_cam(m, x, 2), "gave an output of shape (4,)"),
        (lambda m, x: enlarge(np.zeros(3), (2, 2)), "values must be of shape (h, w), not (3,)"),
        (lambda m, x: grad_cam(minidl.Model(m.inputs, m.layers[0].output), x), "one output of shape (batch, classes)"),
        (lambda m, x: occlusion(minidl.Model(m.inputs, m.layers[0].output), x), "one output of shape (batch, classes)"),
        (
            lambda m, x: grad_cam(linear_in_pixels(np.ones((5, 4, 2), "float32")), x), "has no layer with feature maps",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(averaged, call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(averaged, np.zeros((5, 4, 2), "float32"))


def test_a_score_that_does_not_depend_on_the_maps_is_named():
    inputs = layers.Input((4, 4, 1))
    maps = layers.Conv2D(2, 3, name="maps")(inputs)
    left = layers.Flatten()(inputs)
    model = minidl.Model(inputs, layers.Dense(2)(left) + layers.Flatten()(minidl.ops.sign(maps))[:, :2])
    with pytest.raises(ValueError, match="does not depend on layer 'maps'"):
        grad_cam(model, np.ones((4, 4, 1), "float32"), "maps", 0)
