"""The monitor's numbers are those of the steps; nets with a known trouble are told so; the page holds it all."""

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.visualize import (
    Activations,
    LearningRates,
    LossSurface,
    Page,
    Section,
    Step,
    TrainingMonitor,
    Words,
    dead_units,
    line_chart,
    saturation,
)
from minidl.visualize.findings import findings

SVG = "{http://www.w3.org/2000/svg}"


def data(n=8):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)).astype("float32"), rng.normal(size=(n, 1)).astype("float32")


def watched(model, x, y, every=1, epochs=1, batch_size=8):
    monitor = TrainingMonitor(every)
    model.fit(x, y, batch_size=batch_size, epochs=epochs, shuffle=False, verbose=0, callbacks=[monitor])
    return monitor


def test_gradients_and_updates_of_a_linear_model_are_those_on_paper():
    x, y = data()
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(1, name="line")])
    model.compile(minidl.optimizers.SGD(0.1), "mse")
    kernel, bias = model.get_weights()
    (step,) = watched(model, x, y).steps
    error = x @ kernel + bias - y
    slope = np.concatenate([(2 * x.T @ error / 8).ravel(), 2 * error.mean(0)])
    assert isinstance(step, Step) and step.number == 0
    np.testing.assert_allclose(step.gradients["line"], np.linalg.norm(slope), rtol=1e-5)
    np.testing.assert_allclose(step.weights["line"], np.linalg.norm(kernel), rtol=1e-5)  # the bias is 0
    np.testing.assert_allclose(step.updates["line"], 0.1 * np.linalg.norm(slope) / np.linalg.norm(kernel), rtol=1e-4)
    np.testing.assert_allclose(step.loss, np.mean(error**2), rtol=1e-5)
    one = step.activations["line"]
    assert isinstance(one, Activations) and one.counts.sum() == 8
    np.testing.assert_allclose([one.mean, one.std], [(x @ kernel).mean(), (x @ kernel).std()], rtol=1e-4)


def test_every_so_manieth_step_is_looked_at():
    x, y = data(40)
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    monitor = watched(model, x, y, every=3, epochs=2)
    assert [step.number for step in monitor.steps] == [0, 3, 6, 9]
    steps, norms = monitor.series("gradients")[model.layers[0].name]
    assert steps == [0, 3, 6, 9] and all(norm > 0 for norm in norms)


def test_training_is_the_same_with_and_without():
    def trained(*callbacks):
        minidl.utils.set_random_seed(0)
        model = minidl.Sequential([layers.Input((3,)), layers.Dense(5, "tanh"), layers.Dropout(0.3), layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(*data(40), epochs=2, verbose=0, callbacks=list(callbacks))
        assert "apply" not in vars(model.optimizer) and all("call" not in vars(one) for one in model.layers)
        return model.get_weights()

    for one, other in zip(trained(TrainingMonitor(2)), trained(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_frozen_layers_have_no_gradients_and_own_steps_are_seen():
    class Own(minidl.Sequential):
        def train_step(self, batch):
            x, y = batch
            with minidl.GradientTape() as tape:
                loss = minidl.ops.mean((self(x, training=True) - y) ** 2)
            grads = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
            return {"loss": loss}

    model = Own([layers.Input((3,)), layers.Dense(2, name="a", trainable=False), layers.Dense(1, name="b")])
    model.compile("sgd")
    (step,) = watched(model, *data()).steps
    assert set(step.gradients) == {"b"} and set(step.activations) == {"a", "b"}


def test_dead_and_saturated_shares_are_counted():
    values = np.array([[0.0, 0.0, 1.0, 0.0], [0.0, 2.0, 0.0, 0.0]])
    assert dead_units(values) == 0.5 and dead_units(values.reshape(2, 1, 1, 4)) == 0.5
    assert saturation(np.array([0.001, 0.5, 0.995, 0.98]), "sigmoid") == 0.5
    assert saturation(np.array([-0.99, 0.0, 0.97, 0.985]), "tanh") == 0.5
    assert saturation(values, "relu") is None


def told(model, x, y, **settings):
    return " ".join(words.en for words, _ in findings(watched(model, x, y, **settings).steps[-1]))


def deep(activation, std):
    start = minidl.initializers.RandomNormal(stddev=std, seed=0)
    hidden = [layers.Dense(20, activation, kernel_initializer=start, name=f"h{i}") for i in range(6)]
    model = minidl.Sequential([layers.Input((3,)), *hidden, layers.Dense(1, kernel_initializer=start, name="end")])
    model.compile(minidl.optimizers.SGD(0.01), "mse")
    return model


def test_known_troubles_are_named():
    x, y = data()
    assert "vanishing gradients: h0" in told(deep("sigmoid", 0.1), x, y)
    scalars = [layers.Dense(1, use_bias=False, name=name) for name in ("first", "last")]
    product = minidl.Sequential([layers.Input((1,)), *scalars])
    product.set_weights([np.array([[0.001]]), np.array([[20.0]])])
    product.compile(minidl.optimizers.SGD(1e-9), "mse")  # of b a x: the gradients of a and b are as b to a
    assert "exploding gradients: first gets 2e+04 times what last gets" in told(product, x[:, :1], y)
    assert re.search(r"h\d: \d+% of the activations are saturated", told(deep("tanh", 30.0), x, y))
    dead = minidl.Sequential([layers.Input((3,)), layers.Dense(4, "relu", name="dead"), layers.Dense(1)])
    dead.layers[0].set_weights([np.ones((3, 4)), np.full(4, -100.0)])
    dead.compile("sgd", "mse")
    assert "dead: 100% of the units are 0" in told(dead, x, y)
    line = minidl.Sequential([layers.Input((3,)), layers.Dense(1, name="line")])
    line.compile(minidl.optimizers.SGD(10.0), "mse")
    assert "line: a step changes the weights by" in told(line, x, y)
    with np.errstate(all="ignore"):
        line.compile(minidl.optimizers.SGD(1e30), "mse")
        assert "not finite" in told(line, x, y, epochs=4)


def test_a_healthy_net_gets_no_warning():
    minidl.utils.set_random_seed(0)
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(20, "relu"), layers.Dense(1)])
    model.compile(minidl.optimizers.SGD(0.01), "mse")
    assert told(model, *data()) == ""


@pytest.fixture
def page():
    minidl.utils.set_random_seed(0)
    x, y = data(40)
    model = minidl.Sequential(
        [layers.Input((3,)), layers.Dense(6, "sigmoid", name="a<b>"), layers.Dense(6, "relu"), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    monitor = watched(model, x, y, epochs=3)
    losses = np.array([2.0, 1.0, 0.5, 8.0])
    rates = LearningRates(np.array([0.1, 0.2, 0.4, 0.8]), losses, losses, 0.4, True)
    surface = LossSurface(np.array([-1.0, 0, 1]), np.arange(1.0, 10).reshape(3, 3), ([], []))
    return monitor.page(surface=surface, rates=rates)


def test_the_page_has_both_languages_and_no_foreign_markup(page, tmp_path):
    assert isinstance(page, Page) and len(page.sections) == 8 and isinstance(page.sections[0], Section)
    text = page.save(tmp_path / "page.html").read_text("utf-8")
    assert "What stands out" in text and "눈에 띄는 것" in text and "<b>" not in text and "a&lt;b&gt;" in text
    body = text.split("</style>")[1]
    assert body.count('lang="ko"') == body.count('lang="en"') > 40
    assert '<html lang="ko">' in page.render("ko") and "<script" not in text
    with pytest.raises(ValueError, match="language must be 'en' or 'ko', not 'de'"):
        page.render("de")


@pytest.mark.parametrize("width, dark, language", [(1280, False, "en"), (390, True, "ko")])
def test_the_page_in_a_browser(page, browse, tmp_path, width, dark, language):
    seen = browse(page.save(tmp_path / "page.html", language), probe=True, width=width, dark=dark)
    probe = seen.probe
    assert seen.console == [] and probe["cut"] == [] and probe["sideways"] <= 0


def test_without_steps_there_is_no_page():
    with pytest.raises(ValueError, match="no step was looked at yet"):
        TrainingMonitor().page()
    with pytest.raises(ValueError, match="every must be a whole number above 0, not 0"):
        TrainingMonitor(0)
    with pytest.raises(ValueError, match="not 'norm'"):
        TrainingMonitor().series("norm")


def path_of(chart):
    (path,) = ET.fromstring(str(chart)).iter(f"{SVG}path")
    return np.array([[float(v) for v in p.split(" ")] for p in re.split("[ML]", path.get("d"))[1:]])


def test_a_power_law_is_a_straight_line_on_logarithmic_axes():
    x = [0.01, 0.1, 1.0, 10.0]
    points = path_of(line_chart({"a": (x, [v**2 for v in x])}, title="t", log_x=True, log_y=True))
    np.testing.assert_allclose(np.diff(points, axis=0), np.diff(points, axis=0)[:1].repeat(3, 0), atol=0.02)


def test_equal_scales_keep_a_circle_round():
    angle = np.linspace(0, 2 * np.pi, 50)
    points = path_of(line_chart({"a": (3 * np.cos(angle), 3 * np.sin(angle))}, title="t", square=True))
    np.testing.assert_allclose(np.ptp(points[:, 0]), np.ptp(points[:, 1]), rtol=0.01)


def test_what_cannot_be_drawn_leaves_a_gap_or_is_an_error():
    chart = str(line_chart({"a": ([1, 2, 3, 4, 5], [1, 2, math.nan, 4, 5])}, title="t", up=Words("up", "위")))
    assert chart.count("M") == 2 and 'display="none"' in chart
    with pytest.raises(ValueError, match="at least one point"):
        line_chart({"a": ([1.0], [-1.0])}, title="t", log_y=True)
    with pytest.raises(ValueError, match="'a' has 1 x and 2 y values"):
        line_chart({"a": ([1.0], [1.0, 2.0])}, title="t")
