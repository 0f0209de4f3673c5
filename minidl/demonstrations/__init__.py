"""What lecture notes say about training, shown by runs of seconds: each with the number that proves its point.

``minidl demonstrate NAME`` prints the numbers and writes a page; ``demonstrate(name)`` gives both to a program.
"""

import importlib

from .demonstration import Demonstration

__all__ = ["NAMES", "Demonstration", "demonstrate"]

NAMES = ("gradients", "rates", "saddle", "zeros", "linear", "xor", "overfitting")


def demonstrate(name: str) -> Demonstration:
    """Run one of ``NAMES``.

    Raises:
        ValueError: another name.
    """
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, not {name!r}")
    return importlib.import_module(f"minidl.demonstrations.{name}").run()
