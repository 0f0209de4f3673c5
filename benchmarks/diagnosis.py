"""How well causes are named, and how fast: `python -m benchmarks.diagnosis [--seeds 1000] [--processes 1] [--timing]`.

Every planted fault and every right variant of `tests/checking` is checked at so many seeds. Written to the file: how
many faults were caught, named right, named wrong and left unknown, how many right variants were called wrong, and each
exception by name and seed. Each seed is kept in a file beside it as soon as it is done, with a digest of the code that
it ran on: the same command goes on where it was stopped, and seeds of other code do not count. `--timing` measures what
one check takes, in a new process and in one that has checked before, and adds it to the file.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "kernels")]
TIMES = "time of a check"
COLD = """
import numpy as np
from minidl.checking import diagnose
x, w, b = np.ones((5, 4)), np.ones((4, 3)), np.ones(3)
wrong = lambda g, c: (g @ c[1].T, c[0].T @ g / len(g), g.sum(0))
assert diagnose(lambda x, w, b: (x @ w + b, (x, w)), [x, w, b], backward=wrong).cause == "mean_for_sum"
"""


def digest() -> str:
    """Of the checks, the faults and the variants."""
    files = sorted([*(ROOT / "minidl" / "checking").rglob("*.py"), *(ROOT / "tests" / "checking").glob("*.py")])
    files = [file for file in files if not file.name.startswith("test_")]
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return found.hexdigest()[:16]


def one_seed(seed: int, only: str) -> dict[str, Any]:
    """All faults and variants at one seed."""
    from tests.checking.judged import ALL_CORRECT, ALL_FAULTS, count

    start = time.process_time()
    counted, lines = count([name for name in (*ALL_FAULTS, *ALL_CORRECT) if only in name], [seed])
    return {"seed": seed, "counts": dict(counted), "exceptions": lines, "seconds": time.process_time() - start}


def run(seeds: list[int], only: str, processes: int) -> Iterator[dict[str, Any]]:
    """Seed by seed, as they are done."""
    if processes == 1:
        yield from (one_seed(seed, only) for seed in seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        futures = [pool.submit(one_seed, seed, only) for seed in seeds]
        try:
            yield from (future.result() for future in as_completed(futures))
        finally:
            for future in futures:
                future.cancel()


def read(kept: Path, code: str, only: str) -> dict[int, dict[str, Any]]:
    """The seeds that this code has done; a line that was cut off in writing is none."""
    found = {}
    for line in kept.read_text("utf-8").splitlines() if kept.exists() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row["code"] == code and row["only"] == only:
            found[row["seed"]] = row
    return found


def summary(rows: list[dict[str, Any]], code: str, only: str) -> dict[str, Any]:
    """What all seeds gave together."""
    from tests.checking.judged import ALL_CORRECT, ALL_FAULTS

    counted: Counter[str] = Counter()
    for row in rows:
        counted.update(row["counts"])
    faults = sum(counted[word] for word in ("right", "wrong", "unknown", "missed"))
    return {
        "seeds": len(rows),
        "first and last": [rows[0]["seed"], rows[-1]["seed"]],
        "code": code,
        "faults": sum(only in name for name in ALL_FAULTS),
        "variants": sum(only in name for name in ALL_CORRECT),
        "counts": dict(counted),
        "caught": 1 - counted["missed"] / faults if faults else None,
        "named right": counted["right"] / faults if faults else None,
        "named wrong": counted["wrong"] / faults if faults else None,
        "false alarms": counted["false alarm"],
        "processor seconds a seed": round(statistics.median(row["seconds"] for row in rows), 2),
        "exceptions": [line for row in rows for line in row["exceptions"]],
    }


def write(file: Path, more: dict[str, Any]) -> None:
    """Write seeds and keep the times, or the other way round; the file is there whole, or as it was before."""
    before = json.loads(file.read_text("utf-8")) if file.exists() else {}
    before = {key: value for key, value in before.items() if (key == TIMES) != (TIMES in more)}
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps({**before, **more}, indent=1) + "\n", "utf-8")
    os.replace(part, file)


def measured(check: Callable[[], Any], repeats: int = 3) -> tuple[float, float]:
    """(wall, processor) milliseconds of the fastest of some repeats."""
    found = []
    for _ in range(repeats):
        start, processor = time.perf_counter(), time.process_time()
        check()
        found.append((1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - processor)))
    return min(wall for wall, _ in found), min(processor for _, processor in found)


def timing(only: str) -> dict[str, Any]:
    """What a check takes: in a new process, in one that has checked before, and of larger layers."""
    from benchmarks import common
    from benchmarks.diagnosis_layers import LARGER
    from tests.checking.judged import ALL_CORRECT, ALL_FAULTS, said

    cold, children = [], []
    environment = common.child_environment()
    subprocess.run([sys.executable, "-c", COLD], check=True, cwd=ROOT, env=environment)  # leaves bytecode behind
    for _ in range(3):
        start, before = time.perf_counter(), os.times()
        subprocess.run([sys.executable, "-c", COLD], check=True, cwd=ROOT, env=environment)
        after = os.times()
        cold.append(time.perf_counter() - start)
        children.append(sum(after[2:4]) - sum(before[2:4]))
    names = [name for name in (*ALL_FAULTS, *ALL_CORRECT) if only in name]
    for name in names:
        said(name, 0)
    warm = {name: measured(lambda name=name: said(name, 1)) for name in names}  # type: ignore[misc]
    larger = {}
    for name, check in LARGER.items():
        if not only or only in name:
            check()
            larger[name] = measured(check)
    return {
        "cold, with the start of Python, s": round(min(cold), 3),
        "cold, with the start of Python, processor s": round(min(children), 3),
        "warm, median of the cases, ms": round(statistics.median(wall for wall, _ in warm.values()), 2),
        "warm, median of the cases, processor ms": round(statistics.median(cpu for _, cpu in warm.values()), 2),
        "warm, share of the cases above 50 ms": round(sum(wall > 50 for wall, _ in warm.values()) / len(warm), 4),
        "warm, share above 50 processor ms": round(sum(cpu > 50 for _, cpu in warm.values()) / len(warm), 4),
        "slowest, processor ms": {n: round(warm[n][1], 1) for n in sorted(warm, key=lambda n: -warm[n][1])[:5]},
        "larger layers, ms": {name: round(wall, 1) for name, (wall, _) in larger.items()},
        "larger layers, processor ms": {name: round(cpu, 1) for name, (_, cpu) in larger.items()},
        "load of the machine": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Run the seeds that are missing, print the shares, write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000, help="how many; 0: write the file from those that are kept")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="faults whose names contain this")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--timing", action="store_true", help="measure what a check takes, and no seeds")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "diagnosis.json")
    options = parser.parse_args()
    if options.timing:
        found = {TIMES: timing(options.only)}
        write(options.json, found)
        print(json.dumps(found, indent=1))
        return
    kept, code = options.json.with_suffix(".jsonl"), digest()
    options.json.parent.mkdir(parents=True, exist_ok=True)
    done = read(kept, code, options.only)
    missing = [s for s in range(options.first, options.first + options.seeds) if s not in done]
    with kept.open("a", encoding="utf-8") as lines:
        for row in run(missing, options.only, options.processes):
            done[row["seed"]] = row
            lines.write(json.dumps({**row, "code": code, "only": options.only}) + "\n")
            lines.flush()
            write(options.json, summary([done[s] for s in sorted(done)], code, options.only))
    if done:
        record = summary([done[s] for s in sorted(done)], code, options.only)
        write(options.json, record)
        print(json.dumps({k: v for k, v in record.items() if k != "exceptions"}, indent=1))
        print("\n".join(record["exceptions"][:40]))


if __name__ == "__main__":
    main()
