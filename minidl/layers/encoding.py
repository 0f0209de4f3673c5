"""Layers that encode columns: CategoryEncoding for whole numbers, Discretization for ranges of floats."""

from typing import Any

import numpy as np

from minidl import ops
from minidl.engine.tensor import Tensor, raw
from minidl_kernels import devices
from minidl_kernels.arrays import namespace

from .core import positive_int
from .layer import Layer
from .preprocessing import batches_of

__all__ = ["CategoryEncoding", "Discretization"]

MODES = ("one_hot", "multi_hot", "count")


def _checked_mode(mode: Any, known: tuple[str, ...]) -> str:
    if mode not in known:
        raise ValueError(f"output_mode must be one of {', '.join(map(repr, known))}, not {mode!r}")
    return mode


def _encoded(numbers: Any, mode: str, depth: int, dtype: str, weights: Any = None) -> Any:
    """Whole numbers as rows of ``depth``; "multi_hot" and "count" join those of a sample, which are on axis 1."""
    if len(numbers.shape) == 0:
        numbers = ops.expand_dims(numbers, -1)
    if mode == "one_hot" and len(numbers.shape) > 1 and numbers.shape[-1] == 1:
        numbers = ops.squeeze(numbers, axis=-1)
    rows = ops.one_hot(numbers, depth, dtype=dtype)
    if mode == "one_hot":
        return rows
    axis = 1 if len(numbers.shape) > 1 else 0
    if mode == "multi_hot":
        return ops.max(rows, axis=axis)
    return ops.sum(rows if weights is None else ops.multiply(rows, ops.expand_dims(weights, -1)), axis=axis)


class CategoryEncoding(Layer):
    """Whole numbers from 0 on, encoded.

    Args:
        num_tokens: how many numbers there are.
        output_mode: "one_hot": a row for each number; "multi_hot" (default): which numbers a sample has, 0 or 1 each;
            "count": how often. "binary" is an old name of "multi_hot".
        sparse: taken for Keras' sake; tensors are dense.

    Shapes: (batch, n) -> (batch, num_tokens), with "one_hot" (batch, n, num_tokens); an axis of 1 at the end is dropped
    before.

    Raises:
        ValueError: numbers below 0 or from num_tokens on, or ``count_weights`` without "count" (in ``call``).
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.num_tokens = positive_int("num_tokens", num_tokens)
        self.output_mode = _checked_mode("multi_hot" if output_mode == "binary" else output_mode, MODES)
        self.sparse = sparse

    def call(self, inputs, count_weights=None):
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(f"count_weights is for output_mode='count', not {self.output_mode!r}")
        numbers = raw(ops.cast(inputs, "int32"))
        if numbers.size and (numbers.min() < 0 or numbers.max() >= self.num_tokens):
            raise ValueError(
                f"CategoryEncoding {self.name!r} encodes 0 to {self.num_tokens - 1} (num_tokens={self.num_tokens}), "
                f"but the inputs reach from {numbers.min()} to {numbers.max()}"
            )
        weights = None if count_weights is None else ops.cast(count_weights, self.dtype)
        return _encoded(Tensor.of(numbers), self.output_mode, self.num_tokens, self.dtype, weights)

    def get_config(self):
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}


class Discretization(Layer):
    """The number of the range that a value lies in: 0 below the first boundary, 1 from there on, and so on.

    Args:
        bin_boundaries: the boundaries, rising; or
        num_bins: how many ranges ``adapt(data)`` finds, with about as many values in each.
        epsilon: precision of these: so many parts of the values are kept (1 / epsilon) between batches. Default 0.01.
        output_mode: "int" (default; int32), or the numbers encoded as by CategoryEncoding.
        sparse: taken for Keras' sake; tensors are dense.
        dtype, name: as in ``Layer``.

    Raises:
        ValueError: neither or both of bin_boundaries and num_bins; a call before ``adapt``.
    """

    def __init__(
        self, bin_boundaries: Any = None, num_bins: int | None = None, epsilon: float = 0.01, output_mode: str = "int",
        sparse: bool = False, dtype: Any = None, name: str | None = None,
    ):  # fmt: skip
        super().__init__(dtype=dtype, name=name)
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(f"give bin_boundaries or num_bins, one of them; got {bin_boundaries!r} and {num_bins!r}")
        if num_bins is not None and (not isinstance(num_bins, int) or num_bins < 1):
            raise ValueError(f"num_bins must be a whole number from 1 on, not {num_bins!r}")
        self.bin_boundaries = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        self.num_bins, self.epsilon, self.sparse = num_bins, epsilon, sparse
        self.output_mode = _checked_mode(output_mode, ("int", *MODES))
        self.summary = np.zeros((2, 0), "float32")  # values, and how many each stands for

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find the boundaries.

        Args:
            data: an array, or an iterable of batches.
            steps: use so many batches only.

        Raises:
            ValueError: the boundaries were given, or there is no data.
        """
        if self.num_bins is None:
            raise ValueError("adapt() is for layers with num_bins; this one was given its bin_boundaries")
        summary = np.zeros((2, 0), "float32")
        for number, batch in enumerate(batches_of(data)):
            if steps is not None and number >= steps:
                break
            both = np.concatenate((_summary(batch.astype("float32"), self.epsilon), summary), axis=1)
            summary = _compressed(both[:, np.argsort(both[0])], self.epsilon)
        if not summary.size:
            raise ValueError("adapt() was given no data")
        self.summary = summary
        self.bin_boundaries = _compressed(summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def call(self, inputs):
        if self.bin_boundaries is None:
            raise ValueError(f"Discretization {self.name!r} has no boundaries yet; call adapt(data) first")
        values = raw(inputs)
        boundaries = devices.beside(np.asarray(self.bin_boundaries, "float32"), values)
        numbers = namespace(values).digitize(values, boundaries).astype("int32")
        if self.output_mode == "int":
            return Tensor.of(numbers)
        return _encoded(Tensor.of(numbers), self.output_mode, len(self.bin_boundaries) + 1, self.dtype)

    def get_config(self):
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse", "name", "dtype")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config):
        settings = dict(config)
        found = settings.pop("bin_boundaries", None) if settings.get("num_bins") is not None else None
        layer = cls(**settings)
        layer.bin_boundaries = layer.bin_boundaries if found is None else found
        return layer


def _summary(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Every so manieth value in order, 1 / epsilon of them, and how many each stands for."""
    step = max(values.size * epsilon, 1)
    kept = np.sort(values.reshape(-1))[int(step - 1) :: int(step)]
    return np.stack([kept, np.ones_like(kept) * step])


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary with 1 / epsilon values, between those there are."""
    if summary.shape[1] * epsilon < 1:
        return summary
    parts = epsilon + np.arange(0.0, 1.0, epsilon)
    counts = summary[1].cumsum()
    shares = counts / counts[-1]
    counts_there = np.interp(parts, shares, counts)
    return np.stack((np.interp(parts, shares, summary[0]), np.diff(counts_there, prepend=0))).astype("float32")
