"""A browser that says what it thinks of a page; the fixture ``browse`` of tests that open pages."""

import html
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
PROBE = """<script>
addEventListener("load", () => {
  const root = document.documentElement;
  const cut = [...document.querySelectorAll("svg")].flatMap(svg => {
    const outer = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(text => {
      const box = text.getBoundingClientRect();  // empty where the text is not shown
      return box.width && (box.left < outer.left - 1 || box.right > outer.right + 1
        || box.top < outer.top - 1 || box.bottom > outer.bottom + 1);
    }).map(text => text.textContent);
  });
  root.dataset.probe = JSON.stringify({
    images: document.images.length,
    broken: [...document.images].filter(image => !image.naturalWidth).map(image => image.alt),
    undrawn: [...document.images].filter(image => !image.getBoundingClientRect().width).map(image => image.alt),
    cut: cut,
    sideways: root.scrollWidth - innerWidth,
    width: innerWidth,
    language: [...new Set([...document.querySelectorAll("body [lang]")].filter(part => part.getClientRects().length)
      .map(part => part.getAttribute("lang")))],
    background: getComputedStyle(document.body).backgroundColor,
  });
});
</script>"""


@dataclass
class Seen:
    """What the browser found: its console, the page after loading, and the answers of the probe."""

    console: list[str]
    dom: str
    probe: dict[str, Any]


def visit(
    chromium: str, page: Path, folder: Path, *options: str, size: tuple[int, int] = (1366, 800), dark: bool = False
) -> tuple[list[str], str]:
    """Open a page from file:// in a headless browser whose profile lies in ``folder``; its console, and its output."""
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={size[0]},{size[1]}", "--enable-logging=stderr",
            *(["--blink-settings=preferredColorScheme=0"] if dark else []), *options, page.as_uri(),
        ],
        capture_output=True, text=True, encoding="utf-8", timeout=200, check=True,
    )  # fmt: skip
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line], done.stdout


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Callable[..., Seen]:
    """Open a page from file:// in a headless browser; with ``probe``, a copy that measures itself."""

    def run(page: Path, *, probe: bool = False, width: int = 1280, dark: bool = False) -> Seen:
        if probe:
            text, replaced = POLICY.subn(lambda _: PROBE, page.read_text(encoding="utf-8"))
            assert replaced == 1
            page = tmp_path / f"probed_{page.name}"
            page.write_text(text, encoding="utf-8")
        console, dom = visit(chromium, page, tmp_path, "--dump-dom", size=(width, 1000), dark=dark)
        found = re.search(r'data-probe="([^"]*)"', dom)
        return Seen(console, dom, json.loads(html.unescape(found[1])) if found else {})

    return run
