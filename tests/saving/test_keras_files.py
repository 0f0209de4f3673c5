"""Keras 3 opens what minidl writes, minidl opens what Keras 3 writes, and both go on training along one line."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, libraries
from tests.saving.nets import NETS, inputs_of, leaves, targets_of

pytestmark = pytest.mark.oracle

TOLERANCE = 1e-6  # of the largest number
AFTER_TRAINING = 1e-4


def opened(keras, path):
    """A file opened by Keras and by minidl."""
    return keras.saving.load_model(path), minidl.saving.load_model(path)


def assert_same_outputs(ours, theirs, x, tolerance=TOLERANCE):
    mine, wanted = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    if isinstance(wanted, dict):
        assert set(mine) == set(wanted)
    for number, (a, b) in enumerate(zip(leaves(mine), leaves(wanted), strict=True)):
        close(a, b, f"output {number}", tolerance)


def assert_same_weights(ours, theirs, tolerance=0.0):
    assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        close(a.numpy(), np.asarray(b), b.path, tolerance)


def paths_of(path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Every group and array in the weights of a file."""
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    source = io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5")) if str(path).endswith(".keras") else path

    def visit(name, item):
        array = isinstance(item, h5py.Dataset)
        found[name] = (item.shape, str(item.dtype)) if array else ((), str(dict(item.attrs)))

    with h5py.File(source) as file:
        file.visititems(visit)
    return found


@pytest.mark.parametrize("net", NETS)
def test_keras_opens_ours(net, tmp_path):
    keras, ours = libraries()
    model = NETS[net](ours)
    for weight in model.weights:  # statistics and biases other than those they start with
        weight.assign(np.random.default_rng(weight.size).uniform(0.2, 0.9, weight.shape))
    model.save(tmp_path / "m.keras")
    theirs, again = opened(keras, tmp_path / "m.keras")
    x = inputs_of(model)
    assert_same_outputs(model, theirs, x)
    assert_same_outputs(again, theirs, x)
    assert_same_weights(model, theirs)
    assert [layer.name for layer in model.layers] == [layer.name for layer in theirs.layers]
    assert [layer.name for layer in again.layers] == [layer.name for layer in theirs.layers]


@pytest.mark.parametrize("net", NETS)
def test_minidl_opens_theirs(net, tmp_path):
    keras, _ = libraries()
    theirs = NETS[net](keras)
    copy_weights(theirs, theirs)
    theirs.save(tmp_path / "m.keras")
    model = minidl.saving.load_model(tmp_path / "m.keras")
    assert_same_outputs(model, theirs, inputs_of(theirs))
    assert_same_weights(model, theirs)
    assert [layer.name for layer in model.layers] == [layer.name for layer in theirs.layers]
    assert [w.trainable for w in model.weights] == [w.trainable for w in theirs.weights]
    # and back again: what minidl made of Keras' file is a file for Keras
    model.save(tmp_path / "back.keras")
    assert_same_outputs(model, keras.saving.load_model(tmp_path / "back.keras"), inputs_of(theirs))


@pytest.mark.parametrize("net", NETS)
def test_the_tree_of_weights_is_theirs(net, tmp_path):
    theirs, ours = both(NETS[net])
    for model, name in ((theirs, "theirs"), (ours, "ours")):
        model.compile("adam", "mean_squared_error")
        model.optimizer.build(model.trainable_variables)
        model.save(tmp_path / f"{name}.keras")
        model.save_weights(tmp_path / f"{name}.weights.h5")
    for ending in (".keras", ".weights.h5"):
        wanted, found = paths_of(tmp_path / f"theirs{ending}"), paths_of(tmp_path / f"ours{ending}")
        generators = {name for name in found if "seed_generator" in name}  # ours alone
        assert {name: found[name] for name in found.keys() - generators} == wanted


@pytest.mark.parametrize("net", NETS)
def test_the_configuration_holds_theirs(net, tmp_path):
    """Every key that is in both files has one value, but for what files may say in two ways."""
    theirs, ours = both(NETS[net])
    configs = []
    for model, name in ((theirs, "theirs"), (ours, "ours")):
        model.save(tmp_path / f"{name}.keras")
        configs.append(json.loads(zipfile.ZipFile(tmp_path / f"{name}.keras").read("config.json")))

    def compare(wanted, found, where):
        if isinstance(wanted, dict) and isinstance(found, dict):
            for key in wanted.keys() & found.keys() - {"dtype", "shared_object_id", "registered_name", "kwargs"}:
                compare(wanted[key], found[key], f"{where}.{key}")
        elif isinstance(wanted, list) and isinstance(found, list):
            if (
                wanted
                and isinstance(wanted[0], dict)
                and wanted[0].get("class_name") == "InputLayer"
                and "layers[" in where
            ):
                wanted = wanted[len(wanted) - len(found) :]  # Keras puts an input into a Sequential that had none
            assert len(wanted) == len(found), where
            for number, (a, b) in enumerate(zip(wanted, found, strict=True)):
                compare(a, b, f"{where}[{number}]")
        else:
            assert wanted == (pytest.approx(found) if isinstance(found, float) else found), where

    compare(*configs, "config")


OPTIMIZERS = {
    "adam": lambda k: k.optimizers.Adam(0.01),
    "momentum": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "sgd": lambda k: "sgd",
    "amsgrad": lambda k: k.optimizers.AdamW(0.01, weight_decay=0.1, amsgrad=True),
    "centered": lambda k: k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "product": lambda k: k.optimizers.Nadam(0.01, gradient_accumulation_steps=2, global_clipnorm=0.5),
    "schedule": lambda k: k.optimizers.Adamax(k.optimizers.schedules.CosineDecay(0.05, 9)),
    "leader": lambda k: k.optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
    "squares": lambda k: k.optimizers.Adadelta(1.0),
    "sums": lambda k: k.optimizers.Adagrad(0.05),
    "factors": lambda k: k.optimizers.Adafactor(0.1),
    "lamb": lambda k: k.optimizers.Lamb(0.01),
    "signs": lambda k: k.optimizers.Lion(0.01),
}


# Adam makes steps of one size even of gradients that are rounding errors (a bias before a batch norm), so not there.
@pytest.mark.parametrize(
    ("net", "optimizer"),
    [
        ("conv", "momentum"),
        ("nested", "momentum"),
        ("frozen", "adam"),
        ("branches_without_dropout", "adam"),
        ("branches_without_dropout", "sgd"),
        *(
            ("branches_without_dropout", name)
            for name in (
                "amsgrad",
                "centered",
                "product",
                "schedule",
                "leader",
                "squares",
                "sums",
                "signs",
                "factors",
                "lamb",
            )
        ),
    ],
)
def test_training_goes_on_along_one_line(net, optimizer, tmp_path):
    """Trained here, saved, and trained on there, and the other way round: as if it had never moved."""
    make = NETS.get(net, branches_without_dropout)
    keras, ours = libraries()
    theirs, mine = make(keras), make(ours)
    copy_weights(theirs, mine)
    for model, k in ((theirs, keras), (mine, ours)):
        model.compile(OPTIMIZERS[optimizer](k), "mse", metrics=None)
    x = inputs_of(theirs)
    y = targets_of(theirs, x)

    def train(model):
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)

    train(mine)
    mine.save(tmp_path / "mine.keras")
    train(theirs)
    theirs.save(tmp_path / "theirs.keras")
    moved, brought = (
        keras.saving.load_model(tmp_path / "mine.keras"),
        minidl.saving.load_model(tmp_path / "theirs.keras"),
    )
    assert [int(model.optimizer.variables[0].numpy()) for model in (moved, brought)] == [6, 6]
    for variable, same in zip(moved.optimizer.variables, mine.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), same.numpy())
    for model in (mine, theirs, moved, brought):
        train(model)
    assert_same_weights(mine, theirs, AFTER_TRAINING)
    assert_same_weights(mine, moved, AFTER_TRAINING)
    assert_same_weights(brought, theirs, AFTER_TRAINING)


def branches_without_dropout(k):
    b, a = k.Input((6,), name="b"), k.Input((4,), name="a")
    shared = k.layers.Dense(3, name="shared")
    x = shared(a)
    joined = k.layers.Concatenate()([x, k.layers.Dense(2)(b), b])
    again = shared(k.layers.Dense(4, activation="tanh")(joined))
    return k.Model([a, b], [k.layers.Dense(1)(joined), k.layers.Add()([again, x])])


@pytest.mark.parametrize(
    "settings",
    [
        lambda k: {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
        lambda k: {"optimizer": k.optimizers.SGD(0.5), "loss": k.losses.SparseCategoricalCrossentropy()},
        lambda k: {
            "optimizer": "sgd",
            "loss": k.losses.sparse_categorical_crossentropy,
            "metrics": [k.metrics.SparseCategoricalAccuracy(name="right"), "acc"],
            "weighted_metrics": [k.metrics.sparse_categorical_accuracy],
        },
    ],
)
def test_what_compile_was_given_moves_along(settings, tmp_path):
    theirs, ours = both(NETS["dense"])
    keras, _ = libraries()
    copy_weights(theirs, ours)
    theirs.compile(**settings(keras))
    ours.compile(**settings(minidl))
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    x, y = inputs_of(theirs), np.arange(12) % 3
    wanted = theirs.evaluate(x, y, verbose=0, return_dict=True)
    for path in (tmp_path / "theirs.keras", tmp_path / "ours.keras"):
        for model in opened(keras, path):
            found = model.evaluate(x, y, verbose=0, return_dict=True)
            assert list(found) == list(wanted)
            for name, value in wanted.items():
                assert found[name] == pytest.approx(value, rel=1e-5), name


def test_losses_and_metrics_of_several_outputs_move_along(tmp_path):
    theirs, ours = both(branches_of_names)
    keras, _ = libraries()
    copy_weights(theirs, ours)
    for model, k in ((theirs, keras), (ours, minidl)):
        model.compile(
            "sgd",
            loss={"one": "mse", "two": k.losses.MeanAbsoluteError()},
            loss_weights={"one": 1.0, "two": 0.5},
            metrics={"one": ["mae"], "two": [k.metrics.MeanSquaredError(name="squared")]},
        )
    x = inputs_of(theirs)
    y = targets_of(theirs, x)
    wanted = theirs.evaluate(x, y, verbose=0, return_dict=True)
    theirs.save(tmp_path / "theirs.keras")
    ours.evaluate(x, y, verbose=0)  # the names of metrics are settled by now
    ours.save(tmp_path / "ours.keras")
    for path in (tmp_path / "theirs.keras", tmp_path / "ours.keras"):
        for model in opened(keras, path):
            found = model.evaluate(x, y, verbose=0, return_dict=True)
            assert set(found) == set(wanted)
            for name, value in wanted.items():
                assert found[name] == pytest.approx(value, rel=1e-5), name


def branches_of_names(k):
    x = k.Input((4,))
    h = k.layers.Dense(5)(x)
    return k.Model(x, [k.layers.Dense(1, name="one")(h), k.layers.Dense(2, name="two")(h)])


@pytest.mark.parametrize(("net", "compiled"), [*((net, False) for net in NETS), ("dense", True), ("nested", True)])
def test_weights_move_along(net, compiled, tmp_path):
    theirs, ours = both(NETS[net])
    copy_weights(theirs, theirs)
    if compiled:
        theirs.compile("adam", "mse")
        ours.compile("adam", "mse")
        theirs.optimizer.build(theirs.trainable_variables)
        for variable in theirs.optimizer.variables:
            variable.assign(np.full(variable.shape, 3))
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    assert_same_weights(ours, theirs)
    if compiled:
        for a, b in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), np.asarray(b))
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.set_weights([np.zeros(w.shape, w.dtype) for w in theirs.weights])
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_same_weights(ours, theirs)
    theirs.save(tmp_path / "whole.keras")
    ours.set_weights([np.zeros_like(w) for w in ours.get_weights()])
    ours.load_weights(tmp_path / "whole.keras")
    assert_same_weights(ours, theirs)


def subclassed(k):
    """Layers as attributes (one private, behind a property), in lists, in lists of lists and in dictionaries."""

    class Block(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.second, self.first, self._hidden = (k.layers.Dense(units) for _ in range(3))
            self.layers = [k.layers.Dense(units), [k.layers.Dense(units)], {"key": k.layers.Dense(units)}]

        def call(self, x):
            x = self.second(x) + self.first(x) + self._hidden(x)
            return x + self.layers[0](x) + self.layers[1][0](x) + self.layers[2]["key"](x)

    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")
            self.block, self.zlast, self.again = Block(3), k.layers.Dense(2), k.layers.BatchNormalization()
            self.drop = k.layers.Dropout(0.5)
            self.row = k.Sequential([k.layers.Dense(3), k.layers.ReLU()])
            self._encoder = k.layers.Dense(3)
            self.stack = [k.layers.Dense(3), k.layers.Dense(3)]

        @property
        def encoder(self):
            return self._encoder

        def call(self, x, training=None):
            x = self.again(self.row(self.drop(self.block(x), training=training)), training=training)
            for layer in self.stack:
                x = layer(x)
            return self.zlast(self._encoder(x)) * self.scale

    model = Net()
    model(np.zeros((2, 3), "float32"))
    return model


@pytest.mark.parametrize("compiled", [False, True])
def test_weights_of_subclassed_models_move_along(compiled, tmp_path):
    theirs, ours = both(subclassed)
    copy_weights(theirs, theirs)
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    if compiled:
        for model in (theirs, ours):
            model.compile("adam", "mse")
            model.fit(x, np.zeros((8, 2), "float32"), verbose=0)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    assert_same_weights(ours, theirs)
    assert_same_outputs(ours, theirs, x, 5 * TOLERANCE)  # sums of many terms that cancel
    ours.save_weights(tmp_path / "ours.weights.h5")
    generators = {name: item for name, item in paths_of(tmp_path / "ours.weights.h5").items() if "seed_" in name}
    assert paths_of(tmp_path / "ours.weights.h5") == {**paths_of(tmp_path / "theirs.weights.h5"), **generators}
    theirs.set_weights([np.zeros(w.shape, w.dtype) for w in theirs.weights])
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_same_weights(ours, theirs)
    if compiled:
        for a, b in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), np.asarray(b))


def test_class_names_become_paths_as_in_keras():
    import keras
    from keras.src.utils.naming import to_snake_case

    from minidl.registry import snake_case

    names = [name for name in dir(keras.layers) if name[0].isupper()]
    assert len(names) > 100
    for name in [*names, "_Private", "A1BcDe", "myLayer", "HTTPServer2D", "ÄB"]:
        assert snake_case(name) == to_snake_case(name)


def test_keras_opens_layers_that_are_shared(tmp_path):
    keras, ours = libraries()
    shared = minidl.layers.Dense(3)
    twice = minidl.Sequential([minidl.Input((3,)), shared, minidl.layers.ReLU(), shared])
    x = minidl.Input((3,))
    other = minidl.Sequential([minidl.Input((3,)), shared, minidl.layers.Dense(3)])
    for model in (twice, minidl.Model(x, minidl.layers.Add()([twice(x), other(x)]))):
        model.save(tmp_path / "m.keras")
        theirs, again = opened(keras, tmp_path / "m.keras")
        data = inputs_of(model)
        assert_same_outputs(model, theirs, data)
        assert_same_outputs(again, theirs, data)
        assert_same_weights(model, theirs)


def test_a_model_inside_has_its_own_optimizer(tmp_path):
    def gan(k):
        judge = k.Sequential([k.Input((3,)), k.layers.Dense(1)], name="judge")
        judge.compile("adam", "mse")
        judge.train_on_batch(np.ones((4, 3), "float32"), np.ones((4, 1), "float32"))
        whole = k.Sequential([k.Input((2,)), k.layers.Dense(3), judge], name="whole")
        whole.compile("sgd", "mse")
        return whole

    theirs, ours = both(gan)
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    assert paths_of(tmp_path / "ours.keras") == paths_of(tmp_path / "theirs.keras")
    keras, _ = libraries()
    for path in (tmp_path / "theirs.keras", tmp_path / "ours.keras"):
        for model in opened(keras, path):
            assert int(np.asarray(model.get_layer("judge").optimizer.iterations)) == 1


def test_a_graph_with_ops_in_it_is_refused(tmp_path):
    keras, _ = libraries()
    x = keras.Input((3,))
    keras.Model(x, keras.layers.Dense(2)(x) + 1).save(tmp_path / "m.keras")
    with pytest.raises(minidl.saving.FormatError, match=r"m\.keras.*the op 'Add' itself"):
        minidl.saving.load_model(tmp_path / "m.keras")


def test_keras_writes_lambdas_and_nobody_runs_them(tmp_path):
    keras, _ = libraries()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation=lambda x: x)])
    with pytest.warns(UserWarning, match="lambda"):
        model.save(tmp_path / "m.keras")
    for safe_mode in (True, False):
        with pytest.raises(minidl.saving.FormatError, match=r"m\.keras"):
            minidl.saving.load_model(tmp_path / "m.keras", safe_mode=safe_mode)


def test_a_graph_that_begins_inside_another(tmp_path):
    theirs, ours = both(NETS["dense"])
    keras, _ = libraries()
    part = minidl.Model(ours.layers[0].output, ours.layers[3].output)
    part.save(tmp_path / "m.keras")
    x = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")
    for model in opened(keras, tmp_path / "m.keras"):
        close(np.asarray(model.predict(x, verbose=0)), part.predict(x, verbose=0), "part", TOLERANCE)


def test_file_of_an_untrained_model(tmp_path):
    """Compiled, but without a step: Keras writes no slots, and here training starts as it would have."""
    keras, _ = libraries()
    theirs = NETS["frozen"](keras)
    theirs.compile("adam", "mse")
    theirs.save(tmp_path / "m.keras")
    model = minidl.saving.load_model(Path(tmp_path / "m.keras"))
    assert model.compiled and int(model.optimizer.iterations) == 0
    x = inputs_of(theirs)
    y = targets_of(theirs, x)
    for one in (model, theirs):
        one.fit(x, y, shuffle=False, verbose=0)
    assert_same_weights(model, theirs, AFTER_TRAINING)
