"""More models for the formats that hold an architecture, beside those of nets.py and of tests/parity/nets.py."""

from typing import Any

from tests.parity import nets as training_nets
from tests.saving.nets import NETS, Net


def built_late(k: Any) -> Any:
    model = training_nets.deferred(k)
    model.build((None, 3, 4))
    return model


def used_twice(k: Any) -> Any:
    """One layer at two places of a Sequential, and a functional model inside it."""
    x = k.Input((4,))
    inner = k.Model(x, k.layers.Add()([x, k.layers.Dense(4, activation="relu")(x)]), name="inner")
    same = k.layers.Dense(4, name="same")
    return k.Sequential([k.Input((4,)), same, inner, k.layers.LayerNormalization(), k.layers.Dense(2)])


def frozen_inside(k: Any) -> Any:
    """A frozen block whose weights stand in another order than those of one that trains."""
    layers = [k.layers.Dense(4), k.layers.BatchNormalization(), k.layers.Dense(4), k.layers.BatchNormalization()]
    block = k.Sequential([k.Input((4,)), *layers], name="block")
    block.trainable = False
    x = k.Input((4,))
    return k.Model(x, k.layers.Dense(3)(block(k.layers.Dense(4)(x))))


def partly_frozen(k: Any) -> Any:
    block = k.Sequential([k.Input((4,)), k.layers.Dense(4), k.layers.BatchNormalization(), k.layers.Dense(4)])
    block.layers[0].trainable = False
    return k.Sequential([k.Input((4,)), block, k.layers.Dense(2)])


def pictures(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.ZeroPadding2D(1),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.SeparableConv2D(4, 3, padding="same", activation="relu"),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
            layers.UpSampling2D(2),
            layers.Cropping2D(((1, 2), (0, 3))),
            layers.GlobalMaxPooling2D(),
            layers.PReLU(),
            layers.Dense(2),
        ]
    )


def sequences(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((8, 3)),
            layers.Conv1D(4, 3, dilation_rate=2, padding="same", kernel_constraint=k.constraints.MaxNorm(2.0)),
            layers.TimeDistributed(layers.Dense(5, activation="gelu")),
            layers.MaxPooling1D(2),
            layers.Permute((2, 1)),
            layers.GlobalAveragePooling1D(),
            layers.GaussianNoise(0.1),
            layers.Dense(2),
        ]
    )


def joined(k: Any) -> Any:
    """Merging layers, a nested list of outputs, and a layer that is called with an argument."""
    layers = k.layers
    a, b = layers.Input((4,), name="left"), layers.Input((4,), name="right")
    products = [layers.Multiply()([a, b]), layers.Maximum()([a, b]), layers.Subtract()([a, b])]
    x = layers.Concatenate(axis=-1)(products)
    y = layers.BatchNormalization()(layers.Dropout(0.3)(x, training=False))
    return k.Model([a, b], [layers.Dense(2)(y), layers.Dot(axes=1)([a, b])])


MORE: dict[str, Net] = {
    **NETS,
    **{f.__name__: f for f in (built_late, used_twice, frozen_inside, partly_frozen, pictures, sequences, joined)},
    "mlp": training_nets.mlp(3, "softmax"),
    "convolutional": training_nets.convolutional,
    "branched": training_nets.branched,
    "to_a_dictionary": training_nets.branched_to_a_dictionary,
    "from_a_dictionary": training_nets.branched_from_a_dictionary,
    "lists_of_one": training_nets.lists_of_one,
}
