"""Names, order and defaults of all arguments that we share with Keras; each that we lack is listed here."""

import inspect
import operator

import numpy as np
import pytest

import minidl
from tests.parity.oracle import libraries

pytestmark = pytest.mark.oracle

MODULES = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "activations",
    "callbacks",
    "ops",
    "random",
    "utils",
)
MODEL_METHODS = (
    "compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch", "summary",
    "get_layer", "compute_loss", "compute_metrics", "save", "save_weights", "load_weights",
)  # fmt: skip

# What Keras has and we do not (yet): arguments by name.
LACKING = {
    "layers.EinsumDense": {"lora_rank", "lora_alpha", "gptq_unpacked_column_size", "quantization_config"},
    "layers.Embedding": {"lora_rank", "lora_alpha", "quantization_config"},
    "layers.Dense": {"lora_rank", "lora_alpha", "quantization_config"},
    "utils.plot_model": {"splines"},
    "utils.timeseries_dataset_from_array": {"format"},
    "ops.argmax": {"keepdims"},
    "ops.argmin": {"keepdims"},
    "ops.convert_to_tensor": {"ragged", "sparse"},
    "ops.custom_gradient": {"f"},
    "ops.max": {"initial"},
    "ops.min": {"initial"},
    "ops.moments": {"synchronized"},
    "ops.one_hot": {"sparse"},
    "ops.multi_hot": {"sparse"},
    "ops.prod": {"dtype"},
    "ops.stop_gradient": {"variable"},
    "random.SeedGenerator": {"name"},
    "utils.get_registered_object": {"module_objects"},
    "layers.Input": {"sparse", "ragged", "optional", "tensor"},
    "layers.BatchNormalization": {"renorm", "renorm_clipping", "renorm_momentum"},
    "layers.InputLayer": {"sparse", "ragged", "optional", "input_tensor"},
    "Model.fit": {"class_weight", "steps_per_epoch", "validation_steps"},
    "Model.evaluate": {"steps"},
    "Model.predict": {"steps"},
    "Model.train_on_batch": {"class_weight"},
    "Model.save": {"zipped"},
    "Model.save_weights": {"max_shard_size"},
}
# What means the same although it reads otherwise; and take_along_axis, which has no default axis there.
ALIKE = {"ops.arange: step", "ops.pad: constant_values", "ops.where: x1", "ops.where: x2", "ops.take_along_axis: axis"}
NOT_FOR_USERS = ("CallbackList", "deserialize", "get", "serialize")


def arguments_of(function):
    """Named arguments with their defaults; *args and **kwargs do not count."""
    parameters = inspect.signature(function).parameters.values()
    named = {p.name: p.default for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    named.pop("self", None)
    return named


def pairs():
    """(name, Keras' function or class, ours) for all that both have."""
    import keras

    for module in MODULES:
        ours, theirs = operator.attrgetter(module)(minidl), operator.attrgetter(module)(keras)
        for name in sorted(set(getattr(ours, "__all__", dir(ours))) & set(dir(theirs))):
            if name not in NOT_FOR_USERS and callable(getattr(ours, name)):
                yield f"{module}.{name}", getattr(theirs, name), getattr(ours, name)
    for name in MODEL_METHODS:
        yield f"Model.{name}", getattr(keras.Model, name), getattr(minidl.Model, name)
    for name in ("add", "pop", "build", "__init__"):
        yield f"Sequential.{name}", getattr(keras.Sequential, name), getattr(minidl.Sequential, name)


def same_default(one, other):
    if isinstance(one, (float, np.floating)) and isinstance(other, (float, np.floating)):
        return one == other
    plain = [tuple(v) if isinstance(v, list) else v for v in (one, other)]
    if sorted(type(v).__name__ for v in plain) == ["int", "tuple"]:  # strides 1 and (1, 1) say the same
        plain = [set(v) if isinstance(v, tuple) else {v} for v in plain]
    return plain[0] == plain[1] or str(plain[0]) == str(plain[1])


def test_arguments_and_defaults():
    libraries()
    problems = []
    for name, theirs, ours in pairs():
        expected, found = arguments_of(theirs), arguments_of(ours)
        takes_more = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(ours).parameters.values())
        lacking = set(expected) - set(found) - LACKING.get(name, set())
        if name.startswith("initializers."):
            lacking -= {"input_axes", "output_axes"}
        if takes_more and name == "callbacks.LambdaCallback":
            lacking = set()
        if takes_more and name.startswith("layers."):
            lacking -= {"name", "dtype", "trainable", "activity_regularizer", "autocast"}
        if lacking:
            problems.append(f"{name} lacks {sorted(lacking)}")
        shared = [argument for argument in expected if argument in found]
        if shared != [argument for argument in found if argument in expected]:
            problems.append(f"{name}: order {shared} in Keras, {[a for a in found if a in expected]} here")
        for argument in shared:
            required = expected[argument] is inspect.Parameter.empty  # then a default of ours does no harm
            if f"{name}: {argument}" in ALIKE:
                continue
            if not required and not same_default(expected[argument], found[argument]):
                problems.append(f"{name}: {argument}={expected[argument]!r} in Keras, {found[argument]!r} here")
    assert not problems, "\n".join(problems)


def test_something_is_compared():
    libraries()
    names = [name for name, _, _ in pairs()]
    assert len(names) > 80
    assert {"layers.Conv2D", "losses.Loss", "metrics.Mean", "optimizers.Adam", "Model.fit"} <= set(names)
