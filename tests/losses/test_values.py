"""Losses against numbers worked out by hand, with no other library; what Keras lacks or refuses; errors."""

import math

import numpy as np
import pytest

import minidl
from minidl import losses, ops

ROWS = np.array([[0.2, 0.8], [0.6, 0.4]], "float32")

# function, y_true, y_pred, settings, expected
VALUES = {
    "mape": ("mape", [[2.0, 4.0]], [[1.0, 5.0]], {}, [37.5]),
    "msle": ("msle", [[math.e - 1, 0.0]], [[0.0, math.e - 1]], {}, [1.0]),
    "smape": ("smape", [[1.0, 2.0], [0.0, 0.0]], [[3.0, 2.0], [0.0, 5.0]], {}, [50.0, 100.0]),
    "smape is symmetric": ("smape", [[3.0, 2.0]], [[1.0, 2.0]], {}, [50.0]),
    "smape of opposite signs": ("smape", [[1.0]], [[-1.0]], {}, [200.0]),
    "cosine": ("cosine_similarity", [[3.0, 4.0], [1.0, 0.0]], [[6.0, 8.0], [0.0, 5.0]], {}, [-1.0, 0.0]),
    "huber": ("huber", [[0.0], [0.0]], [[0.5], [3.0]], {}, [0.125, 2.5]),
    "huber delta": ("huber", [[0.0], [0.0]], [[1.5], [3.0]], {"delta": 2.0}, [1.125, 4.0]),
    "log_cosh": ("log_cosh", [[0.0], [0.0]], [[1.0], [-100.0]], {}, [math.log(math.cosh(1)), 100 - math.log(2)]),
    "hinge": ("hinge", [[1.0, -1.0]], [[0.25, 0.5]], {}, [1.125]),
    "hinge of bits": ("hinge", [[1.0, 0.0]], [[0.25, 0.5]], {}, [1.125]),
    "squared hinge": ("squared_hinge", [[1.0, -1.0]], [[0.5, 0.0]], {}, [0.625]),
    "categorical hinge": ("categorical_hinge", [[0, 1, 0]], [[0.5, 0.7, -1.0]], {}, [0.8]),
    "kld": ("kld", [[0.5, 0.5]], [[0.25, 0.75]], {}, [0.5 * math.log(2) + 0.5 * math.log(2 / 3)]),
    "poisson": ("poisson", [[2.0]], [[math.e]], {}, [math.e - 2]),
    "binary focal": ("binary_focal_crossentropy", [[1.0], [0.0]], [[0.5], [0.75]], {}, [
        0.25 * math.log(2), 0.75**2 * math.log(4),
    ]),
    "binary focal balanced": (
        "binary_focal_crossentropy", [[1.0], [0.0]], [[0.5], [0.5]], {"apply_class_balancing": True},
        [0.25 * 0.25 * math.log(2), 0.75 * 0.25 * math.log(2)],
    ),
    "categorical focal": (
        "categorical_focal_crossentropy", [[0.0, 1.0]], [[0.5, 0.5]], {"alpha": 1.0}, [0.25 * math.log(2)],
    ),
    "generalized": ("categorical_generalized_cross_entropy", [1, 0], ROWS, {"q": 0.5}, [
        (1 - math.sqrt(0.8)) / 0.5, (1 - math.sqrt(0.6)) / 0.5,
    ]),
    "dice": ("dice", [[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], {"axis": 1}, [0.0, 1.0]),
    "tversky": ("tversky", [[1.0, 1.0, 0.0]], [[1.0, 0.0, 1.0]], {"alpha": 1.0, "beta": 2.0, "axis": 1}, [0.75]),
    # Two steps, two classes, all equally likely: one label can be said in three of four ways.
    "ctc": ("ctc", [[1]], np.zeros((1, 2, 2)), {}, [math.log(4 / 3)]),
    # One pair of each kind: softplus(-g (1 + m) (m - 1) + g (1 + m - 1) (1 - m - 1)), all cosines 0.
    "circle": (
        "circle", [0, 0, 1], np.eye(3, dtype="float32"), {"gamma": 1.0, "margin": 0.5},
        [math.log1p(math.exp(0.75 - 0.25)), math.log1p(math.exp(0.75 - 0.25)), 0.0],
    ),
    "sparse, classes along axis 1": (
        "sparse_categorical_crossentropy", [[0, 1]], ROWS[None], {"axis": 1}, [[-math.log(0.25), -math.log(1 / 3)]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_values(name):
    function, y_true, y_pred, settings, expected = VALUES[name]
    found = losses.get(function)(np.array(y_true), np.array(y_pred, "float32"), **settings)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_smape_as_a_class_and_in_training():
    loss = losses.SymmetricMeanAbsolutePercentageError(reduction="sum")
    assert losses.deserialize(losses.serialize(loss)).get_config() == loss.get_config()
    assert float(loss(np.array([[1.0], [2.0]]), np.array([[3.0], [2.0]], "float32"))) == pytest.approx(100)
    assert loss.name == "symmetric_mean_absolute_percentage_error"
    model = minidl.Sequential([minidl.layers.Input((1,)), minidl.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "smape")
    assert model.evaluate(np.array([[1.0], [2.0]]), np.array([3.0, 2.0]), verbose=0) == pytest.approx(50)


@pytest.mark.parametrize("name", ["smape", "cosine_similarity", "huber", "log_cosh", "kld", "poisson", "msle", "dice"])
def test_gradients_by_finite_differences(name):
    rng = np.random.default_rng(5)
    y_true, y_pred = rng.uniform(0.2, 0.9, (4, 3)), rng.uniform(0.2, 0.9, (4, 3))
    assert minidl.gradcheck(lambda p: losses.get(name)(y_true, p), [y_pred]).ok


def test_no_loss_is_nan_at_the_limits():
    """Vectors of length 0, probabilities of 0 and 1, a sample that belongs to no pair: losses and gradients."""
    cases = [
        ("cosine_similarity", np.zeros((2, 2)), np.zeros((2, 2))),
        ("kld", np.eye(2), np.eye(2)[::-1]),
        ("binary_focal_crossentropy", np.eye(2), np.eye(2)[::-1]),
        ("categorical_focal_crossentropy", np.eye(2), np.eye(2)[::-1]),
        ("dice", np.zeros((2, 2)), np.zeros((2, 2))),
        ("tversky", np.zeros((2, 2)), np.zeros((2, 2))),
        ("circle", np.array([0, 0]), np.eye(2)),
        ("circle", np.array([0, 1]), np.eye(2)),
        ("smape", np.zeros((2, 2)), np.zeros((2, 2))),
    ]
    with np.errstate(all="raise"):
        for name, y_true, y_pred in cases:
            prediction = minidl.Tensor(y_pred.astype("float32"), requires_grad=True)
            value = losses.get(name)(y_true, prediction)
            assert np.isfinite(value.numpy()).all(), name
            assert np.isfinite(minidl.grad(ops.sum(value), prediction).numpy()).all(), name


def test_masked_losses_count_nowhere():
    """Not even where they are not a number."""
    prediction = minidl.Tensor(np.array([[1.0], [np.nan], [3.0]], "float32"))
    prediction._keras_mask = np.array([True, False, True])
    y_true = np.zeros((3, 1))
    assert float(losses.MeanSquaredError()(y_true, prediction)) == pytest.approx(5)
    assert float(losses.MeanSquaredError("sum")(y_true, prediction)) == pytest.approx(10)
    weighted = losses.MeanSquaredError("mean_with_sample_weight")
    assert float(weighted(y_true, prediction, np.array([3.0, 7.0, 1.0]))) == pytest.approx((3 + 9) / 4)
    prediction._keras_mask = np.zeros(3, bool)
    assert float(losses.MeanSquaredError()(y_true, prediction)) == 0


ERRORS = {
    "ctc labels": (lambda: losses.ctc(np.ones(3), np.zeros((3, 4, 2))), r"ctc: labels.*\(3,\)"),
    "ctc predictions": (lambda: losses.ctc(np.ones((3, 1)), np.zeros((3, 4))), r"ctc: predictions.*\(3, 4\)"),
    "ctc rows": (lambda: losses.ctc(np.ones((2, 1)), np.zeros((3, 4, 2))), r"ctc_loss.*\(2, 1\).*\(3, 4, 2\)"),
    "shapes": (lambda: losses.huber(np.zeros((3, 2)), np.zeros((3, 4))), r"huber: .*\(3, 2\).*\(3, 4\)"),
    "q": (lambda: losses.CategoricalGeneralizedCrossEntropy(1.0), "q must lie between 0 and 1.*1.0"),
    "label": (lambda: losses.categorical_generalized_cross_entropy([2], ROWS[:1], 0.5), "label 2.*0 to 1"),
    "labels": (lambda: losses.circle(np.zeros(3), ROWS), r"circle: y_true holds 3 labels.*\(2, 2\)"),
    "one class": (
        lambda: losses.categorical_focal_crossentropy(ROWS[:, :1], ROWS[:, :1]), "categorical_focal.*one class",
    ),
    "axis": (lambda: losses.categorical_crossentropy(ROWS, ROWS, axis=True), "axis must be a whole number, not True"),
    "weights": (lambda: losses.Hinge()(ROWS, ROWS, [1.0, 2.0, 3.0]), r"sample_weight of shape \(3,\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    wrong, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        wrong()
