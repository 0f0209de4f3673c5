"""Metrics that users write: state, names, configurations, what is recorded, and what goes wrong."""

import copy

import numpy as np
import pytest

import minidl
from minidl import layers, metrics, ops, saving
from minidl.engine.op import is_recording

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = X[:, :1] * 2 - 1


class Largest(metrics.Metric):
    """The largest error, by ops; ``bound`` is an argument of its own."""

    def __init__(self, bound=1.0, **kwargs):
        super().__init__(**kwargs)
        self.bound = bound
        self.value = self.add_weight(name="value", initializer="zeros")
        self.batches = self.add_variable((2,), "zeros", dtype="int32", name="batches")

    def update_state(self, y_true, y_pred, sample_weight=None):
        assert not is_recording()
        self.value.assign(ops.maximum(self.value, ops.max(ops.abs(y_true - y_pred))))
        self.batches.assign_add([1, 2])

    def result(self):
        return self.value / self.bound

    def get_config(self):
        return {**super().get_config(), "bound": self.bound}


def test_state_is_counted_listed_and_reset():
    metric = Largest(bound=2.0, name="most")
    assert float(metric([1.0, 2.0] - np.zeros(2), np.array([0.0, -2.0]))) == 2.0
    metric.update_state(np.ones(2), np.zeros(2))
    assert [v.name for v in metric.variables] == ["value", "batches"] and metric.value.path == "most/value"
    assert metric.value.item() == 4.0 and metric.batches.numpy().tolist() == [2, 4]
    metric.reset_state()
    assert float(metric.result()) == 0 and metric.batches.numpy().tolist() == [0, 0]
    assert str(metric.batches.dtype) == "int32" and not metric.value.trainable


def test_configuration_and_names():
    minidl.utils.clear_session()
    first, second = Largest(), Largest(bound=3.0)
    assert (first.name, second.name) == ("largest", "largest_1")
    assert first.get_config() == {"name": first.name, "dtype": "float32", "bound": 1.0}
    again = Largest.from_config(second.get_config())
    assert again.bound == 3.0 and again.name == second.name
    config = metrics.serialize(second)
    assert metrics.deserialize(config, {"Largest": Largest}).bound == 3.0
    with saving.custom_object_scope({"Largest": Largest}):
        assert isinstance(metrics.get("Largest"), Largest)


def test_in_compile_and_in_a_file(tmp_path):
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Largest(bound=0.5)])
    history = model.fit(X, Y, verbose=0, epochs=2).history
    error = np.abs(model.predict(X, verbose=0) - Y).max()
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    name = next(name for name in history if name.startswith("largest"))
    assert found[name] == pytest.approx(error / 0.5, rel=1e-5)
    model.save(tmp_path / "m.keras")
    opened = saving.load_model(tmp_path / "m.keras", custom_objects={"Largest": Largest})
    assert opened.evaluate(X, Y, verbose=0, return_dict=True)[name] == found[name]


def test_a_mean_of_the_user():
    """As in books: attributes before super().__init__, and the mean counted by the class above."""

    class Huber(metrics.Mean):
        def __init__(self, threshold=1.0, name="huber", dtype=None):
            self.threshold = threshold
            super().__init__(name=name, dtype=dtype)

        def update_state(self, y_true, y_pred, sample_weight=None):
            error = ops.abs(y_true - y_pred)
            large = self.threshold * error - self.threshold**2 / 2
            super().update_state(ops.where(error < self.threshold, ops.square(error) / 2, large), sample_weight)

        def get_config(self):
            return {**super().get_config(), "threshold": self.threshold}

    metric = Huber(2.0)
    metric.update_state(np.array([[0.0], [0.0]]), np.array([[1.0], [4.0]]))
    metric.update_state(np.array([[0.0]]), np.array([[3.0]]))
    assert float(metric.result()) == pytest.approx((0.5 + 6.0 + 4.0) / 3)
    assert Huber.from_config(metric.get_config()).threshold == 2.0


def test_numpy_in_update_state_and_in_functions():
    class Spread(metrics.Metric):
        def __init__(self, name="spread", **kwargs):
            super().__init__(name=name, **kwargs)
            self.low, self.high = (self.add_weight(name=n, initializer="zeros") for n in ("low", "high"))

        def update_state(self, y_true, y_pred, sample_weight=None):
            values = ops.convert_to_numpy(y_pred)
            self.low.assign(min(self.low.numpy(), np.min(values)))
            self.high.assign(max(self.high.numpy(), values.max()))

        def result(self):
            return {"low": self.low, "high": self.high}

    def mean_error(y_true, y_pred):
        return np.mean(np.abs(y_true - y_pred), axis=-1)

    model = minidl.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[mean_error, lambda y_true, y_pred: ops.max(y_pred)])
    found = model.evaluate(X, Y, verbose=0, return_dict=True, batch_size=24)
    predicted = model.predict(X, verbose=0)
    assert found["mean_error"] == pytest.approx(np.abs(predicted - Y).mean(), rel=1e-5)
    assert found["lambda"] == pytest.approx(predicted.max(), rel=1e-5)
    spread = Spread()
    spread.update_state(Y, minidl.Tensor(predicted))
    assert spread.result()["high"].item() == pytest.approx(max(predicted.max(), 0))


def test_nothing_is_recorded():
    """Predictions of a graph are counted; the result belongs to no graph."""
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(1)])
    y_pred = model(X)
    assert y_pred.live()
    for metric in (Largest(), metrics.MeanSquaredError(), metrics.AUC(), metrics.PearsonCorrelation(axis=0)):
        assert not metric(Y, y_pred).live()


def test_metrics_inside_metrics_and_copies():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.one, self.own = metrics.Mean(), minidl.Variable(1.0, trainable=False)

        def update_state(self, values):
            self.one.update_state(values)

        def result(self):
            return self.one.result() + self.own

    metric = Both()
    assert float(metric([2.0, 4.0])) == 4.0 and len(metric.variables) == 3
    twin = copy.deepcopy(metric)
    metric.reset_state()
    assert float(metric.result()) == 0.0 and float(twin.result()) == 4.0


def test_how_books_of_keras_2_write_it():
    class Count(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.number = self.add_weight("number", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.number.assign_add(len(y_true))

        def result(self):
            return self.number

    metric = Count()
    assert f"{metric(Y, Y):.1f}" == "24.0" and metric.variables[0].name == "number"
    metric.reset_states()
    assert metric.result().numpy() == 0
    precision = metrics.Precision()
    precision([0, 1, 1, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1, 0, 1])
    assert precision([0, 1, 0, 0, 1, 0, 1, 1], [1, 0, 1, 1, 0, 0, 0, 0]).numpy() == 0.5


def test_smape_by_hand():
    """100 mean(|y - p| / max((|y| + |p|) / 2, epsilon)): 0 beside 0 is no error, 0 beside 1 is 200 %."""
    metric = metrics.SymmetricMeanAbsolutePercentageError()
    metric.update_state(np.array([[1.0, 0.0], [-2.0, 0.0]]), np.array([[3.0, 0.0], [2.0, 1.0]]))
    assert float(metric.result()) == pytest.approx((100 + 0 + 200 + 200) / 4)
    assert metric.get_config() == {"name": "symmetric_mean_absolute_percentage_error", "dtype": "float32"}
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["smape"])
    p = model.predict(X, verbose=0)
    wanted = 100 * np.mean(np.abs(Y - p) / ((np.abs(Y) + np.abs(p)) / 2))
    assert model.evaluate(X, Y, verbose=0)[1] == pytest.approx(wanted, rel=1e-5)


TWINS = {
    "MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error", "LogCoshError": "log_cosh",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error", "KLDivergence": "kl_divergence",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error", "Poisson": "poisson", "Hinge": "hinge",
    "SymmetricMeanAbsolutePercentageError": "symmetric_mean_absolute_percentage_error",
    "SquaredHinge": "squared_hinge", "CategoricalHinge": "categorical_hinge",
}  # fmt: skip


@pytest.mark.parametrize("name", TWINS)
def test_metrics_agree_with_the_losses_of_their_names(name):
    y_true, y_pred = np.abs(X), np.abs(np.roll(X, 1, axis=0)) + 0.1
    wanted = getattr(minidl.losses, TWINS[name])(y_true, y_pred)
    assert float(getattr(metrics, name)()(y_true, y_pred)) == pytest.approx(float(ops.mean(wanted)), rel=1e-5)


def test_which_way_is_better():
    better = {cls: getattr(cls, "_direction", None) for cls in (metrics.AUC, metrics.Recall, metrics.R2Score)}
    assert set(better.values()) == {"up"} and metrics.Mean.__dict__.get("_direction") is None
    assert metrics.Poisson()._direction == metrics.BinaryCrossentropy()._direction == "down"
    assert metrics.MeanMetricWrapper(minidl.losses.mean_squared_error)._direction == "down"


ERRORS = {
    "no super": (lambda: forgetful().result, RuntimeError, r"Forgetful: write super\(\).__init__"),
    "name": (lambda: metrics.Mean(name=3), TypeError, "name of a metric.*3"),
    "dtype": (lambda: metrics.Mean(dtype="floats"), ValueError, "dtype of a metric.*'floats'"),
    "unknown": (lambda: metrics.get("acuracy"), ValueError, "unknown metric 'acuracy'.*did you mean 'accuracy'"),
    "a number": (lambda: metrics.get(3), TypeError, "a metric is a name.*3"),
    "mse shapes": (lambda: metrics.MeanSquaredError()(X, Y[:3]), ValueError, r"squared.*\(24, 4\).*\(3, 1\)"),
    "labels": (
        lambda: metrics.SparseCategoricalAccuracy()(np.zeros((24, 4)), X), ValueError, r"labels of shape \(24, 4\)",
    ),
    "weights": (lambda: metrics.Mean()(np.ones(3), [1.0, 2.0]), ValueError, r"sample_weight of shape \(2,\).*\(3,\)"),
    "weights of precision": (
        lambda: metrics.Precision()([1, 0], [1, 0], [1.0, 2.0, 3.0]), ValueError, r"precision.*sample_weight.*\(3,\)",
    ),
    "precision shapes": (lambda: metrics.Precision()(X, Y), ValueError, r"precision.*\(24, 4\).*\(24, 1\)"),
    "thresholds": (lambda: metrics.Recall(thresholds=[0.5, 2]), ValueError, r"thresholds.*0 and 1.*\[2\]"),
    "class id": (lambda: metrics.Recall(class_id=1)([1, 0], [1, 0]), ValueError, r"class_id.*\(2,\)"),
    "curve": (lambda: metrics.AUC(curve="roc2"), ValueError, "curve.*'ROC', 'PR'.*'roc2'"),
    "summation": (lambda: metrics.AUC(summation_method="x"), ValueError, "summation_method.*interpolation.*'x'"),
    "num_thresholds": (lambda: metrics.AUC(num_thresholds=1), ValueError, "num_thresholds.*2.*1"),
    "num_labels": (lambda: metrics.AUC(num_labels=2), ValueError, "num_labels.*multi_label"),
    "multi label of rank 1": (lambda: metrics.AUC(multi_label=True)([1], [1.0]), ValueError, r"multi_label.*\(1,\)"),
    "specificity": (lambda: metrics.SensitivityAtSpecificity(2), ValueError, "specificity.*0 and 1.*2"),
    "recall": (lambda: metrics.PrecisionAtRecall(-1), ValueError, "recall.*0 and 1.*-1"),
    "average": (lambda: metrics.F1Score(average="mean"), ValueError, "average.*'micro'.*'mean'"),
    "beta": (lambda: metrics.FBetaScore(beta=1), ValueError, "beta must be a float above 0, not 1"),
    "f threshold": (lambda: metrics.F1Score(threshold=0.0), ValueError, "threshold.*0.0"),
    "f shapes": (lambda: metrics.F1Score()([1, 0], [1, 0]), ValueError, r"F1Score.*\(samples, classes\).*\(2,\)"),
    "f weights": (lambda: metrics.F1Score()(X, X, np.ones(3)), ValueError, r"f1_score.*\(3,\).*24"),
    "iou target": (lambda: metrics.IoU(2, [2]), ValueError, r"target_class_ids.*0 and 1.*\[2\]"),
    "iou sizes": (lambda: metrics.MeanIoU(2)([0, 1], [1]), ValueError, "2 true labels.*1 predicted"),
    "r2 shapes": (lambda: metrics.R2Score()([1.0], [1.0]), ValueError, r"R2Score.*\(1,\)"),
    "r2 aggregation": (lambda: metrics.R2Score("mean"), ValueError, "class_aggregation.*'mean'"),
    "r2 regressors": (lambda: metrics.R2Score(num_regressors=-1), ValueError, "num_regressors.*-1"),
    "no result": (lambda: metrics.Metric().result(), NotImplementedError, r"needs a method result\(self\)"),
}  # fmt: skip


def forgetful():
    class Forgetful(metrics.Metric):
        def __init__(self):
            self.total = self.add_weight(name="total")

    return Forgetful()


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    action, kind, message = ERRORS[name]
    with pytest.raises(kind, match=message):
        action()


def test_warnings():
    iou = metrics.MeanIoU(2)
    with pytest.warns(UserWarning, match="counts in int32, so the fractions"):
        iou.update_state([0, 1], [0, 1], [0.5, 1.5])
    assert iou.total_cm.numpy().tolist() == [[0, 0], [0, 1]]
    score = metrics.R2Score(num_regressors=5)
    score.update_state([[1.0], [2.0]], [[1.0], [2.0]])
    with pytest.warns(UserWarning, match="5 regressors leave nothing of 2 samples"):
        assert float(score.result()) == 1.0


def test_edges():
    """Nothing seen, nan, and a batch of nothing."""
    for metric in (metrics.F1Score(), metrics.R2Score(), metrics.AUC(multi_label=True), metrics.Mean(), metrics.Sum()):
        assert float(metric.result()) == 0.0
        metric.reset_state()
    mean = metrics.Mean()
    mean.update_state(np.zeros((0, 3)))
    mean.update_state([1.0, 3.0])
    assert float(mean.result()) == 2.0
    precision = metrics.Precision(thresholds=[0.2, 0.6])
    precision.update_state([1, 0], [np.nan, 0.7])
    assert precision.result().numpy().tolist() == [0.0, 0.0]
    top = metrics.SparseTopKCategoricalAccuracy(k=3)
    assert float(top([7, -1], np.ones((2, 3)))) == 0.0
    assert (
        str(metrics.Mean(dtype="int32")([2, 4]).dtype) == "float64" and metrics.Mean(dtype="float64").dtype == "float64"
    )
    assert "name=auc" in repr(metrics.AUC(name="auc"))
