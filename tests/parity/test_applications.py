"""The published networks against Keras: names, shapes and numbers of weights, and outputs with the same weights."""

import gc
import json

import numpy as np
import pytest

import minidl
from tests.parity.oracle import libraries

pytestmark = pytest.mark.oracle

WITH_TOP = {"input_shape": (96, 96, 3), "classes": 10, "classifier_activation": None}
FORMS = [
    ("VGG16", {"include_top": False, "pooling": "max"}), ("VGG19", {"include_top": False}),
    ("ResNet50", {"include_top": False}), ("InceptionV3", {"include_top": False, "pooling": "max"}),
    ("MobileNetV2", {"include_top": False, "pooling": "avg", "input_shape": (80, 100, 3)}),
    ("MobileNetV2", {"alpha": 0.5, "include_top": False}),
]  # fmt: skip
MODULES = {"VGG16": "vgg16", "ResNet50": "resnet50", "InceptionV3": "inception_v3", "MobileNetV2": "mobilenet_v2"}


def outline(model):
    """All that a user can tell two models apart by, but for the values of the weights."""
    return {
        "name": model.name,
        "layers": [(layer.name, type(layer).__name__, layer.count_params()) for layer in model.layers],
        "weights": [(w.name, tuple(w.shape), w.trainable) for w in model.weights],
        "output": tuple(model.output_shape),
    }


@pytest.mark.parametrize("name, settings", FORMS, ids=str)
def test_outlines(name, settings):
    k, _ = libraries()
    assert outline(getattr(minidl.applications, name)(weights=None, **settings)) == outline(
        getattr(k.applications, name)(weights=None, **settings)
    )


@pytest.mark.slow
@pytest.mark.parametrize("name, parameters", [
    ("VGG16", 138_357_544), ("VGG19", 143_667_240), ("ResNet50", 25_636_712), ("InceptionV3", 23_851_784),
    ("MobileNetV2", 3_538_984),
])  # fmt: skip
def test_published_numbers_of_parameters(name, parameters):
    assert getattr(minidl.applications, name)(weights=None).count_params() == parameters
    gc.collect()


def with_statistics(model):
    """Batch norm as after a training: nothing is 0 or 1."""
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            scales, shifts = (lambda s: rng.uniform(0.7, 1.3, s)), (lambda s: rng.normal(0, 0.2, s))
            of = {"gamma": scales, "moving_variance": scales, "beta": shifts, "moving_mean": shifts}
            layer.set_weights([of[w.name](w.shape) for w in layer.weights])
    return model


@pytest.fixture(scope="module")
def pictures(cifar_folder):
    x, y, _ = minidl.datasets.image_folder(cifar_folder, image_size=(32, 32))
    chosen = x[np.argsort(y, kind="stable")[:: len(y) // 4][:4]].astype("float32")
    return np.asarray(minidl.layers.Resizing(96, 96)(chosen))


@pytest.mark.parametrize("name", MODULES)
def test_outputs_with_files_of_keras_weights(name, pictures, tmp_path):
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    k, _ = libraries()
    theirs = with_statistics(getattr(k.applications, name)(weights=None, **WITH_TOP))
    theirs.save_weights(tmp_path / "new.weights.h5")
    with h5py.File(tmp_path / "old.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    preprocess = getattr(minidl.applications, MODULES[name]).preprocess_input
    x = preprocess(pictures.copy())
    expected = getattr(k.applications, MODULES[name]).preprocess_input(pictures.copy())
    np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-5)
    logits, features = k.Model(theirs.inputs, [theirs.output, theirs.layers[-2].output]).predict(x, verbose=0)
    for file in ("new.weights.h5", "old.h5"):
        minidl.utils.clear_session()  # names are counted from the start again
        ours = getattr(minidl.applications, name)(weights=tmp_path / file, **WITH_TOP)
        assert outline(ours) == outline(theirs)
        both = minidl.Model(ours.inputs, [ours.output, ours.layers[-2].output]).predict(x, verbose=0)
        for found, expected in zip(both, (logits, features), strict=True):
            assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max() > 0


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_preprocessing(mode):
    k, _ = libraries()
    x = np.random.default_rng(0).uniform(0, 255, (2, 5, 4, 3)).astype("float32")
    ours = minidl.applications.imagenet_utils.preprocess_input(x.copy(), mode=mode)
    np.testing.assert_allclose(
        ours, k.applications.imagenet_utils.preprocess_input(x.copy(), mode=mode), rtol=1e-5, atol=1e-5
    )


def test_decoding_with_a_file_of_classes(tmp_path, monkeypatch):
    k, _ = libraries()
    index = {str(i): [f"n{i:08d}", f"class_{i}"] for i in range(1000)}
    path = tmp_path / "classes.json"
    path.write_text(json.dumps(index))
    predictions = np.random.default_rng(0).random((2, 1000)).astype("float32")
    ours = minidl.applications.vgg16.decode_predictions(predictions, top=3, class_index=path)
    monkeypatch.setattr(k.src.applications.imagenet_utils, "CLASS_INDEX", index)
    theirs = k.applications.vgg16.decode_predictions(predictions, top=3)
    assert ours == [[(a, b, pytest.approx(float(c))) for a, b, c in row] for row in theirs]


@pytest.mark.parametrize("network, constants", [
    ("inception_v3", [-1, 1]), ("mobilenet_v2", [-1, 1]), ("resnet", None), ("resnet50", None), ("vgg16", None),
    ("vgg19", None),
])  # fmt: skip
def test_every_network_has_its_preprocessing_and_classes(network, constants, tmp_path, monkeypatch):
    k, _ = libraries()
    ours, theirs = getattr(minidl.applications, network), getattr(k.applications, network)
    x = np.random.default_rng(0).uniform(0, 255, (2, 5, 4, 3)).astype("float32")
    np.testing.assert_allclose(ours.preprocess_input(x.copy()), theirs.preprocess_input(x.copy()), atol=1e-5)
    ends = ours.preprocess_input(np.array([0.0, 255.0]).reshape(1, 2, 1, 1) * np.ones(3))
    assert constants is None or ends[0, :, 0, 0].tolist() == constants
    assert constants is not None or ends[0, 0, 0] == pytest.approx([-103.939, -116.779, -123.68])
    index = {str(i): [f"n{i:08d}", f"class_{i}"] for i in range(1000)}
    (tmp_path / "classes.json").write_text(json.dumps(index))
    monkeypatch.setattr(k.src.applications.imagenet_utils, "CLASS_INDEX", index)
    predictions = np.random.default_rng(1).random((1, 1000)).astype("float32")
    for module in (ours, minidl.applications.imagenet_utils):
        ((first, second),) = module.decode_predictions(predictions, top=2, class_index=tmp_path / "classes.json")
        assert [first[:2], second[:2]] == [one[:2] for one in theirs.decode_predictions(predictions, top=2)[0]]


@pytest.mark.slow
@pytest.mark.parametrize("name, parameters", [("ResNet101", 44_707_176), ("ResNet152", 60_419_944)])
def test_deeper_residual_networks(name, parameters):
    model = getattr(minidl.applications.resnet, name)(weights=None)
    assert model.count_params() == parameters and model.name == name.lower()
    assert getattr(minidl.applications, name) is getattr(minidl.applications.resnet, name)
    gc.collect()


@pytest.mark.parametrize("name, module", [
    ("InceptionV3", "inception_v3"), ("MobileNetV2", "mobilenet_v2"), ("ResNet50", "resnet50"), ("VGG19", "vgg19"),
    ("ResNet50", "resnet"), ("VGG16", "vgg16"),
])  # fmt: skip
def test_networks_in_the_modules_of_their_own(name, module):
    assert getattr(getattr(minidl.applications, module), name) is getattr(minidl.applications, name)
    k, _ = libraries()
    assert getattr(getattr(k.applications, module), name) is getattr(k.applications, name)
