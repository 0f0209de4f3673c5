"""Cross-entropies and other distances of predicted probabilities, averaged over samples."""

from minidl import losses

from . import distances
from .arrays import array_of, masked
from .reduction import MeanMetricWrapper

__all__ = ["BinaryCrossentropy", "CategoricalCrossentropy", "KLDivergence", "Poisson", "SparseCategoricalCrossentropy"]


class BinaryCrossentropy(MeanMetricWrapper):
    """The binary cross-entropy.

    Args:
        from_logits: predictions are logits.
        label_smoothing: targets become t (1 - a) + a / 2.
    """

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """The cross-entropy for one-hot targets.

    Args:
        from_logits: predictions are logits.
        label_smoothing: targets become t (1 - a) + a / classes.
        axis: where the classes are.
    """

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        super().__init__(
            losses.categorical_crossentropy, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The cross-entropy for whole-number labels.

    Args:
        from_logits: predictions are logits.
        ignore_class: samples of this label count 0: as samples where there are no weights, else not at all (as Keras).
        axis: where the classes are.
    """

    def __init__(
        self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, ignore_class=None, axis=-1
    ):
        super().__init__(
            losses.sparse_categorical_crossentropy, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch; ``sample_weight`` as in ``Mean``."""
        if sample_weight is not None and self.ignore_class is not None:
            labels = array_of(y_true)
            labels = labels[..., 0] if labels.ndim == array_of(y_pred).ndim else labels
            sample_weight = masked(labels != self.ignore_class, sample_weight)
        super().update_state(y_true, y_pred, sample_weight)


class KLDivergence(MeanMetricWrapper):
    """sum(y_true log(y_true / y_pred)), both clipped to ``config.epsilon()`` and 1."""

    _direction = "down"

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(distances.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """mean(y_pred - y_true log(y_pred + epsilon)), epsilon being ``config.epsilon()``."""

    _direction = "down"

    def __init__(self, name="poisson", dtype=None):
        super().__init__(distances.poisson, name, dtype)
