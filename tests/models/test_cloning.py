"""clone_model: new weights, the same structure."""

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.models import clone_model

X = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")


def sequential():
    return minidl.Sequential([
        layers.Input((6,)), layers.Dense(5, activation="relu", name="hidden"), layers.BatchNormalization(),
        layers.Dropout(0.5), layers.Dense(2, name="out"),
    ], name="stack")  # fmt: skip


def branched():
    a, b = layers.Input((6,), name="a"), layers.Input((6,), name="b")
    shared = layers.Dense(4, activation="tanh", name="shared")
    inner = minidl.Sequential([layers.Input((4,)), layers.Dense(3, name="deep")], name="inner")
    joined = layers.Concatenate(name="joined")([inner(shared(a)), inner(shared(b))])
    return minidl.Model([a, b], {"y": layers.Dense(1, name="y")(joined)}, name="two")


@pytest.mark.parametrize("make, x", [(sequential, X), (branched, [X, X[::-1].copy()])])
def test_a_clone_has_the_structure_and_weights_of_its_own(make, x):
    model = make()
    clone = clone_model(model)
    assert clone.name == model.name and not clone.compiled
    assert [(one.name, type(one)) for one in clone.layers] == [(one.name, type(one)) for one in model.layers]
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    assert any(not np.array_equal(a, b) for a, b in zip(clone.get_weights(), model.get_weights(), strict=True))
    clone.set_weights(model.get_weights())
    found, expected = clone.predict(x, verbose=0), model.predict(x, verbose=0)
    if isinstance(expected, dict):
        found, expected = found["y"], expected["y"]
    np.testing.assert_array_equal(found, expected)


def test_training_a_clone_leaves_the_model_alone():
    model = sequential()
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    before = model.get_weights()
    clone.compile("sgd", "mse")
    clone.fit(X, np.ones((12, 2), "float32"), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(before, clone.get_weights(), strict=True))


def test_a_shared_layer_is_one_layer_in_the_clone():
    clone = clone_model(branched())
    assert len([one for one in clone.layers if one.name == "shared"]) == 1
    assert len(clone.get_layer("shared")._inbound) == 2


def test_clone_function_chooses_what_stands_in_a_layer_s_place():
    model = sequential()

    def without_dropout(layer):
        return layers.Activation("linear") if "dropout" in layer.name else layer

    clone = clone_model(model, clone_function=without_dropout)
    assert clone.get_layer("hidden") is model.get_layer("hidden")
    assert not any(isinstance(one, layers.Dropout) for one in clone.layers)


def test_recursive_reaches_the_layers_of_models_inside():
    seen = []

    def note(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    clone_model(branched(), clone_function=note)
    assert "inner" in seen and "deep" not in seen
    seen.clear()
    clone_model(branched(), clone_function=note, recursive=True)
    assert "deep" in seen and "inner" not in seen


def test_input_tensors_and_call_function():
    model, calls = branched(), []
    ends = [layers.Input((6,), name="c"), layers.Input((6,), name="d")]

    def call(layer, *args, **kwargs):
        calls.append(layer.name)
        return layer(*args, **kwargs)

    clone = clone_model(model, input_tensors=ends, call_function=call)
    assert clone.input_names == ["c", "d"] and calls.count("shared") == 2 and calls.count("y") == 1
    other = clone_model(sequential(), input_tensors=[layers.Input((6,), name="other")])
    assert other.inputs[0].name == "other"


def test_a_model_without_weights_yet_and_a_subclass():
    deferred = clone_model(minidl.Sequential([layers.Dense(3, name="first")]))
    assert not deferred.built and deferred.predict(X, verbose=0).shape == (12, 3)

    class Net(minidl.Model):
        def __init__(self, units=2, **kwargs):
            super().__init__(**kwargs)
            self.units, self.dense = units, layers.Dense(units)

        def call(self, inputs):
            return self.dense(inputs)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    clone = clone_model(Net(4))
    assert clone.units == 4 and clone.predict(X, verbose=0).shape == (12, 4)


@pytest.mark.parametrize("call, message", [
    (lambda: clone_model(layers.Dense(1)), "takes a model, not Dense"),
    (lambda: clone_model(sequential(), clone_function=lambda _: 3), "must return a layer; for .hidden. it gave int"),
    (lambda: clone_model(sequential(), call_function=print), "call_function is for functional models"),
    (lambda: clone_model(branched(), input_tensors=[layers.Input((6,))]), "has 2 inputs, 1 input_tensors were given"),
    (lambda: clone_model(branched(), input_tensors=[X, X]), "must be symbolic tensors.*not ndarray"),
])  # fmt: skip
def test_mistakes(call, message):
    with pytest.raises(ValueError, match=message):
        call()
