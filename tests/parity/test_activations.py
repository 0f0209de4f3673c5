"""Every activation against Keras: values, gradients, arguments, names, configurations, and inside a layer."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries

pytestmark = pytest.mark.oracle

PLAIN = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh",
    "tanh_shrink",
]  # fmt: skip
SETTINGS = [
    ("celu", {"alpha": 0.3}), ("elu", {"alpha": 0.5}), ("gelu", {"approximate": True}), ("glu", {"axis": 1}),
    ("hard_shrink", {"threshold": 1.2}), ("leaky_relu", {"negative_slope": 0.4}), ("log_softmax", {"axis": 1}),
    ("relu", {"negative_slope": 0.1}), ("relu", {"max_value": 1.0}), ("relu", {"threshold": 0.7}),
    ("relu", {"max_value": 6}), ("relu", {"threshold": -0.7}), ("relu", {"threshold": -0.7, "max_value": 1.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 1.0, "threshold": 0.4}),
    ("relu", {"negative_slope": 0.2, "max_value": 6.0}), ("soft_shrink", {"threshold": 1.2}),
    ("softmax", {"axis": 1}), ("softmax", {"axis": 0}), ("squareplus", {"b": 0.5}),
    ("threshold", {"threshold": 0.3, "default_value": -1.5}),
]  # fmt: skip
CASES = [(name, {}) for name in PLAIN] + SETTINGS


@pytest.mark.parametrize("scale", [1.0, 4.0, 60.0])
@pytest.mark.parametrize("name, settings", CASES, ids=[f"{n} {s or ''}".strip() for n, s in CASES])
def test_values_and_gradients(name, settings, scale):
    import jax

    theirs, ours = both(lambda k: getattr(k.activations, name))
    rng = generator(name)
    x = (rng.normal(size=(3, 4, 6)) * (min(scale, 4.0) if name == "exponential" else scale)).astype("float32")
    value, pull = jax.vjp(lambda a: theirs(a, **settings), jax.numpy.asarray(x))
    upstream = rng.normal(size=value.shape).astype("float32")
    leaf = minidl.Tensor(x, requires_grad=True)
    result = ours(leaf, **settings)
    close(result, value, "value")
    close(ours(x, **settings), value, "value of an array")
    close(minidl.grad(result, leaf, upstream), pull(upstream)[0], "gradient")


@pytest.mark.parametrize("name", ["celu", "elu", "leaky_relu", "relu", "selu", "softsign", "squareplus", "mish"])
def test_gradients_at_0(name):
    import jax

    theirs, ours = both(lambda k: getattr(k.activations, name))
    leaf = minidl.Tensor(np.zeros(2, "float32"), requires_grad=True)
    expected = jax.grad(lambda a: theirs(a).sum())(jax.numpy.zeros(2))
    close(minidl.grad(minidl.ops.sum(ours(leaf)), leaf), expected, "gradient")


@pytest.mark.parametrize("name", PLAIN)
def test_names_and_configurations(name):
    keras, _ = libraries()
    theirs, ours = keras.activations.get(name), minidl.activations.get(name)
    x = generator(name).normal(size=(3, 6)).astype("float32")
    close(ours(x), theirs(x), "value")
    written = minidl.activations.serialize(ours)
    assert written == keras.activations.serialize(theirs)
    assert minidl.activations.get(written) is ours


@pytest.mark.parametrize("name", [name for name in PLAIN if name not in ("glu", "exponential")])
def test_in_a_layer(name):
    def make(k):
        hidden = k.layers.Dense(6, activation=name)
        return k.Sequential([k.layers.Input((4,)), hidden, k.layers.Activation(name), k.layers.Dense(1)])

    theirs, ours = both(make)
    copy_weights(theirs, ours, name)
    rng = generator(name)
    x, y = rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(k.optimizers.SGD(0.05), "mse")
    close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), "prediction")
    for _ in range(2):
        close(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), "loss")
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_sparsemax(axis):
    """Its values are tested with the op: Keras' sums are 1 only where one number is left, and there we agree."""
    keras, _ = libraries()
    assert minidl.activations.serialize(minidl.activations.get("sparsemax")) == "sparsemax"
    x = generator("sparsemax").permuted(np.arange(60.0).reshape(3, 4, 5), axis=axis).astype("float32") * 2
    close(minidl.activations.sparsemax(x, axis), keras.activations.sparsemax(x, axis), "value")
    small = generator("sparsemax").normal(size=(3, 4, 5)).astype("float32")
    np.testing.assert_allclose(minidl.ops.sum(minidl.activations.sparsemax(small, axis), axis), 1, rtol=1e-6)


def test_what_get_takes():
    keras, _ = libraries()
    for k in (keras, minidl):
        assert k.activations.get(None) is k.activations.linear
        assert k.activations.get(k.activations.tanh) is k.activations.tanh
        layer = k.layers.ReLU(negative_slope=0.5)
        assert k.activations.get(layer) is layer
    with pytest.raises(ValueError, match="unknown activation 'rleu'.*did you mean 'relu'"):
        minidl.activations.get("rleu")
    with pytest.raises(TypeError, match="an activation is a name or a function, not 3"):
        minidl.activations.get(3)
    with pytest.raises(ValueError, match="glu: axis -1.*cannot be halved"):
        minidl.activations.glu(np.ones((2, 3)))
