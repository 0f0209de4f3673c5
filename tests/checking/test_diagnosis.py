"""Planted faults are caught and named, right gradients of any style pass, and the report says where to look."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl import layers, ops
from minidl.checking import Diagnosis, Trajectory, diagnose, diagnose_initializer, diagnose_training, diagnose_update
from minidl.checking.diagnosis import CAUSES
from minidl.checking.diagnosis.messages import TEXTS, chosen_language
from minidl.testing import assert_gradients, assert_initializer, assert_training, assert_update
from tests.checking.judged import ALL_CORRECT, ALL_FAULTS, count, said

ROOT = Path(__file__).resolve().parents[2]


def forward(x, W, b):
    return x @ W + b, (x, W)


def backward(g, cache):
    x, W = cache
    dW = x.T @ g / len(x)
    return g @ W.T, dW, g.sum(axis=0)


def right_backward(g, cache):
    x, W = cache
    return g @ W.T, x.T @ g, g.sum(axis=0)


@pytest.fixture
def inputs():
    rng = np.random.default_rng(1)
    return [rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)]


@pytest.mark.parametrize("name", ALL_FAULTS)
def test_a_fault_is_caught_and_named(name):
    word, report = said(name, 0)
    assert word == "right", report


@pytest.mark.parametrize("name", ALL_CORRECT)
def test_a_right_gradient_passes(name):
    word, report = said(name, 0)
    assert word == "fine", report


def test_there_are_enough_of_them():
    assert len(ALL_FAULTS) >= 200 and len(ALL_CORRECT) >= 60
    assert {cause for fault in ALL_FAULTS.values() for cause in fault.causes} <= set(CAUSES)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_faults_over_seeds():
    counted, lines = count(ALL_FAULTS, range(1, 13))
    total = counted.total()
    assert counted["missed"] == 0 and counted["right"] >= 0.95 * total and counted["wrong"] <= 0.02 * total, (
        counted,
        lines,
    )


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_no_false_alarm_over_seeds():
    counted, lines = count(ALL_CORRECT, range(1, 26))
    assert set(counted) == {"fine"}, lines


# ---- the report ----


def test_the_report_names_gradient_scale_cause_and_line(inputs):
    report = diagnose(forward, inputs, backward=backward, language="en")
    assert not report.ok and not report and report.cause == "mean_for_sum" and report.confidence > 0.5
    (wrong,) = report.wrong
    assert wrong.leaf == "W" and wrong.alpha == pytest.approx(1 / 5) and wrong.residual < 1e-8
    assert wrong.cosine == pytest.approx(1) and len(wrong.worst) == 3
    for _, analytic, numeric, noise in wrong.worst:
        assert analytic == pytest.approx(numeric / 5) and 0 < noise < 1e-6
    assert report.smallest == "x (2, 4), W (4, 3), b (3,)"  # with one sample, mean and sum are the same
    file, number, code = report.line
    assert file == "test_diagnosis.py" and code == "dW = x.T @ g / len(x)"
    assert Path(__file__).read_text("utf-8").splitlines()[number - 1].strip() == code
    lines = str(report).splitlines()
    assert lines[0] == "forward: WRONG, the gradient of W" and len(lines) <= 9
    assert "mean over the batch where a sum was meant" in lines[-2] and code in lines[-1]


def test_the_report_in_korean(inputs):
    report = diagnose(forward, inputs, backward=backward, language="ko")
    assert str(report).startswith("forward: 틀렸습니다. W의 기울기가 맞지 않습니다")
    assert "합을 구해야 할 곳에서 배치 평균을 구했습니다" in str(report)
    right = diagnose(forward, inputs, backward=right_backward, language="ko")
    assert right.ok and str(right).startswith("forward: 맞습니다")


def test_every_text_is_there_in_both_languages():
    for english, korean in [*CAUSES.values(), *TEXTS.values()]:
        assert bool(english) == bool(korean)
        assert not english or any("가" <= letter <= "힣" for letter in korean) or "{" in korean
        assert not any("가" <= letter <= "힣" for letter in english)


def test_the_language_is_that_of_the_locale(monkeypatch):
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert chosen_language(None) == "ko" and chosen_language("en") == "en"
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert chosen_language(None) == "en"
    with pytest.raises(ValueError, match="'en', 'ko' or None, not 'fr'"):
        chosen_language("fr")


def test_what_nobody_thought_of_is_unknown(inputs):
    odd = diagnose(forward, inputs, backward=lambda g, c: (g @ c[1].T, np.cos(c[0].T @ g), g.sum(0)), language="en")
    assert odd.cause == "unknown" and "cause: unknown" in str(odd)


def test_a_gradient_of_another_shape(inputs):
    report = diagnose(forward, inputs, backward=lambda g, c: (g @ c[1].T, g.T @ c[0], g.sum(0)), language="en")
    assert report.cause == "transposed" and "W: has the shape (3, 4), expected (4, 3)" in str(report)


def test_the_pattern_of_wrong_elements(inputs):
    def slip(g, cache):
        dx, dW, db = right_backward(g, cache)
        dW[2] *= 1.5
        return dx, dW, db

    assert diagnose(forward, inputs, backward=slip, language="en").pattern == "index 2 of axis 0"
    leaky = diagnose(
        lambda x: (np.where(x > 0, x, 0.1 * x), x), inputs[0], backward=lambda g, x: g * (x > 0), language="en"
    )
    assert leaky.pattern == "where x < 0" and leaky.cause == "slope_missing"


def test_a_maker_is_asked_for_other_batches():
    def make(rng, batch):
        return [rng.normal(size=(batch, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)]

    def squeezed(g, cache):
        dx, dW, db = right_backward(g, cache)
        return dx, dW * (len(g) != 1), db

    assert diagnose(forward, make, backward=right_backward).ok
    report = diagnose(forward, make, backward=squeezed, language="en")
    assert not report.ok and report.smallest.startswith("x (1, 4)")


def test_what_minidl_makes_is_checked_too():
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert diagnose(layers.Dense(2, activation="tanh"), x).ok
    assert diagnose(ops.softmax, x).ok

    @minidl.op
    def cube(x):
        return x * x * x

    @cube.grad("x")
    def _(g, x):
        return 3 * x * x

    assert diagnose(cube, x).cause == "no_upstream"


@pytest.mark.parametrize("scale", [0.01, 1, 50])
@pytest.mark.parametrize("seed", range(6))
def test_units_that_are_zero_together_are_no_fault(seed, scale):
    """Zeros as inputs with zero biases: relu(x) - relu(-x) is x, yet ReLU's derivatives at 0 add up to 0."""
    minidl.utils.set_random_seed(seed)
    x = scale * np.random.default_rng(0).normal(size=(3, 4))
    model = minidl.Sequential([layers.Dense(3, activation="relu"), layers.Dense(2)])
    assert diagnose(model, x).ok
    pictures = scale * np.random.default_rng(seed).uniform(size=(2, 4, 4, 1))
    convolutions = [layers.Conv2D(2, 3, activation="relu"), layers.Conv2D(3, 1, activation="relu"), layers.Flatten()]
    assert diagnose(minidl.Sequential([*convolutions, layers.Dense(2)]), pictures).ok


def test_the_layer_stays_as_it_was():
    class Layer:
        def __init__(self):
            self.W = np.ones((2, 2), "float32")

        def forward(self, x):
            self.x = x
            return x @ self.W

        def backward(self, g):
            self.dW = self.x.T @ g
            return g @ self.W.T

    layer = Layer()
    assert diagnose(layer, np.random.default_rng(0).normal(size=(3, 2))).ok
    assert vars(layer).keys() == {"W"} and layer.W.dtype == np.float32 and (layer.W == 1).all()


def test_errors():
    with pytest.raises(TypeError, match="expected a function"):
        diagnose(3, np.ones(2))
    with pytest.raises(TypeError, match=r"must return \(y, cache\)"):
        diagnose(lambda x: x, np.ones(2), backward=lambda g, c: g)
    with pytest.raises(TypeError, match="nothing to differentiate"):
        diagnose(lambda x: (x, x), [np.arange(3)], backward=lambda g, c: g)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="two results"):
        diagnose(lambda x: (x * rng.random(), x), np.ones(3), backward=lambda g, c: g)
    with pytest.raises(ValueError, match="rule must be one of"):
        diagnose_update(lambda w, g: w, "lion")
    with pytest.raises(ValueError, match="rule must be one of"):
        diagnose_initializer(np.zeros, "ones")


def test_both_phases_are_checked():
    def dropped(x, training=True):
        mask = (np.random.rand(*x.shape) < 0.5) / 0.5 if training else np.ones_like(x)
        return x * mask, (mask, training)

    x = np.random.default_rng(0).normal(size=(4, 5))
    assert diagnose(dropped, x, backward=lambda g, c: g * c[0]).ok
    report = diagnose(dropped, x, backward=lambda g, c: g * c[0] * (1 if c[1] else 2))
    assert report.cause == "factor_two"
    assert diagnose(dropped, x, backward=lambda g, c: g * c[0] * (1 if c[1] else 2), training=True).ok


@pytest.mark.parametrize("epsilon", [1e-8, 1e-7])
@pytest.mark.parametrize("rule", ["adam", "rmsprop", "adagrad"])
def test_either_customary_epsilon_is_right(rule, epsilon):
    """That of the papers and courses, and that of Keras; where it is put wrongly, the cause is named with either."""

    def update(inside):
        def step(w, g, config):
            m, v, t = config or (np.zeros_like(w), np.zeros_like(w), 0)
            t += 1
            if rule == "adam":
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                top, square = m / (1 - 0.9**t), v / (1 - 0.999**t)
            else:
                top, v = g, (0.9 * v + 0.1 * g * g if rule == "rmsprop" else v + g * g)
                square = v
            bottom = np.sqrt(square + epsilon) if inside else np.sqrt(square) + epsilon
            return w - 0.01 * top / bottom, (m, v, t)

        return step

    assert diagnose_update(update(False), rule).ok
    assert diagnose_update(update(False), rule, epsilon=epsilon).ok
    assert not diagnose_update(update(False), rule, epsilon=1e-3).ok
    if rule == "adam":
        assert diagnose_update(update(True), rule).cause == "epsilon_inside"


# ---- assertions ----


def test_assertions_raise_with_the_report(inputs):
    report = assert_gradients(forward, inputs, backward=right_backward)
    assert isinstance(report, Diagnosis) and report.leaves == ["x", "W", "b"]
    with pytest.raises(AssertionError, match="mean over the batch where a sum was meant"):
        assert_gradients(forward, inputs, backward=backward, language="en")
    assert isinstance(assert_update(lambda w, g: w - 0.1 * g, "sgd", learning_rate=0.1), Trajectory)
    with pytest.raises(AssertionError, match="the sign of the step is wrong"):
        assert_update(lambda w, g: w + 0.01 * g, "sgd", language="en")
    he = assert_initializer(lambda i, o: np.random.randn(i, o) * np.sqrt(2 / i), "he_normal")
    assert he.ok
    with pytest.raises(AssertionError, match="fan_in and fan_out are mixed up"):
        assert_initializer(lambda i, o: np.random.randn(i, o) * np.sqrt(2 / o), "he_normal", language="en")


def test_assert_training():
    def loss(params, x, t):
        return float(np.mean((x @ params["w"] - t) ** 2))

    def train(params, batches, lr):
        for x, t in batches:
            params["w"] -= lr * 2 * x.T @ (x @ params["w"] - t) / len(x)

    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=3)}
    batches = [(rng.normal(size=(n, 3)), rng.normal(size=n)) for n in (4, 4, 2)]
    assert assert_training(train, loss, params, batches).steps == 1
    short = diagnose_training(lambda p, b, lr: train(p, b[:-1], lr), loss, params, batches, language="en")
    assert short.cause == "last_batch_lost" and "the last, smaller batch is left out" in str(short)
    with pytest.raises(AssertionError, match="틀렸습니다"):
        assert_training(lambda p, b, lr: None, loss, params, batches, language="ko")


@pytest.mark.slow
def test_a_check_is_quick(inputs):
    code = (
        "import time, numpy as np; start = time.perf_counter(); from minidl.checking import diagnose\n"
        "r = np.random.default_rng(0)\n"
        "x, W, b = r.normal(size=(5, 4)), r.normal(size=(4, 3)), r.normal(size=3)\n"
        "f, g = lambda x, W, b: (x @ W + b, (x, W)), lambda g, c: (g @ c[1].T, c[0].T @ g, g.sum(0))\n"
        "assert diagnose(f, [x, W, b], backward=g).ok; print(time.perf_counter() - start)"
    )
    paths = os.pathsep.join([str(ROOT), str(ROOT / "kernels")])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    times = []
    for _ in range(10):
        start = time.process_time()
        assert diagnose(forward, inputs, backward=right_backward).ok
        times.append(time.process_time() - start)
    print(f"cold {done.stdout.strip()} s, warm {min(times) * 1000:.0f} ms")
