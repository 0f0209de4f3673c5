"""JSON, YAML and ``.h5``: Keras opens what minidl writes, minidl opens what Keras writes, and training goes on."""

import json

import h5py
import numpy as np
import pytest

import minidl
from minidl.models import load_model, model_from_json, model_from_yaml
from tests.parity.oracle import both, close, copy_weights, libraries
from tests.saving.more_nets import MORE
from tests.saving.nets import inputs_of, leaves, targets_of

pytestmark = pytest.mark.oracle

TOLERANCE = 1e-6  # of the largest number
AFTER_TRAINING = 1e-4


def assert_same_outputs(ours, theirs, x):
    mine, wanted = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    if isinstance(wanted, dict):
        assert set(mine) == set(wanted)
    for number, (a, b) in enumerate(zip(leaves(mine), leaves(wanted), strict=True)):
        close(a, b, f"output {number}", TOLERANCE)


def assert_same_weights(ours, theirs, tolerance=0.0):
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        close(a.numpy(), np.asarray(b), b.path, tolerance)


def pair(net):
    """The model of both libraries, with one set of weights."""
    theirs, ours = both(MORE[net])
    copy_weights(theirs, ours)
    return theirs, ours


def with_weights(model, source):
    model.set_weights([np.asarray(weight) for weight in source.weights])
    return model


def same_structure(model, wanted):
    assert [layer.name for layer in model.layers] == [layer.name for layer in wanted.layers]
    assert len(model.trainable_weights) == len(wanted.trainable_weights)


@pytest.mark.parametrize("net", MORE)
def test_json_and_yaml(net):
    keras, _ = libraries()
    theirs, ours = pair(net)
    x = inputs_of(ours)
    there = with_weights(keras.models.model_from_json(ours.to_json()), ours)
    same_structure(there, ours)
    assert_same_outputs(ours, there, x)
    here = with_weights(model_from_json(theirs.to_json()), theirs)
    same_structure(here, theirs)
    assert_same_outputs(here, theirs, x)
    yaml = pytest.importorskip("yaml")
    back = keras.models.model_from_json(json.dumps(yaml.safe_load(ours.to_yaml())))
    same_structure(back, ours)
    here = with_weights(model_from_yaml(yaml.safe_dump(json.loads(theirs.to_json()))), theirs)
    same_structure(here, theirs)
    assert_same_outputs(here, theirs, x)


@pytest.mark.parametrize("net", MORE)
def test_whole_models_in_hdf5(net, tmp_path):
    keras, _ = libraries()
    theirs, ours = pair(net)
    x = inputs_of(ours)
    ours.save(tmp_path / "ours.h5")
    for opened in (keras.models.load_model(tmp_path / "ours.h5"), load_model(tmp_path / "ours.h5")):
        same_structure(opened, ours)
        assert_same_outputs(ours, opened, x)
    theirs.save(tmp_path / "theirs.h5")
    model = load_model(tmp_path / "theirs.h5")
    same_structure(model, theirs)
    assert_same_weights(model, theirs)
    assert_same_outputs(model, theirs, x)


@pytest.mark.parametrize("net", MORE)
def test_weights_in_the_layout_of_keras_2(net, tmp_path):
    from keras.src.legacy.saving import legacy_h5_format

    theirs, ours = pair(net)
    wanted = [weight.numpy() for weight in ours.weights]
    ours.save_weights(tmp_path / "ours.h5")
    theirs.set_weights([np.zeros(w.shape, w.dtype) for w in wanted])
    theirs.load_weights(tmp_path / "ours.h5")
    assert_same_weights(ours, theirs)
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    for by_name in (False, True):
        ours.set_weights([np.zeros(w.shape, w.dtype) for w in wanted])
        ours.load_weights(tmp_path / "theirs.h5", by_name=by_name)
        for variable, value in zip(ours.weights, wanted, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)


def test_a_subclassed_model_gives_its_weights(tmp_path):
    """They are no part of ``.h5`` as a whole; those of its layers and of itself move along."""
    keras, _ = libraries()

    def make(k):
        class Net(k.Model):
            def __init__(self):
                super().__init__()
                self.hidden, self.last = k.layers.Dense(5, name="hidden"), k.layers.Dense(2, name="last")
                self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")

            def call(self, x):
                return self.last(self.hidden(x)) * self.scale

        net = Net()
        net(np.zeros((1, 3), "float32"))
        return net

    theirs, ours = make(keras), make(minidl)
    copy_weights(theirs, ours)
    ours.save_weights(tmp_path / "m.h5")
    theirs.set_weights([np.zeros(w.shape, w.dtype) for w in theirs.weights])
    theirs.load_weights(tmp_path / "m.h5")
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    close(ours(x).numpy(), np.asarray(theirs(x)), "outputs", TOLERANCE)
    with pytest.raises(ValueError, match=r"subclassed model, .* weights only: use save_weights\('NAME\.weights\.h5'\)"):
        ours.save(tmp_path / "whole.h5")


OPTIMIZERS = {
    "sgd": lambda k: k.optimizers.SGD(0.05),
    "momentum": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda k: k.optimizers.Adam(0.01),
    "amsgrad": lambda k: k.optimizers.AdamW(0.01, weight_decay=0.1, amsgrad=True),
    "centered": lambda k: k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "schedule": lambda k: k.optimizers.Adamax(k.optimizers.schedules.CosineDecay(0.05, 9)),
    "nadam": lambda k: k.optimizers.Nadam(0.01),
    "ftrl": lambda k: k.optimizers.Ftrl(0.1),
    "adadelta": lambda k: k.optimizers.Adadelta(1.0),
    "adagrad": lambda k: k.optimizers.Adagrad(0.05, clipnorm=0.5),
}


def opened_there(keras, path):
    """Keras builds the optimizer of such a file for no weights, and loses its state; here it gets what the file holds,
    by the function that Keras reads it with."""
    from keras.src.legacy.saving import legacy_h5_format

    model = keras.models.load_model(path)
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(model.optimizer))
    optimizer.build(model.trainable_variables)
    with h5py.File(path) as file:
        optimizer.set_weights(
            [np.asarray(one) for one in legacy_h5_format.load_optimizer_weights_from_hdf5_group(file)]
        )
    model.compile(optimizer, "mse")
    return model


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_along_one_line(optimizer, tmp_path):
    keras, k = libraries()
    theirs, mine = pair("mlp")
    for model, library in ((theirs, keras), (mine, k)):
        model.compile(OPTIMIZERS[optimizer](library), "mse")
    x = inputs_of(theirs)
    y = targets_of(theirs, x)

    def train(model):
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)

    train(mine)
    mine.save(tmp_path / "mine.h5")
    train(theirs)
    theirs.save(tmp_path / "theirs.h5")
    moved, brought = opened_there(keras, tmp_path / "mine.h5"), load_model(tmp_path / "theirs.h5")
    again = load_model(tmp_path / "mine.h5")
    for model in (moved, brought, again):
        assert int(np.asarray(model.optimizer.variables[0])) == 6
    for model in (mine, theirs, moved, brought, again):
        train(model)
    assert_same_weights(mine, theirs, AFTER_TRAINING)
    assert_same_weights(mine, moved, AFTER_TRAINING)
    assert_same_weights(brought, theirs, AFTER_TRAINING)
    assert_same_weights(again, mine)


SETTINGS = {
    "strings": lambda k: {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
    "objects": lambda k: {"optimizer": k.optimizers.SGD(0.5), "loss": k.losses.SparseCategoricalCrossentropy()},
    "functions": lambda k: {
        "optimizer": "sgd",
        "loss": k.losses.sparse_categorical_crossentropy,
        "metrics": [k.metrics.SparseCategoricalAccuracy(name="right"), "acc"],
        "weighted_metrics": [k.metrics.sparse_categorical_accuracy],
    },
}


@pytest.mark.parametrize("settings", SETTINGS)
def test_what_compile_was_given_moves_along(settings, tmp_path):
    keras, k = libraries()
    theirs, ours = pair("mlp")
    theirs.compile(**SETTINGS[settings](keras))
    ours.compile(**SETTINGS[settings](k))
    theirs.save(tmp_path / "theirs.h5")
    ours.save(tmp_path / "ours.h5")
    x, y = inputs_of(theirs), np.arange(12) % 3
    wanted = theirs.evaluate(x, y, verbose=0, return_dict=True)
    models = [load_model(tmp_path / "ours.h5"), load_model(tmp_path / "theirs.h5")]
    models += [keras.models.load_model(tmp_path / "ours.h5"), model_from_json(theirs.to_json())]
    with_weights(models[-1], theirs)
    for model in models:
        found = model.evaluate(x, y, verbose=0, return_dict=True)
        assert list(found) == list(wanted)
        for name, value in wanted.items():
            assert found[name] == pytest.approx(value, rel=1e-5), name


def test_losses_of_several_outputs_move_along(tmp_path):
    keras, k = libraries()
    theirs, ours = pair("branched")
    for model, library in ((theirs, keras), (ours, k)):
        model.compile(
            "sgd",
            loss={"main": "binary_crossentropy", "side": library.losses.MeanAbsoluteError(name="absolute")},
            loss_weights={"main": 1.0, "side": 0.25},
            metrics={"main": ["accuracy"], "side": [library.metrics.MeanSquaredError(name="squared")]},
        )
    x = inputs_of(theirs)
    y = targets_of(theirs, x)
    wanted = theirs.evaluate(x, y, verbose=0, return_dict=True)
    theirs.save(tmp_path / "theirs.h5")
    ours.save(tmp_path / "ours.h5")
    opened = [load_model(tmp_path / "ours.h5"), load_model(tmp_path / "theirs.h5")]
    for model in (*opened, keras.models.load_model(tmp_path / "ours.h5")):
        found = model.evaluate(x, y, verbose=0, return_dict=True)
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            assert found[name] == pytest.approx(value, rel=1e-5), name
