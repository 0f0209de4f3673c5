"""What all losses share: ranks made equal, weights and masks, and the reduction to one number.

``call`` returns one number for each sample (and each position, for sequences). "sum_over_batch_size" (and "mean") is
sum(weights * losses) / number of losses, "mean_with_sample_weight" divides by the sum of the weights instead, "sum"
does not divide, and "none" (and None) leaves the losses as they are. Losses that a mask switches off count nowhere.
"""

from typing import Any

from minidl import ops, registry
from minidl.engine.tensor import Tensor, raw
from minidl.noticed import Noticed

__all__ = [
    "REDUCTIONS",
    "Loss",
    "LossFunctionWrapper",
    "as_tensor",
    "axes",
    "labelled",
    "pair",
    "reduce_weighted",
    "same_rank",
]

REDUCTIONS = (None, "none", "sum", "mean", "sum_over_batch_size", "mean_with_sample_weight")

_labelled: set[Any] = set()


def labelled(function: Any) -> Any:
    """Mark a loss function whose y_true holds whole numbers, which a Loss then leaves in their dtype."""
    _labelled.add(function)
    return function


def same_rank(first: Any, second: Any) -> tuple[Any, Any]:
    """Both with as many axes where the ranks differ by a last axis of 1 (Keras' rule).

    (n,) beside (n, 1) becomes (n, 1), so that they do not broadcast to (n, n); the 1 of any longer shape is dropped.
    """
    more = len(first.shape) - len(second.shape)
    if more == -1:
        return same_rank(second, first)[::-1]
    if more == 1 and first.shape[-1] == 1:
        if len(second.shape) == 1:
            return first, ops.expand_dims(second, -1)
        return ops.squeeze(first, axis=-1), second
    return first, second


def axes(axis: Any) -> Any:
    """An axis, or several as a tuple: a configuration that was written to JSON holds a list."""
    return tuple(axis) if isinstance(axis, list) else axis


def as_tensor(x: Any, dtype: Any = None) -> Tensor:
    """A Tensor of x, in this dtype where one is given; a Tensor that is stays itself."""
    x = x if isinstance(x, Tensor) else Tensor(x)
    if dtype is None or x.dtype == dtype:
        return x
    return x.astype(dtype) if x.live() or x.data is None else Tensor.of(x.data.astype(dtype))


def pair(name: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Targets and predictions as tensors of one dtype and one shape.

    Raises:
        ValueError: the shapes differ by more than a last axis of 1; ``name`` says which loss was asked for.
    """
    y_pred = as_tensor(y_pred)
    y_true, y_pred = same_rank(as_tensor(y_true, y_pred.dtype), y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name}: targets of shape {tuple(y_true.shape)} do not fit predictions of shape {tuple(y_pred.shape)}"
            f"{_way_to_fit(tuple(y_true.shape), tuple(y_pred.shape))}"
        )
    return y_true, y_pred


def _way_to_fit(true: tuple[int, ...], pred: tuple[int, ...]) -> str:
    """What to write where targets and predictions differ in shape; "" where it is unclear."""
    if len(true) < len(pred) and true[1:] in ((), (1,)) and len(pred) > 2:
        return "; is a Flatten() missing in front of the last Dense?"
    units = true[-1] if len(true) == len(pred) else 1
    if true and len(pred) == 2 and true[0] == pred[0] and len(true) in (1, 2):
        return f"; the last layer wants {units} unit{'s' * (units != 1)}, or y {pred[-1]} column{'s' * (pred[-1] != 1)}"
    return ""


class Loss(Noticed):
    """Base class: ``call(y_true, y_pred)`` returns one loss for each sample.

    Args:
        name: for messages.
        reduction: "sum_over_batch_size" or "mean", "mean_with_sample_weight", "sum"; "none" or None for no reduction.
        dtype: what is computed in (a name, or a policy with a ``compute_dtype``); default: that of floating
            predictions, else float32.

    Raises:
        ValueError: an unknown reduction.
    """

    takes_labels = False  # y_true holds whole numbers, which need not be cast

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {REDUCTIONS}, not {reduction!r}")
        self.name = name or registry.auto_name(type(self).__name__)
        self.reduction = reduction
        self.dtype = getattr(dtype, "compute_dtype", dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch.

        Args:
            y_true: targets.
            y_pred: predictions; a mask they carry (``_keras_mask``, booleans of their leading axes) says which count.
            sample_weight: one factor for each sample, or for each loss that ``call`` returns.

        Raises:
            ValueError: weights that do not fit the losses.
        """
        y_pred = as_tensor(y_pred)
        mask = getattr(y_pred, "_keras_mask", None)
        dtype = self.dtype or (y_pred.dtype if y_pred.dtype.kind == "f" else "float32")
        y_true, y_pred = as_tensor(y_true, None if self.takes_labels else dtype), as_tensor(y_pred, dtype)
        losses = self.call(y_true, y_pred)
        if losses is None:
            raise ValueError(f"the loss {self.name!r} returned None; end it with return, one number for each sample")
        valid = getattr(losses, "_keras_mask", None)
        if mask is not None and valid is not None:
            mask = ops.logical_and(_fitted(mask, losses), _fitted(valid, losses))
        return reduce_weighted(losses, sample_weight, self.reduction, valid if mask is None else mask)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError("a loss defines call(y_true, y_pred)")

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        return cls(**config)


def _fitted(x: Any, losses: Any) -> Any:
    """A mask or weights with as many axes as the losses."""
    if len(x.shape) == len(losses.shape) + 1 and x.shape[-1] == 1:
        return ops.squeeze(x, axis=-1)
    while len(x.shape) < len(losses.shape):
        x = ops.expand_dims(x, -1)
    return x


def _weights_for(losses: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Losses and weights of ranks that multiply; (n,) losses beside (n, 1) weights become (n, 1) (Keras' rule)."""
    weights = ops.convert_to_tensor(sample_weight, losses.dtype)
    if len(losses.shape) == 0:  # one loss for all samples: each of them has it
        return losses, weights
    losses, weights = same_rank(losses, weights)
    if len(weights.shape) and tuple(weights.shape[:1]) != tuple(losses.shape[:1]):
        raise ValueError(
            f"sample_weight of shape {tuple(weights.shape)} does not fit losses of shape {tuple(losses.shape)}: one "
            f"weight for each sample is expected"
        )
    return losses, _fitted(weights, losses)


def reduce_weighted(losses: Any, sample_weight: Any = None, reduction: str | None = "mean", mask: Any = None) -> Any:
    """Weight the losses of samples and make one number of them; means are taken over those that the mask lets pass.

    Where nothing counts (no weight, or all of it masked), the mean is 0.
    """
    weights: Any = None
    if sample_weight is not None:
        losses, weights = _weights_for(losses, sample_weight)
        try:
            losses = ops.multiply(losses, weights)
        except ValueError as error:
            raise ValueError(
                f"sample_weight of shape {tuple(weights.shape)} does not fit losses of shape {tuple(losses.shape)}: "
                f"one weight for each sample is expected"
            ) from error
    if mask is not None:
        mask = _fitted(mask, losses)
        losses = ops.where(mask, losses, 0.0)
    if reduction in (None, "none"):
        return losses
    by_weight = reduction == "mean_with_sample_weight" and weights is not None
    if reduction != "sum" and not by_weight and mask is None and losses.size:
        return ops.mean(losses, None, False)
    total = ops.sum(losses)
    if reduction == "sum":
        return total
    if by_weight:
        # The sum of the weights as they were given: (n, 1) weights of (n, t) losses count once (Keras' rule).
        whole = ops.sum(weights if mask is None else ops.multiply(weights, ops.cast(mask, weights.dtype)))
        nothing = ops.equal(whole, 0)
        return ops.where(nothing, 0.0, ops.divide(total, ops.where(nothing, 1.0, whole)))
    number = losses.size if mask is None else int(raw(ops.broadcast_to(mask, losses.shape)).sum())
    return ops.multiply(total, 1 / max(number, 1))


class LossFunctionWrapper(Loss):
    """A loss made of a function of (y_true, y_pred).

    Args:
        fn: returns one loss for each sample.
        reduction, name, dtype: as in ``Loss``; the name is by default the function's.
        **kwargs: passed on to ``fn``.
    """

    # Settings that Keras leaves out of the configuration, with their defaults; other values are written: it reads them.
    unwritten: dict[str, Any] = {}

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
        self.takes_labels = getattr(fn, "__hash__", None) is not None and fn in _labelled

    def call(self, y_true, y_pred):
        return self.fn(*same_rank(y_true, y_pred), **self.settings)

    def get_config(self):
        config = {**super().get_config(), **self.settings}
        for key, usual in self.unwritten.items():
            if config[key] == usual:
                del config[key]
        return config if type(self) is not LossFunctionWrapper else {**config, "fn": registry.serialize(self.fn)}

    @classmethod
    def from_config(cls, config):
        return cls(**{key: registry.deserialize(value) for key, value in config.items()})
