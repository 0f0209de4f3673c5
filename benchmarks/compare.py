"""`--compare EARLIER.json`: ratios then and now, with a mark where the change is larger than the spread."""

import json
from pathlib import Path
from typing import Any

from .arguments import UsageError
from .common import table

Ratio = dict[str, float]


def read(path: Path) -> dict[str, Any]:
    """An earlier record.

    Raises:
        UsageError: it cannot be read, or is not one of `python -m benchmarks run`.
    """
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--compare {path}: {error}") from None
    if not isinstance(record, dict) or not isinstance(record.get("workloads"), dict):
        raise UsageError(f"--compare {path}: this is no record of `python -m benchmarks run`")
    return record


def changed(then: Ratio, now: Ratio) -> bool:
    """Whether each median lies outside the other's middle half."""
    return not then["low"] <= now["median"] <= then["high"] and not now["low"] <= then["median"] <= now["high"]


def text(earlier: dict[str, Any], record: dict[str, Any], name: str) -> str:
    """The table; workloads that only one record has are named below it."""
    rows = []
    for workload, one in record["workloads"].items():
        before = earlier["workloads"].get(workload)
        if before is None:
            continue
        for what, then, now in (
            ("PyTorch eager", _ours(before), _ours(one)),
            ("the best peer", before.get("ratio to the best peer"), one["ratio to the best peer"]),
        ):
            if then and now:
                rows.append([workload, what, _shown(then), _shown(now), *_change(then, now)])
    parts = [f"Ratios then ({name}) and now; a mark where the change is larger than the spread."]
    parts.append(table(["workload", "against", "then", "now", "now / then", ""], rows))
    alone = sorted(set(earlier["workloads"]) ^ set(record["workloads"]))
    if alone:
        parts.append(f"In one of the two only: {', '.join(alone)}.")
    if earlier.get("threads") != record["threads"]:
        parts.append(f"The number of threads differs: {earlier.get('threads')} then, {record['threads']} now.")
    return "\n\n".join(parts)


def _ours(one: dict[str, Any]) -> Ratio | None:
    ratio = one.get("ratio") or {}
    return ratio if "median" in ratio else ratio.get("minidl")  # records of old have one ratio only


def _shown(ratio: Ratio) -> str:
    return f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"


def _change(then: Ratio, now: Ratio) -> tuple[str, str]:
    factor = now["median"] / then["median"]
    mark = ("**faster**" if factor > 1 else "**slower**") if changed(then, now) else ""
    return f"{factor:.2f}", mark
