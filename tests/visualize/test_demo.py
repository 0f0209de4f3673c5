"""The report of a real training in a real browser."""

import pytest

from minidl.cli import main


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_report_of_the_demo_opens_with_every_picture_drawn(browse, tmp_path, capsys):
    assert main(["demo", "--epochs", "1", "--quiet", "--language", "ko", "--out", str(tmp_path)]) == 0
    page = tmp_path / "report.html"
    seen = browse(page)
    assert seen.console == [] and "What the layers see" in seen.dom and "층이 보는 것" in seen.dom
    english = tmp_path / "english.html"
    switched = seen.dom.replace(' checked=""', "").replace('id="en" ', 'id="en" checked="" ')
    english.write_text(switched, encoding="utf-8")
    for shown, language, width in ((page, "ko", 1280), (page, "ko", 390), (english, "en", 1280), (english, "en", 390)):
        probe = browse(shown, probe=True, width=width).probe
        assert probe["language"] == [language]
        assert probe["images"] > 100
        assert probe["broken"] == probe["undrawn"] == probe["cut"] == [] and probe["sideways"] <= 0
