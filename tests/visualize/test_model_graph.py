"""Drawings of models: every layer a box, every tensor an arrow, nothing on top of anything."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import minidl
from minidl import layers
from minidl.visualize import draw_model
from minidl.visualize.layered import place

SVG = "{http://www.w3.org/2000/svg}"


def branched():
    x = minidl.Input((8,), name="x")
    a = layers.Dense(4, activation="relu", name="left")(x)
    b = layers.Dense(4, name="right")(x)
    inner = minidl.Sequential([layers.Input((8,)), layers.Dense(3, name="deep")], name="inner")
    joined = layers.Concatenate(name="join")([a, b, x])
    return minidl.Model(x, [layers.Dense(1, name="end")(joined), inner(layers.Concatenate(name="two")([a, b]))])


def read(model, **options):
    root = ET.fromstring(str(draw_model(model, **options).svg))
    words = [one.text for one in root.iter(f"{SVG}text")]
    return words, list(root.iter(f"{SVG}polyline")), root


def test_a_box_for_each_layer_and_an_arrow_for_each_tensor():
    words, arrows, _ = read(branched(), show_layer_names=True)
    assert sorted(words) == sorted([
        "x (InputLayer)", "left (Dense)", "right (Dense)", "join (Concatenate)", "two (Concatenate)", "end (Dense)",
        "inner (Sequential)",
    ])  # fmt: skip
    assert len(arrows) == 2 + 3 + 2 + 1 + 1


def test_rows_that_are_asked_for():
    words, _, _ = read(branched(), show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True)
    assert "(None, 8) to (None, 4)" in words and "(None, 8)" in words
    assert "(None, 4), (None, 4), (None, 8) to (None, 16)" in words
    assert words.count("activation relu") == 1 and words.count("dtype float32") == words.count("trainable") == 7


def test_models_inside():
    inside, arrows, _ = read(branched(), expand_nested=True, show_layer_names=True)
    assert "deep (Dense)" in inside and len(arrows) == 2 + 3 + 2 + 1 + 1 + 1
    assert "deep (Dense)" not in read(branched(), show_layer_names=True)[0]


def test_left_to_right_is_the_same_turned():
    down, across = (read(branched(), rankdir=way)[2] for way in ("TB", "LR"))
    assert float(down.get("height")) > float(across.get("height"))
    assert float(down.get("width")) < float(across.get("width"))


def test_ops_are_boxes_too():
    x = minidl.Input((4,))
    words, arrows, _ = read(minidl.Model(x, minidl.ops.exp(x) * 2))
    assert sorted(words) == ["InputLayer", "exp", "multiply"] and len(arrows) == 2


def test_files(tmp_path):
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(2)])
    drawing = minidl.utils.plot_model(model, tmp_path / "m.svg", show_shapes=True)
    ET.parse(tmp_path / "m.svg")
    assert drawing._repr_svg_() == (tmp_path / "m.svg").read_text(encoding="utf-8")
    minidl.utils.plot_model(model, tmp_path / "m.png", dpi=100)
    pixels = np.asarray(Image.open(tmp_path / "m.png").convert("L"))
    assert pixels.min() < 100 and (pixels == 255).mean() > 0.4
    twice = Image.open(io.BytesIO(drawing.png(200))).size
    assert all(abs(a - 2 * b) <= 2 for a, b in zip(twice, Image.open(io.BytesIO(drawing.png(100))).size, strict=True))


def test_names_cannot_break_the_page():
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(2, name="a<b>&c")])
    words, _, _ = read(model, show_layer_names=True)
    assert "a<b>&c (Dense)" in words


@pytest.mark.parametrize("change, message", [
    ({"to_file": "m.jpg"}, r"must end in \.svg or \.png"), ({"rankdir": "BT"}, "rankdir must be 'TB' or 'LR'"),
])  # fmt: skip
def test_what_is_refused(change, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        minidl.utils.plot_model(minidl.Sequential([layers.Input((4,)), layers.Dense(2)]), **change)
    with pytest.raises(ValueError, match="is not built"):
        minidl.utils.plot_model(minidl.Sequential([layers.Dense(2)]))
    assert not list(tmp_path.iterdir())


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 9))
    sizes = {i: (draw(st.floats(5, 80)), draw(st.floats(5, 40))) for i in range(n)}
    pairs = [(a, b) for b in range(n) for a in range(b)]
    return sizes, draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []


@given(graphs())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_boxes_never_overlap_and_arrows_go_down(graph):
    sizes, edges = graph
    placed = place(sizes, edges)
    boxes = [(x, y, x + sizes[n][0], y + sizes[n][1]) for n, (x, y) in placed.corners.items()]
    for i, a in enumerate(boxes):
        assert a[0] >= -1e-6 and a[2] <= placed.size[0] + 1e-6 and a[3] <= placed.size[1] + 1e-6
        for b in boxes[:i]:
            assert a[2] <= b[0] + 1e-6 or b[2] <= a[0] + 1e-6 or a[3] <= b[1] or b[3] <= a[1]
    for (start, end), line in zip(edges, placed.edges, strict=True):
        assert line[0][1] == placed.corners[start][1] + sizes[start][1] and line[-1][1] == placed.corners[end][1]
        assert all(one[1] < other[1] for one, other in zip(line[:-1], line[1:], strict=True))
        for x, y in line[1:-1]:
            assert not any(a[0] < x < a[2] and a[1] < y < a[3] for a in boxes)


def test_a_cycle_is_an_error():
    with pytest.raises(ValueError, match="cycle"):
        place({1: (1, 1), 2: (1, 1)}, [(1, 2), (2, 1)])


def test_a_drawing_is_shown_and_saved(tmp_path):
    from minidl.visualize import Figure, ModelDrawing

    drawing = draw_model(minidl.Sequential([layers.Input((2,)), layers.Dense(1)]))
    assert isinstance(drawing, ModelDrawing) and isinstance(drawing.svg, Figure)
    drawing.svg.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text("utf-8") == drawing._repr_svg_() and drawing._repr_svg_().startswith("<svg")
