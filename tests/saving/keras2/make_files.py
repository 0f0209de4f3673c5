"""Writes the ``.h5`` files of this folder as tf.keras 2.15 and 2.4 laid them out, with h5py alone.

    python tests/saving/keras2/make_files.py

The layout is that of tf.keras' documentation and of the files it wrote: configurations without modules, lists as
inbound nodes, ``batch_input_shape``, weight names with ":0", metrics wrapped by MeanMetricWrapper.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

FOLDER = Path(__file__).parent


def values(seed: int, *shape: int) -> np.ndarray:
    """Numbers that look arbitrary, and are the same everywhere."""
    return np.sin(np.arange(1, np.prod(shape, dtype=int) + 1) * 1.7 + seed).reshape(shape).astype("float32")


def initializer(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config}


def dense(name: str, units: int, activation: str, **more: Any) -> dict[str, Any]:
    config = {
        "name": name, "trainable": True, **more, "dtype": "float32", "units": units, "activation": activation,
        "use_bias": True, "kernel_initializer": initializer("GlorotUniform", seed=None),
        "bias_initializer": initializer("Zeros"), "kernel_regularizer": None, "bias_regularizer": None,
        "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
    }  # fmt: skip
    return {"class_name": "Dense", "config": config}


def normalization(name: str) -> dict[str, Any]:
    config = {
        "name": name, "trainable": True, "dtype": "float32", "axis": [1], "momentum": 0.9, "epsilon": 0.01,
        "center": True, "scale": True, "beta_initializer": initializer("Zeros"),
        "gamma_initializer": initializer("Ones"), "moving_mean_initializer": initializer("Zeros"),
        "moving_variance_initializer": initializer("Ones"), "beta_regularizer": None, "gamma_regularizer": None,
        "beta_constraint": None, "gamma_constraint": None,
    }  # fmt: skip
    return {"class_name": "BatchNormalization", "config": config}


def entrance(name: str, features: int) -> dict[str, Any]:
    config = {"batch_input_shape": [None, features], "dtype": "float32", "sparse": False, "ragged": False, "name": name}
    return {"class_name": "InputLayer", "config": config}


def node(*layers: str) -> list[Any]:
    return [[name, 0, 0, {}] for name in layers]


def called(layer: dict[str, Any], *nodes: list[Any]) -> dict[str, Any]:
    return {**layer, "name": layer["config"]["name"], "inbound_nodes": list(nodes)}


def functional() -> dict[str, Any]:
    """Two inputs, a layer used twice, a Sequential inside, two outputs."""
    block = {
        "class_name": "Sequential",
        "config": {
            "name": "block",
            "layers": [entrance("block_input", 3), dense("inner", 3, "tanh"), normalization("norm")],
        },
    }
    leaky = {
        "class_name": "LeakyReLU",
        "config": {"name": "leaky", "trainable": True, "dtype": "float32", "alpha": 0.25},
    }
    add = {"class_name": "Add", "config": {"name": "add", "trainable": True, "dtype": "float32"}}
    shared = called(dense("shared", 3, "linear"), node("left"), node("right"))
    layers = [
        called(entrance("left", 2)), shared, called(entrance("right", 2)), called(leaky, node("shared")),
        called(add, [["leaky", 0, 0, {}], ["shared", 1, 0, {}]]), called(block, node("add")),
        called(dense("main", 1, "sigmoid"), [["block", 1, 0, {}]]), called(dense("side", 2, "linear"), node("add")),
    ]  # fmt: skip
    config = {
        "name": "model", "trainable": True, "layers": layers, "input_layers": [["left", 0, 0], ["right", 0, 0]],
        "output_layers": [["main", 0, 0], ["side", 0, 0]],
    }  # fmt: skip
    return {"class_name": "Functional", "config": config}


def wrapped(name: str, function: str) -> dict[str, Any]:
    config = {"name": name, "dtype": "float32", "fn": function}
    return {"class_name": "MeanMetricWrapper", "config": config}


FUNCTIONAL_TRAINING = {
    "loss": {
        "main": "binary_crossentropy",
        "side": {"class_name": "MeanSquaredError", "config": {"reduction": "auto", "name": "mean_squared_error"}},
    },
    "metrics": [[wrapped("main_accuracy", "binary_accuracy")], [wrapped("side_mae", "mean_absolute_error")]],
    "weighted_metrics": None,
    "loss_weights": [1.0, 0.5],
    "optimizer_config": {
        "class_name": "Custom>Adam",
        "config": {
            "name": "Adam", "weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None,
            "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": 100, "jit_compile": False,
            "is_legacy_optimizer": False, "learning_rate": 0.0625, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07,
            "amsgrad": False,
        },
    },
}  # fmt: skip

# The weights of each layer, in the order of the file: those that train first.
FUNCTIONAL_WEIGHTS = {
    "left": [], "right": [], "leaky": [], "add": [],
    "shared": [("shared/kernel:0", values(1, 2, 3)), ("shared/bias:0", values(2, 3))],
    "block": [
        ("inner/kernel:0", values(3, 3, 3)), ("inner/bias:0", values(4, 3)), ("norm/gamma:0", values(5, 3) + 2),
        ("norm/beta:0", values(6, 3)), ("norm/moving_mean:0", values(7, 3)),
        ("norm/moving_variance:0", values(8, 3) + 2),
    ],
    "main": [("main/kernel:0", values(9, 3, 1)), ("main/bias:0", values(10, 1))],
    "side": [("side/kernel:0", values(11, 3, 2)), ("side/bias:0", values(12, 2))],
}  # fmt: skip
ORDER = ["left", "shared", "right", "leaky", "add", "block", "main", "side"]


def sequential() -> dict[str, Any]:
    """As version 2.4 wrote it: the first layer knows the shape of the input."""
    layers = [dense("first", 3, "linear", batch_input_shape=[None, 2]), dense("second", 1, "linear")]
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}


SEQUENTIAL_TRAINING = {
    "loss": "mse",
    "metrics": [[wrapped("mae", "mean_absolute_error")]],
    "weighted_metrics": None,
    "loss_weights": None,
    "optimizer_config": {
        "class_name": "Adam",
        "config": {
            "name": "Adam", "learning_rate": 0.0625, "decay": 0.0, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07,
            "amsgrad": False,
        },
    },
}  # fmt: skip
SEQUENTIAL_WEIGHTS = {
    "first": [("first/kernel:0", values(21, 2, 3)), ("first/bias:0", values(22, 3))],
    "second": [("second/kernel:0", values(23, 3, 1)), ("second/bias:0", values(24, 1))],
}


def momenta(weights: dict[str, Any], legacy: bool) -> list[tuple[str, np.ndarray]]:
    """Adam's state after seven steps: version 2.4 wrote all m, then all v; 2.15 those of each weight together."""
    trained = [one for layer in weights.values() for one in layer if "moving" not in one[0]]
    m = [(name, values(31 + i, *array.shape) / 8) for i, (name, array) in enumerate(trained)]
    v = [(name, values(61 + i, *array.shape) ** 2 / 8) for i, (name, array) in enumerate(trained)]
    counter = np.array(7, "int64")
    if legacy:
        first = [(f"Adam/{name.removesuffix(':0')}/m:0", value) for name, value in m]
        second = [(f"Adam/{name.removesuffix(':0')}/v:0", value) for name, value in v]
        return [("Adam/iter:0", counter), *first, *second]
    found = [("iteration:0", counter), ("learning_rate:0", np.array(0.03125, "float32"))]
    for (name, first_value), (_, second_value) in zip(m, v, strict=True):
        found += [(f"Adam/m/{name}", first_value), (f"Adam/v/{name}", second_value)]
    return found


def write(path: Path, version: str, model: Any, training: Any, weights: Any, order: list[str], state: Any) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = version, "tensorflow"
        file.attrs["model_config"], file.attrs["training_config"] = json.dumps(model), json.dumps(training)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([name.encode() for name in order])
        group.attrs["keras_version"], group.attrs["backend"] = version.encode(), b"tensorflow"
        for name in sorted(order):
            arrays(group.create_group(name), weights[name])
        if version > "2.8":
            arrays(group.create_group("top_level_model_weights"), [])
        arrays(file.create_group("optimizer_weights"), state)


def arrays(group: Any, named: list[tuple[str, np.ndarray]]) -> None:
    group.attrs["weight_names"] = np.array([name.encode() for name, _ in named])
    for name, value in named:
        group[name] = value


if __name__ == "__main__":
    ordered = {name: FUNCTIONAL_WEIGHTS[name] for name in ORDER}
    write(
        FOLDER / "functional_2_15.h5", "2.15.0", functional(), FUNCTIONAL_TRAINING, ordered, ORDER,
        momenta(ordered, legacy=False),
    )  # fmt: skip
    write(
        FOLDER / "sequential_2_4.h5", "2.4.0", sequential(), SEQUENTIAL_TRAINING, SEQUENTIAL_WEIGHTS,
        ["first", "second"], momenta(SEQUENTIAL_WEIGHTS, legacy=True),
    )  # fmt: skip
