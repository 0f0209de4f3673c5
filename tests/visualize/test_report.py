"""The report as a file: complete, self-contained, accessible, and only of the parts that were given."""

import html
import os
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from minidl import visualize
from minidl.visualize.words import Words

SECTIONS = {"curves", "confusion", "wrong", "right", "kernels", "maps", "where", "model", "check", "settings"}
VOID = {"meta", "link", "img", "input"}


class Page(HTMLParser):
    """Every element of a page, and whether each is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def sections(text):
    return {attributes["aria-labelledby"] for attributes in Page(text).all("section")}


def test_all_parts_are_there_and_all_elements_are_closed(report):
    text = visualize.render(report)
    page = Page(text)
    assert page.open == [] and sections(text) == SECTIONS
    assert len(page.all("h1")) == 1 and page.all("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert sorted(ids) == sorted(SECTIONS | {"en", "ko"})


def test_nothing_is_asked_for_from_outside_and_nothing_runs(report):
    text = visualize.render(report)
    page = Page(text)
    assert not page.all("script") and not page.all("iframe") and "@import" not in text
    assert all(attributes["src"].startswith("data:image/png;base64,") for attributes in page.all("img"))
    assert [attributes["href"] for _, attributes in page.elements if "href" in attributes] == ["data:,"]
    assert set(re.findall(r"https?://[^\"' <]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_pictures_have_descriptions_and_charts_have_titles(report):
    text = visualize.render(report)
    page = Page(text)
    assert all(attributes["alt"] for attributes in page.all("img"))
    assert all(attributes["role"] == "img" for attributes in page.all("svg"))
    assert len(re.findall(r"<svg[^>]*><title>[^<]+</title>", text)) == len(page.all("svg")) == 3


def test_everything_that_is_said_is_said_in_korean_too(report):
    report = replace(
        report, title=Words("Clothes", "옷"), subtitle="", facts={}, settings={}, versions={},
        layers=[("d", "Dense", "4", 1)], check=replace(report.check, summary=Words("All agree.", "모두 일치한다.")),
    )  # fmt: skip
    pages = {language: visualize.render(report, language) for language in ("en", "ko")}
    assert pages["ko"] == pages["en"].replace('html lang="en"', 'html lang="ko"').replace(
        "<title>Clothes<", "<title>옷<", 1
    ).replace(" checked>", ">").replace('id="ko" autocomplete="off">', 'id="ko" autocomplete="off" checked>')
    body = pages["ko"][pages["ko"].index("<header>") :]
    assert body.count('lang="ko"') == body.count('lang="en"') > 40
    seen = re.sub(r"<title>.*?</title>|<(\w+)[^>]* lang=\"en\"[^>]*>.*?</\1>", "", body)
    words = set(re.findall(r"[A-Za-z]{3,}", html.unescape(re.sub(r"<[^>]+>", " ", seen))))
    data = " ".join(
        [*report.class_names, *report.maps, *report.where, *(name for name, _, _ in report.check.rows), "Dense"]
    )
    assert words <= set(re.findall(r"[A-Za-z]{3,}", data))
    with pytest.raises(ValueError, match="'en' or 'ko', not 'fr'"):
        visualize.render(report, "fr")


def test_names_are_text_and_never_markup(report):
    text = visualize.render(report)
    assert "<b>bird</b>" not in text and "&lt;b&gt;bird" in text
    assert "<title>A report &lt;of&gt; tests</title>" in text


def test_the_numbers_of_the_page_are_those_given(report):
    text = re.sub(r"\s+", " ", visualize.render(report))
    guesses = report.probabilities.argmax(1)
    assert f"{(guesses == report.labels).sum()} of 40 right" in text
    assert "<td>dense</td><td>Dense</td><td>4</td><td>724</td>" in text and "<td>774</td>" in text
    assert "<td>3.0e-09</td>" in text and 'class="verdict good"' in text
    for row in (("1", "1", "1.1", "0.3", "0.4"), ("3", "0.3", "0.6", "0.8", "0.6")):
        assert "".join(f"<td>{one}</td>" for one in row) in text


def test_mistakes_come_in_the_order_of_their_sureness(report):
    text = visualize.render(report)
    wrong = np.flatnonzero(report.probabilities.argmax(1) != report.labels)
    sure = sorted((report.probabilities[i].max() for i in wrong), reverse=True)[:12]
    part = text[text.index('id="wrong"') : text.index('id="right"')]
    first = re.findall(r'<ul class="answers">.*?class="p">(\d+)%', part, re.S)
    assert [int(p) for p in first] == [int(f"{100 * p:.0f}") for p in sure]


@pytest.mark.parametrize("channels", [1, 3])
def test_where_there_are_too_many_tiles_the_page_says_so(report, channels):
    many = replace(report, kernels=np.ones((3, 3, channels, 65)), maps={"conv2d": np.ones((4, 4, 66))})
    text = re.sub(r"\s+", " ", visualize.render(many))
    assert "Its 65 kernels" in text and "66 maps of 4 × 4" in text and text.count("the first 64 of them") == 2
    assert len(Page(text).all("img")) == 2 * 64 + len(re.findall('class="card"', text))  # one in each card


def test_parts_that_are_missing_are_left_out(report):
    bare = visualize.Report("t", "s", report.class_names, report.pictures, report.labels, report.probabilities)
    assert sections(visualize.render(bare)) == {"confusion", "wrong", "right"}
    perfect = replace(bare, probabilities=np.eye(4)[report.labels])
    assert sections(visualize.render(perfect)) == {"confusion", "right"}
    diverged = replace(report, history={"loss": [np.nan, np.inf], "accuracy": [0.1, 0.1]})
    assert len(Page(visualize.render(diverged)).all("svg")) == 2


def test_shapes_that_do_not_fit_are_refused(report):
    with pytest.raises(ValueError, match=r"labels of shape \(40,\)"):
        replace(report, labels=report.labels[:3])


def test_a_file_appears_whole_or_not_at_all(report, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    assert visualize.write(report, path) == path
    before = path.read_bytes()
    assert before.decode("utf-8") == visualize.render(report)

    def fails(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        visualize.write(replace(report, title="another"), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["report.html"]
