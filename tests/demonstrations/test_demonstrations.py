"""Each demonstration proves its point: the number that it prints is the one that mathematics demands."""

import math
import re

import numpy as np
import pytest

from minidl.cli import demonstrate as command
from minidl.cli import main
from minidl.demonstrations import NAMES, Demonstration, demonstrate, linear, rates, saddle, xor, zeros


@pytest.fixture(scope="module")
def shown():
    """Each is run once."""
    made = {}

    def run(name):
        if name not in made:
            made[name] = demonstrate(name)
        return made[name]

    return run


def test_gradients_vanish_with_sigmoids_and_not_with_he(shown):
    """Nine slopes of at most 1/4, and weights of norm near 2: far below a thousandth; He keeps the order of one."""
    numbers = shown("gradients").numbers
    assert numbers["sigmoid"] < 1e-4 and 0.1 < numbers["relu"] < 20


@pytest.mark.parametrize("name, rate", rates.RATES.items())
def test_the_loss_on_the_bowl_is_the_closed_form(shown, name, rate):
    k, (x, y) = rates.STEPS, rates.START
    expected = ((1 - rate) ** (2 * k) * x**2 + 10 * (1 - 10 * rate) ** (2 * k) * y**2) / 2
    np.testing.assert_allclose(shown("rates").numbers[name], expected, rtol=1e-4)
    assert (expected > (x**2 + 10 * y**2) / 2) == (rate > 2 / 10)


def test_two_starts_end_at_two_roots_of_the_derivative(shown):
    roots = np.sort(np.roots([1, 0, -1, 0.2]).real)
    numbers = shown("rates").numbers
    np.testing.assert_allclose([numbers["left"], numbers["right"]], [roots[0], roots[-1]], rtol=1e-5)
    assert rates.valleys([numbers["left"]]) < rates.valleys([numbers["right"]])


def test_the_saddle_has_curvatures_of_both_signs_and_is_left_in_time(shown):
    numbers = shown("saddle").numbers
    np.testing.assert_allclose(saddle.curvatures((0.0, 0.0)), [-1, 1], atol=1e-12)
    np.testing.assert_allclose(saddle.curvatures((0.0, 1.0)), [1, 2], atol=1e-12)
    assert (numbers["low"], numbers["high"]) == (-1, 1)
    assert abs(numbers["resting"]) < 1e-9 and numbers["falling"] == pytest.approx(-0.25, abs=1e-6)
    assert abs(numbers["escape"] - math.log(0.1 / saddle.NOISE) / math.log(1 + saddle.RATE)) < 2


def test_units_that_begin_alike_stay_alike(shown):
    numbers = shown("zeros").numbers
    assert numbers["zeros_spread"] == numbers["constant_spread"] == 0 < 1 < numbers["random_spread"]
    assert zeros.spread(np.array([[1.0, 3.0], [2.0, 2.5]])) == 2.0
    assert numbers["zeros_loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert numbers["constant_loss"] > 0.3 > 0.01 > numbers["random_loss"]


def test_a_linear_stack_is_one_map_up_to_rounding(shown):
    numbers = shown("linear").numbers
    assert numbers["linear"] < 1e-5 and numbers["relu"] > 0.1 and numbers["rank"] == 2
    kernel, bias = linear.single_map(linear.stack(None))
    assert kernel.shape == (20, 32) and bias.shape == (32,)


def test_the_line_that_is_drawn_bends_with_relu_alone(shown):
    """The straight line is straight up to rounding; what ReLU gives has a corner that can be seen."""
    values = np.array([[0, 5.0], [1, 5], [2, 5], [1, 5]])
    assert linear.bend(values).tolist() == [2 / 5, 0]
    (section,) = shown("linear").sections
    paths = re.findall(r'<path d="M([^"]*)"', section.figures[0][1])
    straight, bent = (np.array([[float(n) for n in at.split()] for at in path.split("L")]) for path in paths)
    assert linear.bend(straight[:, 1:])[0] < 1e-3 and np.ptp(bent[:, 1]) > 20 and linear.bend(bent[:, 1:])[0] > 0.01


def test_one_unit_gets_at_most_three_of_four_right(shown):
    numbers = shown("xor").numbers
    assert numbers["line"] <= 0.75 and numbers["net"] == 1.0
    assert (xor.X.sum(1) % 2 == xor.Y[:, 0]).all()


@pytest.mark.slow
def test_each_remedy_narrows_the_gap(shown):
    numbers = shown("overfitting").numbers
    assert numbers["none"] > 0.5
    assert all(0 < numbers[remedy] < 0.85 * numbers["none"] for remedy in ("dropout", "l2", "augmentation"))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "overfitting"])
def test_numbers_are_on_the_page_and_printed_in_both_languages(shown, name):
    it = shown(name)
    assert isinstance(it, Demonstration) and it.name == name and it.labels.keys() == it.numbers.keys()
    page = it.page().render("ko")
    for key, label in it.labels.items():
        assert f"{label.en}  " in str(it) + "  " and f"{it.numbers[key]:.4g}" in str(it)
        assert f"  {label.ko}  " in it.text("ko")
        assert f"{it.numbers[key]:.4g}</span>" in page
        assert re.search("[가-힣]", label.ko)
    assert all(re.search("[가-힣]", words.ko) for words in (it.title, it.claim))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "overfitting"])
def test_nothing_on_a_korean_page_is_in_english(shown, name):
    """What carries no language is a number or a symbol; what is English has a Korean twin."""
    page = shown(name).page().render("ko")
    plain = re.findall(r"<(?:text|span|td|th|figcaption)(?![^>]* lang=)[^>]*>([^<]+)<", page)
    assert [text for text in plain if re.search("[A-Za-z]{2,}", text) and text not in ("ReLU", "XOR")] == []
    english, korean = (len(re.findall(rf'<(?:text|span)[^>]* lang="{lang}"', page)) for lang in ("en", "ko"))
    assert english == korean > 8


@pytest.mark.parametrize("dark, language", [(False, "en"), (True, "ko")])
def test_a_page_in_a_browser(shown, browse, tmp_path, dark, language):
    path = shown("xor").page().save(tmp_path / "page.html", language)
    seen = browse(path, probe=True, width=390 if dark else 1280, dark=dark)
    assert seen.console == [] and seen.probe["images"] == 2
    assert seen.probe["broken"] == seen.probe["undrawn"] == seen.probe["cut"] == [] and seen.probe["sideways"] <= 0


def test_the_command_writes_the_page_and_prints_the_numbers(tmp_path, capsys):
    assert main(["demonstrate", "saddle", "--out", str(tmp_path / "new"), "--language", "ko"]) == 0
    claim, *lines, page, _ = capsys.readouterr().out.splitlines()
    shown = demonstrate("saddle")
    assert claim == f"saddle: {shown.claim.ko}" and page.endswith("saddle.html")
    assert [line.split("  ")[1] for line in lines] == [label.ko for label in shown.labels.values()]
    assert '<html lang="ko">' in (tmp_path / "new" / "saddle.html").read_text("utf-8")
    (tmp_path / "file").write_text("")
    assert main(["demonstrate", "saddle", "--out", str(tmp_path / "file")]) == 2
    assert tuple(command.NAMES) == NAMES


def test_another_name_is_refused(capsys):
    with pytest.raises(ValueError, match="name must be one of gradients, rates,.* not 'magic'"):
        demonstrate("magic")
    with pytest.raises(SystemExit):
        main(["demonstrate", "magic"])
