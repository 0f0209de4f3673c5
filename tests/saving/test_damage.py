"""Files that are damaged, cut off, or of something else: a FormatError names the file, and no live model is changed."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

import minidl
from minidl import layers, saving
from minidl.saving import FormatError
from tests.saving.nets import NETS


def small(units=3, compiled=True):
    model = minidl.Sequential([minidl.Input((4,)), layers.Dense(units), layers.BatchNormalization(), layers.Dense(2)])
    if compiled:
        model.compile("adam", "mse")
        model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 2), "float32"))
    return model


def state_of(model):
    variables = model.weights + (model.optimizer.variables if model.compiled else [])
    return [(w.numpy(), w.version) for w in variables]


def unchanged(model, before):
    after = state_of(model)
    assert len(after) == len(before)
    for (a, version), (b, old) in zip(after, before, strict=True):
        np.testing.assert_array_equal(a, b)
        assert version == old


@pytest.fixture
def archive(tmp_path):
    """A whole .keras file."""
    small().save(tmp_path / "whole.keras")
    return (tmp_path / "whole.keras").read_bytes()


@pytest.fixture
def tree(tmp_path):
    """A whole .weights.h5 file."""
    small().save_weights(tmp_path / "whole.weights.h5")
    return (tmp_path / "whole.weights.h5").read_bytes()


def rebuilt(archive, **members):
    """The archive with some members replaced; None leaves one out."""
    source, target = zipfile.ZipFile(io.BytesIO(archive)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as new:
        for name in source.namelist():
            content = members.get(name.split(".")[0], source.read(name))
            if content is not None:
                new.writestr(name, content)
    return target.getvalue()


def test_a_model_cut_off_anywhere(archive, tmp_path):
    path = tmp_path / "cut.keras"
    for part in range(40):
        path.write_bytes(archive[: len(archive) * part // 40])
        with pytest.raises(FormatError, match=r"cut\.keras"):
            saving.load_model(path)


def test_weights_cut_off_anywhere(tree, tmp_path):
    model, path = small(), tmp_path / "cut.weights.h5"
    before = state_of(model)
    for part in range(40):
        path.write_bytes(tree[: len(tree) * part // 40])
        with pytest.raises(FormatError, match=r"cut\.weights\.h5"):
            model.load_weights(path)
        unchanged(model, before)


@pytest.mark.parametrize("kind", ["archive", "tree"])
def test_damaged_bytes(kind, request, tmp_path):
    """A damaged file is refused, or (where only numbers are hit) read; nothing else comes out of it."""
    whole = request.getfixturevalue(kind)
    path = tmp_path / ("bad.keras" if kind == "archive" else "bad.weights.h5")
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        start = int(rng.integers(0, len(whole)))
        damaged[start : start + 8] = rng.bytes(len(damaged[start : start + 8]))
        path.write_bytes(damaged)
        model = small(compiled=False)
        before = state_of(model)
        try:
            model.load_weights(path)
        except ValueError as error:
            assert "bad." in str(error)
            unchanged(model, before)
            refused += 1
    assert refused > 5


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"config": None}, "config.json"),
        ({"config": b"{"}, "config.json cannot be read"),
        ({"config": b"\xff\xfe"}, "config.json cannot be read"),
        ({"config": b"[" * 100_000}, "config.json cannot be read"),
        ({"config": b"[]"}, "does not describe a model"),
        ({"config": b"{}"}, "describes no model"),
        ({"config": b'{"class_name": "Sequential", "config": null, "module": "keras"}'}, "the model cannot be made"),
        ({"config": b'{"class_name": "Sequential", "config": [], "module": "keras"}'}, "must be a dictionary"),
        ({"config": b'{"class_name": "Dense", "config": {"units": 3}, "module": "keras.layers"}'}, "no model"),
        (
            {"config": b'{"class_name": "system", "config": {}, "module": "os"}'},
            "unknown class 'system' of module 'os'",
        ),
        ({"config": b'{"class_name": "Input", "config": {}, "module": "keras.layers"}'}, "unknown class 'Input'"),
        ({"config": b'{"class_name": "function", "config": "eval", "module": "builtins"}'}, "unknown function 'eval'"),
        ({"config": b'{"class_name": "__lambda__", "config": {"value": "4wEAAAAA"}}'}, "lambda, which is never run"),
        ({"model": None}, "model.weights.h5"),
        ({"model": b""}, "HDF5"),
        ({"model": b"not HDF5 at all"}, "HDF5"),
    ],
)
def test_what_is_wrong_is_said(archive, tmp_path, members, said):
    (tmp_path / "m.keras").write_bytes(rebuilt(archive, **members))
    with pytest.raises(FormatError, match=rf"m\.keras: .*{said}"):
        saving.load_model(tmp_path / "m.keras")


def config_of(archive):
    return json.loads(zipfile.ZipFile(io.BytesIO(archive)).read("config.json"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c["config"].pop("layers"),
        lambda c: c["config"].update(layers=3),
        lambda c: c["config"]["layers"].append("dense"),
        lambda c: c["config"]["layers"][1].pop("class_name"),
        lambda c: c["config"]["layers"][1]["config"].update(units=-1),
        lambda c: c["config"]["layers"][1]["config"].update(units="many"),
        lambda c: c["config"]["layers"][1]["config"].update(something=1),
        lambda c: c["config"]["layers"][1]["config"].update(activation="rm -rf"),
        lambda c: c["config"]["layers"][1]["config"].update(activation={"value": [1]}),
        lambda c: c["config"]["layers"][1]["config"].update(kernel_initializer=[]),
        lambda c: c["config"]["layers"][0]["config"].update(batch_shape="abc"),
        lambda c: c["compile_config"].update(optimizer=7),
        lambda c: c["compile_config"].update(loss={"class_name": "function", "config": ["mse"]}),
        lambda c: c["compile_config"].update(loss="no such loss"),
    ],
)
def test_configurations_that_make_no_sense(archive, tmp_path, spoil):
    config = config_of(archive)
    spoil(config)
    (tmp_path / "m.keras").write_bytes(rebuilt(archive, config=json.dumps(config)))
    with pytest.raises(FormatError, match=r"m\.keras: the model cannot be made: "):
        saving.load_model(tmp_path / "m.keras")


def graph_history(config, place):
    return config["config"]["layers"][place]["inbound_nodes"][0]["args"][0]["config"]["keras_history"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda c: graph_history(c, 2).__setitem__(0, "nobody"), "names a layer 'nobody'"),
        (lambda c: graph_history(c, 2).__setitem__(1, 5), "wait for tensors"),
        (lambda c: graph_history(c, 2).__setitem__(1, -1), "impossible"),
        (lambda c: graph_history(c, 2).__setitem__(0, c["config"]["layers"][2]["name"]), "wait for tensors"),
        (lambda c: c["config"]["output_layers"][0].__setitem__(1, 9), "not made by any call"),
        (lambda c: c["config"]["layers"].append(c["config"]["layers"][0]), "two layers are called"),
        (lambda c: c["config"].pop("input_layers"), "input_layers"),
    ],
)
def test_graphs_that_make_no_sense(tmp_path, spoil, said):
    NETS["branches"](minidl).save(tmp_path / "m.keras")
    archive = (tmp_path / "m.keras").read_bytes()
    config = config_of(archive)
    spoil(config)
    (tmp_path / "m.keras").write_bytes(rebuilt(archive, config=json.dumps(config)))
    with pytest.raises(FormatError, match=rf"m\.keras: the model cannot be made: .*{said}"):
        saving.load_model(tmp_path / "m.keras")


def test_weights_of_another_model(tmp_path):
    other = small(units=5)
    other.save_weights(tmp_path / "other.weights.h5")
    model = small()
    before = state_of(model)
    with pytest.raises(ValueError, match=r"other\.weights\.h5 holds the weights of another model") as caught:
        model.load_weights(tmp_path / "other.weights.h5")
    assert "layers/dense: kernel has shape (4, 3), but in the file (4, 5)" in str(caught.value)
    assert "layers/batch_normalization: gamma has shape (3,), but in the file (5,)" in str(caught.value)
    unchanged(model, before)
    with pytest.warns(UserWarning, match="another model"):
        model.load_weights(tmp_path / "other.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(model.weights[0].numpy(), before[0][0])
    np.testing.assert_array_equal(model.layers[-1].bias.numpy(), other.layers[-1].bias.numpy())


def test_weights_of_a_model_with_more_or_fewer_layers(tmp_path):
    short, long = small(), small()
    long.add(layers.Dense(2))
    short.save_weights(tmp_path / "short.weights.h5")
    long.save_weights(tmp_path / "long.weights.h5")
    with pytest.raises(ValueError, match="layers/dense_2: it has 2 variables, but the file 0"):
        long.load_weights(tmp_path / "short.weights.h5")
    with pytest.warns(UserWarning, match="no place for layers/dense_2"):
        short.load_weights(tmp_path / "long.weights.h5")


def test_another_optimizer_starts_anew(tmp_path):
    model = small()
    model.save_weights(tmp_path / "m.weights.h5")
    other = small(compiled=False)
    other.compile(minidl.optimizers.SGD(0.25, momentum=0.9), "mse")
    with pytest.warns(UserWarning, match="optimizer 'sgd.*' starts anew"):
        other.load_weights(tmp_path / "m.weights.h5")
    assert int(other.optimizer.iterations) == 0 and other.optimizer.learning_rate == 0.25
    for a, b in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_an_optimizer_that_made_no_step_is_built_only_by_a_file_that_fits(tmp_path):
    small(units=5).save_weights(tmp_path / "other.weights.h5")
    small().save_weights(tmp_path / "m.weights.h5")
    model = small(compiled=False)
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="another model"):
        model.load_weights(tmp_path / "other.weights.h5")
    assert not model.optimizer.built
    model.load_weights(tmp_path / "m.weights.h5")
    assert model.optimizer.built and int(model.optimizer.iterations) == 1


def test_links_and_made_up_shapes(tree, tmp_path):
    path = tmp_path / "m.weights.h5"
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["kernel"] = np.zeros((4, 3), "float32")
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(48))

    def soft(vars):
        vars["0"] = h5py.SoftLink("/layers/dense_1/vars/0")

    def external(vars):
        vars["0"] = h5py.ExternalLink(str(secret), "kernel")

    def stored_elsewhere(vars):
        vars.create_dataset("0", (4, 3), "float32", external=[(str(raw), 0, 48)])

    def huge(vars):
        vars.create_dataset("0", (1 << 20, 1 << 20), "float32", chunks=(1024, 1024))

    def texts(vars):
        vars["0"] = np.full((4, 3), b"1.0")

    def a_group(vars):
        vars.create_group("0")

    model = small(compiled=False)
    before = state_of(model)
    for spoil in (soft, external, stored_elsewhere, huge, texts, a_group):
        path.write_bytes(tree)
        with h5py.File(path, "a") as file:
            del file["layers/dense/vars/0"]
            spoil(file["layers/dense/vars"])
        with pytest.raises(ValueError, match=r"m\.weights\.h5"):
            model.load_weights(path)
        unchanged(model, before)


def test_a_member_that_claims_too_much(archive, tmp_path, monkeypatch):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("config.json", b" " * 5_000_000)
    (tmp_path / "m.keras").write_bytes(target.getvalue())
    monkeypatch.setattr(saving.zip_reader, "MOST_BASE", 1_000_000)
    with pytest.raises(FormatError, match="config.json claims 5000000 bytes"):
        saving.load_model(tmp_path / "m.keras")
