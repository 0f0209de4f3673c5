"""Embedding and EinsumDense against Keras."""

import numpy as np
import pytest

import minidl
from tests.parity.layer_checks import check_configuration, check_description, check_files, check_values
from tests.parity.oracle import both, close, generator, libraries

pytestmark = pytest.mark.oracle


def numbers(*shape):
    return generator(str(shape)).integers(0, 7, shape).astype("int32")


def einsum(*args, **kwargs):
    return lambda k: k.layers.EinsumDense(*args, **kwargs)


CASES = {
    "embedding": (lambda k: k.layers.Embedding(7, 3), numbers(4, 5)),
    "embedding of single numbers": (lambda k: k.layers.Embedding(7, 3), numbers(20)),
    "embedding of a grid": (lambda k: k.layers.Embedding(7, 1), numbers(2, 3, 4)),
    "embedding of int64": (lambda k: k.layers.Embedding(7, 3), numbers(4, 5).astype("int64")),
    "einsum as dense": (einsum("ab,bc->ac", 5, bias_axes="c"), (4, 3)),
    "einsum no bias": (einsum("ab,bc->ac", 5), (4, 3)),
    "einsum relu": (einsum("ab,bc->ac", 5, bias_axes="c", activation="relu"), (4, 3)),
    "einsum sequence": (einsum("abc,cd->abd", (None, 5), bias_axes="d"), (2, 3, 4)),
    "einsum bias of all axes": (einsum("abc,cd->abd", (3, 5), bias_axes="bd"), (2, 3, 4)),
    "einsum bias of the middle": (einsum("abc,cd->abd", (3, 5), bias_axes="b"), (2, 3, 4)),
    "einsum heads": (einsum("abc,cde->abde", (None, 2, 5), bias_axes="de"), (2, 3, 4)),
    "einsum heads joined": (einsum("abde,dec->abc", (None, 4), bias_axes="c"), (2, 3, 2, 5)),
    "einsum shared axis": (einsum("abc,bcd->abd", (3, 5), bias_axes="d"), (2, 3, 4)),
    "einsum turned": (einsum("abc,cd->adb", (5, 3), bias_axes="d"), (2, 3, 4)),
    "einsum dots before": (einsum("...x,xy->...y", 5, bias_axes="y"), (2, 3, 4)),
    "einsum dots before two": (einsum("...x,xy->...y", 5, bias_axes="y"), (2, 3, 3, 4)),
    "einsum dots after": (einsum("ab...,bc->ac...", 5, bias_axes="c"), (2, 3, 4, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name):
    check_values(CASES[name], name)


@pytest.mark.parametrize("name", CASES)
def test_description(name):
    check_description(CASES[name], name)


@pytest.mark.parametrize("name", CASES)
def test_files(name, tmp_path):
    check_files(CASES[name], name, tmp_path)


CONFIGURATIONS = {
    "embedding": lambda k: k.layers.Embedding(
        9, 2, embeddings_initializer=k.initializers.Constant(0.5), embeddings_regularizer="l2", name="table"
    ),
    "einsum": lambda k: k.layers.EinsumDense(
        "ab,bc->ac", (4,), activation="tanh", bias_axes="c", kernel_initializer="he_normal", bias_initializer="ones",
        kernel_regularizer=k.regularizers.L1(0.25), bias_regularizer="l2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations(name):
    check_configuration(*both(CONFIGURATIONS[name]))


def test_embedding_with_a_table():
    table = np.arange(6, dtype="float32").reshape(3, 2)
    for weights in (table, [table]):
        theirs, ours = both(lambda k, weights=weights: k.layers.Embedding(3, 2, weights=weights))
        close(ours(np.array([2, 0])), theirs(np.array([2, 0])), "rows")
        assert ours.built


def test_embedding_of_floats_and_of_bytes():
    theirs, ours = both(lambda k: k.layers.Embedding(5, 2, embeddings_initializer=k.initializers.Constant(3.0)))
    for x in (np.array([[1.0, 4.0]], "float32"), np.array([[1, 4]], "uint8")):
        close(ours(x), theirs(x), "rows")


def test_training_an_embedding():
    """Rows that no sample names stay, also when a row is named many times."""
    x = numbers(12, 5) % 6
    y = generator("targets").normal(size=(12, 2)).astype("float32")

    def model(k):
        return k.Sequential(
            [k.Input((5,), dtype="int32"), k.layers.Embedding(7, 3), k.layers.Flatten(), k.layers.Dense(2)]
        )

    theirs, ours = both(model)
    values = [generator(w.path).normal(size=w.shape).astype("float32") for w in ours.weights]
    theirs.set_weights(values), ours.set_weights(values)
    for one in (theirs, ours):
        one.compile("adam", "mse", **({} if one is ours else {"jit_compile": False}))
    for _ in range(4):
        close(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), "loss")
    for mine, reference in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(mine, reference, "weight")
    np.testing.assert_array_equal(ours.get_weights()[0][6], values[0][6])


@pytest.mark.parametrize(
    "equation, output, shape", [("ab,bc->ac", 6, (None, 50)), ("abc,cde->abde", (None, 4, 9), (None, 3, 60))]
)
def test_the_kernel_starts_as_wide_as_in_keras(equation, output, shape):
    libraries()
    ours = minidl.layers.EinsumDense(equation, output)
    ours.build(shape)
    kernel = ours.kernel.numpy()
    limit = np.sqrt(6 / (kernel.shape[0] + kernel[0].size))  # inputs are the first axis, outputs the others
    assert 0.95 * limit < np.abs(kernel).max() <= limit
