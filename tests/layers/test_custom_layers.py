"""Layers of the user: what minidl does beyond Keras, and what it says where something is wrong."""

import numpy as np
import pytest

import minidl
from minidl import layers, ops, saving

X = np.arange(12, dtype="float32").reshape(4, 3)


class Composite(layers.Layer):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(5), layers.Dense(2)

    def call(self, x):
        return self.second(self.first(x))


class Power(layers.Layer):
    def __init__(self, exponent, scales=(1.0,), **kwargs):
        super().__init__(**kwargs)
        self.exponent, self.scales = exponent, scales

    def call(self, x):
        return x**self.exponent * self.scales[0]


class Holding(layers.Layer):
    def __init__(self, inner, note="x", **kwargs):
        super().__init__(**kwargs)
        self.inner, self.note = inner, note

    def call(self, x):
        return self.inner(x)


def test_building_by_hand_builds_the_layers_inside():
    layer = Composite()
    layer.build((None, 3))
    assert layer.built and layer.first.built
    assert [w.shape for w in layer.weights] == [(3, 5), (5,), (5, 2), (2,)] and layer.count_params() == 32
    assert layer.compute_output_shape((None, 3)) == (None, 2)


def test_a_layer_without_get_config_is_saved_with_its_plain_arguments(tmp_path):
    model = minidl.Sequential([minidl.Input((3,)), Power(2, scales=[0.5], name="squared")])
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras", custom_objects={"Power": Power})
    np.testing.assert_array_equal(opened(X), X**2 * 0.5)
    assert opened.layers[0].name == "squared"
    assert Power(3).get_config()["exponent"] == 3


def test_other_arguments_need_a_get_config():
    message = r'Holding cannot be saved: its get_config\(\) leaves out inner, note(.|\n)*"inner": self.inner'
    with pytest.raises(NotImplementedError, match=message):
        Holding(layers.Dense(2)).get_config()


def test_what_is_given_by_place_only_needs_a_get_config():
    class Stars(layers.Layer):
        def __init__(self, *sizes):
            super().__init__()

    with pytest.raises(NotImplementedError, match="what it was given by place"):
        Stars(1, 2).get_config()


def test_a_wrong_argument_is_named_by_python():
    with pytest.raises(TypeError, match="exponent"):
        Power()


def test_build_parameters_that_are_no_arguments_of_call():
    class Wrong(layers.Layer):
        def build(self, a_shape, c_shape):
            pass

        def call(self, a, b):
            return a

    with pytest.raises(ValueError, match="Wrong.build: .* c_shape is none of a_shape, b_shape"):
        Wrong()(X, X)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_refused_by_name(dtype):
    with pytest.raises(ValueError, match=f"{dtype}.*no half or mixed precision"):
        layers.Dense(2, dtype=dtype)


@pytest.mark.parametrize("wrong", ["text", None, {"a": "text"}])
def test_losses_that_are_none(wrong):
    class Wrong(layers.Layer):
        def call(self, x):
            self.add_loss(wrong)
            return x

    with pytest.raises(ValueError, match=r"add_loss\(\) takes a scalar tensor"):
        Wrong()(X)


def test_add_weight_before_super_init():
    class Early(layers.Layer):
        def __init__(self):
            self.w = self.add_weight((2,))

    with pytest.raises(RuntimeError, match=r"write super\(\).__init__"):
        Early()


def test_add_weight_with_a_name_in_the_place_of_the_shape():
    with pytest.raises(ValueError, match=r"add_weight\(shape=..., name='kernel'\)"):
        layers.Layer().add_weight("kernel", (2, 3))


def test_weights_by_the_old_name():
    layer = layers.Layer()
    weight = layer.add_variable((2,), "ones", name="w")
    assert layer.weights == [weight] and weight.numpy().tolist() == [1, 1]


def test_input_spec_of_a_dtype():
    layer = layers.Layer()
    layer.call = lambda x: x
    layer.input_spec = layers.InputSpec(dtype="int32")
    with pytest.raises(ValueError, match="expected dtype=int32, found float32"):
        layer(X)
    assert layer(np.array([1, 2], "int32")).shape == (2,)


@pytest.mark.parametrize("shape, fits", [((2, 5), True), ((2, 5, 1), True), ((2, 4), False), ((2, 5, 3), False)])
def test_input_spec_with_or_without_a_last_axis(shape, fits):
    layer = layers.Layer()
    layer.call = lambda x: x
    layer.input_spec = layers.InputSpec(shape=(None, 5, 1), allow_last_axis_squeeze=True)
    if fits:
        assert layer(np.zeros(shape, "float32")).shape == shape
    else:
        with pytest.raises(ValueError, match="expected"):
            layer(np.zeros(shape, "float32"))


def test_gradients_under_a_tape_with_layers_inside_layers():
    layer = Composite()
    with minidl.GradientTape() as tape:
        loss = ops.sum(layer(X))
    gradients = tape.gradient(loss, layer.trainable_variables)
    kernel = layer.second.kernel.numpy()
    np.testing.assert_allclose(gradients[3], [4, 4])
    np.testing.assert_allclose(gradients[0], X.sum(0)[:, None] * kernel.sum(1), rtol=1e-5)


def test_input_specs_of_a_dictionary_go_by_name():
    layer = layers.Layer()
    layer.call = lambda inputs: inputs["b"]
    layer.input_spec = [layers.InputSpec(ndim=2, name="b"), layers.InputSpec(ndim=3, name="a", optional=True)]
    given = {"a": X[None], "b": X}
    assert layer(given).shape == (4, 3)
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layer({"a": X, "b": X})
    with pytest.raises(ValueError, match=r"by the names \['b', 'a'\], but b is missing"):
        layer({"a": X[None]})
