"""Losses, with the names, reductions and formulas of Keras 3 (and SMAPE, which Keras lacks).

A loss compares targets with predictions sample by sample; ``loss.py`` says how one number is made of them all.
"""

from typing import Any

from minidl import registry
from minidl.engine.tensor import Tensor

from .circle import Circle, circle
from .crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from .ctc import CTC, ctc
from .focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from .hinge import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from .loss import REDUCTIONS as REDUCTIONS
from .loss import Loss, LossFunctionWrapper
from .loss import as_tensor as as_tensor
from .loss import reduce_weighted as reduce_weighted
from .loss import same_rank as same_rank
from .overlap import Dice, Tversky, dice, tversky
from .probability import KLDivergence, Poisson, kl_divergence, poisson
from .regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    SymmetricMeanAbsolutePercentageError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    symmetric_mean_absolute_percentage_error,
)

__all__ = [
    "CTC", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle", "CosineSimilarity", "Dice", "Hinge", "Huber",
    "KLDivergence", "LogCosh", "Loss", "LossFunctionWrapper", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge",
    "SymmetricMeanAbsolutePercentageError", "Tversky", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy",
    "categorical_hinge", "circle", "cosine_similarity", "ctc", "deserialize", "dice", "get", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "serialize", "sparse_categorical_crossentropy", "squared_hinge",
    "symmetric_mean_absolute_percentage_error", "tversky",
]  # fmt: skip

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
smape = SMAPE = symmetric_mean_absolute_percentage_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
huber_loss = huber
serialize = registry.serialize
deserialize = registry.deserializer("keras.losses", lambda name: get(name))


def get(identifier: Any) -> Any:
    """A loss by name ("mse", "sparse_categorical_crossentropy"), configuration, class, object or function."""
    found = registry.made_of(identifier, "keras.losses", "loss")
    if isinstance(found, Tensor) or not (found is None or callable(found)):
        raise TypeError(f"a loss is a name, an object or a function of (y_true, y_pred), not {identifier!r}")
    return found


_SHORT = (
    "BCE", "KLD", "MAE", "MAPE", "MSE", "MSLE", "SMAPE", "bce", "huber_loss", "kld", "kullback_leibler_divergence",
    "logcosh", "mae", "mape", "mse", "msle", "smape",
)  # fmt: skip
registry.publish("keras.losses", {name: globals()[name] for name in (*__all__, *_SHORT)})
