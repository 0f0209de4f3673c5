"""Sums and means over batches: the metrics that most others are made of."""

from typing import Any

import numpy as np

from minidl import losses, registry
from minidl.engine.op import no_grad
from minidl.engine.tensor import Tensor, raw
from minidl.engine.variable import Variable
from minidl_kernels.arrays import Array, foreign, library_of, namespace, to_numpy
from minidl_kernels.devices import beside

from .arrays import array_of, masked, same_rank, together
from .metric import Metric

__all__ = ["Mean", "MeanMetricWrapper", "Sum"]


class _Total(Metric):
    """A variable ``total``, with which a batch is weighed."""

    def __init__(self, name: str | None, dtype: Any):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")


class Sum(_Total):
    """sum(weights * values).

    Args:
        name: the key in histories.
        dtype: default floatx.
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(self, values, sample_weight=None):
        """Add values; ``sample_weight`` has their shape, or that of their first axes (the rest is summed)."""
        values = array_of(values)
        if sample_weight is not None:
            values, weights = _weighted(values, sample_weight, "sum")
            values = values * weights
        _raise(self.total, values.sum(dtype=np.float64))

    def result(self):
        """The sum so far."""
        return Tensor.of(self.total.data.copy())


class Mean(_Total):
    """sum(weights * values) / sum(weights), over samples: the axes of a sample after the first are averaged.

    Args:
        name: the key in histories.
        dtype: default floatx.
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(name, dtype)
        self.count = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values, sample_weight=None):
        """Count values of shape (samples, ...), or one number, which is one sample.

        Args:
            sample_weight: one number, (samples,), or the shape of the first axes of the values.
        """
        values = array_of(values) if foreign else to_numpy(raw(values))
        number_of = _unread if foreign and library_of(values) else float
        total: Any
        if sample_weight is None:
            number = values.shape[0] if values.ndim else 1
            total = number_of(values.sum(dtype=np.float64)) * number / max(values.size, 1)
        elif values.ndim == 0 and isinstance(sample_weight, float):  # the loss of a batch
            number, total = sample_weight, sample_weight * number_of(values)
        else:
            values, weights = _weighted(values, sample_weight, "mean")
            inner = values.size // max(len(values), 1) if values.ndim else 1  # weights of a sample are averaged as well
            number, total = number_of(weights.sum()) / inner, number_of((values * weights).sum()) / inner
        _raise(self.total, total)
        if foreign:
            self.count.data = beside(self.count.data, self.total.data)
        _raise(self.count, number)

    def reset_state(self):
        """Start anew."""
        _set(self.total, 0)
        _set(self.count, 0)

    def result(self):
        """The mean so far; 0 before the first batch."""
        if foreign and library_of(self.count.data):
            total, count = self.total.data, self.count.data
            some = count != 0
            return Tensor.of(total * some / (count + ~some))
        count = float(self.count.data)
        return Tensor.of(np.asarray(self.total.data / count if count else 0.0 * self.total.data))


class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred).

    Args:
        fn: is given arrays of NumPy (or CuPy), and returns a number for each sample, or for all of them one.
        name: the key in histories; default: "mean_metric_wrapper", numbered.
        dtype: default floatx.
        **kwargs: further arguments of ``fn``.
    """

    def __init__(self, fn: Any, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name, dtype)
        self._fn, self._fn_kwargs = fn, kwargs
        if isinstance(fn, losses.Loss) or registry.published("keras.losses").get(getattr(fn, "__name__", "")) is fn:
            self._direction = "down"  # what callbacks take for better

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch, but for what a mask of the predictions switches off; ``sample_weight`` as in ``Mean``."""
        mask = getattr(y_pred, "_keras_mask", None)
        if mask is not None:
            sample_weight = masked(mask, sample_weight)
        with no_grad():
            values = self._fn(raw(y_true), raw(y_pred), **self._fn_kwargs)
            if values is None:
                raise ValueError(
                    f"the metric {self.name!r} returned None; end it with return, one number for each sample"
                )
            super().update_state(values, sample_weight)

    def get_config(self):
        config = {**super().get_config(), **registry.serialize(self._fn_kwargs)}
        return config if type(self) is not MeanMetricWrapper else {**config, "fn": _function_config(self._fn)}

    @classmethod
    def from_config(cls, config):
        return cls(**{key: registry.deserialize(value) for key, value in config.items()})


def _function_config(function: Any) -> Any:
    """Where a text is meant for a function, Keras wants more than its name."""
    found = registry.serialize(function)
    if not isinstance(found, str):
        return found
    return {"module": "builtins", "class_name": "function", "config": found, "registered_name": "function"}


def _weighted(values: Array, sample_weight: Any, reduce: str) -> tuple[Array, Array]:
    """Values, reduced ("sum", "mean") to the axes that the weights have, and the weights in their shape."""
    values, weights = same_rank(*together(values, array_of(sample_weight, np.float64)))
    if values.ndim > weights.ndim:
        values = getattr(values, reduce)(axis=tuple(range(weights.ndim, values.ndim)), dtype=np.float64)
    try:
        return values, namespace(weights).broadcast_to(weights, values.shape)
    except ValueError:
        raise ValueError(
            f"sample_weight of shape {weights.shape} does not fit values of shape {values.shape}: one weight for each "
            f"sample is expected"
        ) from None


def _raise(variable: Variable, amount: Any) -> None:
    """Add to a scalar in place: a new array for each of a step's sums would cost more than the sum.

    A metric counts where its numbers come from: from a GPU they are not read, so the scalar goes there.
    """
    if foreign and library_of(amount):
        variable.data = beside(variable.data, amount)
    if not foreign or isinstance(variable.data, np.ndarray):
        np.add(variable.data, amount, out=variable.data, casting="unsafe")
    else:
        amount = amount.astype(variable.dtype) if library_of(amount) else amount  # as NumPy does with a Python number
        variable.data = variable.data + amount
    variable.version += 1


def _unread(value: Array) -> Array:
    """A number of a batch as a scalar of its device, in float64."""
    return value.astype(np.float64, copy=False)


def _set(variable: Variable, value: float) -> None:
    variable.data[...] = value
    variable.version += 1
