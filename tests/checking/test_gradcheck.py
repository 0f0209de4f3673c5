"""gradcheck: catches planted faults, raises no false alarm, and says what it found."""

import numpy as np
import pytest

import minidl
from minidl import ops
from minidl.checking import gradcheck
from minidl.engine import GradientTape, Tensor, Variable
from minidl.ops import custom_gradient, stop_gradient

RNG = np.random.default_rng(0)
X, W, SQUARE = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 5)), RNG.normal(size=(3, 3))
TIED = np.array([[1.0, 3.0, 3.0], [0.0, 0.0, -1.0]])


def wrong(forward, gradient):
    """A function whose gradient is given by hand."""
    return custom_gradient(lambda *xs: (forward(*xs), lambda g: gradient(g, *xs)))


def _softmax(x):
    return ops.exp(x) / ops.sum(ops.exp(x), axis=-1, keepdims=True)


def _row_maximum(x):
    return ops.max(x, axis=1, keepdims=True)


def _winners(x):
    return ops.cast(x == _row_maximum(x), "float64")


def _ties(x):
    return ops.sum(_winners(x), axis=1, keepdims=True)


FAULTS = {
    "sign": (wrong(ops.sin, lambda g, x: -g * ops.cos(x)), [X]),
    "half": (wrong(ops.square, lambda g, x: g * x), [X]),
    "three percent": (wrong(ops.exp, lambda g, x: g * ops.exp(x) * 1.03), [X]),
    "one millionth in one element": (wrong(ops.exp, lambda g, x: g * ops.exp(x) * (1 + 1e-5 * np.eye(4, 3))), [X]),
    "upstream gradient ignored": (wrong(ops.exp, lambda g, x: ops.exp(x)), [X]),
    "sign of the upstream gradient ignored": (wrong(ops.exp, lambda g, x: abs(g) * ops.exp(x)), [X]),
    "transposed": (wrong(lambda a: ops.matmul(SQUARE, a), lambda g, a: ops.matmul(SQUARE, g)), [SQUARE]),
    "mean not divided": (wrong(lambda x: ops.mean(x, axis=0), lambda g, x: g + 0 * x), [X]),
    "divided by the wrong count": (wrong(lambda x: ops.mean(x, axis=0), lambda g, x: g / 3 + 0 * x), [X]),
    "sum over the batch missing": (wrong(lambda b: b + X, lambda g, b: g[0]), [X[0]]),
    "only the diagonal of softmax' Jacobian": (
        wrong(_softmax, lambda g, x: g * _softmax(x) * (1 - _softmax(x))), [X]),
    "derivative of tanh at the output": (wrong(ops.tanh, lambda g, x: g * (1 - ops.tanh(ops.tanh(x)) ** 2)), [X]),
    "mask of relu from the gradient": (wrong(ops.relu, lambda g, x: g * ops.cast(g > 0, g.dtype)), [X]),
    "statistics taken as constants": (
        lambda x: (x - stop_gradient(ops.mean(x, axis=0))) / stop_gradient(ops.std(x, axis=0)), [X]),
    "variance taken as constant": (
        lambda x: (x - ops.mean(x, axis=0)) / stop_gradient(ops.std(x, axis=0)), [X]),
    "rows in the wrong order": (wrong(lambda x: x * 1, lambda g, x: g[::-1]), [X]),
    "= for +=": (wrong(lambda x: x[0] * x[0] + x[1], lambda g, x: ops.stack([g * x[0], g])), [X[:2]]),
    "one channel": (wrong(ops.exp, lambda g, x: g * ops.exp(x) * np.array([1, 1, 0])), [X]),
    "ties lose their gradient": (wrong(_row_maximum, lambda g, x: g * _winners(x) * (_ties(x) == 1)), [TIED]),
    "ties get their gradient twice": (wrong(_row_maximum, lambda g, x: g * _winners(x)), [TIED]),
    "cut from the graph": (lambda x, w: ops.matmul(stop_gradient(x), w), [X, W]),
    "overflow": (lambda x: ops.log(ops.sum(ops.exp(x * 1000.0))), [np.abs(X)]),
    "not a number": (wrong(ops.exp, lambda g, x: g * np.nan), [X]),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_planted_faults_are_caught(name):
    f, inputs = FAULTS[name]
    for seed in range(5):
        report = gradcheck(f, inputs, seed=seed, raise_on_failure=False)
        assert not report.ok, report


def _by_first_tie(x):
    return ops.take_along_axis(x, ops.expand_dims(ops.argmax(x, axis=1), 1), axis=1)


RIGHT = {
    "smooth": (lambda x, w: ops.tanh(ops.matmul(x, w)), [X, W]),
    "linear": (lambda x: x * 3.0, [X]),
    "constant": (lambda x: x * 0.0, [X]),
    "relu, its gradient 1 at 0": (wrong(ops.relu, lambda g, x: g * ops.cast(x >= 0, g.dtype)), [TIED]),
    "relu, its gradient 0 at 0": (ops.relu, [TIED]),
    "abs at 0": (ops.abs, [TIED]),
    "maximum, ties shared": (_row_maximum, [TIED]),
    "maximum, the first tie wins": (_by_first_tie, [TIED]),
    "two inputs tied": (ops.maximum, [X, X]),
    "clip at its limits": (lambda x: ops.clip(x, 0.0, 3.0), [TIED]),
    "everything at a kink": (ops.relu, [np.zeros((4, 3))]),
    "large logits": (lambda x: ops.logsumexp(x, axis=1), [1000 * X]),
    "saturated": (lambda x: ops.sigmoid(x), [40 + 100 * np.abs(X)]),
    "tiny values": (lambda x: ops.log(x), [1e-3 * np.abs(X) + 1e-4]),
    "huge values": (lambda x: ops.square(x), [1e8 * X]),
    "float32 inside": (lambda x, w: ops.tanh(ops.matmul(ops.cast(x, "float32"), ops.cast(w, "float32"))), [X, W]),
    "float32 inside, float64 outside": (lambda x: ops.cast(ops.exp(ops.cast(x, "float32")), "float64"), [X]),
    "cancellation": (lambda x: ops.sum(x + 1e6) - 1e6 * 12, [X]),
    "a number": (lambda x: ops.exp(x), [1.5]),
    "nothing": (lambda x: ops.exp(x), [np.zeros((0, 3))]),
    "unused input": (lambda x, w: ops.exp(x), [X, W]),
    "strided": (lambda x: ops.exp(x), [np.asfortranarray(RNG.normal(size=(6, 8)))[::2, ::-3]]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_no_false_alarm(name):
    f, inputs = RIGHT[name]
    for seed in range(5):
        assert gradcheck(f, inputs, seed=seed).ok


@pytest.mark.parametrize("name", ["smooth", "relu, its gradient 0 at 0", "large logits", "float32 inside"])
def test_no_flake(name):
    f, inputs = RIGHT[name]
    rng = np.random.default_rng(1)
    for seed in range(25):
        fresh = [a if np.ndim(a) == 0 else rng.permuted(a).reshape(a.shape) * rng.uniform(0.5, 1.5) for a in inputs]
        assert gradcheck(f, fresh, seed=seed).ok


def test_smooth_functions_are_right_to_ten_digits():
    report = gradcheck(lambda x, w: ops.softmax(ops.matmul(x, w)), [X, W])
    for one in report.inputs:
        assert one.max_error < 1e-9 and one.norm_error < 1e-9 and one.kinks == 0
        assert [one.cosine, one.alpha] == pytest.approx([1, 1], abs=1e-9) and one.residual < 1e-9
        assert one.slope == pytest.approx(2, abs=0.1)


def test_the_numbers_of_a_wrong_gradient():
    report = gradcheck(wrong(ops.exp, lambda g, x: g * ops.exp(x) * 1.03), X, raise_on_failure=False)
    one = report["input 0"]
    assert (one.alpha, one.slope) == (pytest.approx(1.03, abs=1e-8), pytest.approx(1, abs=0.05))
    assert one.residual < 1e-8 and one.norm_error == pytest.approx(0.03, abs=1e-8)
    worst = one.worst
    assert len(worst) == 3 and worst[0].error >= worst[1].error >= worst[2].error
    assert worst[0].analytic / worst[0].numeric == pytest.approx(1.03) and worst[0].noise < 1e-7
    assert 0.5 < abs(worst[0].numeric) / np.exp(X[worst[0].place]) < 1.5  # the upstream gradient


def test_kinks_are_reported_with_their_interval():
    report = gradcheck(ops.relu, TIED)
    assert report["x"].kinks >= 2
    at_zero = [p for p in report["x"].elements if p.place in ((1, 0), (1, 1))]
    assert all(p.low < p.high and 0 in (round(p.low, 6), round(p.high, 6)) for p in at_zero)
    outside = wrong(ops.relu, lambda g, x: g * (ops.cast(x > 0, g.dtype) + ops.cast(x == 0, g.dtype) * 1.5))
    assert not gradcheck(outside, TIED, raise_on_failure=False).ok


def test_failure_raises_a_readable_report():
    def sine(x):
        return wrong(ops.sin, lambda g, x: -g * ops.cos(x))(x)

    with pytest.raises(AssertionError) as error:
        gradcheck(sine, X)
    text = str(error.value)
    assert text.startswith("gradcheck of sine: WRONG (x)\n  x (4, 3): WRONG, error 2 of the largest; 12 elements")
    assert "12 of 12 elements are off; norm error 2, cosine -1.0000, best scale -1 leaves" in text
    assert text.count("    at (") == 3 and "analytic" in text and len(text.splitlines()) <= 8


def test_a_lost_gradient_says_so():
    report = gradcheck(lambda x, w: ops.matmul(stop_gradient(x), w), [X, W], raise_on_failure=False)
    assert not report["x"].ok and report["w"].ok
    assert "no gradient arrives here, although f depends on it" in str(report)


def test_several_outputs_and_whole_number_inputs():
    def f(x, labels):
        return {"loss": ops.softmax_cross_entropy_composed(x, labels), "rest": [ops.exp(x), ops.argmax(x)]}

    report = gradcheck(f, [X, np.array([0, 2, 1, 1])])
    assert [one.name for one in report.inputs] == ["x"]


def test_variables_as_inputs_come_back_as_they_were():
    v = Variable(X, dtype="float32", name="kernel")
    before = v.data
    report = gradcheck(lambda a: ops.exp(a) * v, [v])
    assert report.ok and v.data is before and v.dtype == "float32"


@pytest.mark.parametrize("size", [(90, 170)])
def test_large_inputs_are_checked_along_directions(size):
    x = RNG.normal(size=size)
    report = gradcheck(ops.sin, x)
    assert len(report["x"].elements) == 64 and len(report["x"].directions) >= 5 + 6 + 1
    last_row, corner, one = np.ones(size), np.ones(size), np.ones(size)
    last_row[-1] = 0.9
    corner[0, -1] = 0.9
    one[17, 133] = 0.9
    for factor in (last_row, corner, one):
        assert not gradcheck(wrong(ops.sin, lambda g, x, f=factor: g * ops.cos(x) * f), x, raise_on_failure=False).ok


SECOND_ORDER_FAULTS = {
    "the rule uses a constant": lambda x: wrong(ops.exp, lambda g, x: g * np.exp(x.numpy()))(x),
    "the upstream gradient is cut": lambda x: wrong(ops.exp, lambda g, x: stop_gradient(g) * ops.exp(x))(x),
    "right value, wrong derivative": lambda x: wrong(
        ops.exp, lambda g, x: g * wrong(ops.exp, lambda g, x: 2 * g * ops.exp(x))(x))(x),
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND_ORDER_FAULTS)
def test_second_order_faults_are_caught_at_second_order_only(name):
    assert gradcheck(SECOND_ORDER_FAULTS[name], X).ok
    report = gradcheck(SECOND_ORDER_FAULTS[name], X, order=2, raise_on_failure=False)
    assert not report.ok and all(one.ok for one in report.inputs) and not all(one.ok for one in report.second)


@pytest.mark.parametrize("name", [
    "smooth", "linear", "relu, its gradient 0 at 0", "maximum, ties shared", "two inputs tied", "large logits",
    "unused input", "everything at a kink", "a number",
])  # fmt: skip
def test_second_order_no_false_alarm(name):
    f, inputs = RIGHT[name]
    report = gradcheck(f, inputs, order=2)
    assert report.second[len(inputs)].name == "upstream gradient"


def test_an_asymmetric_hessian_is_named():
    # The gradient of half the square is x itself; here its own gradient turns vectors by a right angle.
    turned = wrong(lambda x: x * 1, lambda g, x: ops.stack([g[1], -g[0]]))
    f = wrong(lambda x: ops.sum(x * x) / 2, lambda g, x: g * turned(x))
    report = gradcheck(f, np.array([1.0, 2.0]), order=2, raise_on_failure=False)
    assert any("Hessian is not symmetric" in problem for problem in report.problems) and "Hessian" in str(report)


def test_a_recorded_gradient_that_differs_from_the_plain_one_is_named():
    def gradient(g, x):
        from minidl.engine.op import is_recording

        return g * ops.exp(x) * (1.01 if is_recording() else 1.0)

    report = gradcheck(wrong(ops.exp, gradient), X, order=2, raise_on_failure=False)
    assert any("recorded" in problem for problem in report.problems)


def test_float32_code_is_judged_against_its_float64_twin():
    def fast(x, w):
        return ops.tanh(ops.matmul(ops.cast(x, "float32"), ops.cast(w, "float32")))

    def twin(x, w):
        return ops.tanh(ops.matmul(x, w))

    assert gradcheck(fast, [X, W], twin=twin)["x"].max_error < 1e-5
    off = wrong(fast, lambda g, x, w: (1.0001 * ops.matmul(g * (1 - fast(x, w) ** 2), ops.transpose(w)), None))
    report = gradcheck(off, [X, W], twin=twin, raise_on_failure=False)
    assert not report.inputs[0].ok  # 1e-4 would drown in differences of float32 values


class TestLayers:
    def test_weights_are_checked_in_float64_and_come_back(self):
        layer = minidl.layers.Dense(5, activation="relu")
        report = gradcheck(layer, X.astype("float32"), order=2)
        names = ["inputs", *(weight.path for weight in layer.weights), "all together"]
        assert [one.name for one in report.inputs] == names and report[names[1]].max_error < 1e-8
        assert layer.dtype == "float32" and {w.dtype for w in layer.weights} == {np.dtype("float32")}
        values = layer.get_weights()
        gradcheck(layer, X)
        assert all(np.array_equal(a, b) for a, b in zip(values, layer.get_weights(), strict=True))

    def test_moving_statistics_and_random_streams_come_back(self):
        dropout = minidl.layers.Dropout(0.5, seed=1)
        model = minidl.Sequential([minidl.layers.Dense(4), minidl.layers.BatchNormalization(), dropout])
        model.build((None, 3))
        values = model.get_weights()
        state = dropout.seed_generator.state.numpy()
        assert gradcheck(model, X, training=True).ok
        assert all(np.array_equal(a, b) for a, b in zip(values, model.get_weights(), strict=True))
        np.testing.assert_array_equal(dropout.seed_generator.state.numpy(), state)

    def test_a_wrong_layer_is_named_by_its_weight(self):
        class Scale(minidl.layers.Layer):
            def build(self, input_shape):
                self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

            def call(self, inputs):
                return wrong(lambda x, s: x * s, lambda g, x, s: (g * s, ops.sum(g, axis=0)))(inputs, self.scale)

        layer = Scale(name="scaling")
        with pytest.raises(AssertionError, match=r"scaling: WRONG \(scaling/scale\)"):
            gradcheck(layer, X)

    def test_frozen_weights_are_not_checked(self):
        layer = minidl.layers.Dense(5)
        layer(X)
        layer.trainable = False
        assert [one.name for one in gradcheck(layer, X).inputs] == ["inputs"]


def _random(x):
    return x * np.random.default_rng().normal(size=x.shape)


@pytest.mark.parametrize("call, error, message", [
    (lambda: gradcheck(3, X), TypeError, "takes a function of Tensors, a layer or a model, not int"),
    (lambda: gradcheck(ops.exp, np.arange(3)), TypeError, r"nothing to differentiate: the inputs are int64; write"),
    (lambda: gradcheck(ops.exp, ["text"]), TypeError, "input 'x' is str of <U4; expected numbers"),
    (lambda: gradcheck(lambda x: x.numpy(), X), TypeError, "returned ndarray, not a Tensor: the graph is lost"),
    (lambda: gradcheck(lambda x: None, X), TypeError, "returned NoneType"),
    (lambda: gradcheck(lambda x: ops.argmax(x), X), TypeError, "no floating Tensor"),
    (lambda: gradcheck(_random, X), ValueError, "two results for the same inputs; fix the seed"),
    (lambda: gradcheck(ops.exp, X, order=3), ValueError, "order must be 1 or 2, not 3"),
])  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_outputs_that_are_not_finite_are_named():
    report = gradcheck(lambda x: ops.log(x), np.array([1.0, 0.0, 2.0]), raise_on_failure=False)
    assert not report.ok and "1 of 3 outputs are not finite" in str(report)


def test_inside_a_tape_nothing_changes():
    with GradientTape():
        assert gradcheck(ops.tanh, X).ok


def test_public_name():
    assert minidl.gradcheck is gradcheck and isinstance(gradcheck(ops.exp, Tensor(X)), minidl.checking.Report)
