"""Models that the tests of saving share, each as a function of the library, and data that fit them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.parity.oracle import generator

Net = Callable[[Any], Any]


def dense(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((5,)),
            k.layers.Dense(6, activation="relu", kernel_regularizer="l2"),
            k.layers.Dropout(0.25, seed=7),
            k.layers.Dense(4, activation="tanh", use_bias=False, kernel_initializer="he_normal"),
            k.layers.Dense(3, activation="softmax", activity_regularizer="l1"),
        ]
    )


def conv(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((9, 8, 3)),
            k.layers.Conv2D(4, 3, padding="same", activation="relu"),
            k.layers.BatchNormalization(momentum=0.8, name="statistics"),
            k.layers.MaxPooling2D(),
            k.layers.Conv2D(5, (2, 3), strides=(2, 1), use_bias=False),
            k.layers.BatchNormalization(scale=False, epsilon=1e-2),
            k.layers.LeakyReLU(0.1),
            k.layers.AveragePooling2D(2, 1, padding="same"),
            k.layers.Flatten(),
            k.layers.Reshape((-1, 2)),
            k.layers.Flatten(),
            k.layers.Dense(3),
            k.layers.Softmax(),
        ]
    )


def branches(k: Any) -> Any:
    """Two inputs, three outputs, a layer used twice, a list of inputs in another order than that of their making."""
    b, a = k.Input((6,), name="b"), k.Input((4,), name="a")
    shared = k.layers.Dense(3, name="shared")
    x = shared(a)
    y = k.layers.ReLU(max_value=2.0)(k.layers.Dense(3)(b))
    z = k.layers.Add()([x, y])
    joined = k.layers.Concatenate()([z, x, b])
    again = shared(k.layers.Dense(4, activation="tanh")(joined))
    one = k.layers.Dense(1, name="one", activation="sigmoid")(joined)
    two = k.layers.Dense(2, name="two")(k.layers.Dropout(0.5)(again))
    return k.Model(inputs=[a, b], outputs=[one, two, again])


def nested(k: Any) -> Any:
    """A Sequential in a functional model in a functional model, called twice; a model is an output; pictures."""
    inside = k.Input((8, 8, 4))
    block = k.Sequential([k.layers.Conv2D(4, 3, padding="same"), k.layers.BatchNormalization()], name="block")
    residual = k.Model(inside, k.layers.Activation("relu")(k.layers.Add()([inside, block(inside)])), name="residual")
    vector = k.Input((4,))
    head = k.Model(vector, [k.layers.Dense(2)(vector), k.layers.Dense(3)(vector)], name="head")
    x = k.Input((8, 8, 3))
    y = k.layers.Conv2D(4, 1)(x)
    y = residual(residual(y))
    return k.Model(x, head(k.layers.GlobalAveragePooling2D()(y)), name="whole")


def dictionaries(k: Any) -> Any:
    left, right = k.Input((3,), name="left"), k.Input((2,), name="right")
    joined = k.layers.concatenate([left, right])
    outputs = {"sum": k.layers.Dense(1)(joined), "kind": k.layers.Dense(3, activation="softmax")(joined)}
    return k.Model({"left": left, "right": right}, outputs)


def frozen(k: Any) -> Any:
    model = k.Sequential([k.Input((5,)), k.layers.Dense(4), k.layers.BatchNormalization(), k.layers.Dense(3)])
    model.layers[0].trainable = False
    model.layers[1].trainable = False
    return model


def deep(k: Any) -> Any:
    """No activation names but functions and layers; initializers and regularizers as objects."""
    return k.Sequential(
        [
            k.Input((6,)),
            k.layers.Dense(
                4,
                activation=k.activations.gelu,
                kernel_initializer=k.initializers.RandomNormal(stddev=0.1, seed=3),
                bias_initializer=k.initializers.Constant(0.5),
                kernel_regularizer=k.regularizers.L1L2(1e-3, 1e-2),
            ),
            k.layers.Activation("elu"),
            k.Sequential([k.layers.Dense(3, kernel_initializer="glorot_normal"), k.layers.Dropout(0.1)]),
        ]
    )


NETS: dict[str, Net] = {f.__name__: f for f in (dense, conv, branches, nested, dictionaries, frozen, deep)}


def inputs_of(model: Any, n: int = 12, case: str = "inputs") -> Any:
    """Random data in the structure of a model's inputs."""
    rng = generator(case)

    def one(tensor: Any) -> np.ndarray:
        return rng.normal(size=(n, *tensor.shape[1:])).astype("float32")

    structure = model.inputs[0] if type(model).__name__ == "Sequential" else model.input
    if isinstance(structure, dict):
        return {name: one(structure[name]) for name in sorted(structure)}
    return [one(t) for t in structure] if isinstance(structure, (list, tuple)) else one(structure)


def targets_of(model: Any, x: Any, case: str = "targets") -> Any:
    """Random targets, in (0, 1), in the structure of a model's outputs."""
    rng = generator(case)

    def one(value: Any) -> np.ndarray:
        return rng.uniform(0.1, 0.9, size=np.shape(value)).astype("float32")

    predicted = model.predict(x, verbose=0)
    if isinstance(predicted, dict):
        return {name: one(predicted[name]) for name in sorted(predicted)}
    return [one(p) for p in predicted] if isinstance(predicted, (list, tuple)) else one(predicted)


def leaves(structure: Any) -> list[np.ndarray]:
    """The arrays of an output."""
    if isinstance(structure, dict):
        return [structure[name] for name in sorted(structure)]
    return list(structure) if isinstance(structure, (list, tuple)) else [structure]
