"""Intersection over union: how well predicted regions cover the true ones."""

import warnings
from typing import Any

import numpy as np

from minidl import config, opening
from minidl_kernels.arrays import Array, namespace
from minidl_kernels.devices import beside

from .arrays import add_to, array_of, result_of, together
from .metric import Metric

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """The mean over some classes of tp / (tp + fp + fn); classes that occur nowhere do not count.

    Args:
        num_classes: how many classes there are; labels out of range are left out.
        target_class_ids: the classes whose values are averaged.
        dtype: what samples are counted in; default "int32", so that fractions of weights are cut off.
        ignore_class: a label that is left out.
        sparse_y_true, sparse_y_pred: labels; else one number for each class, of which the largest counts.
        axis: where the classes are, if not sparse.
    """

    _direction = "up"

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
        sparse_y_pred=True, axis=-1,
    ):  # fmt: skip
        opening.may_list(num_classes, f"metric {type(self).__name__}: a list of classes")
        wrong = [one for one in target_class_ids if not 0 <= one < num_classes]
        if wrong:
            raise ValueError(f"target_class_ids must lie between 0 and {num_classes - 1}, not {wrong}")
        super().__init__(name=name, dtype=dtype or "int")
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch of labels (or of numbers for each class); ``sample_weight`` is one, or one for each label."""
        true, found = together(self._labels(y_true, self.sparse_y_true), self._labels(y_pred, self.sparse_y_pred))
        if true.shape != found.shape:
            raise ValueError(f"{self.name}: {true.size} true labels do not fit {found.size} predicted ones")
        xp, weights = namespace(true), 1
        if sample_weight is not None:
            weights = xp.broadcast_to(beside(self._weights(sample_weight), true), true.shape)
        counted = (true >= 0) & (true < self.num_classes) & (found >= 0) & (found < self.num_classes)
        if self.ignore_class is not None:
            counted &= true != self.ignore_class
        place = xp.where(counted, true * self.num_classes + found, 0)
        matrix = _sums(place, xp.where(counted, weights, 0), self.num_classes**2)
        add_to(self.total_cm, matrix.reshape(self.num_classes, self.num_classes))

    def _labels(self, values: Any, sparse: bool) -> Array:
        values = array_of(values)
        return (values if sparse else values.argmax(axis=self.axis)).astype("int64").reshape(-1)

    def _weights(self, sample_weight: Any) -> Array:
        weights = array_of(sample_weight)
        if weights.dtype.kind == "f" and np.dtype(self.dtype).kind in "iu":
            xp = namespace(weights)
            if xp is np and (weights != np.trunc(weights)).any():  # weights on a GPU are not read
                warnings.warn(
                    f"{self.name} counts in {self.dtype}, so the fractions of sample_weight are cut off; "
                    "pass dtype='float32' to keep them",
                    stacklevel=3,
                )
            weights = xp.trunc(weights)
        return weights.reshape(-1) if weights.ndim > 1 else weights

    def result(self):
        """The mean so far; 0 where none of the classes occurred."""
        matrix, epsilon = self.total_cm.data, config.epsilon()
        right = matrix.diagonal()
        union = (matrix.sum(axis=0) + matrix.sum(axis=1) - right).astype("float32")
        present = union > 1e-9
        shares = namespace(matrix).where(present, right.astype("float32") / (union + epsilon), 0)
        return result_of(self._total(shares) / (self._total(present) + epsilon).astype("float32"), "float32")

    def _total(self, of_classes: Array) -> Any:
        """The sum over the classes that are averaged."""
        if isinstance(of_classes, np.ndarray):
            return of_classes[self.target_class_ids].sum()
        if self.target_class_ids == list(range(self.num_classes)):
            return of_classes.sum()
        return sum(of_classes[one] for one in self.target_class_ids)  # a list of places would be sent to the GPU

    def _settings(self) -> dict[str, Any]:
        names = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def get_config(self):
        return self._settings()


class BinaryIoU(IoU):
    """The mean over class 0 and class 1 (or one of them) of tp / (tp + fp + fn).

    Args:
        target_class_ids: (0, 1), [0] or [1].
        threshold: a prediction that reaches it is class 1.
    """

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: targets 0 or 1, predictions between 0 and 1."""
        y_pred = array_of(y_pred, "float32")
        super().update_state(y_true, (y_pred >= np.float32(self.threshold)).astype("int64"), sample_weight)

    def get_config(self):
        return {**_some(self._settings(), "target_class_ids"), "threshold": self.threshold}


class MeanIoU(IoU):
    """The mean over all classes of tp / (tp + fp + fn); classes that occur nowhere do not count.

    Args:
        num_classes: how many classes there are; labels out of range are left out.
        dtype: what samples are counted in; default "int32", so that fractions of weights are cut off.
        ignore_class: a label that is left out.
        sparse_y_true, sparse_y_pred: labels; else one number for each class, of which the largest counts.
        axis: where the classes are, if not sparse.
    """

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):
        super().__init__(
            num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )  # fmt: skip

    def get_config(self):
        return _some(self._settings(), "num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")


class OneHotIoU(IoU):
    """``IoU`` for one-hot targets, (..., classes).

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes whose values are averaged.
        dtype: what samples are counted in; default "int32".
        ignore_class: a class that is left out.
        sparse_y_pred: predictions are labels; else one number for each class.
        axis: where the classes are.
    """

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return _some(self._settings(), "num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")


class OneHotMeanIoU(MeanIoU):
    """``MeanIoU`` for one-hot targets, (..., classes).

    Args:
        num_classes: how many classes there are.
        dtype: what samples are counted in; default "int32".
        ignore_class: a class that is left out.
        sparse_y_pred: predictions are labels; else one number for each class.
        axis: where the classes are.
    """

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return _some(self._settings(), "num_classes", "ignore_class", "sparse_y_pred", "axis")


def _sums(places: Array, weights: Array, count: int) -> Array:
    """The sum of the weights at each of so many places."""
    if isinstance(places, np.ndarray):
        return np.bincount(places, weights, minlength=count)
    xp = namespace(places)
    sums = xp.zeros(count)
    xp.add.at(sums, places, weights.astype("float64"))  # xp.bincount would read how many places there are
    return sums


def _some(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: settings[name] for name in ("name", "dtype", *names)}
