"""Damaged ``.h5`` files, JSON and YAML: a FormatError names the file, no code is run, and no live model is changed."""

import json
import pickle

import h5py
import numpy as np
import pytest

import minidl
from minidl import atomic, layers, saving
from minidl.models import load_model, model_from_json, model_from_yaml
from minidl.saving import FormatError
from tests.saving.test_damage import small, state_of, unchanged


@pytest.fixture
def whole(tmp_path):
    small().save(tmp_path / "whole.h5")
    return (tmp_path / "whole.h5").read_bytes()


def test_a_model_cut_off_or_overwritten_anywhere(whole, tmp_path):
    path = tmp_path / "cut.h5"
    for part in range(30):
        path.write_bytes(whole[: len(whole) * part // 30])
        with pytest.raises(FormatError, match=r"cut\.h5"):
            load_model(path)


@pytest.mark.parametrize("seed", range(3))
def test_changed_bytes_give_a_model_or_a_format_error(whole, tmp_path, seed):
    rng, path = np.random.default_rng(seed), tmp_path / "changed.h5"
    for _ in range(10):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), 20):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            load_model(path)
        except FormatError as error:
            assert "changed.h5" in str(error)


def texts(file):
    return {name: json.loads(file.attrs[name]) for name in ("model_config", "training_config")}


def set_text(file, name, config):
    file.attrs[name] = config if isinstance(config, (str, bytes)) else json.dumps(config)


def first_layer(file, change):
    config = json.loads(file.attrs["model_config"])
    change(config["config"]["layers"][1])
    set_text(file, "model_config", config)


def unknown_layer(file):
    first_layer(file, lambda layer: layer.update(class_name="os.system"))


def unknown_setting(file):
    first_layer(file, lambda layer: layer["config"].update(colour="red"))


def text_for_units(file):
    first_layer(file, lambda layer: layer["config"].update(units="many"))


def no_layers(file):
    set_text(file, "model_config", {"class_name": "Sequential", "config": {"name": "s"}})


def no_json(file):
    set_text(file, "model_config", "{'class_name'")


def a_list(file):
    set_text(file, "model_config", "[]")


def a_number(file):
    file.attrs["model_config"] = 3


def no_model(file):
    set_text(file, "model_config", {"class_name": "Dense", "config": {"units": 2}})


def nested_without_end(file):
    set_text(file, "model_config", "[" * 200_000)


def weights_missing(file):
    del file["model_weights"]


def names_missing(file):
    del file["model_weights"].attrs["layer_names"]


def a_layer_less(file):
    names = file["model_weights"].attrs["layer_names"]
    file["model_weights"].attrs["layer_names"] = names[:-1]


def a_layer_without_its_weights(file):
    group = next(iter(file["model_weights"].values()))
    group.attrs["weight_names"] = np.array([], "S1")


def other_shapes(file):
    group = file["model_weights/dense"]
    name = group.attrs["weight_names"][0]
    del group[name]
    group[name] = np.zeros((9, 9), "float32")


def huge(file):
    group = file["model_weights/dense"]
    name = group.attrs["weight_names"][0]
    del group[name]
    group.create_dataset(name, (1 << 20, 1 << 20), "float32", chunks=(1024, 1024))


def a_link(file):
    group = file["model_weights/dense"]
    name = group.attrs["weight_names"][0]
    del group[name]
    group[name] = h5py.ExternalLink("/etc/hostname", "x")


def unknown_optimizer(file):
    config = texts(file)["training_config"]
    config["optimizer_config"]["class_name"] = "builtins.eval"
    set_text(file, "training_config", config)


def no_optimizer(file):
    set_text(file, "training_config", {"loss": "mse"})


def unknown_loss(file):
    config = texts(file)["training_config"]
    set_text(file, "training_config", {**config, "loss": "exec"})


DAMAGE = [
    unknown_layer, unknown_setting, text_for_units, no_layers, no_json, a_list, a_number, no_model, nested_without_end,
    weights_missing, names_missing, a_layer_less, a_layer_without_its_weights, other_shapes, huge, a_link,
    unknown_optimizer, no_optimizer, unknown_loss,
]  # fmt: skip


@pytest.mark.parametrize("spoil", DAMAGE)
def test_each_kind_of_damage_is_named(tmp_path, spoil):
    minidl.utils.clear_session()
    small().save(tmp_path / "bad.h5")
    with h5py.File(tmp_path / "bad.h5", "a") as file:
        spoil(file)
    with pytest.raises(FormatError, match=r"bad\.h5"):
        load_model(tmp_path / "bad.h5")


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    small(units=5).save_weights(tmp_path / "other.h5")
    model = small()
    before = state_of(model)
    with pytest.raises(ValueError, match=r"other\.h5 holds the weights of another model"):
        model.load_weights(tmp_path / "other.h5")
    unchanged(model, before)
    with pytest.raises(FormatError, match=r"other\.h5: it has no model_config; it holds weights only"):
        load_model(tmp_path / "other.h5")


def test_an_optimizer_that_does_not_fit_starts_anew(tmp_path):
    small().save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        names = file["optimizer_weights"].attrs["weight_names"]
        file["optimizer_weights"].attrs["weight_names"] = names[:-1]
    with pytest.warns(UserWarning, match=r"m\.h5: the optimizer .* starts anew: it has 14 variables, but the file 13"):
        model = load_model(tmp_path / "m.h5")
    assert int(model.optimizer.iterations) == 0 and not model.optimizer.built


def test_there_is_always_a_whole_file(tmp_path, monkeypatch):
    path = tmp_path / "m.h5"
    small().save(path)
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(atomic.os, "replace", fail)
    for write in (small().save, small().save_weights):
        with pytest.raises(OSError, match="no space left"):
            write(path)
    monkeypatch.undo()
    assert path.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["m.h5"]


def test_arguments_of_save(tmp_path):
    model = small()
    model.save(tmp_path / "m.h5", include_optimizer=False)
    model.save(tmp_path / "m.keras", include_optimizer=False)
    for name in ("m.h5", "m.keras"):
        opened = load_model(tmp_path / name)
        assert not opened.compiled
        np.testing.assert_array_equal(opened.get_weights()[0], model.get_weights()[0])
    with h5py.File(tmp_path / "m.h5") as file:
        assert "optimizer_weights" not in file and "training_config" not in file.attrs
    with pytest.raises(FileExistsError, match="overwrite=True"):
        minidl.models.save_model(model, tmp_path / "m.h5", overwrite=False)
    minidl.models.save_model(model, tmp_path / "m.h5", save_format="h5")
    assert int(load_model(tmp_path / "m.h5").optimizer.iterations) == 1
    assert not load_model(tmp_path / "m.h5", compile=False).compiled
    with pytest.raises(ValueError, match="save_format is 'tf'"):
        model.save(tmp_path / "m.h5", save_format="tf")
    with pytest.raises(ValueError, match="zipped=False"):
        model.save(tmp_path / "m.keras", zipped=False)


def test_many_layers_and_long_names(tmp_path):
    """A list of names that is too long for one attribute is cut; so is a text for none."""
    x = minidl.Input((2,))
    names = [f"{'x' * 900}_{i}" for i in range(80)]
    model = minidl.Sequential([x, *(layers.Dense(2, name=name) for name in names)])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert "layer_names0" in file["model_weights"].attrs and "layer_names" not in file["model_weights"].attrs
    opened = load_model(tmp_path / "m.h5")
    assert [layer.name for layer in opened.layers] == names
    for a, b in zip(opened.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# ---- lambdas ----

CODE = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
LISTED = ["4wEAAAA=\n", None, None]


def with_lambda(function):
    config = {"name": "double", "trainable": True, "dtype": "float32", "function": function, "function_type": "lambda"}
    config |= {"arguments": {}, "output_shape": None, "output_shape_type": "raw", "module": "__main__"}
    entrance = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "x", "dtype": "float32"}}
    inside = {"name": "s", "layers": [entrance, {"class_name": "Lambda", "config": config}]}
    return json.dumps({"class_name": "Sequential", "config": inside})


@pytest.mark.parametrize("function", [CODE, LISTED], ids=["keras_3", "keras_2"])
def test_the_code_of_a_lambda_is_never_run(function, tmp_path, monkeypatch):
    import marshal

    def fail(*args):
        raise AssertionError("unmarshalled")

    monkeypatch.setattr(marshal, "loads", fail)
    monkeypatch.setattr(pickle, "loads", fail)
    text = with_lambda(function)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = text
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"x", b"double"])
        for name in ("x", "double"):
            group.create_group(name).attrs["weight_names"] = np.array([], "S1")

    def double(x):
        return x * 2

    for opened in (
        lambda **given: model_from_json(text, **given),
        lambda **given: load_model(tmp_path / "m.h5", **given),
    ):
        for given in ({}, {"safe_mode": False}, {"custom_objects": {"double": double}}):
            with pytest.raises(FormatError, match="code of a Python lambda, which is never run"):
                opened(**given)
        model = opened(custom_objects={"double": double}, safe_mode=False)
        assert model.predict(np.ones((1, 3)), verbose=0).tolist() == [[2.0, 2.0, 2.0]]


# ---- text ----


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"class_name": "Sequential"}', "[" * 100_000, '{"a": NaN'])
def test_damaged_json(text):
    with pytest.raises(FormatError, match="model_from_json: the text"):
        model_from_json(text)


def test_json_of_a_file_that_is_damaged(tmp_path):
    (tmp_path / "m.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match=r"m\.json: is not"):
        model_from_json(tmp_path / "m.json")
    with pytest.raises(FileNotFoundError, match="neither such a text nor a file"):
        model_from_json("missing.json")
    with pytest.raises(TypeError, match="takes a text, or the path"):
        model_from_json(3)


def test_yaml_makes_no_objects(tmp_path):
    pytest.importorskip("yaml")
    target = tmp_path / "made"
    for text in (
        f"a: 1\nb: !!python/object/apply:os.system ['touch {target}']\n",
        "a: 1\nb: !!python/name:os.system\n",
        "a: !!python/object:minidl.Sequential {}\nb: 2\n",
        "- a\n- b\n",
        "class_name: [\n",
        "class_name: Sequential\nconfig: &a\n  layers: [*a]\n",
    ):
        with pytest.raises(FormatError, match="model_from_yaml: the text"):
            model_from_yaml(text)
    assert not target.exists()


def test_yaml_whose_aliases_multiply():
    pytest.importorskip("yaml")
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(FormatError, match="aliases stand for more than"):
        model_from_yaml("\n".join([*lines, "class_name: Sequential", "config: *a9"]))


def test_without_pyyaml(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "yaml", None)
    for call in (small().to_yaml, lambda: model_from_yaml("a: 1\n")):
        with pytest.raises(ImportError, match=r"pip install pyyaml, or pip install 'minidl\[yaml\]'"):
            call()


def test_a_lambda_cannot_be_written():
    model = minidl.Sequential([minidl.Input((2,)), layers.Lambda(lambda x: x)])
    with pytest.raises(ValueError, match="is a lambda cannot be saved"):
        model.to_json()


def test_custom_objects_in_text_and_hdf5(tmp_path):
    class Twice(layers.Layer):
        def call(self, inputs):
            return inputs * 2

    def halved(x):
        return x / 2

    model = minidl.Sequential([minidl.Input((2,)), Twice(), layers.Dense(2, activation=halved)])
    model.save(tmp_path / "m.h5")
    mine = {"Twice": Twice, "halved": halved}
    x = np.ones((1, 2), "float32")
    assert load_model(tmp_path / "m.h5", custom_objects=mine).predict(x, verbose=0).tolist() == (
        model.predict(x, verbose=0).tolist()
    )
    assert type(model_from_json(model.to_json(indent=2), custom_objects=mine).layers[0]) is Twice
    with saving.custom_object_scope(mine):
        assert type(load_model(tmp_path / "m.h5").layers[0]) is Twice
    with pytest.raises(FormatError, match=r"m\.h5: .*unknown class 'Twice'.*custom_objects"):
        load_model(tmp_path / "m.h5")
    with pytest.raises(FormatError, match="unknown class 'Twice'"):
        model_from_json(model.to_json())
