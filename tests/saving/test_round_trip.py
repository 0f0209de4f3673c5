"""What was saved is opened as it was: weights, structure, trainability, and training that goes on bit for bit."""

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import minidl
from minidl import layers, saving
from tests.saving.nets import NETS, inputs_of, leaves, targets_of


def assert_same_weights(a, b):
    assert [w.shape for w in a.weights] == [w.shape for w in b.weights]
    for left, right in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("net", NETS)
def test_a_model_is_opened_as_it_was(net, tmp_path):
    model = NETS[net](minidl)
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")
    assert type(opened) is type(model) and opened.name == model.name and not opened.compiled
    assert opened.get_config() == model.get_config()
    assert_same_weights(opened, model)
    assert [w.trainable for w in opened.weights] == [w.trainable for w in model.weights]
    x = inputs_of(model)
    for a, b in zip(leaves(opened.predict(x, verbose=0)), leaves(model.predict(x, verbose=0)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("net", NETS)
def test_weights_are_read_as_they_were_written(net, tmp_path):
    model, other = NETS[net](minidl), NETS[net](minidl)
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    assert_same_weights(model, other)


@pytest.mark.parametrize("net", ["dense", "branches", "nested"])
@pytest.mark.parametrize("optimizer", [minidl.optimizers.Adam, lambda: minidl.optimizers.SGD(0.05, momentum=0.9)])
@pytest.mark.parametrize("form", ["whole", "weights"])
def test_training_goes_on_bit_for_bit(net, optimizer, form, tmp_path):
    """Dropout masks, the optimizer's slots and the order of the data go on as if nothing had been saved."""
    model = NETS[net](minidl)
    model.compile(optimizer(), "mse")
    x = inputs_of(model)
    y = targets_of(model, x)
    model.fit(x, y, batch_size=5, epochs=2, verbose=0)
    if form == "whole":
        model.save(tmp_path / "m.keras")
        opened = saving.load_model(tmp_path / "m.keras")
    else:
        model.save_weights(tmp_path / "m.weights.h5")
        opened = NETS[net](minidl)
        opened.compile(optimizer(), "mse")
        opened.load_weights(tmp_path / "m.weights.h5")
    histories = []
    for one in (model, opened):
        minidl.utils.set_random_seed(5)
        histories.append(one.fit(x, y, batch_size=5, epochs=3, verbose=0).history)
    assert histories[0] == histories[1]
    assert_same_weights(model, opened)
    for a, b in zip(model.optimizer.variables, opened.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert int(model.optimizer.iterations) == 15


def test_a_learning_rate_set_by_hand_is_kept(tmp_path):
    model = NETS["dense"](minidl)
    model.compile("adam", "mse")
    model.optimizer.learning_rate = 0.25
    model.save(tmp_path / "m.keras")
    assert saving.load_model(tmp_path / "m.keras").optimizer.learning_rate == 0.25


def test_without_compile(tmp_path):
    model = NETS["dense"](minidl)
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras", compile=False)
    assert not opened.compiled and opened.optimizer is None
    assert_same_weights(model, opened)


def test_a_layer_used_twice_is_one_layer_again(tmp_path):
    shared = layers.Dense(3)
    model = minidl.Sequential([minidl.Input((3,)), shared, layers.ReLU(), shared])
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")
    assert opened.layers[0] is opened.layers[2] and len(opened.weights) == 2
    assert_same_weights(model, opened)


def test_a_layer_of_two_models_is_one_layer_again(tmp_path):
    shared = layers.Dense(3)
    one, two = (minidl.Sequential([minidl.Input((3,)), shared, layers.Dense(2)]) for _ in range(2))
    x = minidl.Input((3,))
    model = minidl.Model(x, layers.Add()([one(x), two(x)]))
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")
    first, second = (layer for layer in opened.layers if isinstance(layer, minidl.Sequential))
    assert first.layers[0] is second.layers[0] and first.layers[1] is not second.layers[1]
    assert len(opened.weights) == 6
    data = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_array_equal(opened.predict(data, verbose=0), model.predict(data, verbose=0))


def test_flags_of_layers_are_their_own(tmp_path):
    model = NETS["deep"](minidl)
    model.trainable = False
    model.layers[0].trainable = True
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")
    assert not opened.trainable and [layer.trainable for layer in opened.layers] == [True, False, False]


def test_a_call_with_training_fixed(tmp_path):
    x = minidl.Input((50,))
    model = minidl.Model(x, layers.Dropout(0.5, seed=1)(x, training=True))
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")
    data = np.ones((2, 50), "float32")
    found = opened.predict(data, verbose=0)
    assert (found == 0).any()
    np.testing.assert_array_equal(found, model.predict(data, verbose=0))


def test_a_model_inside_keeps_what_it_was_compiled_with(tmp_path):
    """As in a GAN: the discriminator has a training of its own."""
    judge = minidl.Sequential([minidl.Input((3,)), layers.Dense(1, activation="sigmoid")], name="judge")
    judge.compile(minidl.optimizers.SGD(0.5, momentum=0.9), "binary_crossentropy")
    data, labels = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    judge.train_on_batch(data, labels)
    whole = minidl.Sequential([minidl.Input((2,)), layers.Dense(3), judge])
    whole.compile("adam", "mse")
    whole.save(tmp_path / "m.keras")
    inside = saving.load_model(tmp_path / "m.keras").get_layer("judge")
    assert inside.compiled and int(inside.optimizer.iterations) == 1
    judge.train_on_batch(data, labels)
    inside.train_on_batch(data, labels)
    assert_same_weights(judge, inside)


def test_float64(tmp_path):
    model = minidl.Sequential([minidl.Input((3,), dtype="float64"), layers.Dense(2, dtype="float64")])
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")
    assert opened.weights[0].dtype == np.float64
    assert_same_weights(model, opened)


def test_a_model_without_weights_yet(tmp_path):
    model = minidl.Sequential([layers.Dense(2)])
    with pytest.warns(UserWarning, match="no weights yet"):
        model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")
    assert not opened.built
    with pytest.raises(ValueError, match="save_weights: .* has no weights yet"):
        model.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="load_weights: .* has no weights yet"):
        model.load_weights(tmp_path / "m.weights.h5")


def test_built_from_data(tmp_path):
    model = minidl.Sequential([layers.Dense(2), layers.BatchNormalization()])
    model(np.zeros((1, 3), "float32"))
    model.save(tmp_path / "m.keras")
    assert_same_weights(model, saving.load_model(tmp_path / "m.keras"))


def test_what_a_file_says_of_itself(tmp_path):
    NETS["dense"](minidl).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert json.loads(archive.read("metadata.json"))["keras_version"].startswith("3.")


def test_a_graph_of_ops_names_the_layer_to_use(tmp_path):
    x = minidl.Input((3,))
    dense = layers.Dense(3)(x)
    cases = {
        "Add": dense + x,
        "Concatenate": minidl.ops.concatenate([dense, x], axis=-1),
        "ReLU": minidl.ops.relu(dense),
        r"Activation\('tanh'\)": minidl.ops.tanh(dense),
        r"the call\(\) method of a layer of your own": minidl.ops.sum(dense, axis=-1, keepdims=True),
    }
    for expected, output in cases.items():
        model = minidl.Model(x, layers.Dense(1)(output))
        with pytest.raises(ValueError, match=f"the op .* cannot be saved; .*{expected}"):
            model.save(tmp_path / "m.keras")
        model.save_weights(tmp_path / "m.weights.h5")  # weights need no graph
    assert list(tmp_path.iterdir()) == [tmp_path / "m.weights.h5"]


def test_reading_needs_no_h5py(tmp_path):
    """Files of strangers meet no code in C: with h5py out of reach, all kinds of files open."""
    model = minidl.Sequential([minidl.Input((4,)), layers.Dense(3, name="d")])
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "m.weights.h5")
    model.save_weights(tmp_path / "old.h5")
    code = """
import sys
sys.modules["h5py"] = None
from minidl import saving
for name in ("m.keras", "m.h5"):
    model = saving.load_model(name)
    for weights in ("m.weights.h5", "old.h5", "m.keras"):
        model.load_weights(weights)
print(float(model.weights[0].numpy().sum()))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(float(model.weights[0].numpy().sum()))


def test_h5py_is_loaded_when_it_is_needed():
    code = "import sys, minidl.saving; print('h5py' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("False\n", "")
