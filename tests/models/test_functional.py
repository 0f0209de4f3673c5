"""Functional models: branches, shared layers, models inside models, and data by list, tuple or name."""

import numpy as np
import pytest

import minidl
from minidl import layers, ops

RNG = np.random.default_rng(1)
A, B = RNG.normal(size=(8, 3)).astype("float32"), RNG.normal(size=(8, 2)).astype("float32")


def two_inputs():
    a, b = layers.Input((3,), name="a"), layers.Input((2,), name="b")
    return minidl.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, layers.Dense(4)(b)])))


def test_a_chain_computes_what_its_layers_do():
    x = layers.Input((3,))
    first, second = layers.Dense(4, activation="relu"), layers.Dense(2)
    model = minidl.Model(inputs=x, outputs=second(first(x)))
    np.testing.assert_array_equal(model(A), second(first(A)))
    assert model.layers[1:] == [first, second] and isinstance(model.layers[0], layers.InputLayer)


def test_sequential_and_functional_are_the_same_network():
    row = minidl.Sequential([layers.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(2)])
    x = layers.Input((3,))
    graph = minidl.Model(x, layers.Dense(2)(layers.Dense(4, activation="relu")(x)))
    graph.set_weights(row.get_weights())
    assert row.count_params() == graph.count_params()
    np.testing.assert_array_equal(row.predict(A, verbose=0), graph.predict(A, verbose=0))


@pytest.mark.parametrize(
    "given", [[A, B], (A, B), {"a": A, "b": B}, {"b": B, "a": A}], ids=["list", "tuple", "names", "names, other order"]
)
def test_inputs_by_place_or_by_name(given):
    model = two_inputs()
    expected = model([A, B])
    np.testing.assert_array_equal(model(given), expected)
    np.testing.assert_array_equal(model.predict(given, verbose=0), expected)
    model.compile("sgd", "mse")
    model.fit(given, A[:, 0], verbose=0)


def test_branches_join_on_the_last_axis():
    """As in the notes: (28, 28) beside (28, 30) is (28, 58), and Dense acts on the last axis."""
    x = layers.Input((28, 28))
    hidden = layers.Dense(30, activation="relu")(layers.Dense(100, activation="relu")(x))
    joined = layers.Concatenate()([x, hidden])
    assert joined.shape == (None, 28, 58)
    model = minidl.Model(inputs=[x], outputs=[layers.Dense(10)(joined)])
    assert model.output_shape == (None, 28, 10)
    assert model.predict(np.zeros((2, 28, 28)), verbose=0).shape == (2, 28, 10)


def test_a_shared_layer_gets_the_gradients_of_both_calls():
    x, shared = layers.Input((3,)), layers.Dense(3, use_bias=False)
    model = minidl.Model(x, layers.Add()([shared(x), shared(shared(x))]))
    assert len(model.weights) == 1
    w = shared.kernel.numpy()
    np.testing.assert_allclose(model(A), A @ w + A @ w @ w, rtol=1e-5, atol=1e-6)
    upstream = RNG.normal(size=(8, 3)).astype("float32")
    found = minidl.grad(model(A), shared.kernel, upstream)
    expected = A.T @ upstream + A.T @ upstream @ w.T + (A @ w).T @ upstream
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_models_inside_models():
    encoder = minidl.Sequential([layers.Input((3,)), layers.Dense(2)], name="encoder")
    z = layers.Input((2,))
    decoder = minidl.Model(z, layers.Dense(3)(z), name="decoder")
    x = layers.Input((3,))
    model = minidl.Model(x, decoder(encoder(x)))
    np.testing.assert_array_equal(model(A), decoder(encoder(A)))
    assert model.get_layer("decoder") is decoder and len(model.weights) == 4
    model.compile("sgd", "mse")
    before = encoder.get_weights()
    model.fit(A, A, verbose=0)
    assert not np.array_equal(before[0], encoder.get_weights()[0])


def test_a_model_with_several_outputs_inside_another():
    x = layers.Input((3,))
    inner = minidl.Model(x, {"sum": layers.Dense(2)(x), "all": layers.Dense(4)(x)})
    y = layers.Input((3,))
    made = inner(y)
    assert made["sum"].shape == (None, 2) and made["all"].shape == (None, 4)
    outer = minidl.Model(y, layers.Concatenate()([made["sum"], made["all"]]))
    expected = inner(A)
    np.testing.assert_array_equal(outer(A), np.concatenate([expected["sum"], expected["all"]], axis=1))


def test_operators_and_ops_are_part_of_the_graph():
    x = layers.Input((3,))
    y = ops.exp(x) * 2 - x / 4 + layers.Dense(3)(x)
    model = minidl.Model(x, ops.sum(y, axis=-1, keepdims=True))
    expected = (np.exp(A) * 2 - A / 4 + model.layers[1](A).numpy()).sum(-1, keepdims=True)
    np.testing.assert_allclose(model(A), expected, rtol=1e-5)
    assert model.output_shape == (None, 1)


def test_dictionaries_of_outputs():
    x = layers.Input((3,))
    model = minidl.Model(x, {"z": layers.Dense(1, name="d1")(x), "a": layers.Dense(2, name="d2")(x)})
    found = model.predict(A, verbose=0)
    assert list(found) == ["z", "a"]
    np.testing.assert_array_equal(found["z"], model.get_layer("d1")(A))
    np.testing.assert_array_equal(found["a"], model.get_layer("d2")(A))
    model.compile("sgd", {"z": "mse", "a": "mae"}, loss_weights={"z": 1.0, "a": 0.5}, metrics={"a": ["mse"]})
    history = model.fit(A, {"z": A[:, :1], "a": A[:, :2]}, verbose=0).history
    assert list(history) == ["a_loss", "a_mse", "loss", "z_loss"]
    assert history["loss"][0] == pytest.approx(history["z_loss"][0] + 0.5 * history["a_loss"][0], rel=1e-6)


def test_input_shape_of_a_called_layer_is_ignored():
    x = layers.Input((28, 28, 1))
    assert layers.Flatten(input_shape=(28, 28, 1))(x).shape == (None, 784)


def test_a_vector_fits_an_input_of_one_number():
    x = layers.Input((1,))
    model = minidl.Model(x, layers.Dense(2)(x))
    np.testing.assert_array_equal(model(A[:, 0]), model(A[:, :1]))


def test_whole_numbers_become_the_dtype_of_the_input():
    """Bytes minus one are not 255."""
    x = layers.Input((3,))
    model = minidl.Model(x, x - 1)
    np.testing.assert_array_equal(model(np.zeros((2, 3), "uint8")), -np.ones((2, 3), "float32"))
    row = minidl.Sequential([layers.Input((3,)), layers.Activation(lambda x: x - 1)])
    np.testing.assert_array_equal(row.predict(np.zeros((2, 3), "uint8"), verbose=0), -np.ones((2, 3)))
    numbers = layers.Input((3,), dtype="int32")
    assert minidl.Model(numbers, numbers + 1)(np.zeros((2, 3), "int64")).dtype == np.int32


def test_arguments_of_a_call_are_part_of_the_graph():
    x = layers.Input((50,))
    always, never = layers.Dropout(0.5), layers.Dropout(0.5)
    model = minidl.Model(x, [always(x, training=True), never(x, training=False)])
    ones = np.ones((4, 50), "float32")
    assert (model(ones)[0].numpy() == 0).any() and (model(ones)[1].numpy() == 1).all()
    assert (model(ones, training=True)[1].numpy() == 1).all()


def test_the_batch_axis_may_be_fixed():
    x = layers.Input(batch_shape=(4, 3))
    assert layers.Dense(2)(x).shape == (4, 2)
    assert layers.Input((3,), batch_size=4).shape == (4, 3)


def test_an_output_that_does_not_follow_from_the_inputs():
    x, other = layers.Input((3,), name="used"), layers.Input((3,), name="missing")
    with pytest.raises(ValueError, match="missing.*not among the model's inputs.*used"):
        minidl.Model(x, layers.Add()([x, other]))


def test_an_array_is_no_symbolic_tensor():
    with pytest.raises(ValueError, match="symbolic"):
        minidl.Model(A, A)


def test_two_layers_of_one_name():
    x = layers.Input((3,))
    with pytest.raises(ValueError, match="names must differ.*same"):
        minidl.Model(x, layers.Dense(1, name="same")(layers.Dense(1, name="same")(x)))


@pytest.mark.parametrize(
    "given, message",
    [
        ([A], "2 inputs.*1 arrays"),
        (A, "2 inputs.*1 arrays"),
        ([A, B, B], "2 inputs.*3 arrays"),
        ({"a": A}, r"lacks the inputs \['b'\]"),
        ({"a": A, "c": B}, r"lacks the inputs \['b'\].*given were \['a', 'c'\]"),
        ([B, A], r"'a'.*\(None, 3\).*\(8, 2\)"),
    ],
)
def test_wrong_inputs_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        two_inputs()(given)


def test_a_subclass_of_model_may_be_given_a_graph():
    """A class with a training step of its own around a functional network, as the guides of Keras write it."""
    steps = []

    class Custom(minidl.Model):
        def train_step(self, data):
            steps.append(1)
            return super().train_step(data)

    x = layers.Input((3,))
    model = Custom(inputs=x, outputs=layers.Dense(1)(x), name="custom")
    assert isinstance(model, Custom) and model.name == "custom" and len(model.weights) == 2
    model.compile("sgd", "mse")
    model.fit(A, A[:, 0], batch_size=4, verbose=0)
    assert len(steps) == 2 and model.input_shape == (None, 3)


def test_a_subclass_that_builds_its_graph_in_init():
    class Net(minidl.Model):
        def __init__(self, units):
            x = layers.Input((3,))
            super().__init__(inputs=x, outputs=layers.Dense(units)(x))
            self.units = units

    first, second = Net(2), Net(5)
    assert first.output_shape == (None, 2) and second.output_shape == (None, 5)
    assert first(A).shape == (8, 2) and second.units == 5
