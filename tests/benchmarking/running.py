"""Commands of the benchmarks, run as a user runs them."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def ran(*arguments, code=0):
    """A command's output and errors, after a check of its exit code."""
    environment = {**os.environ, "OPENBLAS_L2_SIZE": "524288"}  # children start without it, and the record says so
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def record_of(tmp_path, *arguments):
    """What a benchmark writes, after a check of the table and that it is the one on the screen."""
    target = tmp_path / "record.json"
    done = ran(*arguments, "--json", target)
    assert target.with_suffix(".md").read_text("utf-8").startswith(done.stdout.strip()[:200])
    for picture in tmp_path.glob("*.svg"):
        assert ET.parse(picture).getroot().tag.endswith("svg")
    record = json.loads(target.read_text("utf-8"))
    machine = record["machine"]
    assert machine["processor"] and machine["cores"] >= 1 and "found in the environment" in machine
    return record


def one_step(tmp_path, workload, peers):
    """One round of one step of a workload on these peers, with batches of four where there are convolutions."""
    command = ["run", workload, "--peers", ",".join(peers), "--rounds", "1", "--scale", "0.0001", "--threads", "1"]
    if workload in ("C", "D", "E", "F", "C-batch"):
        command += ["--batch", "4"]
    record = record_of(tmp_path, *command)
    found = record["workloads"][workload]
    assert set(found["sides"]) == {"minidl", *peers} - set(found["notes"])
    assert all(not side["BLAS settings"] and side["versions"] for side in record["sides"].values())
    assert record["machine"]["found in the environment"]["OPENBLAS_L2_SIZE"] == "524288"
    for side in found["sides"].values():
        assert len(side["loss"]) == 2 and side["MiB"]["at most"] >= side["MiB"]["after the import"] > 0
        assert side["seconds"]["median"] > 0 and side["first step"] > 0 and side["import"] > 0 and side["threads"] >= 1
    return found
