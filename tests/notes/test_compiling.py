"""What compile, fit, evaluate and predict are told, by strings. Rows 67 to 70, 72, 73, 94, 95."""

import inspect

import numpy as np
import pytest

import minidl as keras
from minidl import Sequential, optimizers
from minidl.layers import Dense, Identity, Input

RNG = np.random.default_rng(3)
X = RNG.normal(size=(70, 5)).astype("float32")
LABELS = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 0)


def classifier():
    return Sequential([Dense(16, activation="relu", input_shape=(5,)), Dense(3, activation="softmax")])


def handed_on(shape, **settings):
    """A model that predicts what it is given, so that a loss or metric can be computed by hand."""
    model = Sequential([Input(shape), Identity()])
    model.compile(**settings)
    return model


def test_67_strings():
    model = classifier()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    assert type(model.optimizer) is optimizers.SGD and float(model.optimizer.learning_rate) == pytest.approx(0.01)
    p = model.predict(X, verbose=0)
    expected = [-np.log(p[np.arange(70), LABELS]).mean(), (p.argmax(1) == LABELS).mean()]
    assert model.evaluate(X, LABELS, verbose=0) == pytest.approx(expected, rel=1e-5)


T, P = np.array([[1.0, 0.0], [0.0, 1.0]], "float32"), np.array([[0.75, 0.25], [0.375, 0.625]], "float32")
OFF = 0.25**2, 0.375**2  # the squares of the errors of both rows, which are alike within a row
LOG_COSH = np.log(np.cosh(0.25)), np.log(np.cosh(0.375))
LENGTHS = np.hypot(*P.T.astype("float64"))


@pytest.mark.parametrize(
    "name, expected",
    [
        ("mean_squared_error", np.mean(OFF)),
        ("mean_absolute_error", (0.25 + 0.375) / 2),
        ("mean_squared_logarithmic_error", np.mean(np.square(np.log1p(T) - np.log1p(P)))),
        ("squared_hinge", np.mean([0.25**2, 1.25**2, 1.375**2, 0.375**2])),  # labels 0 count as -1
        ("hinge", np.mean([0.25, 1.25, 1.375, 0.375])),
        ("categorical_hinge", np.mean([1 - 0.75 + 0.25, 1 - 0.625 + 0.375])),
        ("logcosh", np.mean(LOG_COSH)),
        ("huber_loss", np.mean(OFF) / 2),
        ("categorical_crossentropy", -np.log(0.75 * 0.625) / 2),
        ("binary_crossentropy", -np.log(0.75 * 0.625) / 2),
        ("kullback_leibler_divergence", -np.log(0.75 * 0.625) / 2),
        ("poisson", np.mean(P - T * np.log(P))),
        ("cosine_similarity", -np.mean([0.75 / LENGTHS[0], 0.625 / LENGTHS[1]])),
    ],
)
def test_68_losses(name, expected):
    found = handed_on((2,), loss=name, optimizer="sgd").evaluate(P, T, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5, abs=2e-6)  # abs: 0 log 0 is taken at 1e-7


def test_68_sparse_and_one_hot_labels_agree():
    model = classifier()
    scores = []
    for name, labels in (
        ("sparse_categorical_crossentropy", LABELS), ("categorical_crossentropy", keras.utils.to_categorical(LABELS))
    ):  # fmt: skip
        model.compile(loss=name, optimizer="sgd", metrics=["accuracy"])
        scores.append(model.evaluate(X, labels, verbose=0))
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)


@pytest.mark.parametrize(
    "kind, rate",
    [("SGD", 0.01), ("RMSprop", 0.001), ("Adagrad", 0.001), ("Adadelta", 0.001), ("Adam", 0.001), ("Adamax", 0.001),
     ("Nadam", 0.001)],
)  # fmt: skip
def test_69_optimizers(kind, rate):
    """Each by string, by object, and with a rate of its own; each lowers the loss."""
    assert float(getattr(optimizers, kind)().learning_rate) == pytest.approx(rate)
    for optimizer in (kind.lower(), getattr(optimizers, kind)(learning_rate=0.05)):
        model = classifier()
        model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
        losses = model.fit(X, LABELS, epochs=4, verbose=0).history["loss"]
        assert type(model.optimizer) is getattr(optimizers, kind) and losses[-1] < losses[0]


@pytest.mark.parametrize(
    "name, expected",
    [("mae", (0.25 + 0.375) / 2), ("mse", np.mean(OFF)), ("accuracy", 1.0), ("acc", 1.0), ("binary_accuracy", 1.0),
     ("categorical_accuracy", 1.0), ("top_k_categorical_accuracy", 1.0), ("mape", None)],
)  # fmt: skip
def test_70_metrics(name, expected):
    """The key in the history is the string as given."""
    if expected is None:
        expected = 100 * np.mean(np.abs(T - P) / np.maximum(T, 1e-7))
    model = handed_on((2,), loss="mse", optimizer="sgd", metrics=[name])
    assert model.evaluate(P, T, verbose=0, return_dict=True) == pytest.approx(
        {"loss": np.mean(OFF), name: expected}, rel=1e-5
    )


@pytest.mark.parametrize(
    "loss, labels, outputs, expected",
    [
        ("binary_crossentropy", np.array([0, 1, 1, 0]), np.array([[0.2], [0.6], [0.4], [0.9]]), 0.5),
        ("sparse_categorical_crossentropy", np.array([0, 2, 1]), np.eye(3)[[0, 2, 0]], 2 / 3),
        ("categorical_crossentropy", np.eye(3)[[0, 2, 1]], np.eye(3)[[0, 1, 1]], 2 / 3),
    ],
    ids=["two classes", "numbers", "one-hot"],
)
def test_70_accuracy_chooses_by_shapes(loss, labels, outputs, expected):
    model = handed_on(outputs.shape[1:], loss=loss, optimizer="sgd", metrics=["acc"])
    assert model.evaluate(outputs, labels, return_dict=True, verbose=0)["acc"] == pytest.approx(expected)


def test_72_fit_arguments():
    parameters = inspect.signature(keras.Model.fit).parameters
    assert parameters["epochs"].default == 1 and list(parameters)[1:3] == ["x", "y"]
    model = classifier()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    history = model.fit(X, LABELS, verbose=0)
    assert history.params == {"verbose": 0, "epochs": 1, "steps": 3}  # 70 in batches of 32
    assert int(model.optimizer.iterations) == 3
    history = model.fit(x=X, y=LABELS, epochs=2, batch_size=10, validation_data=(X[:20], LABELS[:20]), verbose=0)
    assert history.params["steps"] == 7 and int(model.optimizer.iterations) == 3 + 14
    last = {name.removeprefix("val_"): v[-1] for name, v in history.history.items() if name.startswith("val_")}
    assert model.evaluate(X[:20], LABELS[:20], return_dict=True, verbose=0) == pytest.approx(last, rel=1e-6)


def test_73_evaluate_and_predict_change_nothing():
    model = classifier()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    before = model.get_weights()
    loss = model.evaluate(X, LABELS, batch_size=7, verbose=0)
    p = model.predict(X, verbose=0)
    assert type(loss) is float and type(p) is np.ndarray and p.shape == (70, 3)
    assert loss == pytest.approx(-np.log(p[np.arange(70), LABELS]).mean(), rel=1e-5)
    np.testing.assert_allclose(model.predict(X[:1], verbose=0), p[:1], rtol=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_94_regression():
    """Several numbers at once: no activation at the end, as many units as numbers; relu where all are positive."""
    targets = np.stack([X[:, 0] + X[:, 1], X[:, 2] * X[:, 3] - 2], axis=1)
    model = Sequential([Dense(40, activation="relu", input_shape=(5,)), Dense(2)])
    model.compile(loss="mse", optimizer=optimizers.Adam(learning_rate=0.01), metrics=["mae"])
    model.fit(X, targets, epochs=150, verbose=0)
    assert model.evaluate(X, targets, verbose=0)[0] < 0.1 * targets.var(axis=0).mean()
    assert model.predict(X, verbose=0).min() < -1

    positive = Sequential([Dense(40, activation="relu", input_shape=(5,)), Dense(1, "relu", bias_initializer="ones")])
    positive.compile(loss="mse", optimizer=optimizers.Adam(learning_rate=0.01))
    lengths = np.abs(X[:, :1])
    positive.fit(X, lengths, epochs=150, verbose=0)
    assert positive.evaluate(X, lengths, verbose=0) < 0.2 * lengths.var() and positive.predict(X, verbose=0).min() >= 0


def test_95_classification():
    """One sigmoid unit for two classes, a softmax for more: the right answers, and shares that sum to 1."""
    two = Sequential([Dense(16, activation="relu", input_shape=(5,)), Dense(1, activation="sigmoid")])
    two.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(learning_rate=0.01), metrics=["accuracy"])
    two.fit(X, X[:, 0] > 0, epochs=60, verbose=0)
    assert two.evaluate(X, X[:, 0] > 0, verbose=0)[1] > 0.95
    more = classifier()
    more.compile(
        loss="sparse_categorical_crossentropy", optimizer=optimizers.Adam(learning_rate=0.01), metrics=["accuracy"]
    )
    more.fit(X, LABELS, epochs=80, verbose=0)
    assert more.evaluate(X, LABELS, verbose=0)[1] > 0.95
    np.testing.assert_allclose(more.predict(X, verbose=0).sum(axis=1), np.ones(70), rtol=1e-5)
