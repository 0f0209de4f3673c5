"""summary(show_kernels=True) says what then runs: compared with the implementations that a training step enters."""

import re
from collections import Counter
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

import minidl
import minidl_kernels as kernels
from minidl import layers, losses, ops
from minidl_kernels import config

RNG = np.random.default_rng(3)
LINE = re.compile(r"^ {5}.{10}(?:(\d+) x )?(\w+): (\w+)")
SPARSE = "sparse_categorical_crossentropy"


@contextmanager
def recorded():
    """(kernel, implementation) of everything that runs inside the block, noted by the implementations themselves."""
    ran, before = [], {}
    for kernel in kernels.kernels.values():
        for name in kernel.available():
            implementation = kernel.implementations[name]
            before[kernel, name] = implementation

            def run(*arrays, _of=(kernel.name, name), _run=implementation.run, **rest):
                ran.append(_of)
                launch = _run(*arrays, **rest)
                if launch is not None:  # not handed on: it would be made again without coming by here
                    launch(launch.arrays)

            run.contiguous = getattr(implementation.run, "contiguous", False)
            kernel.implementations[name] = implementation._replace(run=run)
        kernel._plans.clear()
    try:
        yield ran
    finally:
        for (kernel, name), implementation in before.items():
            kernel.implementations[name] = implementation
            kernel._plans.clear()


def summary_of(model, **settings):
    texts = []
    model.summary(print_fn=texts.append, show_kernels=settings.pop("show_kernels", True), **settings)
    return texts[0].partition(" Kernels")[2]


def said(text):
    """How often each (kernel, implementation) stands in the text."""
    found = Counter()
    for line in text.splitlines():
        if (match := LINE.match(line)) and not line[15:].startswith("  "):
            found[match[2], match[3]] += int(match[1] or 1)
    return found


def assert_true(model, x, y):
    text = summary_of(model, show_kernels=len(x))
    with recorded() as ran:
        model.train_on_batch(x, y)
    assert said(text) == Counter(ran)
    return text


def pictures(n, size, channels, classes=4):
    return RNG.normal(size=(n, size, size, channels)).astype("float32"), RNG.integers(0, classes, n)


def mlp():
    model = minidl.Sequential([
        layers.Input((20,)), layers.Dense(30, activation="relu"), layers.Dense(12, activation="tanh"),
        layers.Dropout(0.3), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile("sgd", SPARSE, metrics=["accuracy"])
    return model, RNG.normal(size=(32, 20)).astype("float32"), RNG.integers(0, 4, 32)


def cnn():
    model = minidl.Sequential([
        layers.Input((10, 10, 3)), layers.Conv2D(32, 3, activation="relu", padding="same"),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.25), layers.Flatten(),
        layers.Dense(4),
    ])  # fmt: skip
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, *pictures(16, 10, 3)


def normalised():
    inputs = layers.Input((9, 9, 4))
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, kernel_regularizer="l2")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(8, 1)(x)) + x)
    model = minidl.Model(inputs, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    model.compile(minidl.optimizers.SGD(momentum=0.9), SPARSE)
    return model, *pictures(8, 9, 4)


def depthwise():
    model = minidl.Sequential([
        layers.Input((12, 12, 8)), layers.DepthwiseConv2D(3, activation="relu"), layers.SeparableConv2D(6, 3),
        layers.AveragePooling2D(), layers.Flatten(), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("rmsprop", "binary_crossentropy")
    x, y = pictures(8, 12, 8, 2)
    return model, x, y.astype("float32")


def transposed():
    inner = minidl.Sequential([layers.Conv2DTranspose(8, 4, strides=2, padding="same"), layers.LeakyReLU()])
    model = minidl.Sequential([
        layers.Input((6,)), layers.Dense(5 * 5 * 8), layers.Reshape((5, 5, 8)), inner,
        layers.Conv2DTranspose(3, 3, padding="same", activation="tanh"),
    ])  # fmt: skip
    model.compile("adam", "mse")
    return model, RNG.normal(size=(8, 6)).astype("float32"), pictures(8, 10, 3)[0]


def frozen():
    model, x, y = cnn()
    model.layers[1].trainable = False
    model.compile("adam", model.loss)
    return model, x, y


def two_outputs():
    inputs = layers.Input((6,))
    shared = layers.Dense(5, activation="relu")
    x = layers.Dense(6)(inputs)
    heads = [
        layers.Dense(3, activation="softmax", name="kind")(shared(x)),
        layers.Dense(1, name="size")(shared(inputs)),
    ]
    model = minidl.Model(inputs, heads)
    model.compile("sgd", [SPARSE, "mse"], loss_weights=[1, 0.5])
    x = RNG.normal(size=(16, 6)).astype("float32")
    return model, x, [RNG.integers(0, 3, 16), RNG.normal(size=(16, 1)).astype("float32")]


class Subclassed(minidl.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(7, activation="relu"), layers.Dense(2)

    def call(self, inputs):
        return ops.softmax(self.second(self.first(inputs)))


def subclassed():
    model = Subclassed()
    model.compile("adam", SPARSE)
    x, y = RNG.normal(size=(9, 5)).astype("float32"), RNG.integers(0, 2, 9)
    model.train_on_batch(x, y)
    return model, x, y


MODELS = [mlp, cnn, normalised, depthwise, transposed, frozen, two_outputs, subclassed]


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_what_the_summary_says_is_what_a_training_step_runs(make):
    assert_true(*make())


@pytest.mark.parametrize("make", [mlp, two_outputs], ids=lambda make: make.__name__)
def test_with_reference_the_summary_says_so(make):
    model, x, y = make()
    with ExitStack() as stack:
        for kernel in kernels.kernels.values():
            stack.enter_context(kernel.use("reference"))
        text = assert_true(model, *([x[:2], y[:2]] if make is mlp else [x, y]))
    assert {implementation for _, implementation in said(text)} == {"reference"} and "one pass" not in text


def test_with_the_setting_for_4x4_tiles_the_summary_says_so():
    model, x, y = cnn()
    assert "conv2d: winograd F(2x2)" in summary_of(model, show_kernels=len(x))
    names = ("conv2d", "conv2d_input_grad", "conv2d_kernel_grad")
    for name in names:
        config.use_implementation(name, "winograd_4x4")
    try:
        text = assert_true(model, x, y)
    finally:
        for name in names:
            config.use_implementation(name, None)
    assert all(f"{name}: winograd_4x4 F(4x4)" in text for name in names)
    assert "not winograd_4x4: takes channels and filters in multiples of" in text  # the first layer's three channels


def test_fusions_and_reasons_stand_beside_the_kernels():
    text = summary_of(cnn()[0])
    first = text.split("conv2d")[1] + text.partition("MaxPooling2D")[0]
    assert "conv2d: cpu, convolution, bias and relu in one pass" in first
    assert "conv2d: winograd F(2x2)\n" in text  # the pooling behind it comes before bias and ReLU
    assert "bias_relu: cpu, bias and relu in one pass" in text.partition("(MaxPooling2D)")[0]
    assert "relu_bias_grad: cpu, gradients of relu and bias in one pass" in first
    assert "       not winograd: takes channels and filters in multiples of" in text
    assert "dense: cpu, product and bias in one pass" in text
    assert "softmax_cross_entropy: cpu, softmax and cross-entropy in one pass" in text
    assert "adam: cpu, all weights in one pass" in text
    assert "flatten" in text and "(Flatten): no kernel" in text
    assert "dense: cpu, product, bias and relu in one pass" in summary_of(mlp()[0])


def test_the_number_of_samples_decides_what_pays(monkeypatch):
    model, kernel = mlp()[0], kernels.kernels["tanh_grad"]
    compiled = kernel.get("cpu")
    monkeypatch.setitem(kernel.implementations, "cpu", compiled._replace(from_size=1000))
    kernel._plans.clear()
    assert "with 32 samples" in summary_of(model)
    small, large = summary_of(model, show_kernels=2), summary_of(model, show_kernels=5000)
    kernel._plans.clear()
    assert "tanh_grad: array" in small and "tanh_grad: cpu" in large


def test_a_summary_changes_nothing():
    x, y = pictures(8, 8, 3)

    def trained(look):
        minidl.utils.set_random_seed(5)
        model = minidl.Sequential([
            layers.Input((8, 8, 3)), layers.Conv2D(4, 3, activity_regularizer="l2"), layers.BatchNormalization(),
            layers.Dropout(0.5), layers.Flatten(), layers.Dense(4, activation="softmax"),
        ])  # fmt: skip
        model.compile("adam", SPARSE)
        found = []
        for _ in range(3):
            if look:
                summary_of(model)
            found.append(model.train_on_batch(x, y))
        assert all("call" not in layer.__dict__ for layer in model._flatten_layers())
        return [*model.get_weights(), np.array(found), np.array([float(one) for one in model.losses])]

    for plain, looked in zip(trained(False), trained(True), strict=True):
        np.testing.assert_array_equal(plain, looked)


def test_a_recorded_graph_is_still_good_after_a_summary():
    model, x, _ = normalised()
    with minidl.GradientTape() as tape:
        total = ops.sum(model(x))
    summary_of(model)
    assert all(np.isfinite(g.numpy()).all() for g in tape.gradient(total, model.trainable_variables))


def test_models_of_which_less_is_known():
    model = minidl.Sequential([layers.Dense(3)])
    assert "shapes of the inputs are not known yet: call the model on data first" in summary_of(model)
    any_size = minidl.Sequential([layers.Input((None, None, 3)), layers.Conv2D(2, 3)])
    assert "the data decides on extents of inputs of shape (None, None, None, 3)" in summary_of(any_size)
    plain = minidl.Sequential([layers.Input((3,)), layers.Dense(2)])  # not compiled: no loss, no optimizer
    assert said(summary_of(plain)) == {("dense", "cpu"): 1, ("dense_weight_grad", "cpu"): 1}
    plain.compile("sgd", "crossentropy")  # binary or not, labels or not: the targets will tell
    assert "loss" not in summary_of(plain)


def test_a_range_of_layers():
    text = summary_of(cnn()[0], layer_range=["conv2d", "conv2d"])
    assert "Conv2D" in text and "Dense" not in text and "optimizer" not in text


@pytest.mark.parametrize("wrong", [0, -3, "yes", 2.0, None])
def test_a_wrong_number_of_samples(wrong):
    with pytest.raises(ValueError, match="show_kernels must be True, False or a number of samples"):
        mlp()[0].summary(show_kernels=wrong)
