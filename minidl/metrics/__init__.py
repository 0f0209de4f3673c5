"""Metrics: numbers gathered over batches, with the names and rules of Keras 3. They work on arrays, off the graph."""

import difflib
from typing import Any

from minidl import registry

# Functions that Keras shows here as well; by these names as texts, get() makes the classes.
from minidl.losses import (  # noqa: F401
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    symmetric_mean_absolute_percentage_error,
)

from .accuracies import *  # noqa: F403
from .accuracies import accuracy_for as accuracy_for
from .auc import AUC as AUC
from .confusion import *  # noqa: F403
from .correlation import *  # noqa: F403
from .f_score import F1Score as F1Score
from .f_score import FBetaScore as FBetaScore
from .iou import *  # noqa: F403
from .margins import *  # noqa: F403
from .metric import Metric as Metric
from .operating_points import PrecisionAtRecall as PrecisionAtRecall
from .operating_points import RecallAtPrecision as RecallAtPrecision
from .operating_points import SensitivityAtSpecificity as SensitivityAtSpecificity
from .operating_points import SpecificityAtSensitivity as SpecificityAtSensitivity
from .probabilistic import *  # noqa: F403
from .r2_score import R2Score as R2Score
from .reduction import Mean as Mean
from .reduction import MeanMetricWrapper as MeanMetricWrapper
from .reduction import Sum as Sum
from .regression import *  # noqa: F403

serialize = registry.serialize
deserialize = registry.deserializer("keras.metrics", lambda name: get(name))

registry.publish("keras.metrics", {name: item for name, item in globals().items() if name != "accuracy_for"})
_known = registry.published("keras.metrics")
_CLASSES = {
    name: cls
    for cls in _known.values()
    if isinstance(cls, type)
    for name in (cls.__name__, registry.snake_case(cls.__name__))
}
_SHORT = {
    "bce": "BinaryCrossentropy", "mae": "MeanAbsoluteError", "mape": "MeanAbsolutePercentageError",
    "mse": "MeanSquaredError", "msle": "MeanSquaredLogarithmicError", "smape": "SymmetricMeanAbsolutePercentageError",
}  # fmt: skip
_CLASSES |= {short: _CLASSES[name] for one, name in _SHORT.items() if name in _CLASSES for short in (one, one.upper())}


def find(identifier: Any) -> Any:
    """What a name, configuration, class, object or function stands for; classes are not called yet.

    Raises:
        ValueError: an unknown name.
        TypeError: something else.
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        found = registry.get_registered_object(identifier) or _CLASSES.get(identifier) or _known.get(identifier)
        if found is None:
            names = sorted({*_CLASSES, *_known, "acc"})
            alike = difflib.get_close_matches(identifier, names, n=8, cutoff=0.4)
            raise ValueError(
                f"unknown metric {identifier!r}{registry.did_you_mean(identifier, names)}; metrics are written as mse, "
                f"accuracy, auc, ..., or as their classes are{', for example ' * bool(alike)}{', '.join(alike)}"
            )
        return found
    if not callable(identifier):
        raise TypeError(f"a metric is a name, an object or a function of (y_true, y_pred), not {identifier!r}")
    return identifier


def get(identifier: Any) -> Any:
    """A metric by name ("mse", "auc", "AUC"), configuration, class or object; functions and None stay what they are."""
    found = None if identifier is None else find(identifier)
    return found() if isinstance(found, type) else found


def compiled(identifier: Any) -> Metric:
    """The metric that ``compile`` makes of an entry of its lists: a name given as text is its name, as it was given."""
    metric = get(identifier)
    if not isinstance(metric, Metric):
        named = getattr(metric, "name", None) or getattr(metric, "__name__", type(metric).__name__)
        metric = MeanMetricWrapper(metric, name=registry.snake_case(str(named)))
    if isinstance(identifier, str):
        metric.name = identifier
    return metric
