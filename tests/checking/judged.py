"""Faults and right variants run over seeds, and what was said about them counted."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.checking import faults, update_faults, variants

__all__ = ["ALL_CORRECT", "ALL_FAULTS", "count", "said"]

ALL_FAULTS = {fault.name: fault for fault in [*faults.FAULTS, *update_faults.FAULTS]}
ALL_CORRECT = {**variants.CORRECT, **{fault.name: fault.check for fault in update_faults.CORRECT}}


def said(name: str, seed: int) -> tuple[str, Any]:
    """(word, report): "right", "wrong", "unknown" or "missed" of a fault; "fine" or "false alarm" of a variant."""
    if name in ALL_CORRECT:
        report = ALL_CORRECT[name](seed)
        return "fine" if report.ok else "false alarm", report
    report = ALL_FAULTS[name].check(seed)
    if report.ok:
        return "missed", report
    if report.cause == "unknown":
        return "unknown", report
    return "right" if report.cause in ALL_FAULTS[name].causes else "wrong", report


def count(names: Iterable[str], seeds: Iterable[int]) -> tuple[Counter[str], list[str]]:
    """How often each was said, and a line for each that is not as it should be."""
    counted: Counter[str] = Counter()
    lines = []
    seeds = list(seeds)
    for name in names:
        for seed in seeds:
            word, report = said(name, seed)
            counted[word] += 1
            if word not in ("right", "fine"):
                lines.append(f"{word}: {name} at seed {seed}: {report.cause or 'nothing'} found")
    return counted, lines
