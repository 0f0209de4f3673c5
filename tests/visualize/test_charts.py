"""Curves and the confusion matrix: the geometry follows from the numbers; the SVG is well-formed XML."""

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.visualize import Words, confusion_chart, confusion_matrix, curves, line_chart, mix_ups
from minidl.visualize.axes import text_width, ticks
from minidl.visualize.svg import element, number

SVG = "{http://www.w3.org/2000/svg}"
finite = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda v: round(v, 6))


def circles(chart):
    return np.array([[float(c.get("cx")), float(c.get("cy"))] for c in ET.fromstring(chart).iter(f"{SVG}circle")])


def texts(chart):
    return ["".join(t.itertext()) for t in ET.fromstring(chart).iter(f"{SVG}text")]


@given(finite, finite)
def test_ticks_cover_the_range_in_round_steps(a, b):
    low, high = min(a, b), max(a, b)
    marks = ticks(low, high)
    steps = np.diff(marks)
    slack = 1e-6 * max(abs(low), abs(high), 1e-6)
    assert marks[0] <= low + slack and marks[-1] >= high - slack
    assert 2 <= len(marks) <= 8
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-6)
    assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-3


def test_a_straight_line_of_numbers_is_a_straight_line_of_points():
    points = circles(curves({"a": [4, 3, 2, 1]}, title="t"))
    np.testing.assert_allclose(np.diff(points, axis=0), np.diff(points, axis=0)[:1].repeat(3, 0), atol=0.02)
    assert (np.diff(points[:, 0]) > 0).all() and (np.diff(points[:, 1]) > 0).all()  # SVG's y runs down


def test_equal_values_of_two_series_are_at_one_height():
    points = circles(curves({"a": [1.0, 2.0], "b": [2.0, 1.0]}, title="t"))
    np.testing.assert_allclose(points[0, 1], points[3, 1])
    np.testing.assert_allclose(points[1, 1], points[2, 1])


def test_a_number_that_is_not_finite_leaves_a_gap():
    chart = curves({"a": [1.0, math.nan, 3.0, 4.0]}, title="t")
    (path,) = ET.fromstring(chart).iter(f"{SVG}path")
    assert path.get("d").count("M") == 2 and path.get("d").count("L") == 1
    assert len(circles(chart)) == 3


def test_long_names_stay_inside():
    chart = ET.fromstring(curves({"flipped, shifted and turned": [0.5, 0.75]}, title="t", percent=True, width=640))
    label = next(t for t in chart.iter(f"{SVG}text") if "turned" in t.text)
    letter = 0.64 * 13  # the mean advance of DejaVu Sans Bold, a wide font, on English text
    assert label.text == "flipped, shifted and turned 75.0%" and float(label.get("x")) + letter * 33 <= 640


def test_labels_at_the_ends_do_not_cover_each_other():
    chart = curves({"a": [1, 2.0], "b": [1, 2.001], "c": [1, 1.999]}, title="t")
    heights = [float(t.get("y")) for t in ET.fromstring(chart).iter(f"{SVG}text") if "600" in t.get("style")]
    assert len(heights) == 3 and np.diff(sorted(heights)).min() >= 14


def test_percent_titles_and_a_single_epoch():
    chart = curves({"train": [0.5]}, title="Accuracy", percent=True)
    assert "train 50.0%" in texts(chart)
    assert ET.fromstring(chart).find(f"{SVG}title").text == "Accuracy. At the end: train 50.0%"
    assert texts(curves({"train": range(1, 101)}, title="t")).count("epoch") == 1
    with pytest.raises(ValueError, match="finite"):
        curves({"a": [math.nan]}, title="t")


def test_names_in_both_languages_are_both_there_and_one_is_hidden():
    chart = line_chart(
        {Words("loss", "손실"): ([1, 2], [3, 4])}, title=Words("Loss", "손실"), marks={Words("half", "절반"): 1.5},
        across=Words("step", "스텝"), up="y",
    )  # fmt: skip
    drawn = {"".join(t.itertext()): t for t in ET.fromstring(chart).iter(f"{SVG}text")}
    for en, ko in (("loss", "손실"), ("half", "절반"), ("step", "스텝")):
        assert (drawn[en].get("lang"), drawn[ko].get("lang"), drawn[ko].get("display")) == ("en", "ko", "none")
        assert drawn[en].get("x") == drawn[ko].get("x")
    assert [t.text for t in ET.fromstring(chart).iter(f"{SVG}title")] == ["Loss / 손실", "half / 절반", "loss / 손실"]
    assert drawn["y"].get("lang") is None


def test_a_name_takes_the_room_of_its_wider_language():
    assert text_width("가나다", 10) == pytest.approx(33) and text_width("abcde", 10) == pytest.approx(30)
    assert text_width(Words("abcde", "가나다"), 10) == pytest.approx(33)


def test_the_confusion_matrix_counts_pairs():
    matrix = confusion_matrix(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 0]), 3)
    np.testing.assert_array_equal(matrix, [[1, 1, 0], [0, 1, 0], [2, 0, 1]])
    assert mix_ups(matrix) == [(2, 0, 2), (0, 1, 1)]
    assert mix_ups(matrix, limit=1) == [(2, 0, 2)]
    assert mix_ups(np.eye(3, dtype=int)) == []


@given(st.integers(1, 12), st.integers(0, 200), st.integers(0, 99))
def test_rows_of_the_confusion_matrix_sum_to_the_classes(classes, n, seed):
    y_true, y_pred = np.random.default_rng(seed).integers(0, classes, (2, n))
    matrix = confusion_matrix(y_true, y_pred, classes)
    np.testing.assert_array_equal(matrix.sum(1), np.bincount(y_true, minlength=classes))
    np.testing.assert_array_equal(matrix.sum(0), np.bincount(y_pred, minlength=classes))
    assert np.trace(matrix) == (y_true == y_pred).sum()


@pytest.mark.parametrize("y_true, y_pred", [([0, 3], [0, 0]), ([0, 0], [-1, 0]), ([0], [0, 0]), ([[0]], [[0]])])
def test_labels_that_cannot_be(y_true, y_pred):
    with pytest.raises(ValueError, match="y_true|y_pred"):
        confusion_matrix(np.array(y_true), np.array(y_pred), 3)


def test_the_chart_of_the_matrix_shows_counts_and_what_was_found():
    chart = confusion_chart(np.array([[7, 3], [0, 0]]), ["a<b", "none of these"])
    shown = texts(chart)
    assert {"7", "3", "a<b", "70%", "none"} <= set(shown) and "0" not in shown
    assert "a<b taken for none of these: 3 / a<b → none of these: 3" in [
        t.text for t in ET.fromstring(chart).iter(f"{SVG}title")
    ]
    with pytest.raises(ValueError, match=r"\(3, 3\)"):
        confusion_chart(np.eye(2), ["a", "b", "c"])


def test_elements_escape_what_is_not_markup(tmp_path):
    made = element("p", "1 < 2", element("b", "x"), class_='a"b', stroke_width=1.50, left_out=None)
    assert made == '<p class="a&#34;b" stroke-width="1.5">1 &lt; 2<b>x</b></p>'
    assert made._repr_html_() == str(made)
    made.save(tmp_path / "p.html")
    assert (tmp_path / "p.html").read_text(encoding="utf-8") == str(made)
    assert [number(v) for v in (1.0, 1.25, 1.005, 100)] == ["1", "1.25", "1", "100"]
