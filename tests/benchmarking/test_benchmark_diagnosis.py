"""The record of how causes are named: seeds are kept as they are done, and only those of the same code count."""

import json
import sys

import pytest

from benchmarks import diagnosis

ONLY = "dense: dW mean"


def ran(monkeypatch, target, *arguments):
    monkeypatch.setattr(sys, "argv", ["diagnosis", "--json", str(target), "--only", ONLY, *arguments])
    diagnosis.main()
    return json.loads(target.read_text("utf-8"))


def test_what_is_done_is_kept_and_not_done_again(monkeypatch, tmp_path, capsys):
    target, kept, asked, whole = tmp_path / "record.json", tmp_path / "record.jsonl", [], diagnosis.one_seed

    def stopped_at_two(seed, only):
        asked.append(seed)
        if seed == 2 and len(asked) == 3:
            raise KeyboardInterrupt
        return whole(seed, only)

    monkeypatch.setattr(diagnosis, "one_seed", stopped_at_two)
    with pytest.raises(KeyboardInterrupt):
        ran(monkeypatch, target, "--seeds", "4")
    assert json.loads(target.read_text("utf-8"))["seeds"] == 2
    kept.write_text(kept.read_text("utf-8") + '{"seed": 2, "cou', "utf-8")  # cut off in writing
    with kept.open("a", encoding="utf-8") as file:
        file.write("\n")
    record = ran(monkeypatch, target, "--seeds", "4")
    assert asked == [0, 1, 2, 2, 3]
    assert record["seeds"] == 4 and record["first and last"] == [0, 3] and record["counts"] == {"right": 4}
    assert record["faults"] == 1 and record["variants"] == 0 and record["exceptions"] == []
    assert record["caught"] == record["named right"] == 1 and record["named wrong"] == record["false alarms"] == 0
    assert ran(monkeypatch, target, "--seeds", "0") == record and len(asked) == 5
    monkeypatch.setattr(diagnosis, "digest", lambda: "other code")
    record = ran(monkeypatch, target, "--seeds", "1")
    assert asked[5:] == [0] and record["seeds"] == 1 and record["code"] == "other code"


def test_several_processes(monkeypatch, tmp_path, capsys):
    record = ran(monkeypatch, tmp_path / "record.json", "--seeds", "3", "--processes", "2")
    assert record["seeds"] == 3 and record["counts"] == {"right": 3}


@pytest.mark.slow
def test_seeds_and_times_are_in_one_file(monkeypatch, tmp_path, capsys):
    target = tmp_path / "record.json"
    ran(monkeypatch, target, "--seeds", "1")
    times = ran(monkeypatch, target, "--timing")["time of a check"]
    assert 0 < times["warm, median of the cases, processor ms"] < 1e3 * times["cold, with the start of Python, s"]
    assert 0 <= times["warm, share of the cases above 50 ms"] <= 1 and times["larger layers, ms"] == {}
    record = ran(monkeypatch, target, "--seeds", "2")
    assert record["seeds"] == 2 and record["time of a check"] == times


def test_the_larger_layers_are_right_and_wrong_as_they_say():
    from benchmarks.diagnosis_layers import LARGER

    causes = {"right": "", "dw mean": "mean_for_sum", "dx flipped": "kernel_flipped"}
    for name, check in LARGER.items():
        assert check().cause == causes[name.split(", ")[1]], name
