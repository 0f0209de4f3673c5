"""Transfer learning with the listing of the notes. Rows 3, 4, 6 to 24."""

from types import SimpleNamespace

import numpy as np
import pytest

import minidl as keras
from tests.notes.transfer import full_data, transfer_learning


class Album:
    """Copies of the weights at the places that the listing passes."""

    def __init__(self):
        self.weights, self.trainable, self.models = {}, {}, {}

    def __call__(self, place, model):
        self.weights[place] = [w.copy() for w in model.get_weights()]
        self.trainable[place] = len(model.trainable_weights)
        self.models[place] = model


def run(data, folder, seed=42) -> SimpleNamespace:
    keras.utils.clear_session()
    album = Album()
    names = transfer_learning(data, str(folder / f"my_model_A_{seed}.keras"), seed, album)
    return SimpleNamespace(**vars(names), at=album.weights, trained=album.trainable)


@pytest.fixture(scope="module")
def listing(pictures, tmp_path_factory):
    """The listing, as it stands, on the pictures that minidl carries."""
    return run(pictures, tmp_path_factory.mktemp("listing"))


def equal(one, other):
    return [np.array_equal(a, b) for a, b in zip(one, other, strict=True)]


@pytest.mark.slow
def test_3_global_seed(pictures, tmp_path):
    few = tuple((x[:300], y[:300]) for x, y in pictures)
    first, again, other = run(few, tmp_path), run(few, tmp_path), run(few, tmp_path, seed=43)
    assert all(equal(first.saved.get_weights(), again.saved.get_weights())) and first.score_B == again.score_B
    assert first.history.history == again.history.history
    assert not any(equal(first.saved.get_weights(), other.saved.get_weights()))


def test_4_6_sequential_and_flatten(listing):
    model_A = listing.saved
    assert [type(layer).__name__ for layer in model_A.layers] == ["Flatten", "Dense", "Dense", "Dense", "Dense"]
    assert model_A.layers[0].output.shape == (None, 784) and model_A.input_shape == (None, 28, 28)
    assert model_A.count_params() == 784 * 100 + 100 + 2 * (100 * 100 + 100) + 100 * 8 + 8
    assert len(listing.at["new"]) == 8  # built before any data was seen


def test_7_he_normal(listing):
    kernels, biases = listing.at["new"][0:6:2], listing.at["new"][1:6:2]
    for kernel, bias in zip(kernels, biases, strict=True):
        expected = np.sqrt(2 / len(kernel))
        assert kernel.std() == pytest.approx(expected, rel=0.03) and not bias.any()
        assert np.abs(kernel).max() <= 2 * expected / 0.87962566 + 1e-6  # cut at two sigma of the wider normal


def test_8_9_outputs(listing, pictures):
    _, _, (X_test, _) = pictures
    of_A = listing.saved.predict(X_test)
    assert of_A.shape == (2000, 8)
    np.testing.assert_allclose(of_A.sum(axis=1), np.ones(2000), rtol=1e-5)
    of_B = listing.model_B_on_A.predict(X_test)
    assert of_B.shape == (2000, 1) and 0 < of_B.min() < 0.5 < of_B.max() < 1


def test_10_11_13_losses_and_accuracy_from_the_definition(listing):
    """Labels (n,) or (n, 1) for the classes; (n,) against outputs (n, 1) for the two."""
    X, y = listing.X_test_A, listing.y_test_A
    p = listing.saved.predict(X, verbose=0).astype("float64")
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    assert listing.score_A == pytest.approx([loss, (p.argmax(1) == y).mean()], rel=1e-5)
    assert listing.saved.evaluate(X, y[:, None], verbose=0) == pytest.approx(listing.score_A, rel=1e-6)
    t, p = listing.y_test_B, listing.model_B_on_A.predict(listing.X_test_B, verbose=0)[:, 0].astype("float64")
    loss = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    assert listing.score_B == pytest.approx([loss, ((p > 0.5) == t).mean()], rel=1e-5)


def test_12_sgd():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=[1], kernel_initializer="ones")])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.001))
    x, y = np.array([[1.0], [3.0]], "float32"), np.array([[2.0], [-1.0]], "float32")
    model.train_on_batch(x, y)  # errors -1 and 4: dL/dw = 2 * mean(-1, 12) = 11, dL/db = 2 * mean(-1, 4) = 3
    np.testing.assert_allclose([w.item() for w in model.get_weights()], [1 - 0.011, -0.003], rtol=1e-6)


def test_14_15_history(listing):
    history, steps = listing.history_A, -(-len(listing.X_train_A) // 32)
    assert type(history) is keras.callbacks.History and history.epoch == list(range(20))
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.params == {"verbose": 1, "epochs": 20, "steps": steps}
    assert all(len(values) == 20 and type(values[0]) is float for values in history.history.values())
    losses = history.history["loss"]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] / 2


def test_16_17_saved_and_loaded(listing):
    """The loaded model says the same, is compiled, and its optimizer goes on counting."""
    again = keras.models.load_model(listing.path)
    np.testing.assert_array_equal(again.predict(listing.X_test_A), listing.saved.predict(listing.X_test_A))
    assert again.evaluate(listing.X_test_A, listing.y_test_A, verbose=0) == pytest.approx(listing.score_A, rel=1e-6)
    steps = 20 * listing.history_A.params["steps"]
    assert int(again.optimizer.iterations) == steps and float(again.optimizer.learning_rate) == pytest.approx(0.001)
    again.train_on_batch(listing.X_train_A[:32], listing.y_train_A[:32])
    assert int(again.optimizer.iterations) == steps + 1


@pytest.mark.oracle
def test_16_keras_opens_model_A(listing):
    import keras as oracle

    opened = oracle.models.load_model(listing.path)
    expected = opened.predict(listing.X_test_A[:100], verbose=0)
    np.testing.assert_allclose(listing.saved.predict(listing.X_test_A[:100], verbose=0), expected, rtol=0, atol=1e-5)


def test_18_layers_are_reused(listing):
    """The same objects: what trains B changes the loaded A, and not the A that was saved."""
    for layer, reused in zip(listing.model_A.layers[:-1], listing.model_B_on_A.layers[:-1], strict=True):
        assert layer is reused
    assert not any(equal(listing.model_A.get_weights()[:6], listing.saved.get_weights()[:6]))
    assert all(equal(listing.model_A.get_weights()[6:], listing.saved.get_weights()[6:]))


def test_19_20_clone(listing):
    """clone_model copies the structure only; set_weights the rest; then each goes its own way."""
    saved, clone = listing.saved, listing.model_A_clone
    assert [layer.name for layer in clone.layers] == [layer.name for layer in saved.layers]
    assert not any(equal(listing.at["cloned"][::2], saved.get_weights()[::2]))
    np.testing.assert_array_equal(clone.predict(listing.X_test_A), saved.predict(listing.X_test_A))

    before = saved.get_weights()
    model_B_on_A = keras.Sequential(clone.layers[:-1])
    model_B_on_A.add(keras.layers.Dense(1, activation="sigmoid", name="of_B"))  # the session is new: "dense" is taken
    model_B_on_A.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(learning_rate=0.001))
    model_B_on_A.fit(listing.X_train_B, listing.y_train_B)
    assert all(equal(saved.get_weights(), before)) and not any(equal(clone.get_weights()[:6], before[:6]))


def test_21_23_frozen_and_then_not(listing, capsys):
    frozen, after_4, after_20 = (listing.at[place] for place in ("frozen", "after 4 epochs", "after 20 epochs"))
    # 0 at first: the layers of a loaded model bring no input shape, so fit builds the new layer
    assert listing.trained == {"new": 8, "cloned": 8, "frozen": 0, "after 4 epochs": 2, "after 20 epochs": 8}
    assert equal(frozen, after_4[:6]) == [True] * 6  # not one bit
    assert equal(after_4, after_20) == [False] * 8
    assert len(listing.history_frozen.epoch) == 4 and len(listing.history.epoch) == 16

    for layer in listing.model_A_clone.layers[:-1]:
        layer.trainable = False
    listing.model_A_clone.summary()
    printed = capsys.readouterr().out
    listing.model_A_clone.trainable = True
    assert "98,700" in printed.partition("Non-trainable params")[2] and "808" in printed.partition("Trainable")[2]


def test_22_flags_wait_for_compile(listing):
    model = keras.Sequential([keras.layers.Dense(3, input_shape=[4]), keras.layers.Dense(1)])
    x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
    model.compile(loss="mse", optimizer="sgd")

    def which_move():
        before = model.get_weights()
        model.fit(x, y, verbose=0)
        return [not same for same in equal(before, model.get_weights())]

    model.layers[0].trainable = False
    assert which_move() == [True] * 4
    model.compile(loss="mse", optimizer="sgd")
    assert which_move() == [False, False, True, True]


def test_24_evaluate(listing):
    """A learns from 5,600 pictures instead of 44,000, at the listing's own rate, so less than the notes report."""
    assert type(listing.score_B) is list and all(type(value) is float for value in listing.score_B)
    assert listing.score_A[1] > 0.7 and listing.score_B[1] > 0.6


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_24_the_numbers_of_the_notes(tmp_path):
    """All of Fashion-MNIST, two seeds: A is right in 88.5 % or more, B in 90 % or more, having seen 200 pictures."""
    data = full_data()
    if data is None:
        pytest.skip("the full Fashion-MNIST is not here")
    scores = []
    for seed in (42, 0):
        one = run(data, tmp_path, seed)
        assert equal(one.at["frozen"], one.at["after 4 epochs"][:6]) == [True] * 6
        assert all(equal(one.model_A_clone.get_weights(), one.saved.get_weights()))
        scores.append((one.score_A[1], one.score_B[1]))
    of_A, of_B = np.mean(scores, axis=0)
    assert of_A >= 0.885 and of_B >= 0.90, scores
