"""LambdaCallback: a callback made of functions."""

from collections.abc import Callable
from typing import Any

from .callback import Callback
from .callback_list import POINTS

__all__ = ["LambdaCallback"]


class LambdaCallback(Callback):
    """A callback made of functions, such as ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``.

    Args:
        on_epoch_begin, on_epoch_end: called with (epoch, logs).
        on_train_begin, on_train_end: called with (logs).
        on_train_batch_begin, on_train_batch_end: called with (batch, logs).
        kwargs: functions for any other method of a Callback, such as on_test_end.

    Raises:
        ValueError: a name that is no method of a Callback.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ):
        named = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name, function in {**named, **kwargs}.items():
            if name not in POINTS:
                raise ValueError(f"LambdaCallback: unknown argument {name!r}; there are: {', '.join(POINTS)}")
            if function is not None:
                setattr(self, name, function)
