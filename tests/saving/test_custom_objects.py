"""Classes and functions of the user: registered, passed by name, or missing; and what a configuration must hold."""

import numpy as np
import pytest

import minidl
from minidl import layers, ops, saving


class Scale(layers.Layer):
    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.factor = self.add_weight((input_shape[-1],), minidl.initializers.Constant(self.start), name="factor")

    def call(self, inputs):
        return ops.multiply(inputs, self.factor)

    def get_config(self):
        return {**super().get_config(), "start": self.start}


@saving.register_keras_serializable(package="course")
class Shift(layers.Layer):
    def call(self, inputs):
        return inputs + 1.0


@saving.register_keras_serializable(package="course", name="bent")
def bend(x):
    return ops.square(x) * 0.5


def wave(x):
    return ops.multiply(x, 0.25)


class Net(minidl.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden, self.drop, self.last = layers.Dense(units), layers.Dropout(0.5), layers.Dense(1)

    def call(self, x, training=None):
        return self.last(self.drop(self.hidden(x), training=training))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def same(model, opened):
    np.testing.assert_array_equal(model.predict(X, verbose=0), opened.predict(X, verbose=0))


def test_registered(tmp_path):
    model = minidl.Sequential([minidl.Input((4,)), Shift(), layers.Dense(2, activation=bend)])
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")
    assert type(opened.layers[0]) is Shift and opened.layers[1].activation is bend
    same(model, opened)


@pytest.mark.parametrize("functional", [False, True])
def test_passed_by_name(tmp_path, functional):
    stack = [Scale(2.0), layers.Dense(2, activation=wave), layers.Activation(wave)]
    if functional:
        x = y = minidl.Input((4,))
        for layer in stack:
            y = layer(y)
        model = minidl.Model(x, y)
    else:
        model = minidl.Sequential([minidl.Input((4,)), *stack])
    model.save(tmp_path / "m.keras")
    with pytest.raises(saving.FormatError, match=r"unknown class 'Scale'.*custom_objects=\{'Scale': Scale\}"):
        saving.load_model(tmp_path / "m.keras")
    with pytest.raises(saving.FormatError, match=r"unknown function 'wave'.*custom_objects=\{'wave': function\}"):
        saving.load_model(tmp_path / "m.keras", custom_objects={"Scale": Scale})
    same(model, saving.load_model(tmp_path / "m.keras", custom_objects={"Scale": Scale, "wave": wave}))
    with saving.custom_object_scope({"Scale": Scale, "wave": wave}):
        same(model, saving.load_model(tmp_path / "m.keras"))


def test_a_subclassed_model_goes_on_training(tmp_path):
    model = Net(5)
    model.compile("adam", "mse", metrics=["mae"])
    y = X[:, :1]
    model.fit(X, y, batch_size=4, verbose=0)
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras", custom_objects={"Net": Net})
    assert opened.units == 5 and opened.name == model.name
    same(model, opened)
    histories = []
    for one in (model, opened):
        minidl.utils.set_random_seed(3)
        histories.append(one.fit(X, y, batch_size=4, epochs=2, verbose=0).history)
    assert histories[0] == histories[1]


def test_a_subclassed_model_of_several_inputs(tmp_path):
    class Two(minidl.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(2)

        def call(self, inputs):
            return self.dense(ops.concatenate([inputs["a"], inputs["b"]], axis=-1))

    model, data = Two(), {"a": X, "b": X[:, :2]}
    model(data)
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras", custom_objects={"Two": Two})
    np.testing.assert_array_equal(model.predict(data, verbose=0), opened.predict(data, verbose=0))


def test_a_loss_and_a_metric_of_the_user(tmp_path):
    def distance(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)

    model = minidl.Sequential([minidl.Input((4,)), layers.Dense(1)])
    model.compile("sgd", distance, metrics=[distance])
    wanted = model.evaluate(X, X[:, :1], verbose=0)
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras", custom_objects={"distance": distance})
    assert opened.evaluate(X, X[:, :1], verbose=0) == wanted
    assert not saving.load_model(tmp_path / "m.keras", compile=False).compiled


def test_lambdas(tmp_path):
    model = minidl.Sequential([minidl.Input((4,)), layers.Dense(1, activation=lambda x: x)])
    with pytest.raises(ValueError, match="a lambda cannot be saved: write it as a function with a name"):
        model.save(tmp_path / "m.keras")
    model = minidl.Sequential([minidl.Input((4,)), layers.Dense(1)])
    model.compile("sgd", lambda y_true, y_pred: ops.mean(ops.square(y_true - y_pred), axis=-1))
    with pytest.warns(UserWarning, match="compile.. was given will not be saved: a lambda"):
        model.save(tmp_path / "m.keras")
    assert not saving.load_model(tmp_path / "m.keras").compiled


class Forgetful(layers.Layer):
    def __init__(self, units, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate

    def call(self, inputs):
        return inputs


class Closed(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def call(self, inputs):
        return inputs

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Odd(layers.Layer):
    def call(self, inputs):
        return inputs

    def get_config(self):
        return {**super().get_config(), "thing": object()}


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (lambda: Forgetful(layers.Dense(3)), r"Forgetful cannot be saved: its get_config\(\) leaves out units, rate"),
        (lambda: Closed(3), r"Closed cannot be saved: its __init__ does not take name, trainable, dtype"),
        (Odd, "cannot serialise <object"),
    ],
)
def test_configurations_that_could_not_be_opened_are_refused_when_written(tmp_path, layer, said):
    model = minidl.Sequential([minidl.Input((4,)), layer()])
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=said):
        model.save(tmp_path / "m.keras")
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_a_compile_of_its_own(tmp_path):
    class Own(Net):
        def compile(self, strength, **kwargs):
            super().compile(**kwargs)
            self.strength = strength

    model = Own()
    model.compile(2.0, optimizer="sgd", loss="mse")
    model.train_on_batch(X, X[:, :1])
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="a compile.. of its own"):
        opened = saving.load_model(tmp_path / "m.keras", custom_objects={"Own": Own})
    assert not opened.compiled
    same(model, opened)


def test_objects_as_configurations():
    dense = saving.serialize_keras_object(layers.Dense(3, name="d", kernel_regularizer="l1"))
    assert dense["module"] == "keras.layers" and dense["class_name"] == "Dense" and dense["registered_name"] is None
    assert dense["config"]["kernel_regularizer"]["config"] == {"l1": 0.01}
    assert saving.deserialize_keras_object(dense).get_config() == dense["config"]
    shift = saving.serialize_keras_object(Shift())
    assert shift["registered_name"] == "course>Shift" == saving.get_registered_name(Shift)
    assert saving.get_registered_object("course>Shift") is Shift
    assert saving.serialize_keras_object({"a": [bend, "x", None, np.float32(1)]}) == {
        "a": [
            {"module": "builtins", "class_name": "function", "config": "course>bent", "registered_name": "course>bent"},
            "x",
            None,
            1.0,
        ]
    }


def test_values_that_keras_writes_as_objects():
    made = saving.deserialize_keras_object(
        {
            "array": {"class_name": "__numpy__", "config": {"value": [[1, 2]], "dtype": "int16"}},
            "tensor": {"class_name": "__tensor__", "config": {"value": [0.5], "dtype": "float32"}},
            "bytes": {"class_name": "__bytes__", "config": {"value": "ab"}},
            "slice": {"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": 2}},
            "rest": {"class_name": "__ellipsis__", "config": {}},
            "plain": {"class_name": "cat"},
        }
    )
    assert made.pop("array").tolist() == [[1, 2]] and made.pop("tensor").dtype == np.float32
    assert made == {"bytes": b"ab", "slice": slice(1, None, 2), "rest": ..., "plain": {"class_name": "cat"}}
    constant = {"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "float32"}}
    config = {"module": "keras.initializers", "class_name": "Constant", "config": {"value": constant}}
    assert saving.deserialize_keras_object(config)((2,)).tolist() == [1.0, 2.0]


def counting_model():
    """A new class each time: what a graph made of one does not help to open the next."""

    class Counting(minidl.Model):
        def train_step(self, data):
            self.steps = getattr(self, "steps", 0) + 1
            return super().train_step(data)

    return Counting


def test_a_subclass_made_of_a_graph(tmp_path):
    x = minidl.Input((4,))
    model = counting_model()(x, layers.Dense(1)(layers.Dense(3)(x)), name="counted")
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / "m.keras")
    kind = counting_model()
    opened = saving.load_model(tmp_path / "m.keras", custom_objects={"Counting": kind})
    assert (
        type(opened) is kind
        and opened.name == "counted"
        and [type(one) for one in opened.layers[1:]] == [layers.Dense] * 2
    )
    same(model, opened)
    opened.fit(X, X[:, :1], verbose=0)
    assert opened.steps == 1 and int(opened.optimizer.iterations) == 2


def test_a_subclass_that_makes_its_graph_itself(tmp_path):
    class Tower(minidl.Model):
        def __init__(self, floors, **kwargs):
            x = y = minidl.Input((4,))
            for _ in range(floors):
                y = layers.Dense(4, activation="tanh")(y)
            super().__init__(inputs=x, outputs=y, **kwargs)
            self.floors = floors

        def get_config(self):
            return {"floors": self.floors, "name": self.name}

    model = Tower(3)
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras", custom_objects={"Tower": Tower})
    assert opened.floors == 3 and len(opened.layers) == 4
    same(model, opened)
