"""Helpers of ``minidl.utils``, ``minidl.config`` and ``minidl.backend`` side by side with Keras' own."""

import itertools
import logging
import re

import numpy as np
import pytest

import minidl
from minidl import config, layers, ops, saving, utils
from tests.parity.oracle import libraries

DTYPES = (
    None, bool, int, float, "int", "bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64", np.int8,
    np.float64, np.dtype("uint16"), np.dtype("float32"),
)  # fmt: skip
PROMOTED = (
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64",
    int, float,
)  # fmt: skip


# ---- dtypes ----


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes_are_named_as_in_keras(keras, dtype):
    assert utils.standardize_dtype(dtype) == keras.utils.standardize_dtype(dtype)
    for name in ("standardize_dtype", "is_float_dtype", "is_int_dtype"):
        assert getattr(minidl.backend, name)(dtype) == getattr(keras.backend, name)(dtype), name


@pytest.mark.parametrize("dtype", ["string", "complex64", "float99", object, np.complex128])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be"):
        utils.standardize_dtype(dtype)


@pytest.mark.oracle
@pytest.mark.parametrize("one", PROMOTED, ids=str)
def test_dtypes_are_promoted_as_in_keras(keras, one):
    for two in PROMOTED:
        pair = one, two
        ours = minidl.backend.result_type(*pair).replace("64", "32")  # JAX has no 64 bits
        assert ours == keras.backend.result_type(*pair), pair
    for two, three in itertools.combinations(("uint8", "int16", "float16", int, float), 2):
        given = one, two, three
        ours = minidl.backend.result_type(*given).replace("64", "32")
        assert ours == keras.backend.result_type(*given), given
    assert minidl.backend.result_type("float64", "int64") == "float64"
    assert minidl.backend.result_type("uint32", "int8") == "int64" and minidl.backend.result_type() == "float32"


# ---- sequences ----

SEQUENCES = [[1, 2, 3], [], [4], [5, 6, 7, 8, 9]]
WORDS = [["a", "b"], ["c"]]


@pytest.mark.oracle
@pytest.mark.parametrize(
    "sequences, settings",
    [
        (SEQUENCES, {}),
        *((SEQUENCES, {"maxlen": n, "padding": p, "truncating": t, "value": 7})
          for n in (1, 2, 4, 8) for p in ("pre", "post") for t in ("pre", "post")),
        (SEQUENCES, {"dtype": "float32", "value": -0.5}),
        ([np.ones((2, 3)), np.zeros((4, 3))], {"padding": "post"}),
        (np.arange(6).reshape(2, 3), {"maxlen": 5}),
        (WORDS, {"dtype": object, "value": "-", "padding": "post"}),
        (WORDS, {"dtype": "<U1", "value": "-"}),
    ],
)  # fmt: skip
def test_pad_sequences(keras, sequences, settings):
    ours, theirs = utils.pad_sequences(sequences, **settings), keras.utils.pad_sequences(sequences, **settings)
    assert ours.dtype == theirs.dtype and ours.tolist() == theirs.tolist()
    assert minidl.preprocessing.sequence.pad_sequences is utils.pad_sequences


@pytest.mark.parametrize(
    "sequences, settings, message",
    [
        (3, {}, "list of sequences"),
        ([1, 2], {}, "number 0 is 1"),
        (SEQUENCES, {"padding": "left"}, "padding must be"),
        (SEQUENCES, {"truncating": "left"}, "truncating must be"),
        ([[[1, 2]], [[1, 2, 3]]], {}, "entries of shape"),
        (WORDS, {"value": "-"}, "dtype=object"),
    ],
)
def test_pad_sequences_refuses(sequences, settings, message):
    with pytest.raises(ValueError, match=message):
        utils.pad_sequences(sequences, **settings)


def rows(dataset):
    return [[np.asarray(part).tolist() for part in one] if isinstance(one, tuple) else np.asarray(one).tolist()
            for one in dataset]  # fmt: skip


def test_windows_of_a_sequence():
    # The example of Keras' documentation: 10 steps apart 2, a window every 3.
    found = rows(
        utils.timeseries_dataset_from_array(
            np.arange(100), None, sequence_length=10, sampling_rate=2, sequence_stride=3, batch_size=None
        )
    )
    assert found[0] == list(range(0, 20, 2)) and found[1] == list(range(3, 23, 2)) and found[-1][-1] <= 99
    assert len(found) == 28  # begins 0, 3, ..., 81


def test_windows_with_targets_in_batches():
    data = np.arange(10.0)
    batches = list(utils.timeseries_dataset_from_array(data[:-3], data[3:], sequence_length=3, batch_size=2))
    assert [(x.shape, y.shape) for x, y in batches] == [((2, 3), (2,))] * 2 + [((1, 3), (1,))]
    assert batches[0][0].numpy().tolist() == [[0, 1, 2], [1, 2, 3]] and batches[0][1].numpy().tolist() == [3, 4]
    part = utils.timeseries_dataset_from_array(data, data * 10, 2, batch_size=None, start_index=4, end_index=8)
    assert rows(part) == [[[4, 5], 40], [[5, 6], 50], [[6, 7], 60]]


def test_windows_are_shuffled_anew_in_each_pass():
    made = utils.timeseries_dataset_from_array(np.arange(50), None, 2, shuffle=True, seed=1, batch_size=None)
    first, second = rows(made), rows(made)
    assert sorted(first) == sorted(second) == [[i, i + 1] for i in range(49)] and first != second
    again = utils.timeseries_dataset_from_array(np.arange(50), None, 2, shuffle=True, seed=1, batch_size=None)
    assert rows(again) == first


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"start_index": -1}, "start_index"), ({"start_index": 10}, "start_index"), ({"end_index": 10}, "end_index"),
        ({"start_index": 4, "end_index": 4}, "end_index"), ({"sampling_rate": 0}, "sampling_rate"),
        ({"sequence_stride": 10}, "sequence_stride"), ({"sequence_length": 0}, "sequence_length"),
    ],
)  # fmt: skip
def test_windows_outside_of_the_data(settings, message):
    with pytest.raises(ValueError, match=message):
        utils.timeseries_dataset_from_array(np.arange(10), None, **{"sequence_length": 2, **settings})


def test_windows_train():
    data = np.sin(np.arange(60) / 3).astype("float32")
    windows = minidl.preprocessing.timeseries_dataset_from_array(data[:-4], data[4:], 4, batch_size=8)
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(windows, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.3 * history[0]


# ---- symbolic tensors, names ----


def test_sources_of_a_symbolic_tensor():
    one, two, three = (minidl.Input((2,)) for _ in range(3))
    hidden = layers.Dense(2)(one) + ops.relu(two)
    found = utils.get_source_inputs(hidden * 2 + one)
    assert [tensor is expected for tensor, expected in zip(found, (one, two), strict=True)] == [True, True]
    assert utils.get_source_inputs(three)[0] is three
    with pytest.raises(TypeError, match="symbolic"):
        utils.get_source_inputs(np.ones(2))
    assert utils.is_keras_tensor(hidden) and not utils.is_keras_tensor(np.ones(2))
    assert minidl.backend.is_keras_tensor is utils.is_keras_tensor


@pytest.mark.oracle
def test_name_scopes_are_in_paths_as_in_keras():
    def paths(k):
        with k.name_scope("a"):
            found = [k.Variable(1.0, name="v").path]
            with k.name_scope("b"):
                found.append(k.Variable(1.0, name="w").path)
            dense = k.layers.Dense(2)
        dense.build((1, 2))
        return [*found, k.Variable(1.0, name="v").path, dense.kernel.path]

    keras, ours = libraries()
    assert paths(ours) == paths(keras) == ["a/v", "a/b/w", "v", "dense/kernel"]
    for name in ("a/b", 3):
        with pytest.raises(ValueError), ours.name_scope(name):
            pass


def test_version():
    assert minidl.version() == minidl.__version__ and re.fullmatch(r"\d+\.\d+\.\d+\w*", minidl.version())


# ---- custom objects ----


def test_custom_objects_are_one_dictionary():
    def cubed(x):
        return x * x * x

    known = utils.get_custom_objects()
    assert saving.get_custom_objects() is known
    known["cubed_for_this_test"] = cubed
    try:
        assert layers.Activation("cubed_for_this_test")(np.array([2.0])).numpy().tolist() == [8]
    finally:
        del known["cubed_for_this_test"]
    with utils.CustomObjectScope({"cubed": cubed}):
        assert minidl.activations.get("cubed") is cubed
    with pytest.raises(ValueError):
        minidl.activations.get("cubed")
    assert saving.CustomObjectScope is utils.CustomObjectScope


@pytest.mark.oracle
def test_objects_become_the_configurations_of_keras():
    keras, ours = libraries()
    both = [k.utils.serialize_keras_object(k.regularizers.L1L2(0.5, 0.25)) for k in (ours, keras)]
    assert both[0] == both[1]
    again = ours.utils.deserialize_keras_object(both[1], safe_mode=False)
    assert again(np.array([1.0, -2.0])).item() == pytest.approx(0.5 * 3 + 0.25 * 5)


# ---- settings ----


def test_where_progress_goes(capsys, caplog):
    assert config.is_interactive_logging_enabled()
    x = np.zeros((4, 2), "float32")
    model = minidl.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with caplog.at_level(logging.INFO, "minidl"):
        for module in (utils, config):
            module.disable_interactive_logging()
            try:
                assert not module.is_interactive_logging_enabled()
                model.fit(x, x[:, :1], verbose=2)
            finally:
                module.enable_interactive_logging()
        assert capsys.readouterr().out == "" and "loss: 0.0000" in caplog.text
        caplog.clear()
        model.fit(x, x[:, :1], verbose=2)
    assert "loss: 0.0000" in capsys.readouterr().out and caplog.text == ""


def test_the_order_of_axes():
    assert config.image_data_format() == minidl.backend.image_data_format() == "channels_last"
    config.set_image_data_format("channels_last")
    with pytest.raises(ValueError, match="channels_last"):
        config.set_image_data_format("channels_first")
    assert config.backend() == minidl.backend.backend() == "minidl"


# ---- Config ----


@pytest.mark.oracle
def test_config_is_that_of_keras():
    def use(k):
        made = k.utils.Config(rate=0.5, b=[1])
        made.seed = 3
        made["name"] = "x"
        made.update({"more": 1}, b=2)
        del made["more"]
        found = [made.seed, made["rate"], list(made), len(made), "seed" in made, made.get("nothing", 9), made.pop("b")]
        made.freeze()
        for change in (lambda: setattr(made, "seed", 4), lambda: made.pop("seed"), lambda: made.update(a=1)):
            with pytest.raises(ValueError, match="frozen"):
                change()
        found += [made.frozen, made.as_dict(), made.to_json(), list(made.items()), list(made.values()), repr(made)]
        with pytest.raises(AttributeError, match="'seed'"):
            made.sed  # noqa: B018
        made.unfreeze()
        made.seed = 5
        return [*found, made.frozen, sorted(made.keys()), made.seed]

    keras, ours = libraries()
    assert use(ours) == use(keras)


def test_methods_of_config_are_no_entries():
    with pytest.raises(AttributeError, match="keys"):
        utils.Config().keys = 3


def test_seeds():
    utils.set_random_seed(5)
    assert config.global_seed() == 5
    drawn = [config.next_seed() for _ in range(3)]
    utils.set_random_seed(5)
    assert [config.next_seed() for _ in range(3)] == drawn and len(set(drawn)) == 3
    with pytest.raises(ValueError, match="seed"):
        config.set_global_seed(-1)


def test_settings():
    assert (config.floatx(), config.epsilon()) == ("float32", 1e-7)
    config.set_epsilon(0.5)
    try:
        # Half of the row is less than epsilon, and is divided by that.
        assert ops.normalize(np.array([[0.25, 0.0]]), axis=1).tolist() == [[0.5, 0]]
    finally:
        config.set_epsilon(1e-7)


@pytest.mark.oracle
def test_names_of_registered_objects_are_those_of_keras():
    def use(k):
        @k.utils.register_keras_serializable(package="test_utils", name="cube")
        def cubed(x):
            return x * x * x

        class Free:
            pass

        name = k.utils.get_registered_name(cubed)
        found = [name, k.utils.get_registered_name(Free), k.utils.get_registered_object(name) is cubed]
        found.append(k.utils.get_registered_object("unknown>name"))
        with k.utils.custom_object_scope({"mine": Free}):
            found.append(k.utils.get_registered_object("mine") is Free)
        found.append(k.utils.get_registered_object("mine"))
        return found

    keras, ours = libraries()
    assert use(ours) == use(keras) == ["test_utils>cube", "Free", True, None, True, None]
