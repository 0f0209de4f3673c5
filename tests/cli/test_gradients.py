"""The quick gradient check of a trained model: right gradients pass, a slightly wrong one is found and named."""

import numpy as np
import pytest

import minidl
from minidl.cli import networks
from minidl.cli.data import folders
from minidl.cli.gradients import check_gradients
from minidl.cli.job import Job
from minidl.layers import Dense, Flatten, Input, Layer


@minidl.custom_gradient
def slightly_wrong(x):
    return x, lambda upstream: 1.001 * upstream


class Wrong(Layer):
    """Hands on its input; its gradient is a thousandth too large."""

    def call(self, inputs):
        return slightly_wrong(inputs)


def compiled(layers):
    minidl.config.set_global_seed(0)
    model = minidl.Sequential([Input((6, 6, 1)), *layers])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


def samples():
    rng = np.random.default_rng(0)
    return rng.random((3, 6, 6, 1), np.float32), rng.integers(0, 3, 3)


@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_the_networks_of_the_commands_pass(network):
    minidl.config.set_global_seed(0)
    model = networks.NETWORKS[network]((20, 20, 3), 3)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    x = np.random.default_rng(0).random((2, 20, 20, 3), np.float32)
    before = model.get_weights()
    check = check_gradients(model, x, np.array([0, 2]))
    expected = [w.path.removeprefix(f"{model.name}/") for w in model.trainable_weights]
    assert check.passed and [name for name, _, _ in check.rows] == expected
    assert max(error for _, error, _ in check.rows) < 1e-6
    assert all(np.array_equal(a, b) and b.dtype == np.float32 for a, b in zip(before, model.get_weights(), strict=True))


def test_a_gradient_that_is_a_thousandth_off_is_found_where_it_is():
    layers = [
        Flatten(),
        Dense(5, activation="tanh", name="first"),
        Wrong(),
        Dense(3, activation="softmax", name="last"),
    ]
    check = check_gradients(compiled(layers), *samples())
    assert not check.passed
    verdicts = {name: passed for name, _, passed in check.rows}
    assert verdicts == {"first/kernel": False, "first/bias": False, "last/kernel": True, "last/bias": True}
    assert "first/kernel, first/bias" in check.summary.en and "last" not in check.summary
    np.testing.assert_allclose([error for name, error, passed in check.rows if not passed], 1e-3, rtol=0.7)


def test_a_failed_check_is_the_exit_code(make_folder, tmp_path, monkeypatch, capsys):
    def network(shape, classes):
        return minidl.Sequential(
            [Input(shape), Flatten(), Dense(classes), Wrong(), minidl.layers.Activation("softmax")]
        )

    monkeypatch.setitem(networks.NETWORKS, "mlp", network)
    data = folders(str(make_folder("pictures", 5)), None, (8, 8), 0)
    job = Job("t", data, "mlp", "adam", 0.01, 8, 1, 0, str(tmp_path / "out"), quiet=True)
    assert job.run() == 1
    assert "gradient check  FAILED" in capsys.readouterr().out
    assert 'class="verdict bad"' in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
