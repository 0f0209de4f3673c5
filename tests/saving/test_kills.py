"""A process may be killed at any moment: files are one of the versions saved, and a training ends as if nothing was."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.saving.kills import FORMATS, killed_while_saving, killed_while_training

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")

ROOT = Path(__file__).resolve().parents[2]


def killed(function: str, first: Any, kills: int, folder: Path, seed: int) -> dict[str, int]:
    """What a function of ``tests.saving.kills`` finds, in a process of its own: this one is large, so slow to fork."""
    call = f"{function}(*json.loads(sys.argv[1]), Path(sys.argv[2]), numpy.random.default_rng({seed}))"
    code = f"import json, sys, numpy\nfrom pathlib import Path\nfrom tests.saving.kills import {function}\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print(json.dumps({call}))", json.dumps([first, kills]), str(folder)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "kernels")])},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FORMATS)
def test_20_kills_while_saving(name, tmp_path):
    found = killed_while_saving(name, 20, tmp_path, np.random.default_rng(1))
    assert found["kills"] == 20 and found["versions"] > 0


def test_5_kills_while_training(tmp_path):
    assert killed_while_training("adam", 5, tmp_path, np.random.default_rng(2))["complete trainings"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_500_kills_while_saving(name, tmp_path):
    kills = 100 if name.startswith("checkpoint") else 500  # which saves in the same way
    found = killed("killed_while_saving", name, kills, tmp_path, 3)
    assert found["in the middle"] > kills // 20  # a machine that is busy elsewhere hits fewer


@pytest.mark.slow
@pytest.mark.parametrize("optimizer, kills", [("adam", 50), ("momentum", 10)])
def test_50_kills_while_training(optimizer, kills, tmp_path):
    assert killed("killed_while_training", optimizer, kills, tmp_path, 4)["kills"] == kills
