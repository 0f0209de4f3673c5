"""Metrics against Keras: over several batches, with sample weights, reset, by class, by name and by configuration."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, drawn, generator, libraries

pytestmark = pytest.mark.oracle

BITS, UNIT, REAL, ROWS, HOT = (
    ("bits", (6, 3)),
    ("unit", (6, 3)),
    ("real", (6, 3)),
    ("rows", (6, 5)),
    ("one hot", (6, 5)),
)
ONE_BIT, ONE_UNIT = ("bits", (6,)), ("unit", (6,))
CORNERS, LABELS = ("corners", (6, 3)), ("labels", (6,))

# name: (class, arguments, kind of targets, kind of predictions)
CASES = {
    "accuracy": ("Accuracy", {}, LABELS, LABELS),
    "accuracy (n, 1)": ("Accuracy", {}, ("labels", (6, 1)), LABELS),
    "accuracy of rows": ("Accuracy", {}, BITS, BITS),
    "accuracy of whole predictions": ("Accuracy", {}, REAL, BITS),
    "binary": ("BinaryAccuracy", {}, BITS, UNIT),
    "binary (n,) and (n, 1)": ("BinaryAccuracy", {}, ONE_BIT, ("unit", (6, 1))),
    "binary (n, 1) and (n,)": ("BinaryAccuracy", {}, ("bits", (6, 1)), ONE_UNIT),
    "binary (n,)": ("BinaryAccuracy", {}, ONE_BIT, ONE_UNIT),
    "binary threshold": ("BinaryAccuracy", {"threshold": 0.3}, BITS, CORNERS),
    "binary sequences": ("BinaryAccuracy", {}, ("bits", (6, 4, 3)), ("unit", (6, 4, 3))),
    "categorical": ("CategoricalAccuracy", {}, HOT, ROWS),
    "categorical sequences": ("CategoricalAccuracy", {}, ("one hot", (6, 4, 3)), ("rows", (6, 4, 3))),
    "sparse": ("SparseCategoricalAccuracy", {}, LABELS, ROWS),
    "sparse (n, 1)": ("SparseCategoricalAccuracy", {}, ("labels", (6, 1)), ROWS),
    "sparse sequences": ("SparseCategoricalAccuracy", {}, ("labels", (6, 4)), ("rows", (6, 4, 5))),
    "top 5": ("TopKCategoricalAccuracy", {}, ("one hot", (6, 9)), ("rows", (6, 9))),
    "top 2": ("TopKCategoricalAccuracy", {"k": 2}, HOT, ROWS),
    "top 2 ties": ("TopKCategoricalAccuracy", {"k": 2}, HOT, ("corners", (6, 5))),
    "top 2 sequences": ("TopKCategoricalAccuracy", {"k": 2}, ("one hot", (6, 4, 5)), ("rows", (6, 4, 5))),
    "sparse top 2": ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS, ROWS),
    "sparse top 9 of 5": ("SparseTopKCategoricalAccuracy", {"k": 9}, LABELS, ROWS),
    "sparse top 2 (n, 1)": ("SparseTopKCategoricalAccuracy", {"k": 2}, ("labels", (6, 1)), ROWS),
    "sparse top 2 sequences": ("SparseTopKCategoricalAccuracy", {"k": 2}, ("labels", (6, 4)), ("rows", (6, 4, 5))),
    "sorted ids": ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, LABELS, ("labels", (6, 4))),
    "mse": ("MeanSquaredError", {}, REAL, REAL),
    "mse (n,) and (n, 1)": ("MeanSquaredError", {}, ("real", (6,)), ("real", (6, 1))),
    "mse (n,)": ("MeanSquaredError", {}, ("real", (6,)), ("real", (6,))),
    "mse of labels": ("MeanSquaredError", {}, LABELS, ("real", (6, 1))),
    "mae": ("MeanAbsoluteError", {}, REAL, REAL),
    "mae sequences": ("MeanAbsoluteError", {}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
    "rmse": ("RootMeanSquaredError", {}, REAL, REAL),
    "rmse (n,) and (n, 1)": ("RootMeanSquaredError", {}, ("real", (6,)), ("real", (6, 1))),
    "rmse sequences": ("RootMeanSquaredError", {}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
    "mape": ("MeanAbsolutePercentageError", {}, REAL, REAL),
    "mape of 0": ("MeanAbsolutePercentageError", {}, CORNERS, UNIT),
    "msle": ("MeanSquaredLogarithmicError", {}, REAL, REAL),
    "msle (n,) and (n, 1)": ("MeanSquaredLogarithmicError", {}, ("large", (6,)), ("large", (6, 1))),
    "log cosh": ("LogCoshError", {}, REAL, REAL),
    "log cosh large": ("LogCoshError", {}, ("large", (6, 3)), ("large", (6, 3))),
    "cosine": ("CosineSimilarity", {}, REAL, REAL),
    "cosine axis 1": ("CosineSimilarity", {"axis": 1}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
    "r2": ("R2Score", {}, REAL, REAL),
    "r2 of each": ("R2Score", {"class_aggregation": None}, REAL, REAL),
    "r2 by variance": ("R2Score", {"class_aggregation": "variance_weighted_average"}, REAL, REAL),
    "r2 adjusted": ("R2Score", {"num_regressors": 2}, ("real", (6, 1)), ("real", (6, 1))),
    "r2 of bits": ("R2Score", {}, ("bits", (6, 1)), ("unit", (6, 1))),
    "binary crossentropy": ("BinaryCrossentropy", {}, BITS, UNIT),
    "binary crossentropy logits": ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, REAL),
    "categorical crossentropy": ("CategoricalCrossentropy", {}, HOT, ROWS),
    "crossentropy logits": ("CategoricalCrossentropy", {"from_logits": True}, HOT, ("real", (6, 5))),
    "crossentropy smoothing": ("CategoricalCrossentropy", {"label_smoothing": 0.2}, HOT, ROWS),
    "sparse crossentropy": ("SparseCategoricalCrossentropy", {}, LABELS, ROWS),
    "sparse crossentropy logits": ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, ("real", (6, 5))),
    "sparse crossentropy ignoring": ("SparseCategoricalCrossentropy", {"ignore_class": 2}, LABELS, ROWS),
    "sparse crossentropy sequences": ("SparseCategoricalCrossentropy", {}, ("labels", (6, 4)), ("rows", (6, 4, 5))),
    "kl": ("KLDivergence", {}, ROWS, ROWS),
    "kl corners": ("KLDivergence", {}, CORNERS, CORNERS),
    "poisson": ("Poisson", {}, ("labels", (6, 3)), UNIT),
    "hinge bits": ("Hinge", {}, BITS, REAL),
    "hinge real": ("Hinge", {}, REAL, REAL),
    "squared hinge": ("SquaredHinge", {}, BITS, REAL),
    "categorical hinge": ("CategoricalHinge", {}, HOT, ROWS),
    "categorical hinge sequences": ("CategoricalHinge", {}, ("one hot", (6, 4, 5)), ("rows", (6, 4, 5))),
    "pearson": ("PearsonCorrelation", {}, REAL, REAL),
    "pearson axis 0": ("PearsonCorrelation", {"axis": 0}, REAL, REAL),
    "concordance": ("ConcordanceCorrelation", {}, REAL, REAL),
    "concordance axis 0": ("ConcordanceCorrelation", {"axis": 0}, REAL, REAL),
    "precision": ("Precision", {}, BITS, UNIT),
    "precision (n,)": ("Precision", {}, ONE_BIT, ONE_UNIT),
    "precision (n,) and (n, 1)": ("Precision", {}, ONE_BIT, ("unit", (6, 1))),
    "precision threshold": ("Precision", {"thresholds": 0.3}, BITS, CORNERS),
    "precision thresholds": ("Precision", {"thresholds": [0.7, 0.0, 0.3, 1.0, 0.3]}, BITS, CORNERS),
    "precision even thresholds": ("Precision", {"thresholds": [0, 0.25, 0.5, 0.75, 1]}, BITS, CORNERS),
    "precision top 2": ("Precision", {"top_k": 2}, ("bits", (6, 5)), ROWS),
    "precision top 2 ties": ("Precision", {"top_k": 2}, ("bits", (6, 5)), ("corners", (6, 5))),
    "precision top 2 threshold": ("Precision", {"top_k": 2, "thresholds": 0.3}, ("bits", (6, 5)), ROWS),
    "precision class": ("Precision", {"class_id": 1}, BITS, UNIT),
    "precision top 2 class": ("Precision", {"top_k": 2, "class_id": 4}, ("bits", (6, 5)), ROWS),
    "recall": ("Recall", {}, BITS, UNIT),
    "recall thresholds": ("Recall", {"thresholds": [0.2, 0.9]}, BITS, UNIT),
    "recall top 3 class": ("Recall", {"top_k": 3, "class_id": 0}, ("bits", (6, 5)), ROWS),
    "recall sequences": ("Recall", {}, ("bits", (6, 4, 3)), ("unit", (6, 4, 3))),
    "tp": ("TruePositives", {}, BITS, UNIT),
    "tp thresholds": ("TruePositives", {"thresholds": [0.0, 0.5, 1.0]}, BITS, CORNERS),
    "fp": ("FalsePositives", {"thresholds": [0.1, 0.8]}, BITS, UNIT),
    "tn": ("TrueNegatives", {}, ONE_BIT, ONE_UNIT),
    "fn": ("FalseNegatives", {"thresholds": 0.9}, BITS, UNIT),
    "auc": ("AUC", {}, ("bits", (6, 1)), ("unit", (6, 1))),
    "auc (n,)": ("AUC", {}, ONE_BIT, ONE_UNIT),
    "auc corners": ("AUC", {}, BITS, CORNERS),
    "auc 3 thresholds": ("AUC", {"num_thresholds": 3}, BITS, UNIT),
    "auc 2 thresholds": ("AUC", {"num_thresholds": 2}, BITS, UNIT),
    "auc minoring": ("AUC", {"summation_method": "minoring", "num_thresholds": 9}, BITS, UNIT),
    "auc majoring": ("AUC", {"summation_method": "Majoring", "num_thresholds": 9}, BITS, UNIT),
    "auc thresholds": ("AUC", {"thresholds": [0.7, 0.2, 0.45]}, BITS, UNIT),
    "auc even thresholds": ("AUC", {"thresholds": [0.25, 0.5, 0.75]}, BITS, CORNERS),
    "auc logits": ("AUC", {"from_logits": True}, BITS, REAL),
    "auc labels weighted": ("AUC", {"label_weights": [1.0, 0.2, 3.0]}, BITS, UNIT),
    "auc multi": ("AUC", {"multi_label": True}, BITS, UNIT),
    "auc multi of 3": ("AUC", {"multi_label": True, "num_labels": 3, "curve": "PR"}, BITS, CORNERS),
    "auc multi weighted": ("AUC", {"multi_label": True, "label_weights": [1.0, 0.2, 3.0]}, BITS, UNIT),
    "auc multi thresholds": ("AUC", {"multi_label": True, "thresholds": [0.1, 0.6]}, BITS, UNIT),
    "pr": ("AUC", {"curve": "PR"}, BITS, UNIT),
    "pr minoring": ("AUC", {"curve": "pr", "summation_method": "minoring", "num_thresholds": 20}, BITS, UNIT),
    "pr majoring": ("AUC", {"curve": "PR", "summation_method": "majoring"}, BITS, CORNERS),
    "pr weighted": ("AUC", {"curve": "PR", "multi_label": True, "label_weights": [1.0, 0.0, 2.0]}, BITS, UNIT),
    "pr gain": ("AUC", {"curve": "PRGAIN"}, BITS, UNIT),
    "pr gain corners": ("AUC", {"curve": "prgain", "num_thresholds": 10}, BITS, CORNERS),
    "sensitivity": ("SensitivityAtSpecificity", {"specificity": 0.5}, BITS, UNIT),
    "sensitivity 1 threshold": ("SensitivityAtSpecificity", {"specificity": 0.3, "num_thresholds": 1}, BITS, UNIT),
    "sensitivity class": ("SensitivityAtSpecificity", {"specificity": 0.4, "class_id": 2}, BITS, UNIT),
    "specificity": ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 30}, BITS, UNIT),
    "specificity corners": ("SpecificityAtSensitivity", {"sensitivity": 0.9}, BITS, CORNERS),
    "precision at recall": ("PrecisionAtRecall", {"recall": 0.5}, BITS, UNIT),
    "precision at recall 1": ("PrecisionAtRecall", {"recall": 1.0}, BITS, CORNERS),
    "recall at precision": ("RecallAtPrecision", {"precision": 0.6}, BITS, UNIT),
    "recall at precision 1": ("RecallAtPrecision", {"precision": 1, "class_id": 0}, BITS, UNIT),
    "f1": ("F1Score", {}, HOT, ROWS),
    "f1 threshold": ("F1Score", {"threshold": 0.5}, BITS, UNIT),
    "f1 micro": ("F1Score", {"average": "micro"}, HOT, ROWS),
    "f1 macro": ("F1Score", {"average": "macro", "threshold": 0.3}, BITS, CORNERS),
    "f1 weighted": ("F1Score", {"average": "weighted"}, HOT, ROWS),
    "f beta 2": ("FBetaScore", {"beta": 2.0}, HOT, ROWS),
    "f beta half": ("FBetaScore", {"beta": 0.5, "average": "weighted", "threshold": 0.4}, BITS, UNIT),
    "f1 of zeros": ("F1Score", {}, BITS, CORNERS),
    "iou": ("IoU", {"num_classes": 5, "target_class_ids": [0, 3]}, LABELS, LABELS),
    "iou ignoring": ("IoU", {"num_classes": 5, "target_class_ids": [0, 3], "ignore_class": 1}, LABELS, LABELS),
    "iou out of range": ("IoU", {"num_classes": 4, "target_class_ids": [1]}, ("labels from -1", (6,)), LABELS),
    "iou pictures": ("IoU", {"num_classes": 5, "target_class_ids": [2]}, ("labels", (6, 4, 4)), ("labels", (6, 4, 4))),
    "iou floats": ("IoU", {"num_classes": 5, "target_class_ids": [0, 3], "dtype": "float32"}, LABELS, LABELS),
    "iou rows": ("IoU", {"num_classes": 5, "target_class_ids": [0, 1], "sparse_y_pred": False}, LABELS, ROWS),
    "binary iou": ("BinaryIoU", {}, BITS, UNIT),
    "binary iou of 1": ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, BITS, CORNERS),
    "mean iou": ("MeanIoU", {"num_classes": 5}, LABELS, LABELS),
    "mean iou ignoring": ("MeanIoU", {"num_classes": 6, "ignore_class": 0}, LABELS, LABELS),
    "one hot iou": ("OneHotIoU", {"num_classes": 5, "target_class_ids": [0, 2]}, HOT, ROWS),
    "one hot iou labels": (
        "OneHotIoU", {"num_classes": 5, "target_class_ids": [0, 2], "sparse_y_pred": True}, HOT, LABELS,
    ),
    "one hot mean iou": ("OneHotMeanIoU", {"num_classes": 5}, HOT, ROWS),
    "one hot mean iou ignoring": ("OneHotMeanIoU", {"num_classes": 5, "ignore_class": 2}, HOT, ROWS),
}  # fmt: skip
WEIGHTS = {"none": None, "one number": (), "(n,)": (6,), "(n, 1)": (6, 1)}
REFUSED = {  # by Keras itself, because its shapes do not fit, or taken for something else than weights of samples
    "F1Score": ("one number", "(n, 1)"),
    "FBetaScore": ("one number", "(n, 1)"),
    "pearson axis 0": ("(n,)", "(n, 1)"),
    "concordance axis 0": ("(n,)", "(n, 1)"),
    "recall sequences": ("(n,)",),
    "mse (n,)": ("(n,)", "(n, 1)"),
    "precision (n,)": ("(n, 1)",),
    "auc (n,)": ("(n, 1)",),
    "tn": ("(n, 1)",),
}


def weights_of(kind, name, rng):
    """Sample weights of a kind; for labels of which each counts, one for each of them, and whole numbers."""
    cls, settings, targets, _ = CASES[name]
    shape = WEIGHTS[kind]
    if shape is None:
        return None
    if "IoU" not in cls:
        return rng.uniform(0, 2, shape).astype("float32")
    per_label = targets[1][:-1] if targets[0] == "one hot" else targets[1]
    return rng.integers(0, 4, shape and per_label).astype(settings.get("dtype", "int32"))


def refused(name):
    return REFUSED.get(name, REFUSED.get(CASES[name][0], ()))


@pytest.mark.parametrize(
    "name, weights", [(one, kind) for one in CASES for kind in WEIGHTS if kind not in refused(one)]
)
def test_three_batches(name, weights):
    """Results and state after each batch; then it starts anew."""
    cls, settings, targets, predictions = CASES[name]
    theirs, ours = both(lambda k: getattr(k.metrics, cls)(**settings))
    assert ours.name == theirs.name and ours.dtype == theirs.dtype
    rng = generator(name)
    for batch in range(4):
        if batch == 3:
            ours.reset_state(), theirs.reset_state()
            assert_same_state(ours, theirs)
        y_true, y_pred = drawn(*targets, rng), drawn(*predictions, rng)
        weight = weights_of(weights, name, rng)
        theirs.update_state(y_true, y_pred, sample_weight=weight)
        ours.update_state(y_true, y_pred, sample_weight=weight)
        close(ours.result(), theirs.result(), "result so far")
        assert_same_state(ours, theirs)


@pytest.mark.parametrize("name, weights", [(one, kind) for one in CASES for kind in refused(one)])
def test_weights_that_keras_does_not_take(name, weights):
    """They do not fit, and are an error here as well; F-scores take them here as what they stand for, one a sample."""
    cls, settings, targets, predictions = CASES[name]
    theirs, ours = both(lambda k: getattr(k.metrics, cls)(**settings))
    rng = generator(name)
    y_true, y_pred = drawn(*targets, rng), drawn(*predictions, rng)
    weight = weights_of(weights, name, rng)
    if cls in ("F1Score", "FBetaScore"):
        theirs.update_state(y_true, y_pred, sample_weight=np.broadcast_to(np.reshape(weight, (-1,)), 6))
        ours.update_state(y_true, y_pred, sample_weight=weight)
        return close(ours.result(), theirs.result(), "result")
    for metric in (theirs, ours):
        with pytest.raises(ValueError):
            metric.update_state(y_true, y_pred, sample_weight=weight)


def assert_same_state(ours, theirs):
    assert [v.name for v in ours.variables] == [v.name for v in theirs.variables]
    for mine, other in zip(ours.variables, theirs.variables, strict=True):
        assert str(mine.dtype) == other.dtype and mine.path == other.path
        close(mine.numpy(), np.asarray(other), mine.path)


@pytest.mark.parametrize("cls", ["Mean", "Sum"])
@pytest.mark.parametrize("shape, weight", [((), ()), ((6,), (6,)), ((6, 3), (6,)), ((6, 3), (6, 3)), ((6,), None)])
def test_mean_and_sum(cls, shape, weight):
    theirs, ours = both(lambda k: getattr(k.metrics, cls)())
    rng = generator(cls)
    for _ in range(3):
        values = rng.normal(size=shape).astype("float32")
        weights = None if weight is None else np.asarray(rng.uniform(0, 2, weight), "float32")
        theirs.update_state(values, sample_weight=weights)
        ours.update_state(values, sample_weight=weights)
        close(ours.result(), theirs.result(), "result so far")


@pytest.mark.parametrize("name", [*CASES, "Mean", "Sum"])
def test_names_and_configurations(name):
    """The same configuration as Keras', and objects of it that are alike, here and there."""
    keras, _ = libraries()
    cls, settings = CASES[name][:2] if name in CASES else (name, {})
    for given in (settings, {**settings, "name": "mine"}):
        theirs, ours = both(lambda k, given=given: getattr(k.metrics, cls)(**given))
        wanted = as_plain(theirs.get_config())
        if settings.get("axis") == 1:
            assert ours.get_config() == {**wanted, "axis": 1}  # which Keras forgets to write
        else:
            assert as_plain(ours.get_config()) == wanted
        back = minidl.metrics.deserialize(keras.metrics.serialize(theirs))
        there = keras.metrics.deserialize(minidl.metrics.serialize(ours))
        again = type(ours).from_config(ours.get_config())
        assert type(back) is type(again) is type(ours) and back.name == ours.name == theirs.name
        assert as_plain(there.get_config()) == wanted and again.get_config() == ours.get_config()


def as_plain(config):
    """Arrays as lists, so that configurations can be compared."""
    return {key: np.asarray(v).tolist() if hasattr(v, "shape") else list(v) if isinstance(v, tuple) else v
            for key, v in config.items()}  # fmt: skip


def test_names_as_text():
    """Every name that Keras knows makes the same class here."""
    keras, _ = libraries()
    from keras.src.metrics import ALL_OBJECTS_DICT

    needed = {"num_classes", "target_class_ids", "specificity", "sensitivity", "recall", "precision", "fn"}
    for name, cls in ALL_OBJECTS_DICT.items():
        assert minidl.metrics.find(name).__name__ == cls.__name__, name
        if not needed & set(cls.__init__.__code__.co_varnames):
            theirs, ours = keras.metrics.get(name), minidl.metrics.get(name)
            assert ours.name == theirs.name and type(ours).__name__ == type(theirs).__name__
    assert minidl.metrics.get(None) is None
    assert minidl.metrics.get(minidl.metrics.binary_accuracy) is minidl.metrics.binary_accuracy
    assert minidl.metrics.get("smape").name == "symmetric_mean_absolute_percentage_error"


FUNCTIONS = {
    "binary_accuracy": (BITS, UNIT, {"threshold": 0.4}), "categorical_accuracy": (HOT, ROWS, {}),
    "sparse_categorical_accuracy": (LABELS, ROWS, {}), "top_k_categorical_accuracy": (HOT, ROWS, {"k": 2}),
    "sparse_top_k_categorical_accuracy": (LABELS, ROWS, {"k": 3}), "pearson_correlation": (REAL, REAL, {}),
    "concordance_correlation": (REAL, REAL, {"axis": 0}), "mean_squared_error": (REAL, REAL, {}),
    "mean_absolute_error": (REAL, REAL, {}), "binary_crossentropy": (BITS, UNIT, {}),
    "categorical_crossentropy": (HOT, ROWS, {}), "sparse_categorical_crossentropy": (LABELS, ROWS, {}),
    "mean_squared_logarithmic_error": (REAL, REAL, {}), "huber": (REAL, REAL, {}), "hinge": (BITS, REAL, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    """Arrays, Tensors and lists give the same numbers."""
    keras, _ = libraries()
    targets, predictions, settings = FUNCTIONS[name]
    rng = generator(name)
    y_true, y_pred = drawn(*targets, rng), drawn(*predictions, rng)
    wanted = np.asarray(getattr(keras.metrics, name)(y_true, y_pred, **settings))
    function = getattr(minidl.metrics, name)
    close(np.asarray(function(y_true, y_pred, **settings)), wanted, "of arrays")
    of_tensors = function(minidl.Tensor(y_true), minidl.Tensor(y_pred), **settings)
    assert isinstance(of_tensors, minidl.Tensor)
    close(of_tensors.numpy(), wanted, "of Tensors")
    close(np.asarray(function(y_true.tolist(), y_pred.tolist(), **settings)), wanted, "of lists")


@pytest.mark.parametrize("name", ["pearson_correlation", "concordance_correlation"])
def test_gradients_of_correlations(name):
    import jax

    keras, _ = libraries()
    rng = generator(name)
    y_true, y_pred = drawn("real", (5, 4), rng), drawn("real", (5, 4), rng)
    wanted = jax.grad(lambda p: keras.ops.sum(getattr(keras.metrics, name)(y_true, p) ** 2))(y_pred)
    leaf = minidl.Tensor(y_pred, requires_grad=True)
    minidl.ops.sum(minidl.ops.square(getattr(minidl.metrics, name)(y_true, leaf))).backward()
    close(leaf.grad, np.asarray(wanted), "gradient")


@pytest.mark.parametrize("target, output", [
    ((6,), (6, 1)), ((6, 1), (6, 1)), ((6,), (6, 5)), ((6, 1), (6, 5)), ((6, 5), (6, 5)), ((6, 4), (6, 4, 5)),
    ((6, 4, 1), (6, 4, 5)), ((6, 4, 5), (6, 4, 5)),
])  # fmt: skip
def test_accuracy_is_resolved_as_in_keras(target, output):
    libraries()
    from keras.src.trainers.compile_utils import get_metric

    theirs = get_metric("accuracy", np.zeros(target), np.zeros(output))
    assert minidl.metrics.accuracy_for(target, output).__name__ == type(theirs).__name__


@pytest.mark.parametrize("weights", ["none", "(n, 1)", "(n, 4)"])
@pytest.mark.parametrize("cls", ["SparseCategoricalAccuracy", "MeanAbsoluteError"])
def test_masks(cls, weights):
    """Positions that a mask of the predictions switches off do not count."""
    theirs, ours = both(lambda k: getattr(k.metrics, cls)())
    from keras.src.backend import convert_to_tensor, set_keras_mask

    rng = generator(f"{cls} {weights}")
    y_pred, mask = drawn("rows", (6, 4, 5), rng), rng.integers(0, 2, (6, 4)).astype(bool)
    y_true = drawn("labels", (6, 4), rng) if cls == "SparseCategoricalAccuracy" else drawn("rows", (6, 4, 5), rng)
    shapes = {"(n, 1)": (6, 1), "(n, 4)": (6, 4)}
    weight = None if weights == "none" else rng.uniform(0, 2, shapes[weights]).astype("float32")
    of_keras, of_ours = convert_to_tensor(y_pred), minidl.Tensor(y_pred)
    set_keras_mask(of_keras, convert_to_tensor(mask))
    of_ours._keras_mask = mask
    for _ in range(2):
        theirs.update_state(y_true, of_keras, sample_weight=weight)
        ours.update_state(y_true, of_ours, sample_weight=weight)
        close(ours.result(), theirs.result(), "result")
