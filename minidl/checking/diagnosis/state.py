"""Faults that one forward and one backward do not show: caches that are shared, kept too long, or written into."""

from typing import Any

import numpy as np

from .adapters import Checked, Instance, Pair
from .comparison import Comparison

__all__ = ["state_faults"]


def state_faults(checked: Checked, base: Comparison) -> tuple[str, int] | None:
    """(cause, leaf) of the first fault found, else None."""
    if not isinstance(checked, (Instance, Pair)):
        return None
    x, g, first = base.case.x, base.case.g, base.case.analytic
    fault = _inputs_written(checked, x)
    if fault:
        return fault
    checked.clear()
    _, cache = checked.forward(x)
    once = checked.backward(g, cache)
    if isinstance(checked, Instance):
        wrong = _differs(once, first)
        if wrong is not None:
            return ("accumulated" if _multiple(once[wrong], first[wrong]) else "stale"), wrong
    if isinstance(checked, Pair):
        again = checked.backward(g, cache)
        wrong = _differs(again, once)
        if wrong is not None:
            return "cache_written", wrong
    else:
        again = checked.backward(g, None)
        wrong = _differs(again[: len(checked.leaf_args)], once[: len(checked.leaf_args)])
        if wrong is not None:
            return "cache_written", wrong
    return _second_batch(checked, x, g, once)


def _second_batch(checked: Checked, x: list[np.ndarray], g: np.ndarray, once: list[Any]) -> tuple[str, int] | None:
    other = [a[::-1] * 0.75 if i == 0 and a.ndim else a for i, a in enumerate(x)]
    if isinstance(checked, Pair):  # the layer twice in one net: two caches alive at once
        _, first_cache = checked.forward(x)
        _, second_cache = checked.forward(other)
        checked.backward(g, second_cache)
        wrong = _differs(checked.backward(g, first_cache), once)
        return None if wrong is None else ("shared_cache", wrong)
    assert isinstance(checked, Instance)
    fresh = checked.fresh(other)
    expected = fresh.backward(g, fresh.forward(other)[1])
    checked.clear()
    found = checked.backward(g, checked.forward(other)[1])
    wrong = _differs(found, expected)
    if wrong is None:
        return None
    if _same(found[wrong], once[wrong]):
        return "stale", wrong
    return ("accumulated" if wrong >= len(checked.leaf_args) else "stale"), wrong


def _inputs_written(checked: Checked, x: list[np.ndarray]) -> tuple[str, int] | None:
    filled = checked.filled(x)
    before = [a.copy() if isinstance(a, np.ndarray) else a for a in filled]
    if isinstance(checked, Instance):
        checked.forward(x)
        checked._run(checked.judged, filled)
        now = [*(filled[i] for i in checked.leaf_args), *(p for _, p, _ in checked.slots)]
        for i, (a, b) in enumerate(zip(now, x, strict=True)):
            if not np.array_equal(a, b, equal_nan=True):
                return "input_written", i
        return None
    assert isinstance(checked, Pair)
    checked.seeded(checked.f, *filled, **checked.arguments)
    for leaf, i in enumerate(checked.leaf_args):
        if not np.array_equal(filled[i], before[i], equal_nan=True):
            return "input_written", leaf
    return None


def _differs(a: list[Any], b: list[Any]) -> int | None:
    return next((i for i, (one, other) in enumerate(zip(a, b, strict=True)) if not _same(one, other)), None)


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    if a.size != b.size:
        return False
    return bool(
        np.allclose(a.ravel(), b.ravel(), rtol=1e-5, atol=1e-6 * float(np.abs(b).max(initial=0)), equal_nan=True)
    )


def _multiple(a: Any, b: Any) -> bool:
    if a is None or b is None or a.shape != b.shape:
        return False
    size = float((b * b).sum())
    alpha = float((a * b).sum()) / size if size else 0.0
    return alpha > 1.5 and abs(alpha - round(alpha)) < 1e-4 and _same(a, alpha * b)
