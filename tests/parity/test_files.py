"""46 models through every format, both ways: one set of predictions, and training goes on along one line.

Keras trains a model, saves it and goes on; minidl opens what was saved and goes on, too; then the other way round.
"""

import json

import h5py
import numpy as np
import pytest

import minidl
from minidl.models import load_model, model_from_json, model_from_yaml
from tests.parity.oracle import both, close, copy_weights, generator, libraries
from tests.saving.nets import leaves, targets_of
from tests.saving.wide_nets import DRAWS, SUBCLASSED, WIDE, WORDS

pytestmark = pytest.mark.oracle

OUTPUTS = 1e-6  # of the largest number
AFTER_TRAINING = 1e-5
NUMBERS = {name: number for number, name in enumerate(WIDE)}


def inputs_of(net, model):
    """Random inputs for a model of either library."""
    rng = generator("files")

    def one(tensor):
        shape = (8, *tensor.shape[1:])
        return rng.integers(0, 7, shape) if net in WORDS else rng.normal(size=shape).astype("float32")

    if net in SUBCLASSED:
        return rng.normal(size=(8, 3)).astype("float32")
    structure = model.inputs[0] if type(model).__name__ == "Sequential" else model.input
    if isinstance(structure, dict):
        return {name: one(structure[name]) for name in sorted(structure)}
    return [one(tensor) for tensor in structure] if isinstance(structure, (list, tuple)) else one(structure)


def optimizer_of(net, model, k):
    """Adam, where no gradient is all rounding errors, which it would make steps of."""
    kinds = {type(layer).__name__ for layer in model._flatten_layers()} if hasattr(model, "_flatten_layers") else set()
    if kinds & {"BatchNormalization", "GroupNormalization"}:
        return k.optimizers.SGD(0.02, momentum=0.9, nesterov=bool(NUMBERS[net] % 2))
    return k.optimizers.Adam(0.003)


def prepared(net):
    """The model of both libraries with one set of weights, compiled; inputs and targets."""
    keras, ours = libraries()
    theirs, mine = both(WIDE[net])
    copy_weights(theirs, mine, scale=0.3)
    kind = optimizer_of(net, theirs, keras)
    for model, k in ((theirs, keras), (mine, ours)):
        settings = kind.get_config()
        model.compile(getattr(k.optimizers, type(kind).__name__).from_config(settings), "mse")
    x = inputs_of(net, theirs)
    return theirs, mine, x, targets_of(theirs, x)


def train(model, x, y, steps):
    for _ in range(steps):
        model.train_on_batch(x, y)


def outputs(model, x):
    found = model.predict(x, verbose=0, batch_size=8)
    return leaves(found)


def same_outputs(found, wanted):
    for number, (a, b) in enumerate(zip(found, wanted, strict=True)):
        close(a, b, f"output {number}", OUTPUTS)


def values(model):
    return [np.array(weight) for weight in model.get_weights()]


def same_values(found, wanted, tolerance=AFTER_TRAINING):
    """Weights as they were; a weight of next to nothing is measured by the largest of all."""
    largest = max((np.abs(value).max() for value in wanted if value.size), default=1.0)
    for number, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert a.shape == b.shape
        assert not b.size or np.abs(a - b).max() <= tolerance * max(np.abs(b).max(), 0.01 * largest), f"weight {number}"


@pytest.mark.parametrize("net", WIDE)
def test_what_keras_saves_goes_on_here(net, tmp_path):
    theirs, empty, x, y = prepared(net)
    train(theirs, x, y, 2)
    theirs.save(tmp_path / "m.keras")
    theirs.save_weights(tmp_path / "m.weights.h5")
    empty.load_weights(tmp_path / "m.weights.h5")
    opened = {".keras": load_model(tmp_path / "m.keras"), ".weights.h5": empty}
    if net not in SUBCLASSED:
        theirs.save(tmp_path / "m.h5")
        opened[".h5"] = load_model(tmp_path / "m.h5")
        config = theirs.to_json()
        yaml = pytest.importorskip("yaml")
        for model in (model_from_json(config), model_from_yaml(yaml.safe_dump(json.loads(config)))):
            model.set_weights(values(theirs))
            same_outputs(outputs(model, x), outputs(theirs, x))
    wanted, weights = outputs(theirs, x), values(theirs)
    for model in opened.values():
        same_values(values(model), weights, 0.0)
        same_outputs(outputs(model, x), wanted)
    opened[".safetensors"] = through_safetensors(opened[".keras"], net, tmp_path)
    same_outputs(outputs(opened[".safetensors"], x), wanted)
    if net not in DRAWS:
        train(theirs, x, y, 3)
        for model in opened.values():
            train(model, x, y, 3)
            same_values(values(model), values(theirs))


def through_safetensors(model, net, folder):
    """Another model with the weights and the optimizer's state of this one; the format's own package reads the same."""
    model.save_weights(folder / "m.safetensors")
    package = pytest.importorskip("safetensors.numpy")
    arrays = package.load_file(folder / "m.safetensors")
    found = minidl.saving.safetensors.load_file(folder / "m.safetensors")
    assert arrays.keys() == found.keys() and len(arrays) >= len(model.weights)
    assert all((arrays[name] == found[name]).all() for name in arrays)
    other = WIDE[net](minidl)
    other.compile(type(model.optimizer).from_config(model.optimizer.get_config()), "mse")
    other.load_weights(folder / "m.safetensors")
    same_values(values(other), values(model), 0.0)
    return other


@pytest.mark.parametrize("net", WIDE)
def test_what_is_saved_here_goes_on_in_keras(net, tmp_path):
    keras, _ = libraries()
    theirs, mine, x, y = prepared(net)
    train(mine, x, y, 2)
    train(theirs, x, y, 1)  # builds its optimizer
    mine.save(tmp_path / "m.keras")
    mine.save_weights(tmp_path / "m.weights.h5")
    wanted, weights, state = outputs(mine, x), values(mine), [v.numpy() for v in mine.optimizer.variables]
    opened = keras.models.load_model(tmp_path / "m.keras")
    same_values(values(opened), weights, 0.0)
    same_outputs(wanted, outputs(opened, x))
    if net not in SUBCLASSED:
        mine.save(tmp_path / "m.h5")
        yaml = pytest.importorskip("yaml")
        texts = mine.to_json(), json.dumps(yaml.safe_load(mine.to_yaml()))
        others = [keras.models.load_model(tmp_path / "m.h5"), *map(keras.models.model_from_json, texts)]
        same_values(values(others[0]), weights, 0.0)
        for model in others:
            model.set_weights(weights)
            same_outputs(wanted, leaves(model(x, training=False)))
    if net in DRAWS:
        return
    train(mine, x, y, 3)
    train(opened, x, y, 3)
    same_values(values(mine), values(opened))
    theirs.load_weights(tmp_path / "m.weights.h5")
    goes_on_along_one_line(theirs, mine, weights, state, x, y)
    if net not in SUBCLASSED:
        # Keras builds the optimizer of an .h5 file for no weights; here it gets what the file holds
        from keras.src.legacy.saving import legacy_h5_format

        theirs.load_weights(tmp_path / "m.h5")
        with h5py.File(tmp_path / "m.h5") as file:
            theirs.optimizer.set_weights(
                [np.asarray(one) for one in legacy_h5_format.load_optimizer_weights_from_hdf5_group(file)]
            )
        goes_on_along_one_line(theirs, mine, weights, state, x, y)


def goes_on_along_one_line(theirs, mine, weights, state, x, y):
    same_values(values(theirs), weights, 0.0)
    for a, b in zip(theirs.optimizer.variables, state, strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)
    train(theirs, x, y, 3)
    same_values(values(mine), values(theirs))


def test_there_are_enough_models():
    assert len(WIDE) >= 40
