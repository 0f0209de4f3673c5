"""Initial weights: mean, deviation and shape of the distribution, against the rule and the ways to miss it."""

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np

from .messages import chosen_language
from .trajectory import Trajectory

__all__ = ["diagnose_initializer"]

RULES = ("he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal", "lecun_uniform")
GAINS = {"he": 2.0, "glorot": 1.0, "lecun": 1.0}


def diagnose_initializer(
    make: Callable[..., Any],
    rule: str,
    shape: tuple[int, ...] = (300, 100),
    *,
    language: str | None = None,
    seed: int = 0,
) -> Trajectory:
    """Check initial weights that somebody draws against the deviation that a rule asks for.

    Args:
        make: ``make(shape)`` or ``make(fan_in, fan_out)`` -> weights; called until there are 30,000.
        rule: he_, glorot_ or lecun_, then normal or uniform.
        shape: (in, out), or (h, w, in, out) of a kernel; with in and out far apart.
        language: "en" or "ko"; default: that of the locale.
        seed: of NumPy's global generator, which is set.

    Raises:
        ValueError: no such rule.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}, not {rule!r}")
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        draws = [_drawn(make, shape) for _ in range(max(1, 30_000 // prod(shape)))]
    finally:
        np.random.set_state(state)
    w = np.concatenate([d.reshape(-1) for d in draws]).astype("float64")
    kind, form = rule.split("_")
    field = prod(shape[:-2])
    fan_in, fan_out = shape[-2] * field, shape[-1] * field
    right = _deviation(kind, fan_in, fan_out)
    std, mean = float(w.std()), float(w.mean())
    found = Trajectory(getattr(make, "__name__", type(make).__name__), rule, 1, language=chosen_language(language))
    near = 5 / sqrt(w.size)  # of a deviation: far beyond what chance does
    normal = float(np.abs(w).max(initial=0)) > 1.85 * std > 0  # a uniform one ends at 1.73 deviations
    good = abs(std / right - 1) < max(near, 0.02)
    if good and abs(mean) < near * right and normal == (form == "normal"):
        return found
    found.step, found.worst = 1, [("std", std, right), ("mean", mean, 0.0)]
    found.cause, found.confidence = _cause(kind, std, mean, right, (fan_in, fan_out), field, normal, form, near), 0.9
    if found.cause == "unknown":
        found.confidence = 0.0
    return found


def _drawn(make: Callable[..., Any], shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.asarray(make(shape))
    except TypeError:
        return np.asarray(make(*shape))


def _deviation(kind: str, fan_in: int, fan_out: int) -> float:
    return sqrt(GAINS[kind] / ((fan_in + fan_out) / 2 if kind == "glorot" else fan_in))


def _cause(
    kind: str,
    std: float,
    mean: float,
    right: float,
    fans: tuple[int, int],
    field: int,
    normal: bool,
    form: str,
    near: float,
) -> str:
    fan_in, fan_out = fans
    if std <= 1e-12:
        return "constant"
    if abs(mean) > 0.2 * std:
        return "not_centered"
    gains = [right * sqrt(f) for f in (0.5, 2, 0.25, 4)]
    candidates: list[tuple[str, float]] = [
        ("fan_swapped", _deviation(kind, fan_out, fan_in)),
        ("variance_for_deviation", right**2),
        *(("limit", right * f) for f in (1 / sqrt(3), sqrt(3)) if form == "uniform"),
        *(("receptive_field", right * sqrt(field)) for _ in range(field > 1)),
        *(("gain", g) for g in gains),
        ("fan_missing", 1.0),
        ("fan_missing", 0.01),
        ("fan_missing", 0.1),
        ("fan_missing", 0.05),
        ("fan_swapped", sqrt(GAINS[kind] / (fan_in + fan_out))),
        ("fan_missing", 0.001),
        ("gain", right / 2),
        ("fan_missing", sqrt(GAINS[kind])),
    ]
    for name, value in candidates:
        if abs(std / value - 1) < max(near, 0.03) and abs(value / right - 1) > 0.05:
            return name
    return "distribution" if abs(std / right - 1) < max(near, 0.03) and normal != (form == "normal") else "unknown"
