"""The forms in which data may be given, and how it becomes batches."""

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.data.arrays import Batches, standardize, unpack, validation_part

RNG = np.random.default_rng(9)
X, Y = RNG.normal(size=(11, 3)).astype("float32"), RNG.integers(0, 2, 11)


def fresh():
    x = layers.Input((3,), name="x")
    model = minidl.Model(x, layers.Dense(1, activation="sigmoid", kernel_initializer="ones", name="y")(x))
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


def trained_with(x, y, **options):
    model = fresh()
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, **options).history
    return [*model.get_weights(), np.array(list(history.values()))]


@pytest.mark.parametrize(
    "x, y",
    [
        (X, Y),
        (X.astype("float64"), Y.astype("float64")),
        (X.tolist(), Y.tolist()),
        (minidl.Tensor(X), minidl.Tensor(Y)),
        ([X], [Y]),
        ((X,), (Y,)),
        ({"x": X}, {"y": Y}),
        (X, Y[:, None]),
        (X, Y.astype(bool)),
        (X, Y.astype("uint8")),
        (np.asfortranarray(X), Y),
        (np.repeat(X, 2, axis=0)[::2], np.repeat(Y, 2)[::2]),
    ],
    ids=[
        "arrays", "float64", "lists of numbers", "tensors", "lists of arrays", "tuples", "by name", "columns",
        "booleans", "bytes", "column by column", "every second row",
    ],
)  # fmt: skip
def test_all_forms_train_alike(x, y):
    for one, other in zip(trained_with(x, y), trained_with(X, Y.astype("float32")[:, None]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("weight", [np.ones(11), [1.0] * 11, np.ones((11, 1)), [np.ones(11)], {"y": np.ones(11)}])
def test_weights_of_one_change_nothing(weight):
    for one, other in zip(trained_with(X, Y, sample_weight=weight), trained_with(X, Y), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_weight_of_zero_takes_a_sample_out_of_the_sum():
    model = fresh()
    weight = np.array([1.0] * 5 + [0.0] * 6)
    alone = model.evaluate(X[:5], Y[:5], verbose=0)[0]
    assert model.evaluate(X, Y, sample_weight=weight, batch_size=11, verbose=0)[0] == pytest.approx(alone * 5 / 11)


@pytest.mark.parametrize("data", [(X, Y), [X, Y], (X, Y, np.ones(11))], ids=["tuple", "list", "with weights"])
def test_validation_data(data):
    history = fresh().fit(X, Y, validation_data=data, verbose=0).history
    assert list(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_the_reported_loss_weighs_batches_by_their_size():
    model = fresh()
    whole = model.evaluate(X, Y, batch_size=11, verbose=0)
    assert model.evaluate(X, Y, batch_size=4, verbose=0) == pytest.approx(whole, rel=1e-6)


def test_validation_split_takes_the_last_part():
    (x, y, weights), (x_held, y_held, _) = validation_part(X, {"a": Y, "b": Y}, None, 0.3)
    assert len(x) == 7 and weights is None  # floor(11 * 0.7)
    np.testing.assert_array_equal(x_held, X[7:])
    np.testing.assert_array_equal(y["b"], Y[:7])
    np.testing.assert_array_equal(y_held["a"], Y[7:])


def test_batches():
    batches = Batches(X, Y, None, batch_size=4)
    assert len(batches) == 3
    sizes = [len(x) for x, _, _ in batches]
    assert sizes == [4, 4, 3] and all(weight is None for _, _, weight in batches)
    shuffled = Batches(X, Y, None, 4, shuffle=True, seed=minidl.random.SeedGenerator(1))
    rows = np.concatenate([x for x, _, _ in shuffled])
    assert sorted(rows[:, 0]) == sorted(X[:, 0]) and not np.array_equal(rows, X)
    again = np.concatenate([x for x, _, _ in shuffled])
    assert not np.array_equal(rows, again)  # a new order in every pass


def test_standardize():
    assert standardize([1.5, 2], "x").dtype == np.float32
    assert standardize(np.arange(3), "x").dtype == np.arange(3).dtype
    assert standardize(None, "x") is None
    nested = standardize({"a": [X, Y]}, "x")
    assert nested["a"][0] is X


def test_unpack():
    assert unpack(X)[0] is X and unpack(X)[1:] == (None, None)
    assert unpack((X, Y))[1] is Y and unpack((X, Y))[2] is None
    with pytest.raises(ValueError, match="tuple of 4"):
        unpack((X, Y, None, None))


def test_the_users_arrays_stay_as_they_are():
    x, y = X.copy(), Y.copy()
    model = fresh()
    model.fit(x, y, epochs=2, verbose=0)
    predictions = model.predict(x, verbose=0)
    predictions[:] = 0
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


def test_predictions_are_arrays_of_their_own():
    model = minidl.Sequential([layers.Input((3,)), layers.Flatten()])
    predictions = model.predict(X, batch_size=11, verbose=0)
    predictions[:] = 0
    assert X.any()
    on_batch = model.predict_on_batch(X)
    on_batch[:] = 0
    assert X.any()
