"""``ops.image`` against Keras: values, dtypes, and the gradients of pictures and transformations."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import close, generator, libraries

pytestmark = pytest.mark.oracle

BATCH, SINGLE = (3, 7, 8, 2), (6, 5, 3)
FILLS = ("constant", "nearest", "wrap", "mirror", "reflect")


def transforms(n, name="transforms"):
    """Random affine transformations near the identity, that reach over the edges."""
    rng = generator(name)
    found = np.tile([1.0, 0, 0, 0, 1, 0, 0, 0], (n, 1)) + rng.normal(size=(n, 8)) * 0.3
    found[:, [2, 5]] += rng.uniform(-3, 3, (n, 2))
    found[:, 6:] = 0
    return found.astype("float32")


def resize(*size, **settings):
    return lambda k, x: k.ops.image.resize(x, size, **settings)


def affine(transform, **settings):
    return lambda k, x: k.ops.image.affine_transform(x, transform, **settings)


def image(name, *args, **settings):
    return lambda k, x: getattr(k.ops.image, name)(x, *args, **settings)


CASES = {
    **{
        f"resize {method} {size} antialias {wide}": (resize(*size, interpolation=method, antialias=wide), BATCH)
        for method in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
        for size in ((14, 16), (3, 5), (7, 11), (1, 1))
        for wide in (False, True)
    },
    "resize to the same": (resize(7, 8), BATCH),
    "resize one picture": (resize(9, 3), SINGLE),
    "resize crop": (resize(4, 9, crop_to_aspect_ratio=True), BATCH),
    "resize crop columns": (resize(9, 4, crop_to_aspect_ratio=True, interpolation="nearest"), BATCH),
    "resize crop one picture": (resize(2, 9, crop_to_aspect_ratio=True), SINGLE),
    "resize pad": (resize(4, 9, pad_to_aspect_ratio=True, fill_value=0.5), BATCH),
    "resize pad rows": (resize(9, 4, pad_to_aspect_ratio=True), BATCH),
    "resize pad one picture": (resize(9, 2, pad_to_aspect_ratio=True, fill_value=2.0), SINGLE),
    **{
        f"affine {fill} {method}": (affine(transforms(3, fill), fill_mode=fill, interpolation=method), BATCH)
        for fill in FILLS
        for method in ("bilinear", "nearest")
    },
    "affine fill value": (affine(transforms(3, "fill"), fill_value=1.5), BATCH),
    "affine one picture": (affine(transforms(1)[0]), SINGLE),
    "affine identity": (affine(np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")), SINGLE),
    "grey": (image("rgb_to_grayscale"), (2, 4, 5, 3)),
    "grey one picture": (image("rgb_to_grayscale"), (4, 5, 3)),
    "grey of grey": (image("rgb_to_grayscale"), (2, 4, 5, 1)),
    "crop": (image("crop_images", 1, 2, 3, 1), BATCH),
    "crop to a size": (image("crop_images", top_cropping=1, right_cropping=2, target_height=3, target_width=4), BATCH),
    "crop one picture": (image("crop_images", 0, 2, 3, 1), SINGLE),
    "pad": (image("pad_images", 1, 2, 3, 0), BATCH),
    "pad to a size": (image("pad_images", bottom_padding=1, left_padding=0, target_height=9, target_width=11), BATCH),
    "pad one picture": (image("pad_images", 1, 2, 3, 0), SINGLE),
    "patches": (image("extract_patches", 3), BATCH),
    "patches overlapping": (image("extract_patches", (2, 3), strides=(1, 2)), BATCH),
    "patches same": (image("extract_patches", (3, 4), strides=2, padding="same"), BATCH),
    "patches dilated": (image("extract_patches", (3, 2), strides=1, dilation_rate=(2, 3)), BATCH),
    "patches of one picture": (image("extract_patches", 2), SINGLE),
    **{
        f"map {fill} {order}": (
            image("map_coordinates", np.array([[0.3, 5.7, -2.2], [1.4, 2.5, 9.1]], "float32"), order, fill), (6, 7)
        )
        for fill in FILLS
        for order in (0, 1)
    },
    "map fill value": (image("map_coordinates", np.float32([[[0.5, -0.5]], [[1, 7]]]), 1, fill_value=0.25), (6, 7)),
    "map three axes": (image("map_coordinates", np.float32([[0.5], [1.25], [0.75]]), 1), (3, 4, 5)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name):
    import jax

    function, shape = CASES[name]
    keras, _ = libraries()
    x = generator(name).normal(size=shape).astype("float32")
    theirs, pull = jax.vjp(lambda x: function(keras, x), x)
    upstream = generator(name + " upstream").normal(size=theirs.shape).astype("float32")
    leaf = minidl.Tensor(x, requires_grad=True)
    ours = function(minidl, leaf)
    assert ours.dtype == theirs.dtype
    close(ours, theirs, "value")
    close(minidl.grad(ours, [leaf], upstream)[0], pull(upstream)[0], "gradient")
    close(function(minidl, x), theirs, "value of an array")


@pytest.mark.parametrize("fill", FILLS)
def test_gradients_of_transformations(fill):
    import jax

    keras, _ = libraries()
    x = generator(fill).normal(size=BATCH).astype("float32")
    matrix = transforms(3, fill)
    theirs, pull = jax.vjp(lambda t: keras.ops.image.affine_transform(x, t, fill_mode=fill, fill_value=0.5), matrix)
    upstream = generator("upstream").normal(size=theirs.shape).astype("float32")
    leaf = minidl.Tensor(matrix, requires_grad=True)
    ours = minidl.ops.image.affine_transform(x, leaf, fill_mode=fill, fill_value=0.5)
    close(minidl.grad(ours, [leaf], upstream)[0][:, :6], np.asarray(pull(upstream)[0])[:, :6], "gradient")


WHOLE = {
    "resize": resize(11, 5),
    "resize antialias": resize(3, 4, antialias=True),
    "resize bicubic": resize(15, 15, interpolation="bicubic"),
    "resize nearest": resize(3, 13, interpolation="nearest"),
    "resize pad": resize(9, 4, pad_to_aspect_ratio=True, interpolation="nearest"),
    "grey": image("rgb_to_grayscale"),
    "affine": affine(transforms(2)),
    "affine nearest": affine(transforms(2), interpolation="nearest", fill_mode="reflect"),
    "crop": image("crop_images", 1, 2, 3, 1),
}


@pytest.mark.parametrize("name", WHOLE)
def test_bytes(name):
    keras, _ = libraries()
    x = generator(name).integers(0, 256, (2, 7, 8, 3)).astype("uint8")
    theirs, ours = np.asarray(WHOLE[name](keras, x)), np.asarray(WHOLE[name](minidl, x))
    assert ours.dtype == theirs.dtype
    assert np.abs(ours.astype(int) - theirs).max() <= 1  # a half may be rounded either way
    assert (ours == theirs).mean() > 0.98


def test_every_public_function_is_compared():
    tested = " ".join([*CASES, *WHOLE])
    words = {"affine_transform": "affine", "crop_images": "crop", "extract_patches": "patches", "resize": "resize",
             "map_coordinates": "map", "pad_images": "pad", "rgb_to_grayscale": "grey"}  # fmt: skip
    assert sorted(words) == sorted(minidl.ops.image.__all__)
    assert all(word in tested for word in words.values())


def test_symbolic_pictures():
    inputs = minidl.Input((8, 8, 3))
    small = minidl.ops.image.resize(inputs, (4, 5))
    turned = minidl.ops.image.rgb_to_grayscale(minidl.ops.image.crop_images(small, 1, 1, 0, 0))
    assert turned.shape == (None, 3, 4, 1)
    x = generator("symbolic").normal(size=(2, 8, 8, 3)).astype("float32")
    direct = minidl.ops.image.rgb_to_grayscale(minidl.ops.image.resize(x, (4, 5))[:, 1:, 1:])
    np.testing.assert_allclose(minidl.Model(inputs, turned)(x).numpy(), direct, rtol=1e-5, atol=1e-6)


BAD = {
    "interpolation must be one of": lambda im, x: im.resize(x, (2, 2), interpolation="cubic"),
    "only one of crop_to_aspect_ratio and pad": lambda im, x: im.resize(
        x, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
    ),
    "size must be two positive": lambda im, x: im.resize(x, (2, 0)),
    "fill_mode must be 'constant'": lambda im, x: im.resize(x, (2, 2), fill_mode="reflect"),
    "images must be .rows, columns": lambda im, x: im.resize(x[0, 0], (2, 2)),
    "data_format must be": lambda im, x: im.resize(x, (2, 2), data_format="channels_first"),
    "fill_mode must be one of": lambda im, x: im.affine_transform(x, np.zeros(8), fill_mode="edge"),
    "transform must have shape": lambda im, x: im.affine_transform(x, np.zeros(6)),
    "transform must end in two zeros": lambda im, x: im.affine_transform(x, np.ones(8)),
    "order must be 0 or 1": lambda im, x: im.map_coordinates(x[0, :, :, 0], np.zeros((2, 3)), 3),
    "coordinates must have shape": lambda im, x: im.map_coordinates(x[0, :, :, 0], np.zeros((3, 3)), 1),
    "images must have 1 or 3 channels": lambda im, x: im.rgb_to_grayscale(x),
    "give exactly two of top_cropping, bottom_cropping, target_height": lambda im, x: im.crop_images(x, 1, 1, 1, 1, 1),
    "must not be negative for an extent of 7": lambda im, x: im.crop_images(x, 5, 0, 5, 0),
    "must not be negative for an extent of 8": lambda im, x: im.pad_images(x, 0, 0, 0, target_width=5),
    "padding must be 'valid' or 'same'": lambda im, x: im.extract_patches(x, 2, padding="full"),
    "a window of 9 pixels does not fit": lambda im, x: im.extract_patches(x, 9),
}  # fmt: skip


@pytest.mark.parametrize("message", BAD)
def test_errors(message):
    with pytest.raises(ValueError, match=message):
        BAD[message](minidl.ops.image, np.zeros(BATCH, "float32"))
