"""Small nets, and a browser that drives a page of them and answers in JSON."""

import functools
import html
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from minidl import config, layers, models

POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
DRIVER = """<script>
const b64 = data => btoa([...new Uint8Array(data.buffer)].map(b => String.fromCharCode(b)).join(""));
const press = key => document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
xray.ready.then(() => { SCRIPT }).then(
  answer => answer, error => ({error: String(error.stack)})).then(answer => {
  const resources = performance.getEntriesByType("resource").map(one => one.name);
  document.documentElement.dataset.answer = JSON.stringify([resources, answer]);
});
</script></body>"""


class Seen(NamedTuple):
    """The console of the browser, what the page loaded beside itself, and what the script returned."""

    console: list[str]
    resources: list[str]
    answer: Any


def drive_page(chromium: str, folder: Path, page: Path, script: str, width: int = 1366, dark: bool = False) -> Seen:
    """Open a page from file://, run the body of a function in it, and return what it returns."""
    text = page.read_text(encoding="utf-8")
    assert len(POLICY.findall(text)) == 1
    driven = folder / f"driven_{page.name}"
    driven.write_text(text.replace("</body>", DRIVER.replace("SCRIPT", script)), encoding="utf-8")
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},800", "--enable-logging=stderr",
            "--virtual-time-budget=20000",
            *(["--blink-settings=preferredColorScheme=0"] if dark else []), "--dump-dom", driven.as_uri(),
        ],
        capture_output=True, text=True, encoding="utf-8", timeout=200, check=True,
    )  # fmt: skip
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    found = re.search(r'data-answer="([^"]*)"', done.stdout)
    assert found, console
    return Seen(console, *json.loads(html.unescape(found[1])))


@pytest.fixture
def drive(chromium: str, tmp_path: Path) -> Callable[..., Seen]:
    """The same, in the folder of the test."""
    return functools.partial(drive_page, chromium, tmp_path)


def small_net(dtype: str = "float64", optimizer: Any = "adam") -> models.Sequential:
    """Every kind of layer that the page computes itself."""
    config.set_global_seed(3)
    net = models.Sequential(
        [
            layers.Input((7, 6, 2), dtype=dtype),
            layers.Conv2D(
                3,
                3,
                strides=(1, 2),
                padding="same",
                activation="relu",
                kernel_regularizer="l2",
                dtype=dtype,
                name="first",
            ),
            layers.BatchNormalization(dtype=dtype),
            layers.MaxPooling2D((2, 2), strides=1, dtype=dtype),
            layers.Conv2D(2, 2, activation="sigmoid", dtype=dtype),
            layers.AveragePooling2D((2, 1), padding="same", dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dense(6, activation="relu", kernel_regularizer="l1", dtype=dtype, name="hidden"),
            layers.Dropout(0.3, seed=5, dtype=dtype),
            layers.Dense(5, activation="tanh", dtype=dtype),
            layers.Dense(4, activation="softmax", dtype=dtype),
        ]
    )
    net.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def batch(n: int = 2, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """Pictures for it, and labels."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 7, 6, 2)).astype(dtype), np.arange(n) % 4
