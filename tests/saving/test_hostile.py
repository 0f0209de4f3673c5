"""Files made to do harm: archives, texts and configurations that ask for more than they are."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import minidl
from minidl import layers, opening, saving
from minidl.saving import FormatError
from minidl.saving.json_text import parse_json
from minidl.saving.zip_reader import members, opened
from tests.saving.test_damage import config_of, rebuilt, small

ROOT = Path(__file__).resolve().parents[2]


# ---- archives ----


def zipped(*entries, method=zipfile.ZIP_STORED, attributes=0o600):
    image = io.BytesIO()
    with zipfile.ZipFile(image, "w", method) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes << 16
            archive.writestr(info, content, method)
    return image


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_an_archive(method):
    rng = np.random.default_rng(0)
    contents = {"a.json": b"{}", "folder/b": rng.bytes(3_000_000), "empty": b"", "ä": b"x" * 100_000}
    image = zipped(*contents.items(), method=method)
    found = members(image)
    assert list(found) == list(contents)
    for name, content in contents.items():
        file, start, size = opened(image, found[name])
        file.seek(start)
        assert file.read(size) == content
        assert (file is image) == (method == zipfile.ZIP_STORED)


def test_an_archive_with_a_comment_and_one_that_was_streamed():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    target = Pipe()
    with zipfile.ZipFile(target, "w") as archive:  # sizes stand behind the members, and zeros before them
        archive.writestr("a", b"content")
        archive.comment = b"PK\5\6 a comment"
    file, start, size = opened(target, members(io.BytesIO(target.getvalue()))["a"])
    assert target.getvalue()[start : start + size] == b"content"


def test_an_archive_of_the_large_kind(monkeypatch):
    """As for more than 4 GiB: the real numbers stand in fields of 64 bits."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    image = zipped(("a", b"x" * 100), ("b", b"y" * 50))
    assert b"PK\6\6" in image.getvalue()
    file, start, size = opened(image, members(image)["b"])
    assert image.getvalue()[start : start + size] == b"y" * 50


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "C:\\a", "\\\\host\\a", "a\\..\\..\\b"])
def test_names_outside_of_a_folder(name):
    with pytest.raises(ValueError, match="outside of a folder"):
        members(zipped((name, b"x")))


def test_links_doubles_and_encrypted_members():
    with pytest.raises(ValueError, match="is a link"):
        members(zipped(("a", b"/etc/passwd"), attributes=0o120777))
    with pytest.warns(UserWarning, match="Duplicate"):
        double = zipped(("a", b"1"), ("a", b"2"))
    with pytest.raises(ValueError, match="two members 'a'"):
        members(double)
    raw = bytearray(zipped(("a", b"1")).getvalue())
    raw[raw.find(b"PK\1\2") + 8] |= 1
    with pytest.raises(ValueError, match="encrypted"):
        members(io.BytesIO(raw))


def test_members_that_overlap():
    raw = bytearray(zipped(("a", b"1" * 500), ("b", b"2" * 500)).getvalue())
    second = raw.rfind(b"PK\1\2")
    raw[second + 42 : second + 46] = bytes(4)
    with pytest.raises(ValueError, match="lies over others"):
        members(io.BytesIO(raw))


def test_a_wrong_checksum_is_found():
    raw = bytearray(zipped(("a", b"some content")).getvalue())
    raw[raw.find(b"some")] ^= 1
    with pytest.raises(ValueError, match="checksum"):
        opened(io.BytesIO(raw), members(io.BytesIO(raw))["a"])


def test_a_member_that_grows_without_end():
    image = zipped(("a", bytes(40 << 20)), method=zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="claims 41943040 bytes"):
        opened(image, members(image)["a"])
    raw = bytearray(image.getvalue())
    raw[raw.find(b"PK\1\2") + 24 : raw.find(b"PK\1\2") + 28] = (1000).to_bytes(4, "little")
    with pytest.raises(ValueError, match="larger than the 1000 bytes"):
        opened(io.BytesIO(raw), members(io.BytesIO(raw))["a"])


def test_no_archive():
    for content in (b"", b"x" * 1000, b"PK\5\6" + bytes(18), b"PK\5\6" + b"\xff" * 18):
        image = io.BytesIO(content)
        if content[4:] == bytes(18):
            assert members(image) == {}
        else:
            with pytest.raises(ValueError, match=r"archive|cut off"):
                members(image)


def test_a_packed_archive_opens(tmp_path):
    """Who packs a model anew packs it with compression."""
    model = small(compiled=False)
    model.save(tmp_path / "m.keras")
    source = zipfile.ZipFile(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "packed.keras", "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    opened_model = saving.load_model(tmp_path / "packed.keras")
    for a, b in zip(opened_model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_packed_twice_counts_once(tmp_path):
    """Compressed arrays in a compressed archive: both together may not exceed what the archive may ask for."""
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        for number in range(20):
            file.create_dataset(f"layers/dense/vars/{number}", data=np.zeros(1 << 18, "f4"), compression="gzip")
    model = small(compiled=False)
    model.save(tmp_path / "m.keras")
    archive = zipfile.ZipFile(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "packed.keras", "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("config.json", archive.read("config.json"))
        target.writestr("model.weights.h5", image.getvalue() + bytes(4 << 20))
    with pytest.raises(FormatError, match="allowed for this file"):
        saving.load_model(tmp_path / "packed.keras")


# ---- JSON and YAML ----


def test_json_is_read_as_json():
    value = {"a": [1, 2.5, None, True, 'ä " [{'], "b": {"c": []}, "d": float("inf")}
    assert parse_json(json.dumps(value)) == parse_json(json.dumps(value).encode()) == value
    assert parse_json(b"\xef\xbb\xbf[]") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "'a' is there twice"), ("[" * 500 + "]" * 500, "nested more than 400 deep"),
        ("[" + "[]," * 2_000_000 + "[]]", "values in"), ("[1", "Expecting"), (b"\xff", "utf-8"),
        ("1" * 10_000, "digits"),
        (3, "should be a text"),
    ],
)  # fmt: skip
def test_json_that_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        parse_json(text)


def test_yaml_is_read_as_pyyaml_reads_it():
    yaml = pytest.importorskip("yaml")
    from minidl.saving.yaml_text import parse_yaml

    text = """
a: &x [1, 2.5, -3, 1e3, 0x1f, yes, ~, 'quoted', "1", null]
b: *x
c: {d: {}, e: [], f: 'text: with # marks'}
g: |
  two
  lines
h: !!str 12
1: number
.inf: .nan
"""
    ours, theirs = parse_yaml(text, yaml), yaml.safe_load(text)
    assert repr(ours) == repr(theirs) and ours["b"] == theirs["a"]
    assert parse_yaml("- !!python/tuple [1, 2]\n- !!python/unicode 'x'", yaml) == [[1, 2], "x"]
    assert parse_yaml("", yaml) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested more than 200"), ("- " * 100_000, "nested more than 200"),
        ("a: !!python/object/apply:os.getcwd []", "plain data only"), ("a: !!python/name:eval ''", "plain data only"),
        ("a: !!binary aGk=", "plain data only"), ("a: 1\na: 2", "twice"), ("[a]: 1", "cannot be one"),
        ("a: &b [*b]", "stands for nothing"), ("a: *b", "stands for nothing"), ("--- 1\n--- 2", "several documents"),
        ("a: [", "expected"),
        ("[" + "a," * 900_000 + "a]", "too many values"), (" " * 3_000_000, "write JSON"),
    ],
)  # fmt: skip
def test_yaml_that_is_refused(text, said):
    yaml = pytest.importorskip("yaml")
    from minidl.saving.yaml_text import parse_yaml

    with pytest.raises(ValueError, match=said):
        parse_yaml(text, yaml)


# ---- configurations ----


def huge_layer(config):
    config["config"]["layers"][1]["config"]["units"] = 10**12


def huge_input(config):
    config["config"]["layers"][0]["config"]["batch_shape"] = [None, 10**13]
    for layer in config["config"]["layers"][1:]:
        layer.pop("build_config", None)
    config.pop("build_config", None)


def huge_metric(config):
    config["compile_config"]["metrics"] = [
        {"module": "keras.metrics", "class_name": "AUC", "config": {"num_thresholds": 10**10}, "registered_name": None}
    ]


def test_thresholds_in_an_h5_file(tmp_path):
    model = small(compiled=False)
    model.compile("adam", "mse", metrics=[minidl.metrics.AUC(num_thresholds=5)])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        file.attrs["training_config"] = file.attrs["training_config"].replace(
            '"num_thresholds": 5', '"num_thresholds": 1000000'
        )
    with pytest.raises(FormatError, match=r"m\.h5: .*list of thresholds .*too much"):
        saving.load_model(tmp_path / "m.h5")


@pytest.mark.parametrize("spoil", [huge_layer, huge_input, huge_metric])
def test_a_model_that_asks_for_more_than_its_file_holds(tmp_path, spoil):
    small().save(tmp_path / "m.keras")
    archive = (tmp_path / "m.keras").read_bytes()
    config = config_of(archive)
    spoil(config)
    (tmp_path / "m.keras").write_bytes(rebuilt(archive, config=json.dumps(config)))
    with pytest.raises(FormatError, match=r"m\.keras: .*(takes \d+ bytes: too much|shape)"):
        saving.load_model(tmp_path / "m.keras")


def test_a_graph_whose_calls_stand_the_wrong_way_round():
    """Finding an order takes time in the square of their number, so it is given up at last."""
    x = y = minidl.Input((3,))
    for _ in range(800):
        y = layers.Activation("relu")(y)
    config = json.loads(minidl.Model(x, y).to_json())
    assert len(saving.model_from_json(json.dumps(config)).layers) == 801
    config["config"]["layers"].reverse()
    with pytest.raises(FormatError, match="too far from the order"):
        saving.model_from_json(json.dumps(config))


def test_a_text_in_the_place_of_a_list_of_arguments():
    x = minidl.Input((3,))
    config = json.loads(minidl.Model(x, layers.Dense(2)(x)).to_json())
    config["config"]["layers"][1]["inbound_nodes"][0]["args"] = "x" * 1_000_000
    with pytest.raises(FormatError, match="lists of args"):
        saving.model_from_json(json.dumps(config))


def test_a_text_that_asks_for_more_than_the_machine_has():
    config = json.loads(minidl.Sequential([minidl.Input((4,)), layers.Dense(3)]).to_json())
    config["config"]["layers"][1]["config"]["units"] = 10**12
    with pytest.raises(FormatError, match="takes 16000000000000 bytes: too much"):
        saving.model_from_json(json.dumps(config))


def test_limits_hold_inside_each_other():
    with opening.limited(1000, "outer"), opening.limited(10_000, "inner"):
        opening.may_allocate((100,), "float32", "first")
        with pytest.raises(ValueError, match="second of shape \\(200,\\) takes 800 bytes: .*1000 bytes, outer"):
            opening.may_allocate((200,), "float32", "second")
    opening.may_allocate((10**15,), "float32", "outside of all")
    assert not opening.values_follow()
    with opening.limited(10, "x", values_follow=True):
        assert opening.values_follow()
    assert opening.half_of_memory() > 1 << 28


def test_a_weight_gets_its_start_value_from_the_file_alone(tmp_path, monkeypatch):
    model = small(compiled=False)
    model.save(tmp_path / "m.keras")
    monkeypatch.setattr(minidl.initializers.GlorotUniform, "__call__", lambda *given, **more: 1 / 0)
    opened_model = saving.load_model(tmp_path / "m.keras")
    for a, b in zip(opened_model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_arrays_in_a_configuration_are_of_numbers():
    item = {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "S1000000000"}}
    with pytest.raises(ValueError, match="must be that of numbers"):
        saving.deserialize_keras_object(item)
    item["config"] = {"value": [1, 2], "dtype": "float32"}
    assert saving.deserialize_keras_object(item).tolist() == [1, 2]


MEMORY = """
import sys
from pathlib import Path
import minidl
from minidl import layers, saving
tiny = minidl.Sequential([minidl.Input((3,)), layers.Dense(2)])
tiny.save(sys.argv[1] + ".tiny" + sys.argv[2]); saving.load_model(sys.argv[1] + ".tiny" + sys.argv[2])
def memory(field):
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(lines[field].split()[0]) * 1024
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
model = saving.load_model(sys.argv[1] + sys.argv[2])
print((memory("VmHWM") - before) / Path(sys.argv[1] + sys.argv[2]).stat().st_size)
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="memory is measured as Linux shows it")
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_weights_are_in_memory_once(tmp_path, ending):
    """At most 1.3 times the weights, also where one layer has nearly all of them."""
    model = minidl.Sequential([minidl.Input((4096,)), layers.Dense(4096), layers.Dense(100)])
    model.save(tmp_path / f"m{ending}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "kernels")))}
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "m"), ending], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert 0.5 < float(done.stdout) < 1.3
