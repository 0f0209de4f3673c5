"""A process may be killed at any moment: files are one of the versions saved, and a training ends as if nothing was."""

import os

import numpy as np
import pytest

from tests.saving.kills import FORMATS, killed_while_saving, killed_while_training

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


@pytest.mark.parametrize("name", FORMATS)
def test_20_kills_while_saving(name, tmp_path):
    found = killed_while_saving(name, 20, tmp_path, np.random.default_rng(1))
    assert found["kills"] == 20 and found["versions"] > 0


def test_5_kills_while_training(tmp_path):
    assert killed_while_training(5, tmp_path, np.random.default_rng(2), "adam")["complete trainings"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_500_kills_while_saving(name, tmp_path):
    kills = 100 if name.startswith("checkpoint") else 500  # which saves in the same way
    found = killed_while_saving(name, kills, tmp_path, np.random.default_rng(3))
    assert found["in the middle"] > kills // 5


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_50_kills_while_training(optimizer, tmp_path):
    assert killed_while_training(50, tmp_path, np.random.default_rng(4), optimizer)["kills"] == 50
