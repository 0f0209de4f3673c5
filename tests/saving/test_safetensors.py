"""``.safetensors``: what is written is read, and each way in which such a file can be wrong is named."""

import json
import os
import struct
import tracemalloc

import numpy as np
import pytest

import minidl
from minidl import layers, saving
from minidl.saving import FormatError
from minidl.saving.safetensors import load_file, read_header, save_file
from minidl.saving.safetensors_weights import names_of_weights
from tests.saving.more_nets import MORE
from tests.saving.nets import inputs_of, targets_of
from tests.saving.wide_nets import WIDE

DTYPES = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")


def some_arrays():
    rng = np.random.default_rng(0)
    arrays = {dtype: (rng.normal(size=(3, 5)) * 50).astype(dtype) for dtype in DTYPES if dtype[0] != "u"}
    arrays |= {dtype: rng.integers(0, 200, (2, 1, 7)).astype(dtype) for dtype in DTYPES if dtype[0] == "u"}
    return {**arrays, "no axes": np.float32(2.5), "empty": np.zeros((0, 3), "f4"), "ünï/code": np.arange(3)}


def file_of(header, data=b"", length=None):
    """The bytes of a file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def test_arrays_are_read_as_they_were_written(tmp_path):
    path, arrays = tmp_path / "m.safetensors", some_arrays()
    save_file(arrays, path, {"made by": "a test"})
    found = load_file(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == np.asarray(array).dtype and found[name].shape == np.shape(array)
        np.testing.assert_array_equal(found[name], array)
    with open(path, "rb") as file:
        assert read_header(file, path)[1] == {"made by": "a test"}


def test_the_bytes_are_those_of_the_format(tmp_path):
    save_file({"a": np.array([1, 2], "<i2"), "b": np.array([0.5], "<f4")}, tmp_path / "m.safetensors")
    written = (tmp_path / "m.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", written[:8])
    assert length % 8 == 0
    assert json.loads(written[8 : 8 + length]) == {
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},  # larger numbers first, so that all are aligned
        "a": {"dtype": "I16", "shape": [2], "data_offsets": [4, 8]},
    }
    assert written[8 + length :] == b"\0\0\0?\1\0\2\0"


def test_other_orders_of_bytes_and_of_axes(tmp_path):
    a = np.arange(6, dtype=">i4").reshape(2, 3)
    save_file({"a": a, "b": a.T, "c": a[:, ::2], "d": minidl.Variable(a.astype("f4"))}, tmp_path / "m.safetensors")
    found = load_file(tmp_path / "m.safetensors")
    for name, wanted in {"a": a, "b": a.T, "c": a[:, ::2], "d": a}.items():
        assert found[name].tolist() == wanted.tolist()


def test_bfloat16_is_read_as_float32(tmp_path):
    values = np.array([1.0, -2.5, 3.140625, 0.0, np.inf], "<f4")
    upper = (values.view("<u4") >> 16).astype("<u2")
    (tmp_path / "m.safetensors").write_bytes(file_of({"a": one("BF16", (5,), (0, 10))}, upper.tobytes()))
    found = load_file(tmp_path / "m.safetensors")["a"]
    assert found.dtype == np.float32 and found.tolist() == values.tolist()


def test_booleans_are_0_and_1(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(file_of({"a": one("BOOL", (3,), (0, 3))}, b"\0\1\7"))
    assert load_file(tmp_path / "m.safetensors")["a"].view("u1").tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("arrays", "metadata", "error", "message"),
    [
        ({"a": np.zeros(2, complex)}, None, TypeError, "a: .* no dtype complex128; it has F64, F32"),
        ({"a": np.array(["text"])}, None, TypeError, "a: .* no dtype <U4"),
        ({3: np.zeros(2)}, None, TypeError, "must be texts, not 3"),
        ({"__metadata__": np.zeros(2)}, None, ValueError, "can be called '__metadata__'"),
        ({"a": np.zeros(2)}, {"a": 1}, TypeError, "texts to texts, not 'a' to 1"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(tmp_path, arrays, metadata, error, message):
    with pytest.raises(error, match=message):
        save_file(arrays, tmp_path / "m.safetensors", metadata)
    assert os.listdir(tmp_path) == []


DAMAGED = {
    "nothing": (b"", "has 0 bytes"),
    "a part of the length": (b"\1\0\0", "has 3 bytes"),
    "a length beyond the file": (file_of({"a": one()}, b"\0" * 8, 2**40), "header should have 1099511627776 bytes"),
    "a length of 2^64 - 1": (
        file_of({}, b"", 2**64 - 1),
        "header should have 18446744073709551615 bytes, but 2 follow",
    ),
    "a header cut off": (file_of({"a": one()}, b"", 500), "header should have 500 bytes"),
    "no object": (file_of(b"[]"), "begin with '{'"),
    "no JSON": (file_of(b"{a}"), "property name"),
    "another text": (file_of(b"{\xff}"), "utf-8"),
    "a text behind": (file_of(b"{} {}"), "Extra data"),
    "lists in lists": (file_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "is damaged: .*recursion"),
    "a name twice": (file_of(b'{"a":1,"a":2}'), "has 'a' twice"),
    "a key twice": (file_of(b'{"a":{"dtype":"F32","dtype":"F64"}}'), "has 'dtype' twice"),
    "not a number": (file_of(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,0]}}'), "the number NaN"),
    "metadata of numbers": (file_of({"__metadata__": {"a": 1}}), "texts to texts"),
    "a list of metadata": (file_of({"__metadata__": ["a"]}), "texts to texts"),
    "no description": (file_of({"a": [1]}), r"a: an array is described by .* not \[1\]"),
    "a key that is missing": (file_of({"a": {"dtype": "F32", "shape": []}}), "a: an array is described by"),
    "a key too many": (file_of({"a": one(strides=[4])}, b"\0" * 8), "a: an array is described by"),
    "another dtype": (file_of({"a": one("F8_E4M3", (8,))}, b"\0" * 8), "a: dtype 'F8_E4M3' is none of F64"),
    "a number as dtype": (file_of({"a": one(3)}, b"\0" * 8), "a: dtype 3 is none of"),
    "a negative size": (file_of({"a": one(shape=(-2, -1))}, b"\0" * 8), r"a: shape \[-2, -1\]"),
    "half a size": (file_of({"a": one(shape=(2.0,))}, b"\0" * 8), r"a: shape \[2.0\]"),
    "true as a size": (file_of({"a": one(shape=(True, 2))}, b"\0" * 8), r"a: shape \[True, 2\]"),
    "a size beyond all": (file_of({"a": one(shape=(0, 2**62), offsets=(0, 0))}), "a: shape .* that an array can have"),
    "too many axes": (file_of({"a": one(shape=(1,) * 65, offsets=(0, 4))}, b"\0" * 4), "a: shape"),
    "no shape": (file_of(b'{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}'), "a: shape 2"),
    "three offsets": (file_of({"a": one(offsets=(0, 8, 8))}, b"\0" * 8), "a: data_offsets"),
    "offsets the other way": (file_of({"a": one(offsets=(8, 0))}, b"\0" * 8), "a: shape .* takes 8 bytes"),
    "a negative offset": (file_of({"a": one(offsets=(-8, 0))}, b"\0" * 8), "a: data_offsets"),
    "a product beyond 64 bits": (file_of({"a": one(shape=(2**32, 2**32))}, b"\0" * 8), "a: shape"),
    "more than its size": (file_of({"a": one(offsets=(0, 12))}, b"\0" * 12), r"a: shape \[2\] of F32 takes 8 bytes"),
    "an overlap": (file_of({"a": one(), "b": one(offsets=(4, 12))}, b"\0" * 12), "b overlaps with a"),
    "the same place": (file_of({"a": one(), "b": one()}, b"\0" * 8), "b overlaps with a"),
    "a gap": (file_of({"a": one(), "b": one(offsets=(12, 20))}, b"\0" * 20), "b leaves 4 bytes unused behind a"),
    "a gap at the start": (file_of({"a": one(offsets=(4, 12))}, b"\0" * 12), "a leaves 4 bytes .* behind the header"),
    "something behind": (file_of({"a": one()}, b"\0" * 9), r"end at byte (\d+), but the file at byte (\d+)$"),
    "data cut off": (file_of({"a": one()}, b"\0" * 7), "it was cut off"),
    "data of a hundred exabytes": (file_of({"a": one(shape=(2**57,), offsets=(0, 2**59))}), "it was cut off"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damage_is_named_and_takes_no_memory(tmp_path, damage):
    path = tmp_path / "m.safetensors"
    content, message = DAMAGED[damage]
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(FormatError, match=message) as caught:
        load_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(path) in str(caught.value) and peak < 5_000_000


def test_every_cut_and_many_changed_bytes(tmp_path):
    """A file that is cut off is refused wherever that is; one byte that is changed is a FormatError at most."""
    path = tmp_path / "m.safetensors"
    save_file({"a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.array([True])}, path, {"x": "y"})
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError):
            load_file(path)
    refused = 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        try:
            assert sum(array.size for array in load_file(path).values()) == 7
        except FormatError:
            refused += 1
    assert refused > 100


# ---- models ----


def model_of(name="first", units=3):
    return minidl.Sequential(
        [minidl.Input((4,)), layers.Dense(units, name=name), layers.BatchNormalization(), layers.Dropout(0.5, seed=3),
         layers.Dense(2)]
    )  # fmt: skip


def same_weights(a, b):
    for left, right in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_names_are_keras_paths(tmp_path):
    minidl.utils.clear_session()
    model = model_of()
    assert list(names_of_weights(model)) == [
        "first/kernel", "first/bias", "batch_normalization/gamma", "batch_normalization/beta",
        "batch_normalization/moving_mean", "batch_normalization/moving_variance",
        "dropout/seed_generator/seed_generator_state", "dense/kernel", "dense/bias",
    ]  # fmt: skip
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save_weights(tmp_path / "m.safetensors")
    found = load_file(tmp_path / "m.safetensors")
    assert found["first/kernel"].shape == (4, 3) and found["dense/bias"].tolist() == [0, 0]
    assert found["optimizer/vars/0"].tolist() == 0 and len(found) == 9 + len(model.optimizer.variables)


def test_what_layers_hold_goes_by_the_names_of_attributes():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.wide, self.rest = layers.Dense(3), [layers.Dense(2), layers.Dense(1)]

        def call(self, x):
            return self.rest[1](self.rest[0](self.wide(x)))

    inner = minidl.Sequential([minidl.Input((1,)), layers.Dense(1, use_bias=False, name="d")], name="inner")
    model = minidl.Sequential([minidl.Input((4,)), Block(), inner])
    assert list(names_of_weights(model)) == [
        "block/rest/dense/kernel", "block/rest/dense/bias", "block/rest/dense_1/kernel", "block/rest/dense_1/bias",
        "block/wide/kernel", "block/wide/bias", "inner/d/kernel",
    ]  # fmt: skip


def test_paths_that_are_there_twice_get_a_number():
    """Layers that do not give their parts a path of their own."""

    class Twins(layers.Layer):
        def build(self, shape):
            self.a, self.b = (self.add_weight((2,), name="w") for _ in range(2))

        def call(self, x):
            return x + self.a + self.b

    model = minidl.Sequential([minidl.Input((2,)), Twins(name="t")])
    assert list(names_of_weights(model)) == ["t/w", "t/w_1"]


@pytest.mark.parametrize("net", WIDE)
def test_models_are_read_as_they_were_written(net, tmp_path):
    """Also into a model whose layers got other counters behind their names."""
    model, other = WIDE[net](minidl), WIDE[net](minidl)
    for weight in model.weights:
        weight.assign(np.random.default_rng(weight.size).uniform(0.2, 0.9, weight.shape))
    model.save_weights(tmp_path / "m.safetensors")
    other.load_weights(tmp_path / "m.safetensors")
    same_weights(model, other)
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras")  # where layers inside layers get names in another order
    opened.save_weights(tmp_path / "m.safetensors")
    third = WIDE[net](minidl)
    third.load_weights(tmp_path / "m.safetensors")
    same_weights(model, third)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", lambda: minidl.optimizers.SGD(0.05, momentum=0.9)])
def test_training_goes_on_bit_for_bit(optimizer, tmp_path):
    def compiled():
        model = model_of()
        model.compile(optimizer() if callable(optimizer) else optimizer, "mse")
        return model

    model = compiled()
    x = inputs_of(model)
    y = targets_of(model, x)
    model.fit(x, y, batch_size=5, epochs=2, verbose=0)
    model.save_weights(tmp_path / "m.safetensors")
    other = compiled()
    other.load_weights(tmp_path / "m.safetensors")
    histories = []
    for one_of in (model, other):
        minidl.utils.set_random_seed(5)
        histories.append(one_of.fit(x, y, batch_size=5, epochs=2, verbose=0).history)
    assert histories[0] == histories[1] and int(other.optimizer.iterations) == 12
    same_weights(model, other)


def test_another_optimizer_starts_anew(tmp_path):
    model, other = model_of(), model_of()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save_weights(tmp_path / "m.safetensors")
    other.compile(minidl.optimizers.SGD(momentum=0.9), "mse")
    with pytest.warns(UserWarning, match="the optimizer 'sgd.*' starts anew: it has 8 variables"):
        other.load_weights(tmp_path / "m.safetensors")
    same_weights(model, other)
    assert not other.optimizer.built
    plain = model_of()
    plain.load_weights(tmp_path / "m.safetensors")  # not compiled: nothing to say
    same_weights(model, plain)


def test_what_does_not_fit_changes_nothing(tmp_path):
    model_of(units=5).save_weights(tmp_path / "m.safetensors")
    model = model_of()
    before = model.get_weights()
    with pytest.raises(
        ValueError, match=r"weights of another model than .*\n  first/kernel has shape \(4, 3\), but in"
    ):
        model.load_weights(tmp_path / "m.safetensors")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="other/kernel is not in the file, which has first/kernel"):
        model_of("other", 5).load_weights(tmp_path / "m.safetensors")


def test_skip_mismatch(tmp_path):
    source, model = model_of(units=5), model_of()
    source.layers[-1].set_weights([np.ones((5, 2)), np.full(2, 7)])
    source.save_weights(tmp_path / "m.safetensors")
    kernel = model.layers[0].get_weights()[0]
    with pytest.warns(UserWarning, match=r"first/kernel has shape(.|\n)*These stay as they are"):
        model.load_weights(tmp_path / "m.safetensors", skip_mismatch=True)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)
    assert model.layers[-1].get_weights()[1].tolist() == [7, 7]


def test_by_name(tmp_path):
    source = minidl.Sequential([minidl.Input((4,)), layers.Dense(3, name="first"), layers.Dense(9, name="head")])
    source.save_weights(tmp_path / "m.safetensors")
    model = model_of()
    last = model.layers[-1].get_weights()[0]
    model.load_weights(tmp_path / "m.safetensors", by_name=True)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], source.layers[0].get_weights()[0])
    np.testing.assert_array_equal(model.layers[-1].get_weights()[0], last)
    with pytest.raises(ValueError, match="first/kernel has shape"):
        model_of(units=4).load_weights(tmp_path / "m.safetensors", by_name=True)


def test_what_the_model_has_no_place_for_is_named(tmp_path):
    model = model_of()
    arrays = {name: variable for name, variable in names_of_weights(model).items() if "seed" not in name}
    save_file({**arrays, "more/kernel": np.zeros(3)}, tmp_path / "m.safetensors")
    with pytest.warns(UserWarning, match="no place for more/kernel"):
        model.load_weights(tmp_path / "m.safetensors")


def test_half_precision_becomes_that_of_the_model(tmp_path):
    model = model_of()
    save_file({n: np.full(v.shape, 0.1, "f2") for n, v in names_of_weights(model).items()}, tmp_path / "m.safetensors")
    model.load_weights(tmp_path / "m.safetensors")
    kernel = model.layers[0].weights[0]
    assert kernel.dtype == np.float32 and kernel.numpy()[0, 0] == np.float32(np.float16(0.1))


def test_a_whole_model_is_no_safetensors_file(tmp_path):
    with pytest.raises(ValueError, match=r"save_model: filepath must end in \.keras, .*write '.*m\.keras'"):
        model_of().save(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=r"call model\.load_weights\(\)"):
        saving.load_model(tmp_path / "m.safetensors")


@pytest.mark.oracle
def test_the_package_of_the_format_reads_ours_and_we_its(tmp_path):
    package = pytest.importorskip("safetensors.numpy")
    arrays = {name: np.asarray(array) for name, array in some_arrays().items()}
    save_file(arrays, tmp_path / "ours.safetensors", {"a": "b"})
    package.save_file(arrays, tmp_path / "theirs.safetensors", {"c": "d"})
    for found in (package.load_file(tmp_path / "ours.safetensors"), load_file(tmp_path / "theirs.safetensors")):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype and found[name].shape == array.shape
            np.testing.assert_array_equal(found[name], array)
    with open(tmp_path / "theirs.safetensors", "rb") as file:
        assert read_header(file, "theirs")[1] == {"c": "d"}


# The package takes unknown keys and a dtype that only it knows, and looks less closely at sizes.
TAKEN_THERE = ("a key too many", "another dtype", "a size beyond all", "too many axes")


@pytest.mark.oracle
@pytest.mark.parametrize("damage", [name for name in DAMAGED if name not in TAKEN_THERE])
def test_what_we_refuse_the_package_refuses_too(damage):
    package = pytest.importorskip("safetensors")
    from safetensors import numpy as package_numpy

    content, _ = DAMAGED[damage]
    with pytest.raises((package.SafetensorError, KeyError, ValueError)):
        package_numpy.load(content)


@pytest.mark.oracle
@pytest.mark.parametrize("net", ["conv", "branches", "nested"])
def test_models_move_through_the_package(tmp_path, net):
    """Its files have another order, and no states of random numbers."""
    package = pytest.importorskip("safetensors.numpy")
    model, other = MORE[net](minidl), MORE[net](minidl)
    model.save_weights(tmp_path / "m.safetensors")
    arrays = package.load_file(tmp_path / "m.safetensors")
    assert {name: value.shape for name, value in arrays.items()} == {
        name: tuple(variable.shape) for name, variable in names_of_weights(model).items()
    }
    kept = {name: value for name, value in arrays.items() if "seed" not in name}
    package.save_file(kept, tmp_path / "theirs.safetensors")
    other.load_weights(tmp_path / "theirs.safetensors")
    same_weights(model, other)
