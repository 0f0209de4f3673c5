"""Pictures: what is decoded from the page is what was put in."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from minidl.visualize import heat, kernel_tiles, map_tiles, picture, signed


def decoded(img, mode):
    """The pixels of an <img> with a data URI, in a mode of Pillow."""
    data = re.search(r'src="data:image/png;base64,([^"]+)"', img)[1]
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image.convert(mode))


@pytest.mark.parametrize("shape, mode", [((5, 7), "L"), ((5, 7, 1), "L"), ((5, 7, 3), "RGB")])
def test_bytes_come_back_as_they_were(shape, mode):
    values = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    plane = values if mode == "RGB" else values.reshape(5, 7)
    np.testing.assert_array_equal(decoded(picture(values, alt="x"), mode), plane)


def test_floats_are_clipped_and_scaled():
    values = np.array([[-1.0, 0.0, 0.5], [1.0, 2.0, np.nan]])
    np.testing.assert_array_equal(decoded(picture(values, alt="x"), "L"), [[0, 0, 128], [255, 255, 0]])


def test_the_opacity_of_heat_is_the_share_of_the_largest():
    opacity = decoded(heat(np.array([[0.0, 1.0], [2.0, 4.0]]), alt="x"), "RGBA")[..., 3]
    np.testing.assert_array_equal(opacity, np.round(np.array([[0, 0.25], [0.5, 1]]) * 255))
    assert decoded(heat(np.ones((2, 2)), alt="x", largest=2.0), "RGBA")[0, 0, 3] == 128
    assert not decoded(heat(np.zeros((2, 2)), alt="x"), "RGBA")[..., 3].any()


def test_signed_values_differ_in_hue_and_agree_in_opacity():
    pixels = decoded(signed(np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]]), alt="x"), "RGBA")[0].astype(int)
    np.testing.assert_allclose(pixels[:, 3], [255, 127.5, 0, 127.5, 255], atol=2)
    red, blue = pixels[:, 0], pixels[:, 2]
    assert (red[:2] > blue[:2]).all() and (blue[3:] > red[3:]).all()


def test_grey_kernels_share_one_scale():
    kernels = np.zeros((1, 1, 1, 2))
    kernels[0, 0, 0] = [1.0, -4.0]
    first, second = (decoded(tile, "RGBA")[0, 0, 3] for tile in kernel_tiles(kernels))
    assert second >= 254 and abs(first - 64) <= 2


def test_colour_kernels_are_grey_at_zero():
    kernels = np.zeros((2, 2, 3, 1))
    kernels[0, 0, 0, 0], kernels[1, 1, 2, 0] = 3.0, -3.0
    pixels = decoded(kernel_tiles(kernels)[0], "RGB")
    assert pixels[0, 1].tolist() == [128, 128, 128]
    assert pixels[0, 0].tolist() == [255, 128, 128] and pixels[1, 1].tolist() == [128, 128, 0]


def test_as_many_tiles_as_asked_for_and_dead_maps_are_named():
    maps = np.ones((4, 4, 70))
    maps[..., 1] = 0
    tiles = map_tiles(maps, limit=3)
    assert [re.search('alt="([^"]*)"', tile)[1] for tile in tiles] == ["map 0", "map 1, empty", "map 2"]
    assert len(kernel_tiles(np.ones((3, 3, 1, 70)))) == 64


def test_the_description_is_escaped():
    assert 'alt="a &lt;b&gt; &#34;c&#34;"' in picture(np.zeros((2, 2)), alt='a <b> "c"')


@pytest.mark.parametrize("draw, shape", [(picture, (2, 2, 4)), (picture, (4,)), (heat, (2, 2, 1)), (signed, (2,))])
def test_wrong_shapes_are_named(draw, shape):
    with pytest.raises(ValueError, match=re.escape(str(shape))):
        draw(np.zeros(shape), alt="x")
    with pytest.raises(ValueError, match="kernels"):
        kernel_tiles(np.zeros((3, 3, 2, 4)))
    with pytest.raises(ValueError, match="maps"):
        map_tiles(np.zeros((3, 3)))
