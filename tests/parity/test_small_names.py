"""Public names that other tests reach only by way of others, each by itself beside Keras."""

import numpy as np
import pytest

from tests.parity.oracle import close, libraries

pytestmark = pytest.mark.oracle

RNG = np.random.default_rng(11)
A, B = (RNG.normal(size=(2, 5, 3)).astype("float32") for _ in range(2))
P = RNG.uniform(0.05, 0.95, (4, 3)).astype("float32")
T = np.eye(3, dtype="float32")[[0, 2, 1, 1]]


@pytest.mark.parametrize("settings", [{}, {"data_format": "channels_first"}, {"keepdims": True}])
def test_global_max_pooling_of_sequences(settings):
    results = [k.ops.convert_to_numpy(k.layers.GlobalMaxPooling1D(**settings)(A)) for k in libraries()]
    close(results[1], results[0], "GlobalMaxPooling1D")
    assert np.array_equal(results[1].ravel(), A.max(2 if "data_format" in settings else 1).ravel())


def test_subtract_as_a_function():
    keras, ours = libraries()
    found = ours.layers.subtract([A, B])
    close(found, keras.layers.subtract([A, B]), "subtract")
    assert np.array_equal(found, A - B)


@pytest.mark.parametrize("settings", [{}, {"gamma": 1.0, "alpha": 0.75}, {"label_smoothing": 0.1}])
def test_categorical_focal_crossentropy_as_a_function_of_metrics(settings):
    keras, ours = libraries()
    found = ours.metrics.categorical_focal_crossentropy(T, P, **settings)
    close(found, keras.metrics.categorical_focal_crossentropy(T, P, **settings), str(settings))


@pytest.mark.parametrize("settings", [{}, {"apply_class_balancing": True, "gamma": 3.0}, {"label_smoothing": 0.1}])
def test_binary_focal_crossentropy_as_a_function_of_metrics(settings):
    keras, ours = libraries()
    found = ours.metrics.binary_focal_crossentropy(T, P, **settings)
    close(found, keras.metrics.binary_focal_crossentropy(T, P, **settings), str(settings))


def test_initializers_that_draw_keep_their_seed():
    from minidl.initializers import RandomInitializer

    keras, ours = libraries()
    for k in (keras, ours):
        made = k.initializers.RandomNormal(seed=3)
        assert made.get_config()["seed"] == 3
        assert np.array_equal(k.ops.convert_to_numpy(made((4,))), k.ops.convert_to_numpy(made((4,))))
    assert isinstance(ours.initializers.RandomNormal(seed=3), RandomInitializer)
    with pytest.raises(ValueError, match="seed must be"):
        ours.initializers.RandomUniform(seed="x")


NAMES = [
    ("initializers", "zeros"), ("initializers", "GlorotUniform"), ("losses", "MeanSquaredError"), ("metrics", "mse"),
    ("metrics", "AUC"), ("regularizers", "l2"), ("regularizers", "L2"), ("constraints", "max_norm"),
    ("initializers", {"class_name": "HeNormal", "config": {}}), ("metrics", {"class_name": "AUC", "config": {}}),
    ("losses", {"class_name": "Huber", "config": {"delta": 2.0}}),
    ("regularizers", {"class_name": "L1L2", "config": {"l1": 0.5}}),
    ("constraints", {"class_name": "MaxNorm", "config": {"max_value": 3}}),
    ("optimizers", {"class_name": "Adam", "config": {"learning_rate": 0.5}}),
    ("initializers", None), ("activations", None), ("regularizers", None), ("constraints", None),
]  # fmt: skip


@pytest.mark.parametrize("module, config", NAMES, ids=str)
def test_names_and_configurations_without_a_module(module, config):
    ours, theirs = (getattr(k, module) for k in libraries()[::-1])
    found, expected = ours.deserialize(config), theirs.deserialize(config)
    if expected is None:
        assert found is None
        return
    assert type(found).__name__ == type(expected).__name__
    assert type(ours.get(config)) is type(found)
    left_out = ("name", "input_axes", "output_axes")
    plain = {k: v for k, v in expected.get_config().items() if not isinstance(v, dict) and k not in left_out}
    assert {k: v for k, v in found.get_config().items() if k in plain} == plain


def test_activations_and_functions_by_name():
    keras, ours = libraries()
    for config in ("relu", "selu"):
        both = [k.activations.deserialize(config) for k in (ours, keras)]
        close(both[0](A), both[1](A), config)
    assert ours.losses.deserialize("mean_squared_error") is ours.losses.mean_squared_error

    def mine(x):
        return x

    assert ours.activations.deserialize("mine", custom_objects={"mine": mine}) is mine
    with pytest.raises(ValueError, match="config must be a dictionary, not 'Dense'"):
        ours.layers.deserialize("Dense")
    with pytest.raises(ValueError, match="unknown initializer 'nothing'"):
        ours.initializers.deserialize("nothing")


def test_a_loss_made_of_a_function():
    from keras.src.losses.loss import Loss  # the wrapper is not public in Keras

    from minidl.losses import LossFunctionWrapper

    class Theirs(Loss):
        def call(self, y_true, y_pred):
            return squares(y_true, y_pred, factor=3.0)

    def squares(y_true, y_pred, factor=1.0):
        return factor * ((y_true - y_pred) ** 2).mean(-1)

    for reduction in ("sum", "sum_over_batch_size", "none"):
        ours = LossFunctionWrapper(squares, reduction=reduction, factor=3.0)
        close(ours(T, P), Theirs(reduction=reduction)(T, P), reduction)
    assert ours.name == "squares"


def test_weights_are_loaded_by_the_function_too(tmp_path):
    from minidl import saving

    keras, ours = libraries()
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    theirs.save_weights(path := tmp_path / "w.weights.h5")
    model = ours.Sequential([ours.Input((3,)), ours.layers.Dense(2)])
    saving.load_weights(model, path)
    for one, other in zip(model.get_weights(), theirs.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_iterators_over_pictures_are_of_their_kinds(tmp_path):
    from PIL import Image

    keras, ours = libraries()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.full((4, 6, 3), 50 if name == "a" else 150, "uint8")).save(tmp_path / name / "x.png")
    image = ours.preprocessing.image
    generator = image.ImageDataGenerator()
    rows = generator.flow(np.arange(12.0).reshape(3, 2, 2, 1), batch_size=2, shuffle=False)
    folder = generator.flow_from_directory(tmp_path, target_size=(4, 6), batch_size=2, shuffle=False)
    assert type(rows) is image.NumpyArrayIterator and type(folder) is image.DirectoryIterator
    assert isinstance(rows, image.Iterator) and isinstance(folder, image.Iterator) and len(rows) == 2
    x, y = next(folder)
    assert x.mean((1, 2, 3)).tolist() == [50, 150] and y.tolist() == [[1, 0], [0, 1]]
    assert next(rows)[1].ravel().tolist() == [4, 5, 6, 7]


def test_pictures_and_arrays(tmp_path):
    keras, ours = libraries()
    x = RNG.integers(0, 256, (4, 6, 3)).astype("float32")
    for k in (keras, ours):
        image = k.preprocessing.image
        assert np.array_equal(image.img_to_array(image.array_to_img(x, scale=False)), x)
        image.save_img(path := tmp_path / f"{k.__name__}.png", x, scale=False)
        assert np.array_equal(image.img_to_array(image.load_img(path)), x)
