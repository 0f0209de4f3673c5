"""The names that books write as K: values against NumPy."""

import numpy as np
import pytest

import minidl
from minidl import layers, tree

K = minidl.backend
RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 4)).astype("float32")


@pytest.mark.parametrize("name, numpy", [
    ("abs", np.abs), ("square", np.square), ("exp", np.exp), ("sign", np.sign), ("sin", np.sin), ("cos", np.cos),
    ("tanh", np.tanh), ("sum", np.sum), ("mean", np.mean), ("std", np.std), ("var", np.var), ("max", np.max),
    ("min", np.min), ("prod", np.prod), ("zeros_like", np.zeros_like), ("ones_like", np.ones_like),
    ("transpose", np.transpose), ("flatten", np.ravel), ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
    ("softplus", lambda x: np.log1p(np.exp(x))), ("relu", lambda x: np.maximum(x, 0)),
    ("softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)), ("argmax", lambda x: x.argmax(-1)),
    ("argmin", lambda x: x.argmin(-1)), ("expand_dims", lambda x: x[..., None]),
    ("l2_normalize", lambda x: x / np.sqrt((x**2).sum())), ("batch_flatten", lambda x: x),
    ("logsumexp", lambda x: np.log(np.exp(x).sum())), ("stop_gradient", lambda x: x),
])  # fmt: skip
def test_functions_of_one_tensor(name, numpy):
    np.testing.assert_allclose(K.get_value(getattr(K, name)(K.constant(X))), numpy(X), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name, numpy", [
    ("maximum", np.maximum), ("minimum", np.minimum), ("equal", np.equal), ("not_equal", np.not_equal),
    ("greater", np.greater), ("less", np.less), ("greater_equal", np.greater_equal), ("less_equal", np.less_equal),
])  # fmt: skip
def test_functions_of_two_tensors(name, numpy):
    np.testing.assert_array_equal(K.get_value(getattr(K, name)(X, X[::-1].copy())), numpy(X, X[::-1]))


@pytest.mark.parametrize("name, arguments, expected", [
    ("sqrt", ([4.0, 9.0],), [2, 3]), ("softsign", ([-1.0, 3.0],), [-0.5, 0.75]), ("relu6", ([-1.0, 7.0],), [0, 6]),
    ("elu", ([-1.0, 2.0],), [np.exp(-1) - 1, 2]), ("hard_sigmoid", ([-3.0, 0.0, 1.5, 9.0],), [0, 0.5, 0.75, 1]),
    ("all", ([[True, False], [True, True]], 1), [False, True]), ("any", ([[True, False], [False, False]], 1), [1, 0]),
    ("cast", ([1.7, -1.7], "int32"), [1, -1]), ("reshape", ([[1, 2], [3, 4]], (4, 1)), [[1], [2], [3], [4]]),
    ("squeeze", ([[1.0, 2.0]], 0), [1, 2]), ("tile", ([1, 2], 2), [1, 2, 1, 2]), ("eval", ([3.0],), [3]),
])  # fmt: skip
def test_values(name, arguments, expected):
    x, *settings = arguments
    found = K.get_value(getattr(K, name)(np.array(x), *settings))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_made_of_nothing():
    assert K.get_value(K.eye(2)).tolist() == [[1, 0], [0, 1]]
    assert K.get_value(K.arange(2, 8, 3)).tolist() == [2, 5]


def test_settings_of_the_engine():
    before = K.floatx(), K.epsilon()
    assert before == ("float32", 1e-7)
    try:
        K.set_floatx("float64")
        K.set_epsilon(1e-3)
        assert K.floatx() == "float64" and K.epsilon() == minidl.config.epsilon() == 1e-3
        assert K.get_value(K.zeros(2)).dtype == np.float64
    finally:
        K.set_floatx(before[0])
        K.set_epsilon(before[1])
    with pytest.raises(ValueError, match="float16"):
        K.set_floatx("float16")


def test_axes_and_settings():
    x = K.constant(X)
    np.testing.assert_allclose(K.get_value(K.mean(x, axis=1, keepdims=True)), X.mean(1, keepdims=True), rtol=1e-6)
    np.testing.assert_array_equal(K.get_value(K.concatenate([x, x])), np.concatenate([X, X], -1))
    np.testing.assert_array_equal(K.get_value(K.stack([x, x])), np.stack([X, X]))
    np.testing.assert_array_equal(K.get_value(K.permute_dimensions(x, (1, 0))), X.T)
    np.testing.assert_array_equal(K.get_value(K.repeat_elements(x, 2, axis=1)), np.repeat(X, 2, 1))
    np.testing.assert_array_equal(K.get_value(K.gather(x, [2, 0])), X[[2, 0]])
    np.testing.assert_array_equal(K.get_value(K.clip(x, -0.5, 0.5)), np.clip(X, -0.5, 0.5))
    np.testing.assert_array_equal(K.get_value(K.switch(X > 0, X, 0.0)), np.where(X > 0, X, 0))
    np.testing.assert_allclose(K.get_value(K.relu(x, alpha=0.1, max_value=0.6)),
                               np.minimum(np.where(X >= 0, X, 0.1 * X), 0.6), rtol=1e-6)  # fmt: skip
    np.testing.assert_allclose(K.get_value(K.dot(x, K.transpose(x))), X @ X.T, rtol=1e-5)
    np.testing.assert_array_equal(K.get_value(K.one_hot(np.array([1, 0]), 3)), [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(K.get_value(K.pow(x, 2)), X**2)
    assert K.shape(x) == K.int_shape(x) == (3, 4) and K.ndim(x) == 2 and K.dtype(x) == "float32"
    assert K.int_shape(layers.Input((5,))) == (None, 5) and K.is_keras_tensor(layers.Input((5,)))
    assert K.image_data_format() == "channels_last" and K.backend() == "minidl" and K.epsilon() == 1e-7
    assert K.get_uid("test_uid") + 1 == K.get_uid("test_uid")


def test_variables_and_random_numbers():
    v = K.variable(X, name="v")
    K.set_value(v, X + 1)
    K.batch_set_value([(v, K.get_value(v) * 2)])
    np.testing.assert_array_equal(K.batch_get_value([v])[0], (X + 1) * 2)
    assert K.get_value(K.zeros((2, 3))).tolist() == [[0] * 3] * 2 and K.get_value(K.ones(2)).tolist() == [1, 1]
    assert K.get_value(K.constant(2, shape=(2, 2))).tolist() == [[2, 2], [2, 2]]
    drawn = K.get_value(K.random_normal(K.shape(K.zeros((200, 100))), mean=1.0, stddev=2.0, seed=1))
    assert abs(drawn.mean() - 1) < 0.05 and abs(drawn.std() - 2) < 0.05
    even = K.get_value(K.random_uniform((1000,), -1.0, 3.0, seed=1))
    assert even.min() >= -1 and even.max() < 3 and abs(even.mean() - 1) < 0.15
    assert np.abs(K.get_value(K.truncated_normal((1000,), seed=2))).max() <= 2
    assert abs(K.get_value(K.random_bernoulli((5000,), p=0.3, seed=2)).mean() - 0.3) < 0.03
    kept = K.get_value(K.dropout(K.ones((1000,)), 0.25, seed=4))
    assert set(np.unique(kept)) == {0, np.float32(4 / 3)} and abs((kept == 0).mean() - 0.25) < 0.05


def test_losses_as_books_write_them():
    target, output = np.array([[0, 1.0]], "float32"), np.array([[0.25, 0.75]], "float32")
    np.testing.assert_allclose(K.get_value(K.categorical_crossentropy(target, output)), [-np.log(0.75)], rtol=1e-5)
    np.testing.assert_allclose(K.get_value(K.binary_crossentropy(target, output)), [[-np.log(0.75)] * 2], rtol=1e-5)
    labels = K.get_value(K.sparse_categorical_crossentropy(np.array([1]), output))
    np.testing.assert_allclose(labels, [-np.log(0.75)], rtol=1e-5)


def test_a_function_from_inputs_to_a_layer():
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)])
    run = K.function([model.inputs[0]], [model.layers[0].output, model.output])
    hidden, last = run([X])
    np.testing.assert_allclose(last, model.predict(X, verbose=0), rtol=1e-6)
    assert hidden.shape == (3, 3) and (hidden >= 0).all()


def test_mistakes():
    with pytest.raises(ValueError, match="channels_last"):
        K.set_image_data_format("channels_first")
    K.set_image_data_format("channels_last")
    assert K.image_data_format() == "channels_last"
    with pytest.raises(TypeError, match="assigns to a Variable, not to a ndarray"):
        K.set_value(X, X)
    with pytest.raises(RuntimeError, match="GradientTape"):
        K.gradients(None, None)


def test_trees():
    nested = {"b": [1, (2, 3)], "a": 4}
    assert tree.flatten(nested) == [4, 1, 2, 3] and tree.is_nested(nested) and not tree.is_nested(3)
    assert tree.map_structure(lambda x, y: x * y, nested, nested) == {"b": [1, (4, 9)], "a": 16}
    assert tree.pack_sequence_as(nested, [1, 2, 3, 4]) == {"b": [2, (3, 4)], "a": 1}
    assert tree.lists_to_tuples([1, [2], {"k": [3]}]) == (1, (2,), {"k": (3,)})
    tree.assert_same_structure([1, 2], [3, 4])
    for a, b in (([1], [1, 2]), ([1], (1,)), ({"a": 1}, {"b": 1}), ([1], 1)):
        with pytest.raises(ValueError, match="structures differ"):
            tree.assert_same_structure(a, b)
    with pytest.raises(ValueError, match="4 leaves, but 2 values"):
        tree.pack_sequence_as(nested, [1, 2])
