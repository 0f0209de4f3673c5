"""Sequential: layers in a row, with the shape known from the start or from the data."""

import numpy as np
import pytest

import minidl
from minidl import layers

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def test_list_and_add_make_the_same_model():
    by_list = minidl.Sequential([layers.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)])
    by_add = minidl.Sequential()
    by_add.add(layers.Input((4,)))
    by_add.add(layers.Dense(3, activation="relu"))
    by_add.add(layers.Dense(2))
    by_add.set_weights(by_list.get_weights())
    np.testing.assert_array_equal(by_list.predict(X, verbose=0), by_add.predict(X, verbose=0))
    assert [type(layer) for layer in by_add.layers] == [layers.Dense, layers.Dense]


@pytest.mark.parametrize(
    "make",
    [
        lambda: minidl.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(2)]),
        lambda: minidl.Sequential([layers.Dense(3, input_shape=[4]), layers.Dense(2)]),
        lambda: minidl.Sequential([layers.Dense(3, input_dim=4), layers.Dense(2)]),
        lambda: minidl.Sequential([layers.Dense(3, batch_input_shape=(None, 4)), layers.Dense(2)]),
        lambda: minidl.Sequential([layers.InputLayer(shape=(4,)), layers.Dense(3), layers.Dense(2)]),
        lambda: minidl.Sequential([layers.InputLayer(batch_shape=(None, 4)), layers.Dense(3), layers.Dense(2)]),
        lambda: minidl.Sequential([minidl.Sequential([layers.Input((4,)), layers.Dense(3)]), layers.Dense(2)]),
    ],
)
def test_all_ways_to_tell_the_shape(make):
    model = make()
    assert model.built and model.count_params() == 4 * 3 + 3 + 3 * 2 + 2
    assert model.input_shape == (None, 4) and model.output_shape == (None, 2)
    assert len(model.layers) == 2


def test_weights_appear_with_the_input():
    model = minidl.Sequential()
    model.add(layers.Dense(3))
    assert not model.built and model.weights == []
    with pytest.raises(AttributeError, match="Input"):
        _ = model.input_shape
    with pytest.raises(ValueError, match="no weights yet"):
        model.count_params()
    model(X)
    assert model.built and len(model.weights) == 2 and model.input_shape == (None, 4)


def test_deferred_build_by_fit_and_by_build():
    model = minidl.Sequential([layers.Flatten(), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(X.reshape(6, 2, 2), X[:, :2], verbose=0)
    assert model.count_params() == 10
    model = minidl.Sequential([layers.Flatten(), layers.Dense(2)])
    model.build((None, 2, 2))
    assert model.count_params() == 10 and model.output_shape == (None, 2)


def test_adding_to_a_built_model_keeps_the_weights():
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(3)])
    before = model.get_weights()
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)
    for old, new in zip(before, model.get_weights(), strict=False):
        np.testing.assert_array_equal(old, new)


def test_adding_to_a_model_built_by_data():
    model = minidl.Sequential([layers.Dense(3)])
    model(X)
    model.add(layers.Dense(2))
    assert model(X).shape == (6, 2) and len(model.weights) == 4


def test_pop():
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)])
    last = model.layers[-1]
    assert model.pop() is last
    assert model.output_shape == (None, 3) and len(model.weights) == 2
    assert model(X).shape == (6, 3)
    model.add(layers.Dense(5))
    assert model(X).shape == (6, 5)
    model.pop(), model.pop()
    with pytest.raises(ValueError, match="no layers"):
        model.pop()


def test_each_layer_is_called_once_for_the_graph():
    """Adding layers one by one must not call the earlier ones again and again."""
    calls = []

    class Counting(layers.Layer):
        def call(self, inputs):
            return inputs

        def compute_output_shape(self, input_shape):
            calls.append(self.name)
            return input_shape

    model = minidl.Sequential([layers.Input((4,))])
    for _ in range(6):
        model.add(Counting())
    assert len(calls) == 6


def test_the_same_layer_may_come_twice():
    dense = layers.Dense(4)
    model = minidl.Sequential([layers.Input((4,)), dense, dense])
    assert len(model.weights) == 2
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(model(X), (X @ kernel + bias) @ kernel + bias, rtol=1e-5, atol=1e-6)


def test_two_layers_of_one_name():
    with pytest.raises(ValueError, match="called 'same' already"):
        minidl.Sequential([layers.Dense(1, name="same"), layers.Dense(1, name="same")])


@pytest.mark.parametrize("wrong", [3, "dense", layers.Dense, None, print], ids=str)
def test_only_layers_can_be_added(wrong):
    with pytest.raises(ValueError, match="only layers"):
        minidl.Sequential([layers.Input((4,)), wrong])


def test_inputs_belong_in_front():
    with pytest.raises(ValueError, match="in front"):
        minidl.Sequential([layers.Dense(1), layers.Input((4,))])


def test_a_second_build_for_another_shape():
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(3)])
    model.build((None, 4))
    with pytest.raises(ValueError, match=r"\(None, 4\).*\(None, 5\)"):
        model.build((None, 5))


def test_wrong_shapes_name_the_input_and_both_shapes():
    model = minidl.Sequential([layers.Input((4,), name="numbers"), layers.Dense(3)])
    with pytest.raises(ValueError, match=r"'numbers'.*\(None, 4\).*\(6, 3\)"):
        model(X[:, :3])


def test_reused_layers_share_their_weights():
    """Transfer as the notes write it: the lower layers of a model become those of another."""
    first = minidl.Sequential([layers.Flatten(input_shape=[2, 2]), layers.Dense(5), layers.Dense(3)])
    second = minidl.Sequential(first.layers[:-1])
    second.add(layers.Dense(1, activation="sigmoid"))
    assert second.built and second.layers[1] is first.layers[1]
    before = first.predict(X.reshape(6, 2, 2), verbose=0)
    second.compile("sgd", "binary_crossentropy")
    second.fit(X.reshape(6, 2, 2), np.ones(6), verbose=0)
    assert not np.array_equal(before, first.predict(X.reshape(6, 2, 2), verbose=0))


def test_nested_models_are_layers():
    inner = minidl.Sequential([layers.Dense(3), layers.BatchNormalization()], name="inner")
    model = minidl.Sequential([layers.Input((4,)), inner, layers.Dense(1)])
    assert [w.name for w in model.weights] == [
        "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "kernel", "bias",
    ]  # fmt: skip
    assert model.get_layer("inner") is inner and model.get_layer(index=0) is inner
    inner.trainable = False
    assert len(model.trainable_weights) == 2


def test_get_layer():
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    assert model.get_layer("b") is model.layers[1] is model.get_layer(index=1)
    for wrong in ({"name": "c"}, {"index": 2}, {}, {"name": "a", "index": 0}):
        with pytest.raises(ValueError):
            model.get_layer(**wrong)


def test_a_model_of_the_inner_outputs():
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(3), layers.Activation("relu"), layers.Dense(2)])
    features = minidl.Model(inputs=model.inputs, outputs=model.layers[1].output)
    kernel, bias = model.layers[0].get_weights()
    np.testing.assert_allclose(features.predict(X, verbose=0), np.maximum(X @ kernel + bias, 0), rtol=1e-5, atol=1e-6)
    both = minidl.Model(model.input, [layer.output for layer in model.layers])
    assert [part.shape for part in both(X)] == [(6, 3), (6, 3), (6, 2)]


def test_layers_added_after_compile_train():
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    model.add(layers.Dense(1))
    before = model.get_weights()
    model.fit(X, X[:, 0], verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert not np.array_equal(old, new)
