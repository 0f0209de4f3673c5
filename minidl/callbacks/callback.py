"""The base class, the list that calls all of them, and History."""

from collections.abc import Callable
from typing import Any

__all__ = ["Callback", "CallbackList", "History", "LambdaCallback"]

_POINTS = [
    *(f"on_{part}_{edge}" for part in ("train", "test", "predict") for edge in ("begin", "end")),
    *(f"on_epoch_{edge}" for edge in ("begin", "end")),
    *(f"on_{part}_batch_{edge}" for part in ("train", "test", "predict") for edge in ("begin", "end")),
]


class Callback:
    """Base class. Override any of the ``on_...`` methods; ``self.model`` and ``self.params`` are set before.

    ``params`` holds verbose, epochs and steps. ``logs`` are the numbers so far; what a callback adds to them at
    the end of an epoch is kept in the history.
    """

    params: dict[str, Any] | None = None
    _model: Any = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    def on_train_begin(self, logs: Any = None) -> None: ...

    def on_train_end(self, logs: Any = None) -> None: ...

    def on_test_begin(self, logs: Any = None) -> None: ...

    def on_test_end(self, logs: Any = None) -> None: ...

    def on_predict_begin(self, logs: Any = None) -> None: ...

    def on_predict_end(self, logs: Any = None) -> None: ...

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None: ...

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None: ...

    def on_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_batch_end(self, batch: int, logs: Any = None) -> None: ...

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None: ...

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None: ...


class History(Callback):
    """Keeps the logs of every epoch: ``history`` (a list for each name), ``epoch`` and ``params``."""

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """A callback made of functions, such as ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``."""

    def __init__(self, **functions: Callable[..., Any]):
        for name, function in functions.items():
            if function is not None:
                if name not in _POINTS and name not in ("on_batch_begin", "on_batch_end"):
                    raise ValueError(f"LambdaCallback: unknown argument {name!r}; there are: {', '.join(_POINTS)}")
                setattr(self, name, function)


class CallbackList:
    """Calls the same method of all callbacks, in order."""

    def __init__(self, callbacks: Any, model: Any, **params: Any):
        given = callbacks if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]
        for callback in given:
            if not isinstance(callback, (Callback, CallbackList)):
                raise TypeError(
                    f"callbacks must be Callback objects, not {callback!r}; did you forget the brackets ()?"
                )
        self.callbacks = list(given)
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)
        # Only callbacks that override a method are called for it: batches are many.
        self._listeners = {point: [c for c in self.callbacks if _overrides(c, point)] for point in _POINTS}

    def __getattr__(self, point: str) -> Callable[..., None]:
        if point not in _POINTS:
            raise AttributeError(point)
        listeners = self._listeners[point]

        def call(*args: Any) -> None:
            for callback in listeners:
                getattr(callback, point)(*args)

        return call


def _overrides(callback: Any, point: str) -> bool:
    points = [point] + ([point.replace("train_batch", "batch")] if "train_batch" in point else [])
    return any(
        name in vars(callback) or getattr(type(callback), name, None) is not getattr(Callback, name) for name in points
    )
