"""Optimizers as Keras 2 had them, with ``decay``; older books and notes write ``optimizers.legacy.SGD(decay=1e-4)``.

Keras 3 refuses these names. Those whose steps have not changed since are made here: what comes back is an optimizer of
today, and ``decay`` a schedule. The others had epsilon in another place, so they are left out.
"""

from typing import Any

from . import adam, sgd
from .schedules import InverseTimeDecay

__all__ = ["SGD", "Adam"]


def _decaying(learning_rate: Any, decay: float) -> Any:
    """learning_rate / (1 + decay * step), the "power scheduling" of Keras 2."""
    return InverseTimeDecay(learning_rate, 1, decay) if decay else learning_rate


def SGD(learning_rate: Any = 0.01, *args: Any, decay: float = 0.0, **settings: Any) -> sgd.SGD:
    """``optimizers.SGD`` whose learning rate is divided by 1 + decay * step.

    Args:
        learning_rate: default 0.01.
        *args, **settings: as for ``optimizers.SGD``.
        decay: default 0.
    """
    return sgd.SGD(_decaying(learning_rate, decay), *args, **settings)


def Adam(learning_rate: Any = 0.001, *args: Any, decay: float = 0.0, **settings: Any) -> adam.Adam:
    """``optimizers.Adam`` whose learning rate is divided by 1 + decay * step.

    Args:
        learning_rate: default 0.001.
        *args, **settings: as for ``optimizers.Adam``.
        decay: default 0.
    """
    return adam.Adam(_decaying(learning_rate, decay), *args, **settings)
