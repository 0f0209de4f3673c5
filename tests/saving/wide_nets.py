"""Models of many kinds, beside those of more_nets.py: each layer with weights, and each way to put them together.

None draws random numbers, so that all of them train along one line in both libraries.
"""

from functools import cache
from typing import Any

import numpy as np

from tests.saving.more_nets import MORE
from tests.saving.nets import Net


def sequence_kinds(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((12, 3)),
            layers.SeparableConv1D(4, 3, padding="same", activation="tanh", depth_multiplier=2),
            layers.DepthwiseConv1D(3, padding="same"),
            layers.ZeroPadding1D((1, 2)),
            layers.Conv1D(5, 3, strides=2, padding="causal", activation="relu"),
            layers.Conv1DTranspose(4, 3, strides=2),
            layers.Cropping1D(1),
            layers.UpSampling1D(2),
            layers.AveragePooling1D(2),
            layers.GlobalMaxPooling1D(),
            layers.Dense(2),
        ]
    )


def groups_of_channels(k: Any) -> Any:
    layers = k.layers
    stack = [layers.Conv2D(8, 3, groups=2, padding="same"), layers.GroupNormalization(4), layers.Activation("relu")]
    stack += [layers.Conv2D(4, 3, dilation_rate=2), layers.GroupNormalization(-1), layers.GlobalAveragePooling2D()]
    return k.Sequential([layers.Input((8, 8, 4)), *stack, layers.Dense(3)])


def norms(k: Any) -> Any:
    layers = k.layers
    stack = [layers.LayerNormalization(), layers.Dense(6), layers.RMSNormalization(), layers.Dense(6)]
    stack += [layers.UnitNormalization(), layers.LayerNormalization(scale=False, center=True, epsilon=1e-2)]
    return k.Sequential([layers.Input((5,)), *stack, layers.Dense(2)])


def activations(k: Any) -> Any:
    layers = k.layers
    names = ("elu", "selu", "softplus", "softsign", "tanh", "sigmoid", "silu", "gelu", "linear", "hard_sigmoid")
    stack = [layers.Dense(5, activation=name) for name in names]
    return k.Sequential([layers.Input((5,)), *stack, layers.ELU(0.7), layers.LeakyReLU(0.2), layers.Softmax()])


def words(k: Any) -> Any:
    layers = k.layers
    stack = [layers.Embedding(7, 5), layers.Conv1D(4, 2, activation="relu"), layers.GlobalMaxPooling1D()]
    return k.Sequential([layers.Input((6,), dtype="int32"), *stack, layers.Dense(2)])


def words_of_two(k: Any) -> Any:
    """One table for two inputs."""
    layers = k.layers
    a, b = (layers.Input((4,), dtype="int32", name=name) for name in ("question", "answer"))
    table = layers.Embedding(7, 3, name="table")
    both = [layers.Flatten()(table(one)) for one in (a, b)]
    return k.Model([a, b], layers.Dense(1)(layers.Concatenate()(both)))


def sums_of_products(k: Any) -> Any:
    layers = k.layers
    stack = [layers.EinsumDense("abc,cd->abd", (4, 5), bias_axes="d"), layers.Activation("tanh")]
    stack += [layers.EinsumDense("abc,bcd->ad", (3,))]
    return k.Sequential([layers.Input((4, 3)), *stack])


def residual(k: Any) -> Any:
    layers = k.layers
    x = inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    for strides in (1, 2):
        y = layers.Conv2D(4, 3, strides=strides, padding="same", use_bias=False)(x)
        y = layers.Activation("relu")(layers.BatchNormalization()(y))
        y = layers.Conv2D(4, 3, padding="same")(y)
        x = layers.Conv2D(4, 1, strides=strides)(x) if strides > 1 else x
        x = layers.Activation("relu")(layers.Add()([x, y]))
    return k.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


def inception(k: Any) -> Any:
    layers = k.layers
    inputs = layers.Input((8, 8, 3))
    towers = [layers.Conv2D(2, size, padding="same", activation="relu")(inputs) for size in (1, 3, 5)]
    towers.append(layers.Conv2D(2, 1)(layers.MaxPooling2D(3, 1, padding="same")(inputs)))
    return k.Model(inputs, layers.Dense(2)(layers.Flatten()(layers.Concatenate()(towers))))


def u_net(k: Any) -> Any:
    layers = k.layers
    inputs = layers.Input((8, 8, 2))
    first = layers.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    low = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.MaxPooling2D()(first))
    up = layers.Conv2DTranspose(3, 2, strides=2)(low)
    joined = layers.Concatenate()([first, up])
    return k.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(joined))


def autoencoder(k: Any) -> Any:
    """Two models, the second called on the output of the first."""
    layers = k.layers
    encoder = k.Sequential([layers.Input((8,)), layers.Dense(5, activation="relu"), layers.Dense(2)], name="encoder")
    decoder = k.Sequential([layers.Input((2,)), layers.Dense(5, activation="relu"), layers.Dense(8)], name="decoder")
    x = layers.Input((8,))
    return k.Model(x, decoder(encoder(x)), name="autoencoder")


def siamese(k: Any) -> Any:
    """One model for two inputs, and the difference of what it makes of them."""
    layers = k.layers
    tower = k.Sequential([layers.Input((5,)), layers.Dense(4, activation="tanh"), layers.Dense(3)], name="tower")
    a, b = layers.Input((5,), name="a"), layers.Input((5,), name="b")
    return k.Model([a, b], layers.Dense(1, activation="sigmoid")(layers.Subtract()([tower(a), tower(b)])))


def sequentials_in_sequentials(k: Any) -> Any:
    layers = k.layers
    inner = k.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(3)], name="inner")
    middle = k.Sequential([inner, layers.Dense(4)], name="middle")
    return k.Sequential([layers.Input((5,)), middle, layers.Dense(2), k.Sequential([layers.Dense(2)])])


def applied_again_and_again(k: Any) -> Any:
    """A layer that is its own successor, three times."""
    layers = k.layers
    step = layers.Dense(4, activation="tanh", name="step")
    x = inputs = layers.Input((4,))
    for _ in range(3):
        x = step(x)
    return k.Model(inputs, [layers.Dense(1)(x), x])


def models_in_dictionaries(k: Any) -> Any:
    layers = k.layers
    given = {"left": layers.Input((3,), name="left"), "right": layers.Input((3,), name="right")}
    sums = {"sum": layers.Add()([given["left"], given["right"]]), "rest": layers.Dense(2)(given["right"])}
    inner = k.Model(given, sums, name="pair")
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    found = inner({"left": a, "right": b})
    return k.Model({"a": a, "b": b}, {"out": layers.Dense(1)(found["sum"]), "more": found["rest"]})


def held_within_bounds(k: Any) -> Any:
    layers, c, r = k.layers, k.constraints, k.regularizers
    return k.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, kernel_constraint=c.MaxNorm(1.0), kernel_regularizer=r.L1(0.01), activation="relu"),
            layers.Dense(5, kernel_constraint=c.UnitNorm(axis=0), bias_regularizer=r.L2(0.01)),
            layers.Dense(4, kernel_constraint="non_neg", activity_regularizer=r.L1L2(0.01, 0.01)),
            layers.Dense(2, kernel_constraint=c.MinMaxNorm(0.5, 1.5, rate=0.8), kernel_initializer="orthogonal"),
        ]
    )


def slopes_that_are_learned(k: Any) -> Any:
    layers = k.layers
    stack = [layers.Conv2D(3, 3), layers.PReLU(shared_axes=[1, 2]), layers.DepthwiseConv2D(3, strides=2)]
    return k.Sequential([layers.Input((8, 8, 2)), *stack, layers.PReLU("ones"), layers.Flatten(), layers.Dense(2)])


def along_the_steps(k: Any) -> Any:
    """Models and layers that are applied to each of several steps."""
    layers = k.layers
    each = k.Sequential([layers.Input((4,)), layers.Dense(3, activation="relu")], name="each")
    stack = [layers.TimeDistributed(each), layers.TimeDistributed(layers.Dense(2)), layers.Permute((2, 1))]
    return k.Sequential([layers.Input((5, 4)), *stack, layers.Flatten(), layers.Dense(2)])


def scaled_before(k: Any) -> Any:
    layers = k.layers
    stack = [layers.Rescaling(0.5, offset=-0.1), layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 0.5])]
    return k.Sequential([layers.Input((3,)), *stack, layers.Dense(4, activation="relu"), layers.Dense(1)])


def all_merges(k: Any) -> Any:
    layers = k.layers
    a, b = layers.Input((3, 4)), layers.Input((3, 4))
    pairs = [kind()([a, b]) for kind in (layers.Average, layers.Minimum, layers.Maximum, layers.Multiply)]
    joined = layers.Concatenate(axis=1)(pairs)
    product = layers.Dot(axes=2, normalize=True)([joined, a])
    return k.Model([a, b], layers.Dense(2)(layers.Flatten()(product)))


def repeated(k: Any) -> Any:
    layers = k.layers
    stack = [layers.Dense(3), layers.RepeatVector(4), layers.Conv1D(3, 2, padding="same"), layers.Reshape((2, 6))]
    return k.Sequential([layers.Input((5,)), *stack, layers.GlobalAveragePooling1D(), layers.Dense(2)])


def statistics_only(k: Any) -> Any:
    """Weights that do not train, and one that is frozen."""
    layers = k.layers
    plain = layers.BatchNormalization(center=False, scale=False)
    frozen = layers.Dense(4, trainable=False)
    return k.Sequential([layers.Input((4,)), plain, frozen, layers.BatchNormalization(axis=-1), layers.Dense(2)])


def tall(k: Any) -> Any:
    """More than ten layers of a kind: their order is not that of their names as texts."""
    layers = k.layers
    stack = [layers.Dense(4, activation="tanh") for _ in range(13)]
    return k.Sequential([layers.Input((4,)), *stack, layers.Dense(2)])


@cache
def classes(k: Any) -> dict[str, Any]:
    """A layer, a function and models of one's own, registered with a library."""
    register = k.saving.register_keras_serializable

    @register("tests")
    class Scale(k.layers.Layer):
        def __init__(self, start=1.0, **kwargs):
            super().__init__(**kwargs)
            self.start = start

        def build(self, input_shape):
            self.factor = self.add_weight(
                shape=(input_shape[-1],), initializer=k.initializers.Constant(self.start), name="factor"
            )
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

        def call(self, x):
            return x * self.factor

        def get_config(self):
            return {**super().get_config(), "start": self.start}

    @register("tests")
    def squash(x):
        return x / (1 + x * x)

    @register("tests")
    class Block(k.layers.Layer):
        """A layer that holds layers."""

        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.wide, self.narrow = k.layers.Dense(2 * units, activation="relu"), k.layers.Dense(units)

        def build(self, input_shape):
            self.wide.build(input_shape)
            self.narrow.build((*input_shape[:-1], 2 * self.units))

        def call(self, x):
            return x + self.narrow(self.wide(x))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    @register("tests")
    class Net(k.Model):
        def __init__(self, units=4, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.first = k.layers.Dense(units, activation="tanh")
            self.blocks = [Block(units), Block(units)]
            self.norm, self.last = k.layers.LayerNormalization(), k.layers.Dense(2)

        def call(self, inputs):
            x = self.first(inputs)
            for block in self.blocks:
                x = block(x)
            return self.last(self.norm(x))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return {"Scale": Scale, "squash": squash, "Block": Block, "Net": Net}


def own_layers(k: Any) -> Any:
    own, layers = classes(k), k.layers
    return k.Sequential(
        [layers.Input((4,)), own["Scale"](0.5), layers.Dense(4, activation=own["squash"]), own["Scale"](2.0)]
    )


def own_layers_of_layers(k: Any) -> Any:
    own, layers = classes(k), k.layers
    x = layers.Input((4,))
    return k.Model(x, layers.Dense(2)(own["Block"](4)(own["Block"](4)(x))))


def own_model(k: Any) -> Any:
    model = classes(k)["Net"]()
    model(np.zeros((1, 3), "float32"))
    return model


WIDE: dict[str, Net] = {
    **MORE,
    **{
        f.__name__: f
        for f in (
            sequence_kinds, groups_of_channels, norms, activations, words, words_of_two, sums_of_products, residual,
            inception, u_net, autoencoder, siamese, sequentials_in_sequentials, applied_again_and_again,
            models_in_dictionaries, held_within_bounds, slopes_that_are_learned, along_the_steps, scaled_before,
            all_merges, repeated, statistics_only, tall, own_layers, own_layers_of_layers, own_model,
        )
    },
}  # fmt: skip
WORDS = ("words", "words_of_two")  # inputs are whole numbers from 0 to 6
SUBCLASSED = ("own_model",)  # no graph, so neither .h5 nor text
DRAWS = ("dense", "branches", "deep", "sequences", "joined")  # random numbers in training, which are others in Keras
