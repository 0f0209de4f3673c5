"""Texts that are the same up to rounding: what documentation shows, and what its code prints on another machine."""

import re

NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?")


def alike(one: str, other: str) -> bool:
    """The same words; of numbers, those of 1e-6 and less are rounding, and others agree to a hundredth."""
    if NUMBER.sub("0", one).split() != NUMBER.sub("0", other).split():
        return False
    pairs = zip(map(float, NUMBER.findall(one)), map(float, NUMBER.findall(other)), strict=True)
    return all(abs(a - b) <= 1e-2 * max(abs(a), abs(b)) or max(abs(a), abs(b)) < 2e-6 for a, b in pairs)
