"""Metrics in compile() and fit() against Keras: their names in histories, and their numbers over epochs."""

import pytest

from tests.parity.oracle import both, close, copy_weights, drawn, generator, libraries, same_logs

pytestmark = pytest.mark.oracle


def net(units, activation):
    """A small net of two layers."""
    return lambda k: k.Sequential(
        [k.Input((6,)), k.layers.Dense(8, activation="tanh"), k.layers.Dense(units, activation=activation)]
    )


def forked(k):
    """A net of two outputs, "one" (a probability) and "two" (of five classes)."""
    x = k.Input((6,))
    h = k.layers.Dense(8, activation="tanh")(x)
    outputs = [
        k.layers.Dense(1, activation="sigmoid", name="one")(h), k.layers.Dense(5, activation="softmax", name="two")(h)
    ]  # fmt: skip
    return k.Model(x, outputs)


# name: (net, targets, arguments of compile)
CASES = {
    "binary, as texts": (
        net(1, "sigmoid"), ("bits", (40, 1)),
        lambda k: {
            "loss": "binary_crossentropy",
            "metrics": ["accuracy", "Precision", "recall", "AUC", "auc", "bce", "hinge", "true_positives", "MSE"],
        },
    ),
    "binary, objects": (
        net(1, "sigmoid"), ("bits", (40, 1)),
        lambda k: {
            "loss": "bce",
            "metrics": [
                k.metrics.Precision(), k.metrics.Precision(thresholds=0.3), k.metrics.Recall(name="found"),
                k.metrics.AUC(curve="PR"), k.metrics.SpecificityAtSensitivity(0.5),
                k.metrics.F1Score("micro", threshold=0.5), k.metrics.BinaryIoU(), k.metrics.FalseNegatives(), "acc",
            ],
        },
    ),
    "sparse": (
        net(5, "softmax"), ("labels", (40,)),
        lambda k: {
            "loss": "sparse_categorical_crossentropy",
            "metrics": [
                "acc", "sparse_top_k_categorical_accuracy", k.metrics.SparseTopKCategoricalAccuracy(k=2, name="top2"),
                "sparse_categorical_crossentropy", k.metrics.MeanIoU(5, sparse_y_pred=False),
                k.metrics.sparse_categorical_accuracy,
            ],
        },
    ),
    "one hot": (
        net(5, "softmax"), ("one hot", (40, 5)),
        lambda k: {
            "loss": "categorical_crossentropy",
            "metrics": [
                "accuracy", "top_k_categorical_accuracy", "kl_divergence", "categorical_hinge", "auc",
                k.metrics.F1Score(average="macro"), k.metrics.OneHotMeanIoU(5), k.metrics.Precision(top_k=2),
                k.metrics.AUC(multi_label=True, name="each"),
            ],
        },
    ),
    "regression": (
        net(1, None), ("real", (40, 1)),
        lambda k: {
            "loss": "mse",
            "metrics": [
                "mae", "mape", "msle", "MAE", "root_mean_squared_error", "r2_score", "cosine_similarity",
                k.metrics.LogCoshError(), k.metrics.RootMeanSquaredError(name="rmse"), k.metrics.MeanSquaredError,
            ],
        },
    ),
    "weights": (
        net(1, "sigmoid"), ("bits", (40, 1)),
        lambda k: {
            "loss": "mse",
            "metrics": ["accuracy", "auc", k.metrics.Precision()],
            "weighted_metrics": ["accuracy", "AUC", k.metrics.Precision(), k.metrics.Recall(), "mae", "poisson"],
        },
    ),
    "two outputs": (
        forked, [("bits", (40, 1)), ("labels", (40,))],
        lambda k: {
            "loss": ["binary_crossentropy", "sparse_categorical_crossentropy"],
            "metrics": {"one": ["accuracy", k.metrics.AUC()], "two": ["accuracy"]},
            "weighted_metrics": [["mae", k.metrics.Precision()], ["acc"]],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_histories(name):
    make, targets, compiled = CASES[name]
    rng = generator(name)
    x = drawn("real", (40, 6), rng)
    y = [drawn(*one, rng) for one in targets] if isinstance(targets, list) else drawn(*targets, rng)
    weights = rng.uniform(0.1, 2, 40).astype("float32") if "weight" in str(compiled.__code__.co_consts) else None
    theirs, ours = both(make)
    copy_weights(theirs, ours, name)
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(k.optimizers.SGD(0.1), **compiled(k))
    fit = {"batch_size": 12, "epochs": 3, "shuffle": False, "verbose": 0, "sample_weight": weights}
    wanted = theirs.fit(x, y, validation_split=0.2, **fit).history
    found = ours.fit(x, y, validation_split=0.2, **fit).history
    same_logs(dict(sorted(found.items())), dict(sorted(wanted.items())), 2e-5)
    arguments = {"batch_size": 12, "verbose": 0, "sample_weight": weights}
    if name != "weights":  # of two of a name, Keras lists the first twice
        close(ours.evaluate(x, y, **arguments), theirs.evaluate(x, y, **arguments), "evaluate", 2e-5)


def test_metrics_of_the_user():
    """The HuberMetric of Hands-On Machine Learning, chapter 12, and a plain function, here and there."""

    def create_huber(k, threshold):
        def huber_fn(y_true, y_pred):
            error = y_true - y_pred
            small = k.ops.abs(error) < threshold
            return k.ops.where(small, k.ops.square(error) / 2, threshold * k.ops.abs(error) - threshold**2 / 2)

        return huber_fn

    def huber_metric(k):
        class HuberMetric(k.metrics.Metric):
            def __init__(self, threshold=1.0, **kwargs):
                super().__init__(**kwargs)
                self.threshold = threshold
                self.huber_fn = create_huber(k, threshold)
                self.total = self.add_weight(name="total", initializer="zeros")
                self.count = self.add_weight(name="count", initializer="zeros")

            def update_state(self, y_true, y_pred, sample_weight=None):
                sample_metrics = self.huber_fn(y_true, y_pred)
                self.total.assign_add(k.ops.sum(sample_metrics))
                self.count.assign_add(k.ops.shape(y_true)[0])

            def result(self):
                return self.total / self.count

            def get_config(self):
                return {**super().get_config(), "threshold": self.threshold}

        return HuberMetric(2.0)

    theirs, ours = both(net(1, None))
    copy_weights(theirs, ours)
    rng = generator("user")
    x, y = drawn("real", (40, 6), rng), drawn("large", (40, 1), rng) / 10
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile("sgd", "mse", metrics=[huber_metric(k), create_huber(k, 1.5), "mae"])
    fit = {"batch_size": 12, "epochs": 3, "shuffle": False, "verbose": 0}
    wanted = theirs.fit(x, y, **fit).history
    found = ours.fit(x, y, **fit).history
    assert list(found) == ["huber_fn", "huber_metric", "loss", "mae"]
    same_logs(found, wanted, 2e-5)
