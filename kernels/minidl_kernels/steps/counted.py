"""What the steps in CUDA ask of memory, run on the processor. No time is measured: there is no GPU in this."""

from typing import NamedTuple

import numpy as np

from ..cuda.counts import Counts, counting
from . import Step

__all__ = ["HEADERS", "Counted", "counted", "rows_of"]

HEADERS = ("step", "", "loads", "shared loads", "flops a byte", "barriers", "error", "file")


class Counted(NamedTuple):
    """What came out of one step."""

    step: Step
    multiply_adds: int  # of the definition
    counts: Counts
    error: float  # the largest one, in parts of the largest result

    @property
    def loads(self) -> float:
        """Numbers that are fetched from memory for a multiply-add."""
        return self.counts.loads / self.multiply_adds

    @property
    def shared_loads(self) -> float:
        """Numbers that are read from shared memory for a multiply-add."""
        return self.counts.shared_loads / self.multiply_adds

    @property
    def intensity(self) -> float:
        """Arithmetic intensity: multiplications and additions for a byte that is fetched or written."""
        return 2 * self.multiply_adds / self.counts.bytes


def counted(step: Step, a: np.ndarray, b: np.ndarray, expected: np.ndarray) -> Counted:
    """Run a step once.

    Raises:
        ShimError: there is no C++ compiler.
    """
    with counting() as launches:
        result = step.function()(a, b)
    error = float(np.abs(result - expected).max() / np.abs(expected).max())
    return Counted(step, a.shape[0] * a.shape[1] * b.shape[1], launches[0], error)


def rows_of(found: list[Counted]) -> list[tuple[str, ...]]:
    """The cells of the table."""
    return [
        (
            str(one.step.number), one.step.title, f"{one.loads:.3g}", f"{one.shared_loads:.3g}", f"{one.intensity:.3g}",
            f"{one.counts.barriers:,}", f"{one.error:.0e}", one.step.file,
        )
        for one in found
    ]  # fmt: skip
