"""Passes over data: of all of it, or of a fixed number of batches."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from .arrays import Batches, check_lengths, class_weights, standardized, warn_of_nan
from .py_dataset import PyDataset
from .streams import Stream, is_stream

__all__ = ["Epochs", "epochs_of"]

_END = object()


class Epochs:
    """Each iteration is one epoch.

    Args:
        source: Batches or a Stream.
        steps: batches an epoch; None: all there are. With a number, an epoch begins where the last one stopped, and
            the source starts anew when it is at its end; an epoch in which it ends is cut short, with a warning.
    """

    def __init__(self, source: Any, steps: int | None = None):
        self.source, self.steps = source, steps
        self.length = steps or source.num_batches  # batches an epoch; None where that is not known yet
        self._unfinished: Iterator[Any] | None = None
        self._taken = 0  # batches of the pass that is under way
        self._order: list[int] | None = None  # the random state before it
        self._skipped = self._first = 0  # what the next pass, and the next epoch, leave out (see resume)

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        self.source.on_epoch_begin()
        batches = self._pass() if self.steps is None else self._some()
        try:
            yield from batches
        finally:
            self.source.on_epoch_end()

    def _some(self) -> Iterator[tuple[Any, Any, Any]]:
        assert self.steps is not None
        first, self._first = self._first, 0
        for step in range(first, self.steps):
            if self._unfinished is None:
                self._unfinished = self._pass()
            batch = next(self._unfinished, _END)
            if batch is _END and not step and not self.source.once:
                self._unfinished = self._pass()
                batch = next(self._unfinished, _END)
            if batch is _END:
                self._unfinished = None
                warnings.warn(
                    f"the input ran out of data after {step} of the {self.steps} batches of an epoch: it should give "
                    f"steps * epochs batches",
                    stacklevel=4,
                )
                return
            yield batch  # type: ignore[misc]

    def _pass(self) -> Iterator[tuple[Any, Any, Any]]:
        """All batches of the source once, counted."""
        skipped, self._skipped = self._skipped, 0
        self._taken, self._order = 0, self._random_state()
        for batch in self.source:
            self._taken += 1
            if self._taken > skipped:
                yield batch
        self._taken, self._order = 0, None

    def _random_state(self) -> list[int] | None:
        """What the order of the next pass follows from; None where the source has no order of ours."""
        seed = getattr(self.source, "seed", None)
        return None if seed is None else seed.state.numpy().tolist()

    def position(self) -> dict[str, Any]:
        """Where in the data we are, as plain data for ``resume``."""
        return {"taken": self._taken, "order": self._order if self._taken else self._random_state()}

    def resume(self, position: dict[str, Any], first: int) -> None:
        """Go on at a position that was noted when ``first`` batches of an epoch had been seen.

        The batches of a generator that were seen are passed over; it must make the same ones again.
        """
        if position["order"] is not None and self._random_state() is not None:
            self.source.seed.state.assign(np.array(position["order"], np.uint32))
        self._skipped, self._first = position["taken"], first


def epochs_of(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool = False,
    seed: Any = None,
    class_weight: dict[Any, float] | None = None,
    prefix: str = "",
    warns_of_nan: bool = False,
) -> Epochs:
    """Epochs of whatever fit, evaluate or predict was given.

    Args:
        x: arrays or structures of them; or what yields batches (then y, sample_weight and batch_size are its own).
        batch_size: samples a batch; default 32, or so many that ``steps`` batches make up the data.
        steps: batches an epoch; None: all.
        shuffle, seed: a new order of the samples in every pass, drawn from a SeedGenerator.
        class_weight: factors by class, in the place of sample weights.
        prefix: stands before the names of arrays in errors.
        warns_of_nan: warn where the arrays hold NaN or infinity.

    Raises:
        ValueError, TypeError: arguments that do not go together, or are no data; names them.
    """
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise ValueError(f"{prefix}steps must be a positive whole number, not {steps!r}")
    if is_stream(x):
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(
                    f"{prefix}{name} must be left out where x makes the batches (x is a {type(x).__name__}): a batch "
                    f"is (x, y) or (x, y, sample_weight)"
                )
        stream = Stream(x, class_weight, shuffle, seed, prefix)
        if isinstance(x, PyDataset) and stream.num_batches is None and steps is None:
            raise ValueError("a PyDataset without end (num_batches is None) needs a number of steps an epoch")
        return Epochs(stream, steps)
    x, y, sample_weight = standardized(x, y, sample_weight, prefix)
    n = check_lengths(**{f"{prefix}x": x, f"{prefix}y": y, f"{prefix}sample_weight": sample_weight})
    if warns_of_nan:
        warn_of_nan(x=x, y=y)
    if class_weight is not None:
        sample_weight = class_weights(y, class_weight, sample_weight)
    if batch_size is None:
        batch_size = 32 if steps is None else -(-n // steps)
    return Epochs(Batches(x, y, sample_weight, batch_size, shuffle, seed), steps)
