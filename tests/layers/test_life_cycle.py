"""What every layer does: __init__, build, call; weights found, listed, read and assigned."""

import numpy as np
import pytest

import minidl
from minidl import layers, ops

X = np.arange(12, dtype="float32").reshape(4, 3) / 10


class Scale(layers.Layer):
    """A layer as users write it, with a build of its own."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.seen = input_shape
        self.kernel = self.add_weight((input_shape[-1], self.units), "ones", name="kernel")
        self.calls = self.add_weight((), "zeros", trainable=False, name="calls")

    def call(self, inputs):
        self.calls.assign_add(1)
        return ops.matmul(inputs, self.kernel)


class Block(layers.Layer):
    """Layers inside a layer: in attributes, in lists, in dictionaries."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(3)
        self.others = [layers.Dense(3), [layers.BatchNormalization()]]
        self.by_name = {"last": layers.Dense(2)}

    def call(self, inputs):
        x = self.others[1][0](self.others[0](self.first(inputs)))
        return self.by_name["last"](x)


def test_build_runs_once_with_the_batch_axis_open():
    layer = Scale()
    assert not layer.built and layer.weights == []
    assert layer(X).shape == (4, 2)
    assert layer.built and layer.seen == (None, 3)
    layer(X)
    assert int(layer.calls) == 2


def test_build_without_super_marks_the_layer_as_built():
    layer = Scale()
    layer.build((None, 5))
    assert layer.built and layer.kernel.shape == (5, 2)
    with pytest.raises(ValueError):  # the kernel is (5, 2) and stays so
        layer(X)


def test_weights_are_trainable_first_and_named():
    layer = Scale(name="scale")
    layer(X)
    assert [w.name for w in layer.weights] == ["kernel", "calls"]
    assert [w.path for w in layer.weights] == ["scale/kernel", "scale/calls"]
    assert layer.trainable_weights == [layer.kernel] and layer.non_trainable_weights == [layer.calls]
    assert layer.variables == layer.weights
    assert layer.count_params() == 3 * 2 + 1


def test_variables_kept_as_attributes_are_weights():
    class Direct(layers.Layer):
        def __init__(self):
            super().__init__()
            self.shift = minidl.Variable(np.zeros(3, "float32"), name="shift")
            self.counter = minidl.Variable(0, trainable=False, name="counter")

        def call(self, inputs):
            return inputs + self.shift

    layer = Direct()
    assert [w.name for w in layer.weights] == ["shift", "counter"]
    assert [w.name for w in layer.trainable_weights] == ["shift"]
    np.testing.assert_array_equal(layer(X), X)


def test_layers_inside_are_found_in_lists_and_dictionaries():
    block = Block()
    block(X)
    assert len(block.weights) == 2 + 2 + 4 + 2
    assert [w.shape for w in block.weights[:2]] == [(3, 3), (3,)]
    assert len(block.trainable_weights) == 8 and len(block.non_trainable_weights) == 2


def test_freezing_reaches_all_layers_below_and_comes_back():
    block = Block()
    block(X)
    block.trainable = False
    assert not block.others[1][0].trainable and block.trainable_weights == []
    assert len(block.non_trainable_weights) == len(block.weights) == 10
    block.trainable = True
    assert len(block.trainable_weights) == 8  # the moving statistics stay what they are


def test_one_frozen_layer_inside():
    block = Block()
    block(X)
    block.others[1][0].trainable = False
    assert len(block.trainable_weights) == 6 and len(block.non_trainable_weights) == 4
    block.first.trainable = False
    assert all(weight is not block.first.kernel for weight in block.trainable_weights)


def test_trainable_false_from_the_start():
    layer = layers.Dense(2, trainable=False)
    layer(X)
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 2
    layer.trainable = True
    assert len(layer.trainable_weights) == 2


def test_get_weights_gives_copies():
    layer = layers.Dense(2)
    layer(X)
    kernel, bias = layer.get_weights()
    assert kernel.shape == (3, 2) and bias.shape == (2,) and type(kernel) is np.ndarray
    kernel[:] = 7
    assert not (layer.kernel.numpy() == 7).any()


def test_set_weights_assigns_copies_in_order():
    layer = layers.Dense(2)
    layer(X)
    kernel, bias = np.full((3, 2), 2.0), np.array([1.0, -1.0])
    layer.set_weights([kernel, bias])
    kernel[:] = 0
    np.testing.assert_allclose(layer(X), X @ np.full((3, 2), 2.0) + bias, rtol=1e-6)
    assert layer.kernel.dtype == np.float32


@pytest.mark.parametrize(
    "weights, message",
    [
        ([np.zeros((3, 2))], "has 2 weights.*1 arrays"),
        ([np.zeros((3, 2)), np.zeros(2), np.zeros(1)], "has 2 weights.*3 arrays"),
        ([np.zeros((2, 3)), np.zeros(2)], r"kernel.*\(3, 2\).*\(2, 3\)"),
        ([np.ones((3, 2)), np.zeros(3)], r"bias.*\(2,\).*\(3,\)"),
    ],
)
def test_set_weights_names_what_does_not_fit_and_assigns_nothing(weights, message):
    layer = layers.Dense(2, name="d")
    layer(X)
    before = layer.get_weights()
    with pytest.raises(ValueError, match=message):
        layer.set_weights(weights)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_set_weights_on_a_layer_without_weights_yet():
    with pytest.raises(ValueError, match="has 0 weights"):
        layers.Dense(2).set_weights([np.zeros((3, 2)), np.zeros(2)])


def test_count_params_wants_a_built_layer():
    with pytest.raises(ValueError, match="no weights yet"):
        layers.Dense(2).count_params()
    assert layers.Flatten()(X).shape == (4, 3)


def test_a_layer_without_super_init_says_so():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.units = 3

        def call(self, inputs):
            return inputs

    with pytest.raises(RuntimeError, match=r"Forgetful.*super\(\).__init__"):
        Forgetful()(X)


def test_a_layer_without_call_says_so():
    class Empty(layers.Layer):
        pass

    with pytest.raises(NotImplementedError, match="Empty.*call"):
        Empty()(X)


def test_the_inputs_may_be_given_by_name():
    layer = layers.Dense(2)
    y = layer(inputs=X)
    assert layer.built
    np.testing.assert_array_equal(y, layer(X))
    symbolic = layers.Dense(2)(inputs=layers.Input((3,)))
    assert symbolic.shape == (None, 2)


class Noisy(layers.Layer):
    """Adds one in training."""

    def call(self, inputs, training=None):
        return inputs + 1 if training else inputs


class Around(layers.Layer):
    def __init__(self):
        super().__init__()
        self.noisy = Noisy()

    def call(self, inputs):
        return self.noisy(inputs)


@pytest.mark.parametrize("make", [Noisy, Around])
def test_training_is_handed_down(make):
    layer = make()
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_array_equal(layer(X, training=False), X)
    np.testing.assert_allclose(layer(X, training=True), X + 1)
    np.testing.assert_array_equal(layer(X), X)  # and does not stick


def test_training_by_place():
    np.testing.assert_allclose(Noisy()(X, True), X + 1)


def test_an_inner_choice_of_training_wins():
    class Stubborn(layers.Layer):
        def __init__(self):
            super().__init__()
            self.noisy = Noisy()

        def call(self, inputs):
            return self.noisy(inputs, training=False)

    np.testing.assert_array_equal(Stubborn()(X, training=True), X)


def test_several_inputs_and_outputs():
    class Swap(layers.Layer):
        def call(self, inputs):
            a, b = inputs
            return b, a

    b, a = Swap()([X, X + 1])
    np.testing.assert_allclose(b, X + 1)
    np.testing.assert_array_equal(a, X)
    one, two = Swap()([layers.Input((3,)), layers.Input((5,))])
    assert one.shape == (None, 5) and two.shape == (None, 3)


def test_dictionaries_as_inputs():
    class Join(layers.Layer):
        def call(self, inputs):
            return inputs["a"] + 2 * inputs["b"]

    np.testing.assert_allclose(Join()({"a": X, "b": X}), 3 * X, rtol=1e-6)


@pytest.mark.parametrize(
    "given", [X.astype("float64"), X.tolist(), minidl.Tensor(X), (X * 10).astype("int32")], ids=type
)
def test_floats_become_the_dtype_of_the_layer(given):
    assert layers.Dense(2)(given).dtype == np.float32
    assert layers.Dense(2, dtype="float64")(np.asarray(given, "float64")).dtype == np.float64


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool"])
@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(2, 3), layers.MaxPooling2D(), layers.AveragePooling2D(), layers.GlobalAveragePooling2D(),
        layers.BatchNormalization(), layers.Flatten(), layers.Dense(3),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_pictures_as_bytes(layer, dtype):
    """Whole numbers give what the same numbers as floats give."""
    x = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, (2, 6, 6, 3)).astype(dtype)
    np.testing.assert_allclose(layer(x), layer(x.astype("float32")), rtol=1e-5, atol=1e-6)


def test_names_are_counted_by_class():
    minidl.utils.clear_session()
    names = [layers.Dense(1).name, layers.Dense(1).name, layers.MaxPooling2D().name, layers.LeakyReLU().name]
    assert names == ["dense", "dense_1", "max_pooling2d", "leaky_re_lu"]
    assert layers.Dense(1, name="mine").name == "mine"
    assert layers.Dense(1).name == "dense_2"


def test_dropout_keeps_no_weights():
    model = minidl.Sequential([layers.Input((3,)), layers.Dropout(0.5), layers.Dense(1)])
    assert len(model.get_weights()) == 2


def test_an_activity_regularizer_counts_each_call_of_a_step_and_forgets_the_last_step():
    layer = layers.Dense(2, use_bias=False, kernel_initializer="ones", activity_regularizer=minidl.regularizers.L1(0.5))
    layer(X)
    layer(X)
    expected = 0.5 * np.abs(X @ np.ones((3, 2))).sum() / 4
    assert len(layer.losses) == 1
    assert float(layer.losses[0]) == pytest.approx(expected, rel=1e-6)


def test_add_loss_outside_of_a_call():
    with pytest.raises(ValueError, match=r"inside call\(\)"):
        layers.Dense(2).add_loss(1.0)


def test_losses_of_add_loss_reach_the_outermost_layer():
    class Penalised(layers.Layer):
        def call(self, inputs):
            self.add_loss(ops.sum(inputs))
            self.add_loss([1.0, ops.mean(inputs)])
            return inputs

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Penalised()

        def call(self, inputs):
            return self.inner(inputs)

    outer = Outer()
    outer(X)
    assert [float(one) for one in outer.losses] == pytest.approx([X.sum(), 1.0, X.mean()])


def test_batch_normalisation_of_one_row_is_constant():
    layer = layers.BatchNormalization()
    x = minidl.Tensor(np.array([[1.0, -2.0, 5.0]], "float32"), requires_grad=True)
    y = layer(x, training=True)
    np.testing.assert_allclose(y, np.zeros((1, 3)), atol=1e-6)
    np.testing.assert_allclose(minidl.grad(y, x, np.ones((1, 3), "float32")), np.zeros((1, 3)), atol=1e-6)


def test_input_spec_of_the_user():
    class Pairs(layers.Layer):
        def __init__(self):
            super().__init__()
            self.input_spec = minidl.InputSpec(ndim=2, axes={-1: 3})

        def call(self, inputs):
            return inputs

    assert Pairs()(X).shape == (4, 3)
    with pytest.raises(ValueError, match="ndim=2.*ndim=1"):
        Pairs()(X[0])
    with pytest.raises(ValueError, match="extent 3, found 2"):
        Pairs()(X[:, :2])
