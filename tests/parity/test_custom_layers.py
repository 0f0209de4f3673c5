"""Layers that users write: the same class over Keras' Layer and over ours, and what can be seen of it from outside.

A scenario takes the library and gives something to compare: numbers, names, shapes, or the kind of an error.
"""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import close, generator, libraries

pytestmark = pytest.mark.oracle
X = generator("X").normal(size=(4, 3)).astype("float32")
Y = generator("Y").normal(size=(4, 2)).astype("float32")


def shapes(layer):
    return [tuple(w.shape) for w in layer.weights]


def names(layer):
    return [w.name for w in layer.weights]


def ones(k, units):
    return k.layers.Dense(units, kernel_initializer="ones")


def layers_in_containers(k):
    class Holder(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.first = k.layers.Dense(2)
            self.rows = [k.layers.Dense(3), (k.layers.Dense(4), {"deep": k.layers.Dense(5)})]
            self.named = {"b": k.layers.Dense(6), "a": [k.layers.Dense(7)]}
            self.later = []
            self.later.append(k.layers.Dense(8))

        def call(self, x):
            inner = [self.first, self.rows[0], self.rows[1][0], self.rows[1][1]["deep"]]
            for layer in [*inner, self.named["b"], self.named["a"][0], self.later[0]]:
                x = layer(x)
            return x

    layer = Holder()
    y = layer(X)
    return tuple(y.shape), shapes(layer), len(layer.trainable_weights), layer.count_params()


def variables_in_containers(k):
    class Holder(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.scale = k.Variable(2.0, name="scale")
            self.more = [
                k.Variable([1.0, 2.0, 3.0], name="shift"),
                {"x": k.Variable(0.5, trainable=False, name="fixed")},
            ]

        def call(self, x):
            return x * self.scale + self.more[0] + self.more[1]["x"]

    layer = Holder()
    return np.asarray(layer(X)), names(layer), [w.name for w in layer.non_trainable_weights]


def weights_of_all_kinds(k):
    class Many(k.layers.Layer):
        def build(self, input_shape):
            self.a = self.add_weight()
            self.b = self.add_weight((2,), "zeros")
            self.c = self.add_weight(shape=(input_shape[-1], 2), initializer="ones", name="kernel", regularizer="l2")
            self.d = self.add_weight(name="count", shape=(), dtype="int32", trainable=False)
            self.e = self.add_weight(
                shape=[2, 2], initializer=k.initializers.Constant(3.0), constraint=lambda w: w * 0.5
            )
            self.f = self.add_weight(shape=(1,), initializer=lambda shape, dtype=None: k.ops.ones(shape, dtype) * 7.0)
            self.g = self.add_weight(shape=3, initializer="ones") if k is minidl else self.add_weight((3,), "ones")
            self.h = self.add_weight(shape=(2,), initializer="ones", autocast=False, aggregation="mean")

        def call(self, x):
            return k.ops.matmul(x, self.c) + self.b

    layer = Many()
    y = layer(X)
    known = [np.asarray(w) for w in layer.weights[1:]]
    described = [(tuple(w.shape), str(np.asarray(w).dtype), w.trainable) for w in layer.weights]
    return np.asarray(y), known, described, [float(one) for one in layer.losses], layer.c.name, layer.d.name


def errors_of_add_weight(k):
    found = []
    layer = k.layers.Layer()
    for call in (
        lambda: layer.add_weight("kernel"),
        lambda: layer.add_weight(shape=(2, None)),
        lambda: layer.add_weight(shape=(2,), initializer="no such"),
        lambda: layer.add_weight(shape=(2,), shap=(2,)),
    ):
        try:
            call()
            found.append(None)
        except Exception as error:
            found.append(type(error).__name__)
    return found


def losses_of_a_call(k):
    class Penalized(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = k.layers.Dense(2, kernel_initializer="ones", kernel_regularizer="l2")

        def call(self, x):
            y = self.inner(x)
            self.add_loss(k.ops.sum(y))
            self.add_loss([k.ops.mean(y), k.ops.max(x)])
            return y

    class Outer(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.one = Penalized()

        def call(self, x):
            return self.one(x)

    layer = Outer()
    layer(X), layer(2 * X)
    before = [float(one) for one in layer.losses]
    layer.trainable = False
    return before, len(layer.losses), [float(one) for one in layer.one.losses]


def wrong_losses(k):
    class Wrong(k.layers.Layer):
        def call(self, x):
            self.add_loss("text")
            return x

    try:
        Wrong()(X)
    except Exception as error:
        return type(error).__name__


def metrics_of_a_layer(k):
    class Counting(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = k.metrics.Mean(name="seen")
            self.inner = {"deep": [k.layers.Dense(1)]}

        def call(self, x):
            self.seen.update_state(k.ops.mean(x))
            return x

    class Outer(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.counting = Counting()
            self.own = k.metrics.Sum(name="own") if hasattr(k.metrics, "Sum") else k.metrics.Mean(name="own")

        def call(self, x):
            return self.counting(x)

    layer = Outer()
    layer(X)
    return [m.name for m in layer.metrics], float(layer.metrics[1].result())


def training_in_all_ways(k):
    class Phase(k.layers.Layer):
        def call(self, x, training=None):
            return x * (2.0 if training else 1.0)

    class On(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = Phase()

        def call(self, x, training=True):
            return self.inner(x) + (10.0 if training else 0.0)

    class Deaf(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Phase()

        def call(self, x):
            return self.inner(x)

    one = np.ones((1, 1), "float32")
    made = [Phase(), On(), Deaf()]
    calls = [{}, {"training": True}, {"training": False}, {"training": None}]
    return [float(np.asarray(layer(one, **call))[0, 0]) for layer in made for call in calls]


def keyword_arguments(k):
    class Options(k.layers.Layer):
        def call(self, x, factor=1.0, shift=None, *, negate=False, training=False, **more):
            y = x * factor if shift is None else x * factor + shift
            return (-y if negate else y) + float(len(more))

    layer = Options()
    results = [
        layer(X), layer(X, factor=2.0), layer(X, shift=X), layer(X, negate=True), layer(X, shift=k.ops.ones((4, 3))),
        layer(X, factor=3.0, shift=X, negate=True, training=True),
    ]  # fmt: skip
    return [np.asarray(one) for one in results]


def unknown_keyword_arguments(k):
    found = []
    for make in (lambda: k.layers.Dense(2)(X, factor=2), lambda: k.layers.Dense(2)()):
        try:
            make()
        except Exception as error:
            found.append(isinstance(error, (TypeError, ValueError)))
    return found


def several_tensors(k):
    class Both(k.layers.Layer):
        def build(self, a_shape, b_shape):
            self.seen = (tuple(a_shape)[1:], tuple(b_shape)[1:])
            self.scale = self.add_weight(shape=(b_shape[-1],), initializer="ones")

        def call(self, a, b, factor=2.0):
            return k.ops.concatenate([a, b * self.scale * factor], axis=-1)

        def compute_output_shape(self, a_shape, b_shape):
            return (a_shape[0], a_shape[-1] + b_shape[-1])

    layer = Both()
    y = layer(X, Y)
    symbolic = Both()(k.Input((3,)), k.Input((2,)))
    by_name = Both()
    z = by_name(a=X, b=Y, factor=1.0)
    return np.asarray(y), layer.seen, tuple(symbolic.shape), np.asarray(z), by_name.seen, layer.count_params()


def several_tensors_and_one_shape(k):
    class First(k.layers.Layer):
        def build(self, shape):
            self.seen = tuple(shape)[1:]

        def call(self, a, b=None):
            return a if b is None else a + k.ops.sum(b)

    layer = First()
    return np.asarray(layer(X, b=Y)), layer.seen


def structures_of_shapes(k):
    class Lists(k.layers.Layer):
        def build(self, input_shape):
            self.seen = [tuple(shape)[1:] for shape in input_shape]

        def call(self, inputs):
            return [inputs[0] * 2.0, inputs[1]]

    class Dicts(k.layers.Layer):
        def build(self, input_shape):
            self.seen = {key: tuple(shape)[1:] for key, shape in input_shape.items()}

        def call(self, inputs):
            return {"out": inputs["a"] + 1.0, "more": (inputs["b"],)}

    lists, dicts = Lists(), Dicts()
    first = lists([X, Y])
    second = dicts({"a": X, "b": Y})
    symbolic = Dicts()({"a": k.Input((3,)), "b": k.Input((2,))})
    return (
        [np.asarray(one) for one in first], lists.seen, np.asarray(second["out"]), np.asarray(second["more"][0]),
        dicts.seen, sorted(symbolic), tuple(symbolic["out"].shape),
    )  # fmt: skip


def weights_made_in_init(k):
    class Early(k.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.kernel = self.add_weight(shape=(3, units), initializer="ones")

        def call(self, x):
            return x @ self.kernel

    layer = Early(2)
    return layer.count_params() if layer.built else len(layer.weights), np.asarray(layer(X)), shapes(layer)


def freezing(k):
    class Holder(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.rows = [k.layers.Dense(2), k.layers.BatchNormalization()]

        def call(self, x):
            return self.rows[1](self.rows[0](x))

    def counts(layer):
        return len(layer.weights), len(layer.trainable_weights), len(layer.non_trainable_weights)

    layer = Holder()
    layer(X)
    found = [counts(layer)]
    layer.trainable = False
    found += [counts(layer), layer.rows[0].trainable, [w.trainable for w in layer.weights]]
    layer.rows[0].trainable = True
    found += [counts(layer), counts(layer.rows[0])]
    layer.trainable = True
    found += [counts(layer), [w.trainable for w in layer.weights]]
    late = Holder(trainable=False)
    late(X)
    return [*found, counts(late)]


def attributes_of_a_layer(k):
    layer = k.layers.Dense(2, name="named", dtype="float64")
    given = k.Input((3,), name="given")
    out = layer(given)
    return (
        layer.name, layer.dtype, layer.compute_dtype, layer.variable_dtype, layer.trainable, layer.built,
        layer.input is given, layer.output is out, tuple(layer.output.shape), str(layer.output.dtype), repr(layer),
        k.layers.Layer().supports_masking, layer.compute_mask(X, None),
    )  # fmt: skip


def names_are_unique(k):
    class MyLayer(k.layers.Layer):
        def call(self, x):
            return x

    class HTTPThing2D(MyLayer):
        pass

    return [MyLayer().name, MyLayer().name, MyLayer(name="own").name, MyLayer().name, HTTPThing2D().name]


def gradients_on_the_way(k):
    class Scaled(k.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            return k.ops.tanh(k.ops.multiply(x, self.w))

    layer = Scaled()
    layer(X)
    if k is minidl:
        with minidl.GradientTape() as tape:
            loss = minidl.ops.sum(layer(X) ** 2)
        return np.asarray(tape.gradient(loss, layer.trainable_variables)[0])
    import jax

    def loss(values):
        return k.ops.sum(k.ops.square(layer.stateless_call(values, [], X)[0]))

    return np.asarray(jax.grad(loss)([v.value for v in layer.trainable_variables])[0])


def specifications(k):
    class Specified(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.input_spec = k.layers.InputSpec(ndim=2, axes={-1: 3})

        def call(self, x):
            return x

    found = [tuple(Specified()(X).shape)]
    for wrong in (Y, X[None], X[0]):
        try:
            Specified()(wrong)
        except ValueError:
            found.append("ValueError")
    return found


def automatic_configuration(k):
    class Power(k.layers.Layer):
        def __init__(self, exponent, scale=1.0, axes=(1, 2), **kwargs):
            super().__init__(**kwargs)
            self.exponent, self.scale = exponent, scale

        def call(self, x):
            return x**self.exponent * self.scale

    class Bare(k.layers.Layer):
        def __init__(self, units=3):
            super().__init__()

    class Holding(k.layers.Layer):
        def __init__(self, inner):
            super().__init__()

    config = Power(3, scale=0.5, name="cubed").get_config()
    again = Power.from_config(config)
    found = [config["exponent"], config["scale"], list(config["axes"]), config["name"], np.asarray(again(X))]
    bare = Bare(4).get_config()
    found.append(bare["units"])
    try:
        Holding(np.ones(3)).get_config()
    except NotImplementedError as error:
        found += ["get_config" in str(error), "Holding" in str(error)]
    return found


def dtypes(k):
    class Half(k.layers.Layer):
        def call(self, x):
            return x * 0.5

    layer = Half(dtype="float64")
    return layer.dtype, tuple(layer(X).shape), Half().compute_dtype


SCENARIOS = [
    layers_in_containers, variables_in_containers, weights_of_all_kinds, errors_of_add_weight, losses_of_a_call,
    wrong_losses,
    metrics_of_a_layer, training_in_all_ways, keyword_arguments, unknown_keyword_arguments, several_tensors,
    several_tensors_and_one_shape, structures_of_shapes, weights_made_in_init, freezing,
    attributes_of_a_layer, names_are_unique, gradients_on_the_way, specifications, automatic_configuration, dtypes,
]  # fmt: skip


def same(ours, theirs):
    if isinstance(theirs, np.ndarray):
        close(ours, theirs, "value")
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6)
    elif isinstance(theirs, (list, tuple)):
        assert isinstance(ours, (list, tuple)) and len(ours) == len(theirs), (ours, theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    else:
        assert ours == theirs


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario(scenario):
    keras, ours = libraries()
    theirs = scenario(keras)
    libraries()
    same(scenario(ours), theirs)
