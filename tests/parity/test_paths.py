"""The paths of variables: the names of the models and layers around them, as Keras gives them."""

import numpy as np
import pytest

from tests.parity.oracle import both

pytestmark = pytest.mark.oracle


def known_input(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(3), k.layers.BatchNormalization(), k.layers.Dense(2)])


def input_from_data(k):
    model = k.Sequential([k.layers.Dense(3), k.layers.Dense(2)], name="net")
    model(np.ones((2, 4), "float32"))
    return model


def grown(k):
    model = k.Sequential()
    model.add(k.Input((4,)))
    first = k.layers.Dense(3, name="first")
    first.build((None, 4))
    model.add(first)
    model.add(k.layers.Dense(2))
    return model


def functional(k):
    x = k.Input((4,))
    return k.Model(x, k.layers.Dense(2)(k.layers.LayerNormalization()(k.layers.Dense(3, name="hidden")(x))))


def nested(k):
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3)], name="inner")
    late = k.Sequential([k.layers.Dense(5), k.layers.Dense(2)], name="late")
    x = k.Input((4,))
    graph = k.Model(x, late(inner(x)))
    return k.Sequential([k.Input((4,)), graph, k.layers.Dense(1)], name="outer")


def nested_late(k):
    model = k.Sequential([k.Sequential([k.layers.Dense(3)], name="a"), k.layers.Dense(2)], name="b")
    model.build((None, 4))
    return model


def subclass(k):
    class Block(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.inner = k.layers.Dense(units)

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")

        def call(self, inputs):
            return self.inner(inputs) * self.scale

    class Net(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.block = Block(3)
            self.tail = k.Sequential([k.layers.Dense(4), k.layers.Dense(2)], name="tail")
            self.early = self.add_weight(shape=(), initializer="zeros", name="early")

        def call(self, inputs):
            return self.tail(self.block(inputs)) + self.early

    return Net(name="net")


def subclassed(k):
    model = subclass(k)
    model(np.ones((2, 4), "float32"))
    return model


def subclassed_in_a_graph(k):
    x = k.Input((4,))
    return k.Model(x, k.layers.Dense(1)(subclass(k)(x)))


def wrapped(k):
    return k.Sequential([k.Input((5, 4)), k.layers.TimeDistributed(k.layers.Dense(3)), k.layers.Flatten()])


def shared(k):
    one = k.layers.Dense(4, name="one")
    k.Sequential([k.Input((4,)), one], name="owner")
    return k.Sequential([k.Input((4,)), one, k.layers.Dense(2)], name="user")


def in_a_scope(k):
    with k.name_scope("here"):
        return k.Sequential([k.Input((4,)), k.layers.Dense(3)])


def cloned(k):
    return k.models.clone_model(known_input(k))


def alone(k):
    layer = k.layers.SeparableConv2D(3, 2)
    layer.build((None, 5, 5, 2))
    return layer


@pytest.mark.parametrize(
    "make",
    [
        known_input, input_from_data, grown, functional, nested, nested_late, subclassed, subclassed_in_a_graph,
        wrapped, shared, in_a_scope, cloned, alone,
    ],
)  # fmt: skip
def test_paths_are_those_of_keras(make):
    theirs, ours = both(lambda k: list(dict.fromkeys(w.path for w in make(k).weights)))  # Keras names some twice
    assert ours == theirs


def test_building_gives_the_paths_that_calling_gives():
    theirs, _ = both(lambda k: [w.path for w in subclassed(k).weights])
    _, ours = both(subclass)
    ours.build((None, 4))
    assert [w.path for w in ours.weights] == list(dict.fromkeys(theirs))


def test_a_layer_that_a_later_call_reaches():
    def paths(k):
        class Branch(k.Model):
            def __init__(self):
                super().__init__()
                self.one, self.other = k.layers.Dense(2), k.layers.Dense(2)

            def call(self, inputs, which="one"):
                return getattr(self, which)(inputs)

        model = Branch()
        model(np.ones((1, 3), "float32"))
        model(np.ones((1, 3), "float32"), which="other")
        return [w.path for w in model.weights]

    theirs, ours = both(paths)
    assert (
        ours
        == theirs
        == [f"branch/{name}" for name in ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")]
    )


def test_states_of_optimizers_are_named_after_the_paths():
    def names(k):
        model = known_input(k)
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        return [v.path for v in model.optimizer.variables]

    theirs, ours = both(names)
    assert ours == theirs
