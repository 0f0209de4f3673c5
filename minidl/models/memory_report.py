"""What ``model.memory_report()`` shows: where the bytes of a training are."""

from typing import Any, NamedTuple

from minidl_kernels import memory

__all__ = ["MemoryReport", "memory_report"]


class MemoryReport(NamedTuple):
    """Bytes by purpose; printed, a table.

    The arena keeps the large results of kernels (activations, gradients) of this thread, to use them again.
    """

    trainable_weights: int
    non_trainable_weights: int
    optimizer: int
    arena_in_use: int  # somebody holds these results
    arena_free: int  # kept for the next step
    buffers_made: int  # results for which the system was asked for memory
    buffers_reused: int  # results that found a free buffer
    recorded: int  # results of recorded steps and predictions, which stay where they are

    def __str__(self) -> str:
        rows = [
            ("weights that train", _size_text(self.trainable_weights)),
            ("other weights", _size_text(self.non_trainable_weights)),
            ("optimizer", _size_text(self.optimizer)),
            ("large results, in use", _size_text(self.arena_in_use)),
            ("large results, kept for the next step", _size_text(self.arena_free)),
            ("results of recorded steps", _size_text(self.recorded)),
            ("memory asked of the system for", f"{self.buffers_made:,} results"),
            ("and used again for", f"{self.buffers_reused:,} results"),
        ]
        left, right = (max(len(row[side]) for row in rows) for side in (0, 1))
        return "\n".join(f"{name:<{left}}  {value:>{right}}" for name, value in rows)


def memory_report(model: Any) -> MemoryReport:
    """The report of a model, and of the arena of this thread."""
    optimizer = getattr(model, "optimizer", None)
    slots = [] if optimizer is None else optimizer.variables
    arena = memory.report()
    return MemoryReport(
        _bytes(model.trainable_weights), _bytes(model.non_trainable_weights), _bytes(slots),
        arena.in_use, arena.free, arena.made, arena.reused, _recorded(model),
    )  # fmt: skip


def _recorded(model: Any) -> int:
    captured = [getattr(model, name, None) for name in ("_captured", "_predictions")]
    return sum(one.bytes for one in captured if one is not None)


def _bytes(variables: list[Any]) -> int:
    return sum(variable.data.nbytes for variable in variables)


def _size_text(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count = count / 1024  # type: ignore[assignment]
    return f"{count:,.2f} GiB"
