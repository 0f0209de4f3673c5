"""Whole trainings on a device: `minidl demo`, CIFAR-10, and the steps of an MLP beside the same steps on the CPU.

On the device that needs no GPU the same tests have fewer pictures and narrower networks.
"""

import dataclasses

import numpy as np
import pytest

import minidl
from minidl import layers, models
from minidl.cli import data, main, networks
from minidl.datasets import image_folder
from tests import machines


@pytest.fixture(params=[machines.SIMULATED, machines.ON_GPU])
def device(request, monkeypatch):
    yield from machines.started(request.param, monkeypatch)


def tiny(shape, classes):
    """In the place of the demo's network: so narrow that a processor can do as if it were a GPU."""
    return models.Sequential([
        layers.Input(shape), layers.MaxPooling2D(4), layers.Conv2D(2, 3, activation="relu"), layers.Dropout(0.2),
        layers.Flatten(), layers.Dense(classes, activation="softmax"),
    ])  # fmt: skip


def part(whole, learnt, tested):
    """The first pictures."""
    return dataclasses.replace(
        whole, x_train=whole.x_train[:learnt], y_train=whole.y_train[:learnt],
        x_test=whole.x_test[:tested], y_test=whole.y_test[:tested],
    )  # fmt: skip


def test_the_demo(device, monkeypatch, tmp_path, capsys):
    if device.simulated:
        whole = data.fashion_mnist_subset()
        monkeypatch.setattr(data, "fashion_mnist_subset", lambda: part(whole, 192, 20))
        monkeypatch.setitem(networks.NETWORKS, "cnn", tiny)
    with minidl.device(device.name):
        assert main(["demo", "--out", str(tmp_path), "--epochs", "2"]) == 0
    said = capsys.readouterr().out
    assert "gradient check  passed" in said and (tmp_path / "report.html").stat().st_size > 10_000
    steps = 3 if device.simulated else 125  # of an epoch; the first two of all are not launched as a graph
    assert device.launches == 2 * steps - 2
    model = minidl.saving.load_model(tmp_path / "model.keras")  # on the CPU
    tested = data.fashion_mnist_subset()
    found = model.evaluate(tested.x_test[:20], tested.y_test[:20], verbose=0)
    expected = model.to(device.name).evaluate(tested.x_test[:20], tested.y_test[:20], verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    if not device.simulated:
        accuracy = float(said.split("test accuracy   ")[1].split()[0])
        assert accuracy > 0.8  # ten classes


def test_an_mlp_takes_the_same_steps(device):
    draw = np.random.default_rng(1)
    rows, labels = draw.standard_normal((32, 20)).astype("float32"), draw.integers(0, 4, 32)
    losses, weights = [], []
    for where in ("cpu", device.name):
        minidl.utils.set_random_seed(7)
        with minidl.device(where):
            model = models.Sequential([
                layers.Input((20,)), layers.Dense(16, "relu"), layers.BatchNormalization(), layers.Dropout(0.3),
                layers.Dense(4, "softmax"),
            ])  # fmt: skip
            model.compile(minidl.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
            losses.append([model.train_on_batch(rows, labels) for _ in range(12)])
        assert all(device.holds(v.data) == (where != "cpu") for v in model.weights)
        weights.append(model.get_weights())
    assert device.launches == 10  # from the third step on
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    for found, expected in zip(weights[1], weights[0], strict=True):
        machines.now.close(found, expected, 1e-4, 1e-4)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cifar_10_is_learnt(device, request):
    folder = request.getfixturevalue("cifar_folder" if device.simulated else "full_cifar_folder")
    x, y, _ = image_folder(folder / "train", (32, 32))
    x_test, y_test, _ = image_folder(folder / "test", (32, 32))
    make, epochs = (tiny, 3) if device.simulated else (networks.cnn, 8)
    few = slice(None, None, 25 if device.simulated else 1)
    minidl.utils.set_random_seed(0)
    with minidl.device(device.name):
        network = make((32, 32, 3), 10)
        model = models.Sequential([layers.Input((32, 32, 3)), layers.Rescaling(1 / 255), *network.layers])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        logs = model.fit(
            x[few], y[few], batch_size=128 if not device.simulated else 8, epochs=epochs, verbose=2,
            validation_data=(x_test[few], y_test[few]),
        ).history  # fmt: skip
    assert device.launches > 0 and all(np.isfinite(values).all() for values in logs.values())
    assert logs["loss"][-1] < logs["loss"][0]
    if not device.simulated:
        assert max(logs["val_accuracy"]) > 0.65
