"""Files in the layouts of tf.keras 2.4 and 2.15 (made by keras2/make_files.py); what they compute is done by hand."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.models import load_model, model_from_json

FOLDER = Path(__file__).parent / "keras2"
SPEC = importlib.util.spec_from_file_location("make_files", FOLDER / "make_files.py")
files = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(files)

RATE, BETA_1, BETA_2, EPSILON = 0.0625, 0.9, 0.999, 1e-7
X = np.array([[0.5, -1.0], [2.0, 0.25], [-1.5, 1.0]], "float32")
Z = np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, -2.0]], "float32")


def weights(layers):
    return {name: value.astype("float64") for layer in layers.values() for name, value in layer}


def functional_by_hand(x, z):
    w = weights(files.FUNCTIONAL_WEIGHTS)
    a, b = (one @ w["shared/kernel:0"] + w["shared/bias:0"] for one in (x, z))
    added = np.where(a > 0, a, 0.25 * a) + b
    inner = np.tanh(added @ w["inner/kernel:0"] + w["inner/bias:0"])
    scaled = (inner - w["norm/moving_mean:0"]) / np.sqrt(w["norm/moving_variance:0"] + 0.01)
    main = (scaled * w["norm/gamma:0"] + w["norm/beta:0"]) @ w["main/kernel:0"] + w["main/bias:0"]
    return 1 / (1 + np.exp(-main)), added @ w["side/kernel:0"] + w["side/bias:0"]


def test_the_committed_files_are_what_the_script_writes():
    import h5py

    with h5py.File(FOLDER / "functional_2_15.h5") as file:
        assert json.loads(file.attrs["model_config"]) == files.functional()
        np.testing.assert_array_equal(file["model_weights/side/side/kernel:0"], files.values(11, 3, 2))
    with h5py.File(FOLDER / "sequential_2_4.h5") as file:
        assert json.loads(file.attrs["training_config"]) == files.SEQUENTIAL_TRAINING


def test_a_functional_model():
    model = load_model(FOLDER / "functional_2_15.h5")
    assert [layer.name for layer in model.layers] == files.ORDER
    assert model.input_names == ["left", "right"] and model.output_names == ["main", "side"]
    found, wanted = model.predict([X, Z], verbose=0), functional_by_hand(X, Z)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_its_training_settings():
    model = load_model(FOLDER / "functional_2_15.h5")
    targets = [np.array([[1.0], [0.0], [1.0]], "float32"), np.ones((3, 2), "float32")]
    main, side = functional_by_hand(X, Z)
    crossentropy = -np.mean(targets[0] * np.log(main) + (1 - targets[0]) * np.log(1 - main))
    squares = np.mean((side - targets[1]) ** 2)
    found = model.evaluate([X, Z], targets, verbose=0, return_dict=True)
    assert found == pytest.approx(
        {
            "loss": crossentropy + 0.5 * squares,
            "main_accuracy": np.mean((main > 0.5) == targets[0]),
            "main_loss": crossentropy,
            "side_loss": squares,
            "side_mae": np.mean(np.abs(side - targets[1])),
        },
        rel=1e-5,
    )


def test_the_state_of_its_optimizer():
    """The weights that train stand in the order of the layers, with m and v of each together."""
    model = load_model(FOLDER / "functional_2_15.h5")
    ordered = {name: files.FUNCTIONAL_WEIGHTS[name] for name in files.ORDER}
    wanted = [value for _, value in files.momenta(ordered, legacy=False)]
    assert model.optimizer.learning_rate == 0.03125 and int(model.optimizer.iterations) == 7
    for variable, value in zip(model.optimizer.variables, wanted, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert not load_model(FOLDER / "functional_2_15.h5", compile=False).compiled


def test_training_goes_on_where_version_2_4_left_it():
    """One step of Adam by its formula, from the state in the file: all m stand before all v there."""
    model = load_model(FOLDER / "sequential_2_4.h5")
    y = np.array([[1.0], [2.0], [-1.0]], "float32")
    w = weights(files.SEQUENTIAL_WEIGHTS)
    hidden = X @ w["first/kernel:0"] + w["first/bias:0"]
    predicted = hidden @ w["second/kernel:0"] + w["second/bias:0"]
    np.testing.assert_allclose(model.predict(X, verbose=0), predicted, rtol=1e-5, atol=1e-6)
    g = 2 * (predicted - y) / len(y)
    back = g @ w["second/kernel:0"].T
    gradients = [X.T @ back, back.sum(0), hidden.T @ g, g.sum(0)]
    state = [value for _, value in files.momenta(files.SEQUENTIAL_WEIGHTS, legacy=True)][1:]
    assert [int(model.optimizer.iterations), float(model.optimizer.learning_rate)] == [7, RATE]
    logs = model.train_on_batch(X, y, return_dict=True)
    assert set(logs) == {"loss", "mae"} and logs["loss"] == pytest.approx(np.mean((predicted - y) ** 2), rel=1e-5)
    alpha = RATE * np.sqrt(1 - BETA_2**8) / (1 - BETA_1**8)
    for variable, start, gradient, m, v in zip(model.weights, w.values(), gradients, state[:4], state[4:], strict=True):
        m = BETA_1 * m + (1 - BETA_1) * gradient
        v = BETA_2 * v + (1 - BETA_2) * gradient**2
        np.testing.assert_allclose(variable.numpy(), start - alpha * m / (np.sqrt(v) + EPSILON), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("by_name", [False, True])
def test_weights_alone(by_name):
    """load_weights takes them out of a file of a whole model."""
    model = model_from_json(json.dumps({**files.functional(), "keras_version": "2.15.0", "backend": "tensorflow"}))
    model.load_weights(FOLDER / "functional_2_15.h5", by_name=by_name)
    for a, b in zip(model.predict([X, Z], verbose=0), functional_by_hand(X, Z), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_by_name_with_layers_that_do_not_fit():
    model = minidl.Sequential(
        [minidl.Input((2,)), minidl.layers.Dense(3, name="first"), minidl.layers.Dense(4, name="second")]
    )
    before = model.layers[1].get_weights()
    with pytest.raises(ValueError, match=r"second: its shapes are \[\(3, 4\), \(4,\)\], but in the file"):
        model.load_weights(FOLDER / "sequential_2_4.h5", by_name=True)
    with pytest.warns(UserWarning, match="These stay as they are"):
        model.load_weights(FOLDER / "sequential_2_4.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], files.values(21, 2, 3))
    for a, b in zip(model.layers[1].get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_was_opened_can_be_saved_anew(tmp_path):
    model = load_model(FOLDER / "functional_2_15.h5")
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        again = load_model(tmp_path / name)
        assert int(again.optimizer.iterations) == 7
        for a, b in zip(again.predict([X, Z], verbose=0), model.predict([X, Z], verbose=0), strict=True):
            np.testing.assert_array_equal(a, b)


def test_old_configurations_as_text():
    """Lists as the config of a Sequential, and shapes as Python tuples in YAML."""
    layers = files.sequential()["config"]["layers"]
    model = model_from_json(json.dumps({"class_name": "Sequential", "config": layers}))
    assert model.count_params() == 13 and model.input_shape == (None, 2)
    pytest.importorskip("yaml")
    text = (
        "backend: tensorflow\nclass_name: Sequential\nconfig:\n  name: sequential_1\n  layers:\n"
        "  - class_name: Dense\n    config:\n      name: dense\n      units: 4\n      activation: relu\n"
        "      batch_input_shape: !!python/tuple\n      - null\n      - 3\nkeras_version: 2.4.0\n"
    )
    model = minidl.models.model_from_yaml(text)
    assert model.name == "sequential_1" and model.output_shape == (None, 4) and model.count_params() == 16


def test_tensors_among_the_arguments_of_a_call():
    """[layer, call, output] under a name; a mask that is None."""

    class Scaled(minidl.layers.Layer):
        def call(self, inputs, factor=None):
            return inputs * factor

    entries = [files.called(files.entrance(name, 2)) for name in ("left", "right")]
    scaled = {"class_name": "Scaled", "config": {"name": "scaled"}}
    entries.append(files.called(scaled, [["left", 0, 0, {"factor": ["right", 0, 0], "mask": None}]]))
    ends = {"input_layers": [["left", 0, 0], ["right", 0, 0]], "output_layers": [["scaled", 0, 0]]}
    text = json.dumps({"class_name": "Model", "config": {"name": "m", "layers": entries, **ends}})
    model = model_from_json(text, custom_objects={"Scaled": Scaled})
    np.testing.assert_allclose(model.predict([X, Z], verbose=0), X * Z, rtol=1e-6)


def test_slots_that_plain_sgd_does_not_have(tmp_path):
    """tf.keras 2.15 wrote momenta for it, of zeros; the counter is read all the same."""
    optimizer = {"class_name": "SGD", "config": {"name": "SGD", "learning_rate": 0.5, "momentum": 0.0}}
    training = {**files.SEQUENTIAL_TRAINING, "optimizer_config": optimizer}
    trained = [one for layer in files.SEQUENTIAL_WEIGHTS.values() for one in layer]
    state = [("iteration:0", np.array(9)), ("learning_rate:0", np.array(0.25, "float32"))]
    state += [(f"SGD/m/{name}", 0 * value) for name, value in trained]
    files.write(
        tmp_path / "m.h5", "2.15.0", files.sequential(), training, files.SEQUENTIAL_WEIGHTS, ["first", "second"], state
    )
    model = load_model(tmp_path / "m.h5")
    assert int(model.optimizer.iterations) == 9 and model.optimizer.learning_rate == 0.25


def test_a_layer_of_two_models_stays_one(tmp_path):
    shared = minidl.layers.Dense(3, name="shared")
    halves = [
        minidl.Sequential([minidl.Input((3,)), shared, minidl.layers.Dense(3)], name=name) for name in ("one", "two")
    ]
    model = minidl.Sequential([minidl.Input((3,)), *halves])
    model.save(tmp_path / "m.h5")
    opened = load_model(tmp_path / "m.h5")
    assert opened.layers[0].layers[0] is opened.layers[1].layers[0]
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(opened.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_rate_that_decays(tmp_path):
    """Keras 2: rate / (1 + decay * steps)."""
    optimizer = {"class_name": "SGD", "config": {"name": "SGD", "lr": 0.5, "decay": 0.25, "momentum": 0.0}}
    training = {**files.SEQUENTIAL_TRAINING, "optimizer_config": optimizer}
    state = [("SGD/iter:0", np.array(2))]
    files.write(
        tmp_path / "m.h5", "2.4.0", files.sequential(), training, files.SEQUENTIAL_WEIGHTS, ["first", "second"], state
    )
    model = load_model(tmp_path / "m.h5")
    assert float(model.optimizer.learning_rate) == pytest.approx(0.5 / (1 + 0.25 * 2))
