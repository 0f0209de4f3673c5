"""The list that calls all callbacks."""

from collections.abc import Callable, Iterator
from typing import Any

from minidl.engine.tensor import Tensor
from minidl_kernels.arrays import is_array, to_numpy

from .callback import Callback
from .history import History
from .progress import ProgbarLogger
from .waiting import Waiting

__all__ = ["POINTS", "CallbackList"]

PARTS, EDGES = ("train", "test", "predict"), ("begin", "end")
WHOLE = [f"on_{part}_{edge}" for part in PARTS for edge in EDGES]
INDEXED = [f"on_{part}_{edge}" for part in ("epoch", "batch", *(f"{part}_batch" for part in PARTS)) for edge in EDGES]
POINTS = [*WHOLE, *INDEXED]


class CallbackList(Callback):
    """Calls the same method of all callbacks, in order; one dictionary of logs, new at every call, goes through all.

    Args:
        callbacks: a callback, or lists of them inside each other.
        add_history: add a History where there is none.
        add_progbar: add a ProgbarLogger where there is none.
        model: the model that they are told of.
        params: what they find in ``params``: verbose, epochs, steps.

    Raises:
        TypeError: something that is no callback.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        self.callbacks = list(_flat(callbacks))
        self._history = next((one for one in self.callbacks if isinstance(one, History)), None)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        self.progbar = next((one for one in self.callbacks if isinstance(one, ProgbarLogger)), None)
        if self.progbar is None and add_progbar:
            self.progbar = ProgbarLogger()
            self.callbacks.append(self.progbar)
        # Only callbacks that override a method are called for it: batches are many.
        self._listeners = {point: [one for one in self.callbacks if _overrides(one, point)] for point in POINTS}
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def _call(self, point: str, index: tuple[int, ...], logs: Any) -> None:
        listeners = self._listeners[point]
        if listeners:
            numbers = logs if isinstance(logs, Waiting) else plain_logs(logs)
            for callback in listeners:
                getattr(callback, point)(*index, numbers)


def _whole(point: str) -> Callable[..., None]:
    def call(self: CallbackList, logs: Any = None) -> None:
        self._call(point, (), logs)

    return call


def _indexed(point: str) -> Callable[..., None]:
    def call(self: CallbackList, index: int, logs: Any = None) -> None:
        self._call(point, (index,), logs)

    return call


for _point in WHOLE:
    setattr(CallbackList, _point, _whole(_point))
for _point in INDEXED:
    setattr(CallbackList, _point, _indexed(_point))


def plain_logs(logs: Any) -> dict[str, Any]:
    """Logs by name in alphabetical order, dictionaries inside taken apart, scalars as Python floats (as in Keras)."""
    result: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            result.update(plain_logs(value))
        else:
            result[name] = _plain(value)
    return result


def _plain(value: Any) -> Any:
    if type(value) is float:
        return value
    if isinstance(value, Tensor):
        value = to_numpy(value.data)
    if is_array(value) and value.ndim:
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _flat(callbacks: Any) -> Iterator[Callback]:
    if isinstance(callbacks, (list, tuple)):
        for one in callbacks:
            yield from _flat(one)
    elif isinstance(callbacks, Callback):
        yield callbacks
    elif callbacks is not None:
        hint = (
            "put it into LambdaCallback(on_epoch_end=...)"
            if callable(callbacks)
            else "write one such as EarlyStopping()"
        )
        if isinstance(callbacks, type):
            hint = f"did you forget the brackets ()? Write {callbacks.__name__}()"
        raise TypeError(f"callbacks must be Callback objects, not {callbacks!r}; {hint}")


def _overrides(callback: Any, point: str) -> bool:
    # The train batches' methods of the base class call those of plain batches.
    points = [point] + ([point.replace("train_batch", "batch")] if "train_batch" in point else [])
    return any(
        name in vars(callback) or getattr(type(callback), name, None) is not getattr(Callback, name) for name in points
    )
