"""Objects whose assigned attributes are noticed."""

from itertools import count
from typing import Any

__all__ = ["Noticed"]

_numbers = count(1)  # next() of it is one step, also between threads


class Noticed:
    """An object that leaves a new number in ``Noticed.latest`` after each attribute that is assigned or deleted.

    So work that was recorded of many such objects need not look at all of their attributes in every step to see that
    nothing has changed: it is enough that the number is the one it knows.
    """

    latest = 0

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        Noticed.latest = next(_numbers)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        Noticed.latest = next(_numbers)
