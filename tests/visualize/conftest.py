"""A report made of plain arrays, and a browser that says what it thinks of a page."""

import html
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minidl import visualize

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


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Callable[..., Seen]:
    """Open a page from file:// in a headless browser; with ``probe``, a copy that measures itself."""

    def run(page: Path, *, probe: bool = False, width: int = 1280, dark: bool = False) -> Seen:
        if probe:
            text, replaced = POLICY.subn(lambda _: PROBE, page.read_text(encoding="utf-8"))
            assert replaced == 1
            page = tmp_path / f"probed_{page.name}"
            page.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [
                chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
                f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1000", "--enable-logging=stderr",
                *(["--blink-settings=preferredColorScheme=0"] if dark else []), "--dump-dom", page.as_uri(),
            ],
            capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
        )  # fmt: skip
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        found = re.search(r'data-probe="([^"]*)"', done.stdout)
        return Seen(console, done.stdout, json.loads(html.unescape(found[1])) if found else {})

    return run


@pytest.fixture
def report() -> visualize.Report:
    """A report in which every part is present; 40 grey pictures of four classes, one with a name full of markup."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 4
    scores = rng.gumbel(size=(40, 4)) + 2.0 * np.eye(4)[labels]
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    maps = rng.normal(size=(6, 6, 5)).clip(0)
    maps[..., 2] = 0
    return visualize.Report(
        title="A report <of> tests",
        subtitle="Noise & nothing else.",
        class_names=("cat", "dog", "<b>bird</b>", 'a "long" name of a class that goes on'),
        pictures=rng.integers(0, 256, (40, 8, 8), np.uint8),
        labels=labels,
        probabilities=probabilities,
        history={
            "loss": [1.0, 0.5, 0.3],
            "val_loss": [1.1, 0.7, 0.6],
            "accuracy": [0.3, 0.6, 0.8],
            "val_accuracy": [0.4, 0.5, 0.6],
        },
        facts={"test accuracy": "60%", "parameters": "1,234"},
        kernels=rng.normal(size=(3, 3, 1, 5)),
        sample=1,
        maps={"conv2d": maps, "max_pooling2d": maps[::2, ::2]},
        layers=[("conv2d", "Conv2D", "6 × 6 × 5", 50), ("dense", "Dense", "4", 724)],
        check=visualize.Check(True, "All agree.", [("conv2d/kernel", 3e-9, True)]),
        settings={"optimizer": "adam", "epochs": 3},
        versions={"minidl": "0.0"},
    )
