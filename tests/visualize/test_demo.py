"""The report of a real training in a real browser."""

import pytest

from minidl.cli import main


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_report_of_the_demo_opens_with_every_picture_drawn(browse, tmp_path, capsys):
    assert main(["demo", "--epochs", "1", "--quiet", "--out", str(tmp_path)]) == 0
    page = tmp_path / "report.html"
    seen = browse(page)
    assert seen.console == [] and "What the layers see" in seen.dom
    for width in (1280, 390):
        probe = browse(page, probe=True, width=width).probe
        assert probe["images"] > 100
        assert probe["broken"] == probe["undrawn"] == probe["cut"] == [] and probe["sideways"] <= 0
