"""``utils.Progbar`` shows the numbers that Keras' own shows."""

import re

import pytest

from minidl import utils
from tests.parity.oracle import libraries

UPDATES = {
    "means": ({}, [(1, [("loss", 1.0)]), (2, [("loss", 2.0)]), (4, [("loss", 6.0), ("late", 1e-5)])]),
    "over several steps": ({}, [(2, [("loss", 1.0)]), (3, [("loss", 4.0)])]),
    "stateful": ({"stateful_metrics": ["loss"]}, [(1, [("loss", 1.0), ("x", 1.0)]), (2, [("loss", 5.0), ("x", 3.0)])]),
    "stateless": ({"stateless_metrics": ["x"]}, [(1, [("loss", 1.0), ("x", 1.0)]), (2, [("loss", 5.0), ("x", 3.0)])]),
    "the end": ({}, [(9, [("loss", 1.0)]), (10, [("loss", -2.0)])]),
    "unit": ({"unit_name": "sample", "width": 5}, [(5, [])]),
    "one line": ({"verbose": 2}, [(5, [("loss", 1.0)]), (10, [("loss", 2.0), ("b", 0.00012)])]),
    "nothing": ({"verbose": 0}, [(10, [("loss", 1.0)])]),
}


def shown(k, case, capsys):
    """The lines without colours, bars and times."""
    settings, updates = UPDATES[case]
    bar = k.utils.Progbar(10, interval=0, **settings)
    for current, values in updates:
        bar.update(current, values)
    text = re.sub(r"\x1b\[\d+m|[━╌\b]", "", capsys.readouterr().out).replace("\r", "\n")
    text = re.sub(r"\d+(:\d+)*(ms|us|s)\b", "T", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.oracle
@pytest.mark.parametrize("case", UPDATES)
def test_lines_are_those_of_keras(case, capsys):
    keras, ours = libraries()
    assert shown(ours, case, capsys) == shown(keras, case, capsys)


def test_the_bar_grows(capsys):
    bar = utils.Progbar(4, width=8, interval=0)
    bar.update(1)
    bar.add(2)
    lines = capsys.readouterr().out.splitlines()
    assert [(line.count("━"), line.count("╌")) for line in lines] == [(2, 6), (6, 2)]


def test_an_unknown_target(capsys):
    bar = utils.Progbar(None, interval=0)
    bar.update(3, [("loss", 0.5)])
    bar.update(4, [("loss", 0.5)], finalize=True)
    assert "3/Unknown" in (out := capsys.readouterr().out) and "loss: 0.5000" in out


def test_not_every_update_is_shown(capsys):
    bar = utils.Progbar(100, interval=60)
    for step in range(1, 101):
        bar.update(step)
    assert len(capsys.readouterr().out.splitlines()) == 2  # the first, and the last


def test_two_lists_of_names():
    with pytest.raises(ValueError, match="exclude each other"):
        utils.Progbar(1, stateful_metrics=[], stateless_metrics=[])
