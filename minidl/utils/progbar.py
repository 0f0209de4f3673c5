"""The bar of ``keras.utils.Progbar``, for training loops of one's own."""

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from minidl import config

__all__ = ["Progbar"]


class Progbar:
    """Shows how far a loop is, and the mean of what it reports.

    Args:
        target: how many steps there are; None: unknown.
        width: of the bar, in characters.
        verbose: 0: nothing; 1: a bar, rewritten in place on a terminal; 2: one line when the target is reached.
        interval: seconds that lie at least between two pictures of the bar.
        stateful_metrics: names whose values are shown as they are; others are shown as their mean over the steps.
        stateless_metrics: the other way round: names whose mean is shown; all others are shown as they are.
        unit_name: what a step is called.

    Raises:
        ValueError: both lists of names.
    """

    def __init__(
        self, target: int | None, width: int = 20, verbose: int = 1, interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None, stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):  # fmt: skip
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("stateful_metrics and stateless_metrics exclude each other; give one of them")
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.unit_name = unit_name
        self._averaged = None if stateless_metrics is None else set(stateless_metrics)
        self._plain = set(stateful_metrics or ())
        self._sums: dict[str, tuple[Any, int]] = {}  # by name: the sum of the values, and over how many steps
        self._seen, self._start, self._shown, self._length = 0, time.time(), 0.0, 0
        self._after_first: float | None = None

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Step ``current`` (counted from 1 on) is done.

        Args:
            values: (name, value) pairs; a value counts for all steps since the last update.
            finalize: whether this is the end, where values are shown as they are; default: the target is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = max(current - self._seen, 1)
        for name, value in values or ():
            mean = name in self._averaged if self._averaged is not None else name not in self._plain
            total, count = self._sums.get(name, (0.0, 0)) if mean and not finalize else (0.0, 0)
            weight = steps if mean and not finalize else 1
            self._sums[name] = (total + value * weight, count + weight)
        self._seen = current
        now = time.time()
        each = self._seconds_per_step(current, now)
        if self.verbose == 1 and (finalize or now - self._shown >= self.interval):
            self._show(self._bar(current, now, each, finalize), finalize)
        elif self.verbose == 2 and finalize and self.target:
            config.show(f"{self._count(current)} - {now - self._start:.0f}s -{self._each(each)}{self._numbers()}")
        else:
            return
        self._shown = now

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """``n`` more steps are done."""
        self.update(self._seen + n, values)

    def _count(self, current: int) -> str:
        return f"{current:{len(str(self.target))}d}/{self.target}" if self.target else f"{current:7d}/Unknown"

    def _bar(self, current: int, now: float, each: float, finalize: bool) -> str:
        bar = self._count(current)
        left = now - self._start
        if self.target:
            filled = int(self.width * min(current / self.target, 1.0))
            bar += f" {'━' * filled}{'╌' * (self.width - filled)}"
            left = left if finalize else each * (self.target - current)
        minutes, seconds = divmod(int(round(left)), 60)
        hours, minutes = divmod(minutes, 60)
        clock = f"{minutes}:{seconds:02d}" if minutes else f"{seconds}s"
        clock = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else clock
        return f"{bar} {clock}{self._each(each)}{self._numbers()}"

    def _show(self, line: str, finalize: bool) -> None:
        in_place = sys.stdout.isatty() or "ipykernel" in sys.modules
        blanks = " " * max(self._length - len(line), 0) if in_place else ""
        self._length = len(line)
        config.show(("\r" if in_place else "") + line + blanks, end="" if in_place and not finalize else "\n")

    def _numbers(self) -> str:
        means = {name: float(np.mean(total / max(1, count))) for name, (total, count) in self._sums.items()}
        return "".join(f" - {name}: {mean:{'.4f' if abs(mean) > 1e-3 else '.4e'}}" for name, mean in means.items())

    def _each(self, seconds: float) -> str:
        if seconds >= 1 or seconds == 0:
            return f" {seconds:.0f}s/{self.unit_name}"
        shown = f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
        return f" {shown}/{self.unit_name}"

    def _seconds_per_step(self, current: int, now: float) -> float:
        if not current:
            return 0.0
        if self._after_first is not None and current > 1:  # the first step compiles, and says little about the others
            each = (now - self._after_first) / (current - 1)
        else:
            each = (now - self._start) / current
        if current == 1:
            self._after_first = now
        return each
