"""The report in a real browser: opened from file://, at desktop and phone width, light and dark."""

from dataclasses import replace

import numpy as np
import pytest

from minidl import visualize


def test_the_page_opens_without_a_word_on_the_console(report, browse, tmp_path):
    seen = browse(visualize.write(report, tmp_path / "report.html"))
    assert seen.console == []
    assert "What the layers see" in seen.dom


@pytest.mark.parametrize(
    "width, dark, language", [(1280, False, "en"), (390, True, "en"), (1280, True, "ko"), (390, False, "ko")]
)
def test_every_picture_is_drawn_and_nothing_is_cut_off(report, browse, tmp_path, width, dark, language):
    page = visualize.write(report, tmp_path / "report.html", language)
    seen = browse(page, probe=True, width=width, dark=dark)
    probe = seen.probe
    assert seen.console == [] and probe["language"] == [language]
    assert probe["images"] > 20
    assert probe["broken"] == [] and probe["undrawn"] == []
    assert probe["cut"] == []
    assert probe["sideways"] <= 0, "the page must not scroll sideways"
    light = sum(int(part) for part in probe["background"].removeprefix("rgb(").removesuffix(")").split(",")) / 3
    assert light < 60 if dark else light > 200


def test_a_page_of_colour_pictures_and_many_classes(report, browse, tmp_path):
    rng = np.random.default_rng(1)
    many = replace(
        report,
        class_names=[f"class {i}" for i in range(60)],
        pictures=rng.random((60, 16, 12, 3), np.float32),
        labels=np.arange(60),
        probabilities=rng.dirichlet(np.ones(60), 60),
        kernels=rng.normal(size=(3, 3, 3, 8)),
    )
    seen = browse(visualize.write(many, tmp_path / "report.html"), probe=True)
    assert seen.console == []
    assert seen.probe["broken"] == [] and seen.probe["cut"] == [] and seen.probe["sideways"] <= 0


def test_the_checks_see_what_is_wrong(report, browse, tmp_path):
    page = visualize.write(report, tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("<main>", '<main><img alt="far" src="http://127.0.0.1:1/x.png">'), encoding="utf-8")
    assert "http://127.0.0.1:1/x.png" in "".join(browse(page).console)
    wide = '<main><div style="width:3000px">x</div><img alt="near" src="data:image/png;base64,AAAA">'
    page.write_text(text.replace("<main>", wide), encoding="utf-8")
    probe = browse(page, probe=True).probe
    assert probe["broken"] == ["near"] and probe["sideways"] > 0
