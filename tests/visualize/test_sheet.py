"""Sheets of pictures, and maps over pictures: the pixels are where they belong."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from minidl.visualize import Picture, Sheet, heat, overlay, picture

SVG = "{http://www.w3.org/2000/svg}"


def pixels(png, mode="RGB"):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert(mode))


@pytest.fixture
def sheet():
    tiles = [picture(np.full((2, 2), i * 60, np.uint8), alt=f"grey {i}") for i in range(4)]
    return Sheet([("Greys <1>", tiles), ("", [(tiles[0], "dark & small")])], side=20, columns=3, title="Four greys")


def test_each_picture_is_in_the_svg_with_its_words(sheet):
    root = ET.fromstring(str(sheet.svg))
    images = list(root.iter(f"{SVG}image"))
    assert [one.find(f"{SVG}title").text for one in images] == ["grey 0", "grey 1", "grey 2", "grey 3", "grey 0"]
    assert [one.text for one in root.iter(f"{SVG}text")] == ["Greys <1>", "dark & small"]
    assert root.find(f"{SVG}title").text == "Four greys"
    places = [(float(one.get("x")), float(one.get("y"))) for one in images]
    assert places[3][0] == places[0][0] and places[3][1] == places[0][1] + 20 + 8, "the fourth is in the next line"
    data = images[2].get("href").removeprefix("data:image/png;base64,")
    assert (pixels(base64.b64decode(data)) == 120).all()


@pytest.mark.parametrize("scale", [1, 2])
def test_the_png_shows_the_same_at_the_same_places(sheet, scale):
    root, shown = ET.fromstring(str(sheet.svg)), pixels(sheet.png(scale))
    assert shown.shape == (sheet.height * scale, sheet.width * scale, 3)
    for one, value in zip(root.iter(f"{SVG}image"), (0, 60, 120, 180, 0), strict=True):
        left, top = (int(float(one.get(name))) * scale for name in ("x", "y"))
        assert (shown[top : top + 20 * scale, left : left + 20 * scale] == value).all()


def test_files(sheet, tmp_path):
    sheet.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text("utf-8") == sheet._repr_svg_()
    sheet.save(tmp_path / "a.png")
    assert (pixels((tmp_path / "a.png").read_bytes()) == pixels(sheet.png())).all()
    with pytest.raises(ValueError, match=r"must end in \.svg or \.png"):
        sheet.save(tmp_path / "a.gif")


def test_a_picture_is_saved_as_its_pixels(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (3, 4), np.uint8)
    shown = picture(values, alt="x")
    assert isinstance(shown, Picture)
    shown.save(tmp_path / "x.png")
    np.testing.assert_array_equal(pixels((tmp_path / "x.png").read_bytes(), "L"), values)
    heat(values, alt="x").save(tmp_path / "x.html")
    assert (tmp_path / "x.html").read_text("utf-8").startswith("<img")


def test_pictures_keep_their_proportions():
    sheet = Sheet([("", [picture(np.zeros((2, 4)), alt="wide")])], side=40)
    (one,) = ET.fromstring(str(sheet.svg)).iter(f"{SVG}image")
    assert one.get("width") == "40" and one.get("height") == "20"


def test_an_overlay_leaves_the_picture_where_the_map_is_zero():
    values = np.random.default_rng(0).random((4, 4))
    map_ = np.zeros((4, 4))
    map_[0, 0], map_[3, 3] = 2.0, -1.0
    shown = pixels(overlay(values, map_, alt="x", strength=1.0).png).astype(int)
    grey = np.round(values * 255).astype(int)
    rest = map_ == 0
    np.testing.assert_array_equal(shown[rest], np.repeat(grey[rest][:, None], 3, 1))
    assert shown[0, 0].tolist() == [46, 128, 209], "the largest value covers the picture"
    red, _, blue = (shown[3, 3] - 0.5 * grey[3, 3]) * 2
    assert red > blue, "below zero the hue is the other one, at half the strength"
    np.testing.assert_array_equal(
        pixels(overlay(values, np.zeros((2, 2)), alt="x").png), np.repeat(grey[..., None], 3, 2)
    )


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Sheet([("empty", [])]), "at least one picture"),
        (lambda: Sheet([("", [picture(np.zeros((2, 2)), alt="x")])], columns=0), "must be 1 or more, not 72 and 0"),
        (lambda: overlay(np.zeros((2, 2, 4)), np.zeros((2, 2)), alt="x"), "not of shape (2, 2, 4)"),
        (lambda: overlay(np.zeros((2, 2)), np.zeros((2, 2)), alt="x", strength=2), "from 0 to 1, not 2"),
    ],
)
def test_what_is_wrong_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
