"""Logs of a batch whose numbers are still on their way."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

__all__ = ["Waiting"]


class Waiting(MutableMapping[str, Any]):
    """A dictionary that is made when somebody looks into it.

    A GPU works behind the program that tells it what to do; to read a number is to wait until it has caught up. So what
    a batch gave is read only for a callback that wants it.

    Args:
        found: numbers by name, on a GPU.
        read: makes numbers of Python of them.
    """

    def __init__(self, found: dict[str, Any], read: Callable[[Any], dict[str, Any]]):
        self._found, self._read = found, read
        self._numbers: dict[str, Any] | None = None

    @property
    def numbers(self) -> dict[str, Any]:
        """The numbers, from the first look on."""
        if self._numbers is None:
            self._numbers = self._read(self._found)
        return self._numbers

    def __getitem__(self, name: str) -> Any:
        return self.numbers[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.numbers[name] = value

    def __delitem__(self, name: str) -> None:
        del self.numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __bool__(self) -> bool:
        return bool(self._found)

    def __repr__(self) -> str:
        return repr(self.numbers)
