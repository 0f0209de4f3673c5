"""Metrics: numbers gathered over batches, with the names and rules of Keras 3. They work on arrays, off the graph."""

from typing import Any

import numpy as np

from minidl import losses, registry
from minidl.engine.op import no_grad
from minidl.engine.tensor import raw
from minidl_kernels.arrays import to_numpy

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "Mean", "MeanAbsoluteError", "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric", "SparseCategoricalAccuracy", "Sum", "binary_accuracy", "categorical_accuracy", "deserialize",
    "get", "serialize",
    "sparse_categorical_accuracy",
]  # fmt: skip


class Metric:
    """Base class: ``update_state`` for each batch, ``result`` for the number so far, ``reset_state`` to start anew."""

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or registry.auto_name(type(self).__name__)
        self.dtype = dtype

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("a metric defines update_state(y_true, y_pred, sample_weight=None)")

    def result(self) -> Any:
        raise NotImplementedError("a metric defines result()")

    def reset_state(self) -> None:
        raise NotImplementedError("a metric defines reset_state()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        config.pop("dtype", None)
        return cls(**config)


class Mean(Metric):
    """sum(weights * values) / sum(weights)."""

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(dtype=dtype, name=name)
        self.reset_state()

    def reset_state(self):
        self.total, self.count = 0.0, 0.0

    def update_state(self, values, sample_weight=None):
        values = np.asarray(to_numpy(raw(values)))
        if sample_weight is None or isinstance(sample_weight, float):
            weight = 1.0 if sample_weight is None else sample_weight
            self.total += weight * float(values.sum(dtype=np.float64))
            self.count += weight * values.size
        else:
            weights = np.asarray(to_numpy(raw(sample_weight)), np.float64)
            if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
                weights = weights[..., 0]
            weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
            weights = np.broadcast_to(weights, values.shape)
            self.total += float((values * weights).sum())
            self.count += float(weights.sum())

    def result(self):
        return self.total / self.count if self.count else 0.0


class Sum(Mean):
    """sum(weights * values)."""

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(dtype=dtype, name=name)

    def result(self):
        return self.total


class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred)."""

    def __init__(self, fn: Any, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self.fn, self.settings = fn, kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        with no_grad():
            super().update_state(self.fn(raw(y_true), raw(y_pred), **self.settings), sample_weight)

    def get_config(self):
        config = {**super().get_config(), **self.settings}
        return config if type(self) is not MeanMetricWrapper else {**config, "fn": registry.serialize(self.fn)}


def _arrays(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(to_numpy(raw(y_true))), np.asarray(to_numpy(raw(y_pred)))


def accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Where y_true equals y_pred."""
    y_true, y_pred = losses.same_rank(*_arrays(y_true, y_pred))
    return (y_true == y_pred).astype(np.float32)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> np.ndarray:
    """Where y_pred > threshold (strictly) agrees with y_true."""
    y_true, y_pred = losses.same_rank(*_arrays(y_true, y_pred))
    return (y_true == (y_pred > threshold)).astype(np.float32)


def categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Whether the largest prediction is the largest target."""
    y_true, y_pred = _arrays(y_true, y_pred)
    return (y_true.argmax(-1) == y_pred.argmax(-1)).astype(np.float32)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Whether the largest prediction is at the label."""
    y_true, y_pred = _arrays(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    return (y_true == y_pred.argmax(-1)).astype(np.float32)


class Accuracy(MeanMetricWrapper):
    """How often y_pred equals y_true."""

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often y_pred > threshold agrees with y_true."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must lie between 0 and 1, not {threshold!r}")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the (one-hot) target."""

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the (whole-number) label."""

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class MeanSquaredError(MeanMetricWrapper):
    """mean((y_true - y_pred)^2)."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """mean(|y_true - y_pred|)."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.mean_absolute_error, name, dtype)


mse = MSE = MeanSquaredError
mae = MAE = MeanAbsoluteError
mean_squared_error, mean_absolute_error = MeanSquaredError, MeanAbsoluteError
serialize, deserialize = registry.serialize, registry.deserialize


def accuracy_for(target_shape: tuple[Any, ...], output_shape: tuple[Any, ...]) -> Any:
    """What "accuracy" means for these shapes: binary, sparse categorical or categorical (Keras' rule)."""
    if output_shape[-1] == 1:
        return BinaryAccuracy
    sparse = len(target_shape) < len(output_shape) or target_shape[-1] == 1
    return SparseCategoricalAccuracy if sparse else CategoricalAccuracy


def get(identifier: Any) -> Any:
    """A metric by name, configuration, class, object or function of (y_true, y_pred)."""
    if isinstance(identifier, dict):
        return registry.deserialize(identifier)
    name = None
    if isinstance(identifier, str):
        name = identifier
        identifier = registry.lookup("keras.metrics", identifier, "metric")
    if isinstance(identifier, type):
        return identifier(name=name) if name else identifier()
    if isinstance(identifier, Metric):
        return identifier
    if callable(identifier):
        named = getattr(identifier, "name", None) or getattr(identifier, "__name__", type(identifier).__name__)
        return MeanMetricWrapper(identifier, name=name or registry.snake_case(str(named)))
    raise TypeError(f"a metric is a name, an object or a function of (y_true, y_pred), not {identifier!r}")


_SHORT = ("MAE", "MSE", "accuracy", "mae", "mean_absolute_error", "mean_squared_error", "mse")
registry.publish("keras.metrics", {name: globals()[name] for name in (*__all__, *_SHORT)})
