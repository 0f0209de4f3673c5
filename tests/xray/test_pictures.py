"""The script that takes the pictures of docs/xray.md."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.slow
def test_the_pictures_of_the_documentation_can_be_taken_anew(chromium, tmp_path):
    command = [sys.executable, DOCS / "xray_pictures.py", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    shown = set(re.findall(r"pictures/(\w+\.png)", (DOCS / "xray.md").read_text(encoding="utf-8")))
    assert {path.name for path in tmp_path.glob("*.png")} == shown == set(re.findall(r"(\w+\.png): -?\d", done.stdout))
    for name in shown:
        with Image.open(tmp_path / name) as new, Image.open(DOCS / "pictures" / name) as old:
            assert new.size == old.size
            pixels = np.asarray(new.convert("L"))
        assert pixels.std() > 20  # not an empty page
        assert (np.median(pixels) < 60) == (name == "xray_softmax.png")  # the dark one
