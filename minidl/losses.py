"""Losses, with the names, reductions and formulas of Keras 3.

A loss compares targets with predictions sample by sample; ``call`` returns one number for each sample (and each
position, for sequences), and the reduction makes one number of them all: "sum_over_batch_size" is
sum(weights * losses) / number of losses, "mean_with_sample_weight" divides by the sum of the weights instead.
"""

from typing import Any

from minidl import ops, registry
from minidl.engine.tensor import Tensor, raw

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "Loss", "LossFunctionWrapper", "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy", "binary_crossentropy", "categorical_crossentropy", "deserialize", "get",
    "mean_absolute_error",
    "mean_squared_error", "serialize", "sparse_categorical_crossentropy",
]  # fmt: skip

REDUCTIONS = (None, "none", "sum", "mean", "sum_over_batch_size", "mean_with_sample_weight")


def same_rank(first: Any, second: Any) -> tuple[Any, Any]:
    """Both with as many axes where the ranks differ by a last axis of 1 (Keras' rule).

    (n,) beside (n, 1) becomes (n, 1), so that they do not broadcast to (n, n); the 1 of any longer shape is dropped.
    """
    if len(second.shape) == len(first.shape) + 1:
        return same_rank(second, first)[::-1]
    if len(first.shape) == len(second.shape) + 1 and first.shape[-1] == 1:
        if len(second.shape) == 1:
            return first, ops.expand_dims(second, -1)
        return ops.squeeze(first, axis=-1), second
    return first, second


def as_tensor(x: Any, dtype: Any = None) -> Tensor:
    """A Tensor of x, in this dtype where one is given; a Tensor that is stays itself."""
    x = x if isinstance(x, Tensor) else Tensor(x)
    if dtype is None or x.dtype == dtype:
        return x
    return x.astype(dtype) if x.live() or x.data is None else Tensor.of(x.data.astype(dtype))


class Loss:
    """Base class: ``call(y_true, y_pred)`` returns one loss for each sample.

    Args:
        name: for messages.
        reduction: "sum_over_batch_size", "mean_with_sample_weight", "sum", or None for no reduction.
        dtype: what is computed in; default floatx.
    """

    takes_labels = False  # y_true holds whole numbers, which need not be cast

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {REDUCTIONS}, not {reduction!r}")
        self.name = name or registry.auto_name(type(self).__name__)
        self.reduction = reduction
        self.dtype = dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        y_pred = as_tensor(y_pred)
        dtype = self.dtype or (y_pred.dtype if y_pred.dtype.kind == "f" else "float32")
        y_true, y_pred = as_tensor(y_true, None if self.takes_labels else dtype), as_tensor(y_pred, dtype)
        y_true, y_pred = same_rank(y_true, y_pred)
        losses = self.call(y_true, y_pred)
        return reduce_weighted(losses, sample_weight, self.reduction, self.counted(y_true))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError("a loss defines call(y_true, y_pred)")

    def counted(self, y_true: Any) -> Any:
        """Which losses count (booleans, of their shape), where some do not; None: all."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        return cls(**config)


def reduce_weighted(losses: Any, sample_weight: Any, reduction: str | None, counted: Any = None) -> Any:
    """Weight the losses of samples and make one number of them; means are taken over those that count."""
    weights = None
    if counted is not None:
        losses = ops.where(counted, losses, 0.0)
    if sample_weight is not None:
        weights = ops.convert_to_tensor(sample_weight, losses.dtype)
        if len(weights.shape) == len(losses.shape) + 1 and weights.shape[-1] == 1:
            weights = ops.squeeze(weights, axis=-1)
        if tuple(weights.shape[:1]) != tuple(losses.shape[:1]):
            raise ValueError(
                f"sample_weight of shape {tuple(weights.shape)} does not fit losses of shape "
                f"{tuple(losses.shape)}: one weight "
                f"for each sample is expected"
            )
        while len(weights.shape) < len(losses.shape):
            weights = ops.expand_dims(weights, -1)
        losses = ops.multiply(losses, weights)
    if reduction in (None, "none"):
        return losses
    plain = reduction != "sum" and (reduction != "mean_with_sample_weight" or weights is None)
    if plain and counted is None and losses.size:
        return ops.mean(losses)
    total = ops.sum(losses)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weights is not None:
        shares = ops.broadcast_to(weights, losses.shape)
        return ops.divide(total, ops.sum(shares if counted is None else ops.where(counted, shares, 0.0)))
    number = losses.size if counted is None else int(counted.sum())
    return ops.multiply(total, 1 / max(number, 1))


class LossFunctionWrapper(Loss):
    """A loss made of a function of (y_true, y_pred)."""

    def __init__(
        self,
        fn: Any,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn, self.settings = fn, kwargs
        self.takes_labels = fn is sparse_categorical_crossentropy

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred, **self.settings)

    def get_config(self):
        config = {**super().get_config(), **self.settings}
        return config if type(self) is not LossFunctionWrapper else {**config, "fn": registry.serialize(self.fn)}

    @classmethod
    def from_config(cls, config):
        return cls(**{key: registry.deserialize(value) for key, value in config.items()})


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    return same_rank(ops.convert_to_tensor(y_true, y_pred.dtype), y_pred)


def _same_shape(name: str, y_true: Any, y_pred: Any) -> None:
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name}: targets of shape {tuple(y_true.shape)} do not fit predictions of shape {tuple(y_pred.shape)}"
        )


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """mean((y_true - y_pred)^2) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    _same_shape("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """mean(|y_true - y_pred|) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    _same_shape("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """The binary cross-entropy, averaged over ``axis``; smoothing makes targets t (1 - a) + a / 2."""
    y_true, y_pred = _pair(y_true, y_pred)
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1 - label_smoothing), 0.5 * label_smoothing)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """The cross-entropy for one-hot targets; smoothing makes targets t (1 - a) + a / classes."""
    y_true, y_pred = _pair(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"categorical_crossentropy: targets of shape {tuple(y_true.shape)} do not fit predictions of shape "
            f"{tuple(y_pred.shape)}; whole-number labels want loss='sparse_categorical_crossentropy'"
        )
    if y_pred.shape[axis] == 1:
        raise ValueError(
            f"categorical_crossentropy: predictions of shape {tuple(y_pred.shape)} have one class, so the loss "
            "is always 0; "
            f"one sigmoid output wants loss='binary_crossentropy'"
        )
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1 - label_smoothing), label_smoothing / y_pred.shape[axis])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """The cross-entropy for whole-number labels; samples of ``ignore_class`` count 0."""
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    if len(y_true.shape) == len(y_pred.shape):
        raise ValueError(
            f"sparse_categorical_crossentropy: targets of shape {tuple(y_true.shape)} look one-hot; whole "
            "numbers of shape "
            f"{tuple(y_pred.shape[:-1])} are expected, or loss='categorical_crossentropy'"
        )
    labels = y_true.data.astype("int64", copy=False)
    valid = None
    if ignore_class is not None:
        valid = labels != ignore_class
        labels = labels * valid
    check_labels(labels, y_pred.shape[axis])
    losses = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)
    return losses if valid is None else ops.where(valid, losses, 0.0)


def check_labels(labels: Any, classes: int) -> None:
    """Raise ValueError, naming the first label that is not a class."""
    if labels.size and not int(labels.view("uint64").max()) < classes:  # negative labels are huge ones
        flat = labels.reshape(-1)
        row = int(((flat < 0) | (flat >= classes)).argmax())
        raise ValueError(
            f"label {int(flat[row])} (row {row} of the batch) is out of range: the model has {classes} "
            "outputs, so labels are "
            f"0 to {classes - 1}"
        )


class MeanSquaredError(LossFunctionWrapper):
    """mean((y_true - y_pred)^2)."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """mean(|y_true - y_pred|)."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, reduction, name, dtype)


class BinaryCrossentropy(LossFunctionWrapper):
    """The binary cross-entropy; arguments as in ``binary_crossentropy``."""

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="binary_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy for one-hot targets; arguments as in ``categorical_crossentropy``."""

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy for whole-number labels; arguments as in ``sparse_categorical_crossentropy``."""

    def __init__(
        self, from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
        name="sparse_categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip

    def counted(self, y_true):
        ignored = self.settings["ignore_class"]
        if ignored is None:
            return None
        labels = raw(y_true)
        return (labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels) != ignored

    def get_config(self):
        config = super().get_config()
        del config["axis"]  # Keras does not write it
        return config


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
bce = BCE = binary_crossentropy
serialize, deserialize = registry.serialize, registry.deserialize


def get(identifier: Any) -> Any:
    """A loss by name ("mse", "sparse_categorical_crossentropy"), configuration, class, object or function."""
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return registry.deserialize(identifier)
    if isinstance(identifier, str):
        identifier = registry.lookup("keras.losses", identifier, "loss")
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, Tensor) or not callable(identifier):
        raise TypeError(f"a loss is a name, an object or a function of (y_true, y_pred), not {identifier!r}")
    return identifier


_SHORT = ("BCE", "MAE", "MSE", "bce", "mae", "mse")
registry.publish("keras.losses", {name: globals()[name] for name in (*__all__, *_SHORT)})
