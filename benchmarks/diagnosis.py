"""How well causes are named: `python -m benchmarks.diagnosis [--seeds 1000] [--only NAME] [--json FILE]`.

Every planted fault and every right variant of `tests/checking` is checked at so many seeds. Written to the file: how
many faults were caught, named right, named wrong and left unknown, how many right variants were called wrong, and each
exception by name and seed. The processes share the seeds among them (`--processes`).
"""

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "kernels")]


def one_seed(seed: int, only: str) -> tuple[Counter[str], list[str]]:
    """All faults and variants at one seed."""
    from tests.checking.judged import ALL_CORRECT, ALL_FAULTS, count

    return count([name for name in (*ALL_FAULTS, *ALL_CORRECT) if only in name], [seed])


def main() -> None:
    """Run the seeds, print the shares, write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="faults whose names contain this")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "diagnosis.json")
    options = parser.parse_args()
    from tests.checking.judged import ALL_CORRECT, ALL_FAULTS

    start, counted, lines = time.perf_counter(), Counter[str](), []
    seeds = range(options.first, options.first + options.seeds)
    with ProcessPoolExecutor(options.processes) as pool:
        for more, found in pool.map(one_seed, seeds, [options.only] * options.seeds):
            counted += more
            lines += found
    faults = sum(counted[word] for word in ("right", "wrong", "unknown", "missed"))
    record = {
        "seeds": [options.first, options.first + options.seeds],
        "faults": sum(options.only in name for name in ALL_FAULTS),
        "variants": sum(options.only in name for name in ALL_CORRECT),
        "counts": dict(counted),
        "caught": 1 - counted["missed"] / faults if faults else None,
        "named right": counted["right"] / faults if faults else None,
        "named wrong": counted["wrong"] / faults if faults else None,
        "false alarms": counted["false alarm"],
        "seconds": round(time.perf_counter() - start, 1),
        "exceptions": lines,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(json.dumps({k: v for k, v in record.items() if k != "exceptions"}, indent=1))
    print("\n".join(lines[:40]))


if __name__ == "__main__":
    main()
