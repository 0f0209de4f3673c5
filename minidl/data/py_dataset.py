"""PyDataset: batches by number, made by the user's own code, in threads where that is asked for."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

__all__ = ["PyDataset"]


class PyDataset:
    """Base class of data that is made batch by batch; ``Sequence`` is its old name.

    A subclass defines ``__getitem__(index)``, which returns the batch of that number as x, (x, y) or
    (x, y, sample_weight), and either ``__len__`` or the property ``num_batches`` (None: without end).

    Args:
        workers: how many threads make batches; 0 and 1: they are made in the training loop itself.
        use_multiprocessing: accepted as in Keras; threads are used here, too (one worker is then a thread of its own).
        max_queue_size: how many batches may wait to be used.
    """

    # On the class, so that a subclass that forgets super().__init__() works.
    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} needs a method __getitem__(self, index), which returns a batch"
        )

    @property
    def num_batches(self) -> int | None:
        """How many batches an epoch has; None: without end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} needs a method __len__(self), the number of batches, or a property num_batches"
        )

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch."""

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, self._numbers())

    def _numbers(self) -> Iterable[int]:
        return itertools.count() if self.num_batches is None else range(self.num_batches)

    def batches(self, order: Iterable[int] | None = None) -> Iterator[Any]:
        """The batches of these numbers (default: all) in that order, made by as many threads as asked for."""
        numbers = self._numbers() if order is None else order
        if self.workers > 1 or (self.workers == 1 and self.use_multiprocessing):
            return self._in_threads(numbers)
        return map(self.__getitem__, numbers)

    def _in_threads(self, numbers: Iterable[int]) -> Iterator[Any]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix=type(self).__name__)
        waiting: deque[Future[Any]] = deque()
        try:
            for number in numbers:
                waiting.append(pool.submit(self.__getitem__, int(number)))
                if len(waiting) > max(self.max_queue_size, 1):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # also where the epoch ends early, or a batch raises
            pool.shutdown(wait=True, cancel_futures=True)
