"""Two layers in fewer passes, a batch norm and the ReLU behind it, a convolution and the pooling behind it.

What runs, and that nothing but the number of passes changes.
"""

import copy

import numpy as np
import pytest

import minidl
import minidl_kernels as kernels
from minidl import layers, ops
from minidl.checking.gradcheck import gradcheck
from minidl.layers.fusing import slope_of
from minidl.visualize.watch import Watch

X = np.random.default_rng(0).normal(size=(6, 4, 4, 5)).astype("f")
Y = np.random.default_rng(1).normal(size=(6, 2)).astype("f")

SLOPES = [
    (lambda: layers.ReLU(), 0.0),
    (lambda: layers.ReLU(negative_slope=0.1), 0.1),
    (lambda: layers.LeakyReLU(), 0.3),
    (lambda: layers.LeakyReLU(negative_slope=0.05), 0.05),
    (lambda: layers.Activation("relu"), 0.0),
    (lambda: layers.Activation("leaky_relu"), 0.2),
    (lambda: layers.ReLU(max_value=6.0), None),
    (lambda: layers.ReLU(threshold=0.5), None),
    (lambda: layers.LeakyReLU(negative_slope=0.0), None),
    (lambda: layers.Activation("tanh"), None),
    (lambda: layers.ELU(), None),
]


def in_a_row(behind):
    return minidl.Sequential(
        [layers.Input(X.shape[1:]), layers.BatchNormalization(), behind(), layers.Flatten(), layers.Dense(2)]
    )


def as_a_graph(behind):
    x = layers.Input(X.shape[1:])
    return minidl.Model(x, layers.Dense(2)(layers.Flatten()(behind()(layers.BatchNormalization()(x)))))


def called(function):
    with kernels.watch() as seen:
        function()
    return {call.kernel for call in seen.calls if call.kernel.startswith("batch_norm")}


@pytest.mark.parametrize("behind, slope", SLOPES)
def test_the_slope_of_a_layer(behind, slope):
    assert slope_of(behind()) == slope


@pytest.mark.parametrize("make", [in_a_row, as_a_graph])
@pytest.mark.parametrize("behind, slope", SLOPES)
def test_training_is_that_of_two_passes(make, behind, slope):
    found = []
    for listening in (False, True):
        minidl.utils.set_random_seed(3)
        model = make(behind)
        model.compile(minidl.optimizers.SGD(0.1), "mse")
        norm = next(layer for layer in model.layers if isinstance(layer, layers.BatchNormalization))
        norm.gamma.assign([1.0, -2.0, 0.5, 1.0, 3.0])
        norm.beta.assign([0.1, 0.0, -0.3, 1.0, 0.0])
        with Watch([norm] if listening else []):  # with somebody in between, they run apart
            names = called(lambda: [model.train_on_batch(X, Y) for _ in range(3)])  # noqa: B023
        one = slope is not None and not listening
        assert names == ({"batch_norm_relu", "batch_norm_relu_grad"} if one else {"batch_norm", "batch_norm_grad"})
        found.append([*model.get_weights(), model.predict_on_batch(X)])
    for fused, apart in zip(*found, strict=True):
        np.testing.assert_allclose(fused, apart, rtol=2e-5, atol=2e-6)


def test_what_else_reads_the_norm_keeps_them_apart():
    x = layers.Input(X.shape[1:])
    normed = layers.BatchNormalization()(x)
    both = minidl.Model(x, [normed, layers.ReLU()(normed)])
    twice = minidl.Model(x, layers.Add()([normed, layers.ReLU()(normed)]))
    for model in (both, twice):
        assert called(lambda: model(X, training=True)) == {"batch_norm"}  # noqa: B023
    first, second = both(X, training=True)
    np.testing.assert_array_equal(second.numpy(), np.maximum(first.numpy(), 0))


def test_a_mask_frozen_layers_and_another_axis():
    for axis in (1, 2, -1):
        model = minidl.Sequential([layers.Input(X.shape[1:]), layers.BatchNormalization(axis=axis), layers.ReLU()])
        expected = ops.relu(model.layers[0](X, training=True)).numpy()
        np.testing.assert_allclose(model(X, training=True).numpy(), expected, atol=1e-6)
        model.layers[0].trainable = False
        np.testing.assert_allclose(
            model(X, training=True).numpy(), ops.relu(model.layers[0](X, training=False)).numpy(), atol=1e-6
        )
    words = minidl.Sequential([layers.Masking(), layers.BatchNormalization(), layers.LeakyReLU()])
    x = X[:, :, 0].copy()
    x[:, 2:] = 0
    words(x)
    norm = words.layers[1]
    expected = ops.leaky_relu(norm(x, training=True, mask=(x != 0).any(-1)), 0.3).numpy()
    np.testing.assert_allclose(words(x, training=True).numpy(), expected, atol=1e-6)


def test_inside_other_models_and_in_copies():
    inner = in_a_row(layers.ReLU)
    outer_input = layers.Input(X.shape[1:])
    outer = minidl.Model(outer_input, inner(outer_input))
    traced = minidl.Model(outer_input, inner.call(outer_input))  # the layers one by one, symbolically
    several = (outer, traced, copy.deepcopy(inner), copy.deepcopy(traced))
    expected = inner(X, training=False).numpy()
    for model in several:
        np.testing.assert_allclose(model(X, training=False).numpy(), expected, rtol=1e-6)
    for model in several:
        assert called(lambda: model(X, training=True)) == {"batch_norm_relu"}  # noqa: B023


def test_layers_added_later_and_settings_changed_later():
    model = minidl.Sequential([layers.Input(X.shape[1:]), layers.BatchNormalization()])
    plain = model(X, training=True).numpy()
    model.add(layers.LeakyReLU(0.5))
    np.testing.assert_allclose(model(X, training=True).numpy(), np.where(plain > 0, plain, plain / 2), atol=1e-6)
    model.layers[-1].negative_slope = 0.25
    np.testing.assert_allclose(model(X, training=True).numpy(), np.where(plain > 0, plain, plain / 4), atol=1e-6)
    model.pop()
    np.testing.assert_array_equal(model(X, training=True).numpy(), plain)


# ---- a convolution, and the pooling behind it ----

PICTURES = np.random.default_rng(2).normal(size=(5, 9, 8, 3)).astype("f")
POOLS = [
    (lambda: layers.MaxPooling2D(), True),
    (lambda: layers.MaxPooling2D(3, strides=2), True),
    (lambda: layers.MaxPooling2D(3, strides=1), False),
    (lambda: layers.MaxPooling2D((2, 3), padding="same"), True),
    (lambda: layers.MaxPooling2D(2, strides=3), True),
    (lambda: layers.AveragePooling2D(), False),
]
CONVOLUTIONS = [
    ({}, True),
    ({"padding": "same", "dilation_rate": 2}, True),
    ({"strides": 2, "padding": "same"}, True),
    ({"activation": "tanh"}, False),
    ({"activation": None}, False),
    ({"use_bias": False}, False),
]


def pooled(convolution, pool, graph=False):
    settings = {"activation": "relu", **convolution}
    minidl.utils.set_random_seed(4)
    if graph:
        x = layers.Input(PICTURES.shape[1:])
        y = pool()(layers.Conv2D(4, 3, **settings)(x))
        model = minidl.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    else:
        model = minidl.Sequential(
            [
                layers.Input(PICTURES.shape[1:]),
                layers.Conv2D(4, 3, **settings),
                pool(),
                layers.Flatten(),
                layers.Dense(2),
            ]
        )
    convolved = next(layer for layer in model.layers if isinstance(layer, layers.Conv2D))
    if convolved.use_bias:
        convolved.bias.assign([-0.5, 0.0, 0.3, -3.0])  # of the last one, whole windows are 0
    model.compile(minidl.optimizers.SGD(0.05), "mse")
    return model, convolved


def order_of_kernels(function):
    with kernels.watch() as seen:
        function()
    return [call.kernel for call in seen.calls]


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize(
    "convolution, pool, fuses",
    [({}, pool, fuses) for pool, fuses in POOLS] + [(one, POOLS[0][0], fuses) for one, fuses in CONVOLUTIONS[1:]],
)
def test_training_with_the_maximum_before_bias_and_relu(convolution, pool, fuses, graph):
    found = []
    targets = np.random.default_rng(3).normal(size=(5, 2)).astype("f")
    for listening in (False, True):
        model, convolved = pooled(convolution, pool, graph)
        with Watch([convolved] if listening else []):
            names = order_of_kernels(lambda: model.train_on_batch(PICTURES, targets))  # noqa: B023
            for _ in range(3):
                model.train_on_batch(PICTURES, targets)
        reordered = "bias_relu" in names
        assert reordered == (fuses and not listening)
        if reordered:
            assert names.index("conv2d") < names.index("max_pool") < names.index("bias_relu")
            assert names.index("relu_bias_grad") < names.index("max_pool_scatter") < names.index("conv2d_kernel_grad")
        found.append([*model.get_weights(), model.predict_on_batch(PICTURES)])
    for fused, apart in zip(*found, strict=True):
        np.testing.assert_allclose(fused, apart, rtol=2e-5, atol=2e-6)


def test_the_gradient_of_a_fused_pair_is_that_of_finite_differences():
    model = minidl.Sequential(
        [layers.Input((6, 6, 2)), layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()]
    )
    model(np.zeros((1, 6, 6, 2), "f"))
    report = gradcheck(model, np.random.default_rng(6).normal(size=(2, 6, 6, 2)).astype("f"))
    assert report.ok, str(report)


def test_outputs_without_a_gradient_are_not_reordered():
    model, _ = pooled({}, POOLS[0][0])
    assert "bias_relu" not in order_of_kernels(lambda: model.predict_on_batch(PICTURES))
    assert "bias_relu" in order_of_kernels(lambda: model(PICTURES, training=True))


def test_pictures_whose_channels_come_first_and_classes_of_one_s_own_run_apart():
    class Own(layers.Conv2D):
        pass

    class OwnPool(layers.MaxPooling2D):
        def call(self, inputs):
            return super().call(inputs) * 2

    for first, behind in ((Own, layers.MaxPooling2D), (layers.Conv2D, OwnPool)):
        assert first(4, 3, activation="relu").fused_with(behind()) is None
    first = {"data_format": "channels_first"}
    convolved = layers.Conv2D(4, 3, activation="relu", **first)
    assert convolved.fused_with(layers.MaxPooling2D(**first)) is None
    assert convolved.fused_with(layers.MaxPooling2D()) is None


def test_a_convolution_that_something_else_reads_is_not_reordered():
    x = layers.Input(PICTURES.shape[1:])
    convolved = layers.Conv2D(4, 3, activation="relu")(x)
    model = minidl.Model(x, [convolved, layers.MaxPooling2D()(convolved)])
    model(PICTURES)
    assert "bias_relu" not in order_of_kernels(lambda: model(PICTURES, training=True))
