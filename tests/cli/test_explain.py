"""``minidl explain``: a page of the demo's network, or of one's own; usage errors in one line."""

import pytest

from minidl import layers, models
from minidl.cli import main


def test_the_page_of_the_demo_network_is_small(tmp_path, capsys):
    page = tmp_path / "step.html"
    assert main(["explain", "--out", str(page), "--language", "ko"]) == 0
    text = page.read_bytes()
    assert len(text) <= 3_000_000 and b'<html lang="ko">' in text and b'"part":' not in text
    assert "arrow keys" in capsys.readouterr().out


def test_a_saved_model(tmp_path, capsys):
    net = models.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
    net.save(tmp_path / "net.keras")
    page = tmp_path / "step.html"
    assert main(["explain", str(tmp_path / "net.keras"), "--samples", "2", "-o", str(page)]) == 0
    assert b'"shape":[2,28,28,1]' in page.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.keras"], "there is no file missing.keras"),
        (["--samples", "9000"], "there are only 8000 pictures"),
        (["--data", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_wrong_usage(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and list(tmp_path.iterdir()) == []
