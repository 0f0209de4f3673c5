"""A case: one wrong gradient with all that the hypotheses about it may look at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .jacobian import Slopes

__all__ = ["Case", "Family", "Guess"]


class Guess(NamedTuple):
    """What one leaf's gradient would be, were this the cause.

    ``weight`` ranks guesses that predict the same numbers: the more a family knows about the function, the higher.
    """

    cause: str
    leaf: int
    prediction: np.ndarray
    weight: float = 1.0


@dataclass
class Case:
    """One point at which gradients were compared.

    Attributes:
        args: the inputs as given, whole numbers too; ``names``, ``x``: the leaves (floating inputs, then parameters).
        y, g: the output and its upstream gradient.
        slopes: derivatives of all outputs along each leaf.
        numeric: the gradient from differences, one a leaf; NaN where it was not taken.
        analytic: what came, one a leaf; None where nothing came, of another shape where that is the fault.
        inputs: how many of the leaves are inputs.
        evaluate: the function itself.
        arguments: by which it was called, such as ``stride=2``.
        suspects: the leaves whose gradients are wrong; None before this is known.
    """

    args: list[Any]
    names: list[str]
    x: list[np.ndarray]
    y: np.ndarray
    g: np.ndarray
    slopes: list[Slopes]
    numeric: list[np.ndarray]
    analytic: list[Any]
    inputs: int
    evaluate: Callable[[list[np.ndarray]], np.ndarray]
    arguments: dict[str, Any] = field(default_factory=dict)
    suspects: set[int] | None = None

    @property
    def batch(self) -> int:
        """The number of samples: the leading extent of the first input."""
        return len(self.x[0]) if self.x and self.x[0].ndim else 1

    @property
    def labels(self) -> list[np.ndarray]:
        """The inputs that are whole numbers or truth values."""
        return [a for a in self.args if isinstance(a, np.ndarray) and a.dtype.kind in "iub"]

    def gradient(self, leaf: int, g: np.ndarray) -> np.ndarray:
        """The right gradient of a leaf for another upstream gradient."""
        return self.slopes[leaf].product(g)

    def wrong(self, leaf: int) -> bool:
        """Whether this gradient was found wrong: no other asks for guesses."""
        return self.slopes[leaf].taken and (self.suspects is None or leaf in self.suspects)


Family = Callable[[Case], Iterator[Guess]]  # the guesses that a family of hypotheses makes about a case


def close(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-6) -> bool:
    """Whether two outputs are the same, also for a function that computes in float32."""
    if a.shape != b.shape or not a.size:
        return a.shape == b.shape
    size = np.abs(b)
    largest = size.max()
    return bool(np.isfinite(largest) and (np.abs(a - b) <= tolerance * (size + largest)).all())  # False for NaN
