"""What a few random directions settle, and what is left to the elements; the whole Jacobian by few evaluations."""

import numpy as np
import pytest

from minidl.checking import diagnose
from minidl.checking.diagnosis.adapters import Pair
from minidl.checking.diagnosis.case import Case
from minidl.checking.diagnosis.directions import Moves, first_look
from minidl.checking.diagnosis.jacobian import Look, differentiate
from minidl.checking.diagnosis.sides import Came


def looked_at(forward, backward, inputs):
    rng = np.random.default_rng(3)
    checked = Pair(forward, backward, inputs, {}, 0)
    y, cache = checked.forward(checked.values)
    g = rng.normal(size=y.shape)
    analytic = checked.backward(g, cache)
    case = Case(checked.args, checked.names, checked.values, y, g, [], [], analytic, len(inputs), checked.evaluate)
    return first_look(checked, case, Moves(rng))


def affine(x, w, b):
    return np.tanh(x) @ w + b, (x, w)


def right(g, cache):
    x, w = cache
    return (1 - np.tanh(x) ** 2) * (g @ w.T), np.tanh(x).T @ g, g.sum(axis=0)


def xwb():
    rng = np.random.default_rng(5)
    return [rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)]


def test_a_right_gradient_is_settled():
    assert looked_at(affine, right, xwb()) == Look("right")


def test_a_wrong_one_leaves_the_others_settled():
    def backward(g, cache):
        dx, dw, db = right(g, cache)
        return dx, dw / 5, db

    assert looked_at(affine, backward, xwb()) == Look("wrong", {0, 2}, {1, 2})  # tanh bends along x alone


@pytest.mark.parametrize("error", [1e-2, 1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("place", [(0, 0), (2, 3), (4, 1)])
def test_one_element_that_is_off_by_little_does_not_pass(error, place):
    def backward(g, cache):
        dx, dw, db = right(g, cache)
        dx[place] *= 1 + error
        return dx, dw, db

    assert looked_at(affine, backward, xwb()).verdict != "right"
    if error > 1e-6:
        report = diagnose(affine, xwb(), backward=backward)
        assert [w.leaf for w in report.wrong] == ["x"] and report.wrong[0].worst[0][0] == place


def test_kinks_jumps_and_float32_are_left_to_the_elements():
    x = [np.array([[0.0, 1.0], [2.0, -1.0]])]
    assert looked_at(lambda x: (np.maximum(x, 0), x), lambda g, x: g * (x > 0), x).verdict == "unclear"
    assert looked_at(lambda x: (np.sign(x), x), lambda g, x: 0 * g, x).verdict == "unclear"
    single = looked_at(lambda x: (np.exp(x.astype("float32")), x), lambda g, x: g * np.exp(x), x)
    assert single.verdict == "unclear"
    assert looked_at(lambda x: (np.exp(x), x), lambda g, x: g * np.nan, x).verdict == "unclear"


def test_zeros_of_another_shape_are_wrong():
    # The function does not look at x at all.
    look = looked_at(lambda x, b: (b * 2 + 0 * x.sum(), None), lambda g, c: (np.zeros((3, 4)), 2 * g), xwb()[::2])
    assert look.verdict == "wrong" and look.settled == {1}


def test_few_evaluations_are_made():
    calls = []

    def counted(x, w, b):
        calls.append(1)
        return affine(x, w, b)

    assert diagnose(counted, xwb(), backward=right).ok
    assert len(calls) < 30  # by elements: 35 at three points, four times each


# ---- the Jacobian ----


def coupled(x):
    return x / np.abs(x).max()


FUNCTIONS = {
    "samples apart": lambda x: np.tanh(x) * x.sum(axis=1, keepdims=True),
    "kinks, samples apart": lambda x: np.maximum(x, 0),
    "softmax over the batch": lambda x: np.exp(x) / np.exp(x).sum(axis=0),
    "coupled by the largest": coupled,
    "one number": lambda x: np.array((x**3).sum()),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("look", [None, Look("wrong")])
def test_jacobian(name, look):
    f, x = FUNCTIONS[name], np.random.default_rng(7).normal(size=(4, 3))
    (slopes,), coarse = differentiate(lambda a: f(a[0]), [x], f(x), np.random.default_rng(0), look=look)
    assert not coarse and slopes.low.shape == (13, f(x).size)
    step = 1e-6
    for k in range(x.size):
        d = np.zeros(x.size)
        d[k] = step
        expected = (f(x + d.reshape(x.shape)) - f(x - d.reshape(x.shape))).reshape(-1) / (2 * step)
        np.testing.assert_allclose(slopes.low[k], expected, atol=1e-8)
        np.testing.assert_allclose(slopes.high[k], expected, atol=1e-8)
    alike = (f(x + step) - f(x - step)).reshape(-1) / (2 * step)
    np.testing.assert_allclose(slopes.low[-1], alike, atol=1e-8)


def test_a_tie_with_another_sample_does_not_hide_that_they_are_coupled():
    x = np.array([[1.0, 0.25], [1.0, -0.5], [0.5, 0.125]])  # the largest twice: moving one down changes nothing
    (slopes,), _ = differentiate(lambda a: coupled(a[0]), [x], coupled(x), np.random.default_rng(0))
    assert (slopes.low[0] < slopes.high[0] - 0.01).any()  # of an output of another sample, as well
    assert slopes.low[0].reshape(x.shape)[2, 0] == pytest.approx(-0.5) and slopes.high[0].reshape(x.shape)[2, 0] == 0


def test_samples_that_are_apart_are_moved_at_once():
    calls = []

    def f(arrays):
        calls.append(1)
        return np.exp(arrays[0])

    x = np.random.default_rng(7).normal(size=(10, 6))
    differentiate(f, [x], np.exp(x), np.random.default_rng(0), look=Look("wrong"))
    assert len(calls) <= 2 * 10 + 2 * 6 + 2


def test_a_settled_leaf_is_left_out():
    x = [np.ones((2, 2)), np.ones(3)]
    slopes, _ = differentiate(
        lambda a: a[0] * a[1].sum(), x, x[0] * 3, np.random.default_rng(0), look=Look("wrong", {0}, {0, 1})
    )
    assert not slopes[0].taken and slopes[1].taken
    np.testing.assert_allclose(slopes[1].low, np.ones((4, 4)) * [[1], [1], [1], [3]], atol=1e-9)


def test_the_product_with_one_sample():
    f, x = FUNCTIONS["samples apart"], np.random.default_rng(7).normal(size=(4, 3))
    (slopes,), _ = differentiate(lambda a: f(a[0]), [x], f(x), np.random.default_rng(0), look=Look("wrong"))
    g = np.random.default_rng(8).normal(size=(4, 3))
    for sample in range(4):
        only = np.where(np.arange(4)[:, None] == sample, g, 0)
        np.testing.assert_allclose(slopes.of_sample(g, sample), slopes.product(only), atol=1e-12)


def test_a_small_leaf_before_many_outputs():
    x, b = np.random.default_rng(7).normal(size=(40_000,)), np.arange(30.0)
    (_, slopes), _ = differentiate(
        lambda a: a[0] * a[1].sum(), [x, b], x * b.sum(), np.random.default_rng(0), look=Look("wrong", {0}, {0, 1})
    )
    np.testing.assert_allclose(slopes.product(np.ones(40_000))[slopes.places], x.sum(), rtol=1e-5)


@pytest.mark.parametrize("slope, within", [(0.0, True), (0.5, True), (1.0, True), (-0.01, False), (1.01, False)])
def test_at_a_kink_two_evaluations_do_where_the_gradient_lies_between(slope, within):
    calls = []

    def relu(arrays):
        calls.append(1)
        return np.maximum(arrays[0], 0)

    x, g = np.array([0.0, 1.0, -1.0]), np.array([1.0, 2.0, 3.0])
    came = Came([g * [slope, 1, 0]], g)
    (slopes,), _ = differentiate(relu, [x], relu([x]), np.random.default_rng(0), came=came)
    low, high, _ = slopes.interval(g)
    np.testing.assert_allclose([low[:3], high[:3]], [[0, 2, 0], [1, 2, 0]], atol=1e-6)
    assert (len(calls) == 1 + 30 + 2 * 4) == within  # else half the step, and all of these nearer by


def test_at_a_jump_nothing_lies_between():
    x, g = np.array([0.0, 1.0]), np.ones(2)
    came = Came([np.array([7.0, 0.0])], g)
    (slopes,), _ = differentiate(lambda a: np.sign(a[0]), [x], np.sign(x), np.random.default_rng(0), came=came)
    assert slopes.low[0, 0] == -np.inf and slopes.high[0, 0] == np.inf


def test_float32_is_told_from_float64_where_all_outputs_are_0():
    x = np.random.default_rng(7).normal(size=(3, 2))
    for dtype in ("float64", "float32"):

        def f(arrays, dtype=dtype):
            return np.tanh((arrays[0] - x).astype(dtype)).sum(axis=1).astype("float64")

        assert differentiate(f, [x], f([x]), np.random.default_rng(0))[1] == (dtype == "float32")


def test_in_float32_two_evaluations_do_where_the_gradient_is_the_mean_slope():
    calls = []

    def f(arrays):
        calls.append(1)
        return np.tanh(arrays[0].astype("float32")).astype("float64")

    x, g = np.array([0.5, 1.0, -1.0]), np.array([1.0, 2.0, 3.0])
    y = f([x])
    for factor in (1.0, 1.01):
        calls.clear()
        came = Came([g * (1 - np.tanh(x) ** 2) * factor], g)
        (slopes,), coarse = differentiate(f, [x], y, np.random.default_rng(0), came=came)
        assert coarse and (len(calls) == 30 + 2 * 4) == (factor == 1)
        np.testing.assert_allclose(slopes.product(g), g * (1 - np.tanh(x) ** 2), rtol=1e-3)


# ---- the global generator ----


def test_the_global_generator_goes_on_where_it_was():
    def noisy(x):
        return x + 0 * np.random.randn(3).sum(), None  # an odd count: one normal number is drawn ahead

    def rest():
        np.random.seed(11)
        np.random.randn(3)

    rest()
    expected = np.random.randn(4), np.random.rand(2)
    rest()
    assert diagnose(noisy, [np.ones((2, 2))], backward=lambda g, c: g).ok
    np.testing.assert_array_equal(np.random.randn(4), expected[0])
    np.testing.assert_array_equal(np.random.rand(2), expected[1])


def test_ties_in_every_window_are_tried():
    def forward(x):  # the maxima of pairs, far from each other
        return x.reshape(-1, 4, 2).max(axis=2), x

    def backward(g, x):
        pairs = x.reshape(-1, 4, 2)
        return ((pairs == pairs.max(axis=2, keepdims=True)) * g[:, :, None]).reshape(x.shape)

    apart = np.arange(16.0).reshape(2, 8) * 3 - 20
    report = diagnose(forward, [apart], backward=backward)
    assert not report.ok and report.where == "ties"
