"""Updates in place: every implementation against the definition over several steps, lists of odd shapes, and Keras."""

import numpy as np
import pytest

from minidl_kernels import config
from minidl_kernels.update import adam, rmsprop, sgd, sgd_momentum

SHAPES = [(3, 4), (1,), (), (0, 5), (7,), (2, 3, 4, 5), (17,), (33, 2)]
LARGE = [(250, 300), (7,), (70_001,), (3, 5)]
ADAM = {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}


def arrays(shapes, dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in shapes]


def train(kernel, implementation, shapes, dtype="float32", steps=3, **settings):
    """Weights and slots after a few steps with fixed random gradients."""
    slots = {sgd: 0, sgd_momentum: 1, rmsprop: 1, adam: 2}[kernel]
    lists = [arrays(shapes, dtype), *([np.zeros(s, dtype) for s in shapes] for _ in range(slots))]
    with kernel.use(implementation):
        for step in range(1, steps + 1):
            numbered = {"step": step} if kernel is adam else {}
            assert kernel(lists[0], arrays(shapes, dtype, step), *lists[1:], **settings, **numbered) is None
    return [array for each in lists for array in each]


CASES = [
    (sgd, {"learning_rate": 0.1}),
    (sgd_momentum, {"learning_rate": 0.1, "momentum": 0.9}),
    (sgd_momentum, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    (adam, ADAM),
    (rmsprop, {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-3}),
]


@pytest.mark.parametrize(("implementation", "dtype"), [("array", "float32"), ("array", "float64"), ("cpu", "float32")])
@pytest.mark.parametrize(("kernel", "settings"), CASES)
def test_every_implementation_agrees_with_the_definition(kernel, settings, implementation, dtype):
    expected = train(kernel, "reference", SHAPES, dtype, **settings)
    actual = train(kernel, implementation, SHAPES, dtype, **settings)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=0, atol=16 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("kernel", "settings"), CASES)
def test_large_weights_on_one_and_two_threads(kernel, settings):
    before, results = config.threads(), []
    try:
        for threads in (1, 2):
            config.set_threads(threads)
            results.append(train(kernel, "cpu", LARGE, **settings))
    finally:
        config.set_threads(before)
    for one, two, e in zip(*results, train(kernel, "array", LARGE, **settings), strict=True):
        assert (one == two).all()
        np.testing.assert_allclose(one, e, rtol=0, atol=2e-6)


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_formulas_on_one_number(implementation):
    """Two steps of each rule, worked out from the formula of its docstring in float64."""

    def one(value):
        return [np.array([value], "f")]

    with (
        sgd.use(implementation),
        sgd_momentum.use(implementation),
        adam.use(implementation),
        rmsprop.use(implementation),
    ):
        w = one(1.0)
        sgd(w, one(0.5), learning_rate=0.1)
        assert w[0][0] == pytest.approx(0.95, rel=1e-6)
        for nesterov, expected in [(False, 1 - 0.05 - 0.095), (True, 1 - 0.095 - (0.9 * 0.095 + 0.05))]:
            w, m = one(1.0), one(0.0)
            for _ in range(2):
                sgd_momentum(w, one(0.5), m, learning_rate=0.1, momentum=0.9, nesterov=nesterov)
            assert w[0][0] == pytest.approx(expected, rel=1e-6)
            assert m[0][0] == pytest.approx(-0.095, rel=1e-6)
        w, m, v = one(1.0), one(0.0), one(0.0)
        # At step 1 the rate is 0.01 * sqrt(0.001) / 0.1; epsilon is added to sqrt(v) = sqrt(0.001) * 1e-4, uncorrected.
        adam(w, one(1e-4), m, v, step=1, **ADAM)
        root = 0.001**0.5
        assert 1 - float(w[0][0]) == pytest.approx(0.01 * root / 0.1 * 1e-5 / (root * 1e-4 + 1e-7), rel=1e-4)

        # v = 0.25 * 4 + 0.75 * 4 = 4, and epsilon is inside the root.
        w, v = one(1.0), one(4.0)
        rmsprop(w, one(2.0), v, learning_rate=0.3, rho=0.25, epsilon=5.0)
        assert w[0][0] == pytest.approx(1 - 0.3 * 2 / 3, rel=1e-6) and v[0][0] == 4


@pytest.mark.parametrize("implementation", ["array", "cpu"])
def test_nan_and_zero_gradients(implementation):
    w, g = [np.ones(20, "f")], [np.zeros(20, "f")]
    g[0][3] = np.nan
    m, v = [np.zeros(20, "f")], [np.zeros(20, "f")]
    with adam.use(implementation):
        adam(w, g, m, v, step=1, **ADAM)
    assert np.isnan(w[0][3]) and (np.delete(w[0], 3) == 1).all()


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_strided_gradients_and_empty_lists(implementation):
    w, g = arrays([(4, 6)]), arrays([(8, 12)], seed=1)[0][::2, ::2]
    expected = w[0] - np.float32(0.1) * g
    with sgd.use(implementation):
        sgd([], [], learning_rate=0.1)
        sgd([np.empty(0, "f")], [np.empty(0, "f")], learning_rate=0.1)
        sgd(w, [g], learning_rate=0.1)
    np.testing.assert_allclose(w[0], expected, rtol=1e-6)


def test_cpu_takes_float32_only():
    w = arrays([(3,)]) + arrays([(4,)], "float64")
    with sgd.use("cpu"), pytest.raises(ValueError, match="computes in float32, not float64"):
        sgd(w, w, learning_rate=0.1)
    before = [a.copy() for a in w]
    sgd(w, [np.ones_like(a) for a in w], learning_rate=0.5)
    for a, b in zip(w, before, strict=True):
        np.testing.assert_array_equal(a, b - a.dtype.type(0.5))


@pytest.mark.oracle
def test_adam_and_momentum_like_keras(keras):
    for nesterov in (False, True):
        optimizers = [(adam, keras.optimizers.Adam(0.01), ADAM)]
        momentum = {"learning_rate": 0.1, "momentum": 0.9, "nesterov": nesterov}
        optimizers.append((sgd_momentum, keras.optimizers.SGD(**momentum), momentum))
        decayed = {"learning_rate": 0.01, "rho": 0.8, "epsilon": 1e-4}
        optimizers.append((rmsprop, keras.optimizers.RMSprop(**decayed), decayed))
        for kernel, optimizer, settings in optimizers:
            ours = train(kernel, "array", [(5, 4), (4,)], steps=4, **settings)
            theirs = [keras.Variable(a) for a in arrays([(5, 4), (4,)])]
            for step in range(1, 5):
                gradients = [keras.ops.convert_to_tensor(g) for g in arrays([(5, 4), (4,)], seed=step)]
                optimizer.apply(gradients, theirs)
            for a, b in zip(ours, theirs, strict=False):
                np.testing.assert_allclose(a, np.asarray(b.value), rtol=1e-5, atol=1e-6)


def frozen():
    array = np.zeros(3, "f")
    array.flags.writeable = False
    return array


A, B = np.zeros(3, "f"), np.zeros(4, "f")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sgd([A, A], [A], learning_rate=0.1), ValueError, "gs has 1 arrays, ws has 2"),
        (lambda: sgd([A], [B], learning_rate=0.1), ValueError, r"gs\[0\] has shape \(4,\) .*expected \(3,\)"),
        (lambda: sgd([A], [A.astype("d")], learning_rate=0.1), ValueError, "dtype float64; expected .* float32"),
        (lambda: sgd(A, A, learning_rate=0.1), TypeError, "ws must be a list of arrays, not a ndarray"),
        (lambda: sgd([A.astype("float16")], [A], learning_rate=0.1), TypeError, r"ws\[0\] has dtype float16"),
        (lambda: sgd([1.0], [A], learning_rate=0.1), TypeError, r"ws\[0\] has type float"),
        (lambda: sgd([B[::2]], [B[::2]], learning_rate=0.1), ValueError, r"ws\[0\] .* not C-contiguous"),
        (lambda: sgd([frozen()], [A], learning_rate=0.1), ValueError, "writeable"),
        (lambda: sgd_momentum([A], [A], [B], learning_rate=0.1, momentum=0.9), ValueError, r"ms\[0\]"),
        (lambda: sgd_momentum([A], [A], [A], learning_rate=0.1, momentum=1.5), ValueError, "momentum .* not 1.5"),
        (lambda: rmsprop([A], [A], [B], learning_rate=0.1, rho=0.9, epsilon=0.1), ValueError, r"vs\[0\]"),
        (lambda: rmsprop([A], [A], [A], learning_rate=0.1, rho=1.1, epsilon=0.1), ValueError, "rho .* not 1.1"),
        (lambda: rmsprop([A], [A], [A], learning_rate=0.1, rho=0.9, epsilon=-1), ValueError, "epsilon .* not -1"),
        (lambda: adam([A], [A], [A], [B], step=1, **ADAM), ValueError, r"vs\[0\]"),
        (lambda: adam([A], [A], [A], [A], step=0, **ADAM), ValueError, "step counts from 1"),
        (lambda: adam([A], [A], [A], [A], step=1, **{**ADAM, "beta_2": 1.0}), ValueError, "beta_2 .* not 1.0"),
        (lambda: adam([A], [A], [A], [A], step=1, **{**ADAM, "epsilon": -1.0}), ValueError, "epsilon"),
    ],
)
def test_errors_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(("kernel", "settings"), CASES)
def test_a_gradient_that_is_a_single_number_and_no_array(kernel, settings):
    numbered = {"step": 1} if kernel is adam else {}
    slots = [
        [np.zeros((), "f"), np.zeros(2, "f")] for _ in range({sgd: 0, sgd_momentum: 1, rmsprop: 1, adam: 2}[kernel])
    ]
    ends = []
    for kind in (np.float32, np.asarray):
        weights = [np.array(3, "f"), np.ones(2, "f")]
        kernel(weights, [kind(np.float32(0.5)), np.ones(2, "f")], *map(arrays_copied, slots), **settings, **numbered)
        ends.append(weights)
    assert ends[0][0] == pytest.approx(float(ends[1][0]), rel=1e-6) and ends[0][0] != 3
    np.testing.assert_allclose(ends[0][1], ends[1][1], rtol=1e-6)


def arrays_copied(several):
    return [one.copy() for one in several]
