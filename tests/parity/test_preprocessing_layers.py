"""Preprocessing layers against Keras: outputs and gradients, also for given random transformations; files; adapt."""

import json

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, generator, libraries

pytestmark = pytest.mark.oracle

PICTURES = (3, 7, 8, 2)

# name: (layer, shape of the input)
FIXED = {
    "rescaling": (lambda k: k.layers.Rescaling(1 / 127.5, offset=-1), PICTURES),
    "rescaling rows": (lambda k: k.layers.Rescaling(0.5), (5, 3)),
    "rescaling channels": (lambda k: k.layers.Rescaling([0.5, 2.0], offset=[1.0, -1.0]), PICTURES),
    "resizing": (lambda k: k.layers.Resizing(5, 11), PICTURES),
    "resizing nearest": (lambda k: k.layers.Resizing(5, 11, "nearest"), PICTURES),
    "resizing bicubic antialias": (lambda k: k.layers.Resizing(3, 4, "bicubic", antialias=True), PICTURES),
    "resizing crop": (lambda k: k.layers.Resizing(4, 9, crop_to_aspect_ratio=True), PICTURES),
    "resizing pad": (lambda k: k.layers.Resizing(4, 9, pad_to_aspect_ratio=True, fill_value=0.5), PICTURES),
    "resizing one picture": (lambda k: k.layers.Resizing(4, 9), PICTURES[1:]),
    "center crop": (lambda k: k.layers.CenterCrop(4, 5), PICTURES),
    "center crop one picture": (lambda k: k.layers.CenterCrop(3, 8), PICTURES[1:]),
    "center crop of small pictures": (lambda k: k.layers.CenterCrop(9, 5), PICTURES),
    "normalization given": (lambda k: k.layers.Normalization(mean=[1.0, -2.0], variance=[4.0, 0.25]), PICTURES),
    "normalization given numbers": (lambda k: k.layers.Normalization(axis=None, mean=3.0, variance=2.0), (5, 4)),
    "normalization one number": (lambda k: k.layers.Normalization(mean=3.0, variance=2.0), (5, 4)),
    "normalization constant": (lambda k: k.layers.Normalization(mean=[1.0, 0.0], variance=[0.0, 1.0]), (5, 2)),
    "normalization invert": (lambda k: k.layers.Normalization(mean=[1.0, 2], variance=[4.0, 9], invert=True), (5, 2)),
    "normalization axes": (
        lambda k: k.layers.Normalization((1, -1), np.ones((7, 2)).tolist(), np.full((7, 2), 2.0).tolist()),
        PICTURES,
    ),
    "normalization new": (lambda k: k.layers.Normalization(), PICTURES),
    "flip in inference": (lambda k: k.layers.RandomFlip(), PICTURES),
}  # fmt: skip

RANDOM = {
    "flip": lambda k: k.layers.RandomFlip(seed=1),
    "flip horizontal": lambda k: k.layers.RandomFlip("horizontal", seed=2),
    "flip vertical": lambda k: k.layers.RandomFlip("vertical", seed=3),
    **{
        f"{kind} {fill} {method}": lambda k, make=make, fill=fill, method=method: make(k, fill, method)
        for kind, make in {
            "rotation": lambda k, fill, method: k.layers.RandomRotation(0.4, fill, method, seed=4),
            "translation": lambda k, fill, method: k.layers.RandomTranslation(0.6, (-0.2, 0.9), fill, method, seed=5),
            "zoom": lambda k, fill, method: k.layers.RandomZoom((-0.4, 0.7), 0.3, fill, method, seed=6),
        }.items()
        for fill in ("reflect", "wrap", "constant", "nearest")
        for method in ("bilinear", "nearest")
    },
    "rotation fill value": lambda k: k.layers.RandomRotation(0.2, "constant", fill_value=2.0, seed=7),
    "zoom proportional": lambda k: k.layers.RandomZoom(0.5, seed=8),
    "contrast": lambda k: k.layers.RandomContrast(0.7, value_range=(-1, 1), seed=9),
    "contrast two": lambda k: k.layers.RandomContrast((0.1, 0.9), value_range=(-5, 5), seed=10),
    "brightness": lambda k: k.layers.RandomBrightness(0.3, value_range=(-1, 1), seed=11),
    "brightness two": lambda k: k.layers.RandomBrightness((-0.1, 0.9), value_range=[-2, 2], seed=12),
    "crop": lambda k: k.layers.RandomCrop(4, 5, seed=13),
    "crop of small pictures": lambda k: k.layers.RandomCrop(9, 5, seed=14),
    "crop as high": lambda k: k.layers.RandomCrop(7, 3, seed=15),
}


def values_and_gradients(ours, theirs, x):
    import jax

    expected, pull = jax.vjp(theirs, x)
    upstream = generator("upstream").normal(size=expected.shape).astype("float32")
    leaf = minidl.Tensor(x, requires_grad=True)
    found = ours(leaf)
    assert found.dtype == expected.dtype
    close(found, expected, "output")
    close(minidl.grad(found, [leaf], upstream)[0], pull(upstream)[0], "gradient")


@pytest.mark.parametrize("name", FIXED)
def test_outputs_and_gradients(name):
    make, shape = FIXED[name]
    theirs, ours = both(make)
    x = generator(name).normal(size=shape).astype("float32")
    theirs.build(shape)
    values_and_gradients(lambda x: ours(x, training=False), lambda x: theirs(x, training=False), x)
    assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)
    assert [(w.path, w.shape, str(w.dtype)) for w in ours.weights] == [
        (w.path, tuple(w.shape), str(w.dtype)) for w in theirs.weights
    ]


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("name", RANDOM)
def test_given_transformations(name, single):
    theirs, ours = both(RANDOM[name])
    x = generator(name).normal(size=PICTURES).astype("float32")
    if single:
        x = x[:1]
    transformation = theirs.get_random_transformation(x, training=True)
    values_and_gradients(
        lambda x: ours.transform_images(x, transformation), lambda x: theirs.transform_images(x, transformation), x
    )
    assert ours.compute_output_shape(PICTURES) == theirs.compute_output_shape(PICTURES)
    close(ours(x, training=False), theirs(x, training=False), "inference")


@pytest.mark.parametrize("name", RANDOM)
def test_drawn_transformations_have_the_form_of_keras(name):
    theirs, ours = both(RANDOM[name])
    x = generator(name).normal(size=PICTURES).astype("float32")
    expected, found = theirs.get_random_transformation(x), ours.get_random_transformation(x)
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        return
    for key, value in found.items():
        assert np.shape(value) == np.shape(expected[key]), key
    close(theirs.transform_images(x, expected | found), ours.transform_images(x, found), "output")


@pytest.mark.parametrize("name", [*FIXED, *RANDOM])
def test_configurations(name):
    make = FIXED[name][0] if name in FIXED else RANDOM[name]
    keras, _ = libraries()
    theirs, ours = both(make)
    plain = lambda layer: json.loads(json.dumps(layer.get_config(), default=str))  # noqa: E731
    there = keras.layers.deserialize(minidl.layers.serialize(ours))
    back = minidl.layers.deserialize(keras.layers.serialize(theirs))
    assert type(there) is type(theirs) and type(back) is type(ours)
    assert plain(there) == plain(theirs) and plain(back) == plain(ours)
    assert set(ours.get_config()) == set(theirs.get_config())


def test_numbers_in_an_array_survive_a_file_of_keras():
    keras, _ = libraries()
    back = minidl.layers.deserialize(keras.layers.serialize(keras.layers.Rescaling(np.array([0.5, 2.0]))))
    np.testing.assert_array_equal(back(np.ones((1, 2), "float32")).numpy(), [[0.5, 2.0]])
    there = keras.layers.deserialize(minidl.layers.serialize(minidl.layers.Rescaling(np.array([0.5, 2.0]))))
    np.testing.assert_array_equal(np.asarray(there(np.ones((1, 2), "float32"))), [[0.5, 2.0]])


ADAPT = {"last": (-1, (6, 5, 3)), "first": (1, (6, 5, 3)), "two": ((1, 2), (6, 5, 3)), "none": (None, (6, 5)),
         "rows": (-1, (50, 4)), "pictures": (-1, (4, 5, 6, 3))}  # fmt: skip


@pytest.mark.parametrize("kind", ["array", "tensor", "batches"])
@pytest.mark.parametrize("name", ADAPT)
def test_adapt(name, kind):
    axis, shape = ADAPT[name]
    x = (generator(name).normal(size=shape) * 3 + 100).astype("float32")
    theirs, ours = both(lambda k: k.layers.Normalization(axis=axis))
    given = {"array": x, "batches": [x[:4], x[4:]] if len(x) > 4 else [x[:1], x[1:]], "tensor": x}[kind]
    theirs.adapt(x)  # of other kinds Keras asks TensorFlow
    ours.adapt(minidl.Tensor(x) if kind == "tensor" else given)
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path, 5e-5)  # variances of numbers around 100
    close(ours.mean, theirs.mean, "mean")
    close(ours.variance, theirs.variance, "variance", 5e-5)
    close(ours(x), (x - np.asarray(theirs.mean)) / np.sqrt(np.asarray(theirs.variance)), "output", 5e-5)


def pipeline(k):
    k.utils.set_random_seed(0)
    return k.Sequential(
        [
            k.Input((8, 8, 3)), k.layers.Resizing(6, 6), k.layers.Rescaling(1 / 255), k.layers.Normalization(),
            k.layers.RandomFlip("horizontal", seed=1), k.layers.RandomRotation(0.1, seed=2),
            k.layers.RandomZoom(0.1, seed=3), k.layers.RandomTranslation(0.1, 0.1, seed=4),
            k.layers.RandomContrast(0.1, seed=5), k.layers.RandomBrightness(0.1, value_range=(0, 1), seed=6),
            k.layers.CenterCrop(5, 5), k.layers.Flatten(), k.layers.Dense(2),
        ]
    )  # fmt: skip


def test_files_of_both(tmp_path):
    keras, _ = libraries()
    theirs, ours = both(pipeline)
    x = generator("files").uniform(0, 255, (4, 8, 8, 3)).astype("float32")
    for model in (theirs, ours):
        model.layers[2].adapt(x[:3] / 255)
    ours.save(tmp_path / "ours.keras"), theirs.save(tmp_path / "theirs.keras")
    read_there = keras.models.load_model(tmp_path / "ours.keras")
    read_here = minidl.models.load_model(tmp_path / "theirs.keras")
    close(read_there.predict(x, verbose=0), ours.predict(x, verbose=0), "ours, read by Keras")
    close(read_here.predict(x, verbose=0), theirs.predict(x, verbose=0), "Keras', read by us")
