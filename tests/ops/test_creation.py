"""Tensors from nothing, and the way in and out."""

import numpy as np
import pytest

from minidl import config, ops
from minidl.engine import Tensor, Variable


@pytest.mark.parametrize("found, expected", [
    (lambda: ops.zeros((2, 3)), np.zeros((2, 3), "float32")),
    (lambda: ops.ones(2, "int32"), np.ones(2, "int32")),
    (lambda: ops.full((2,), 7.0), np.array([7, 7], "float32")),
    (lambda: ops.full((2,), Tensor(3), dtype="int32"), np.array([3, 3], "int32")),
    (lambda: ops.eye(2, 3), np.array([[1, 0, 0], [0, 1, 0]], "float32")),
    (lambda: ops.eye(2, dtype="int32"), np.array([[1, 0], [0, 1]], "int32")),
    (lambda: ops.arange(4), np.array([0, 1, 2, 3], "int32")),
    (lambda: ops.arange(1, 7, 2), np.array([1, 3, 5], "int32")),
    (lambda: ops.arange(3.0), np.array([0, 1, 2], "float32")),
    (lambda: ops.arange(0, 1, 0.25), np.array([0, 0.25, 0.5, 0.75], "float32")),
    (lambda: ops.arange(3, dtype="float64"), np.array([0, 1, 2], "float64")),
    (lambda: ops.linspace(0, 1, 5), np.array([0, 0.25, 0.5, 0.75, 1], "float32")),
    (lambda: ops.linspace(1, 2, num=2, dtype="float64"), np.array([1.0, 2.0])),
])  # fmt: skip
def test_created(found, expected):
    tensor = found()
    assert isinstance(tensor, Tensor) and tensor.dtype == expected.dtype
    np.testing.assert_array_equal(tensor.numpy(), expected)


@pytest.mark.oracle
@pytest.mark.parametrize("arguments", [(4,), (1, 7, 2), (3.0,), (0, 1, 0.25), (0, 3.0), (2, 5)])
def test_arange_has_the_dtype_of_keras(keras, arguments):
    theirs = keras.ops.arange(*arguments)
    ours = ops.arange(*arguments)
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.numpy(), np.asarray(theirs))


def test_floatx_decides():
    config.set_floatx("float64")
    try:
        made = (ops.zeros(1), ops.ones(1), ops.full(1, 2.0), ops.eye(1), ops.linspace(0, 1), ops.arange(2.0))
        assert all(tensor.dtype == "float64" for tensor in made)
    finally:
        config.set_floatx("float32")


def test_convert_to_tensor():
    x = Tensor([1.0, 2.0])
    assert ops.convert_to_tensor(x) is x and ops.convert_to_tensor(x, "float32") is x
    assert ops.convert_to_tensor(x, "float64").dtype == "float64"
    assert ops.convert_to_tensor([1, 2]).dtype == "int32" and ops.convert_to_tensor(2.5).dtype == "float32"
    assert ops.convert_to_tensor(np.zeros(2)).dtype == "float64"
    live = Tensor([1.0, 2.0], requires_grad=True)
    ops.convert_to_tensor(live, "float64").backward()
    np.testing.assert_array_equal(live.grad, [1, 1])


def test_convert_to_numpy_gives_a_copy():
    v = Variable([1.0, 2.0])
    found = ops.convert_to_numpy(v)
    found[0] = 9
    assert type(found) is np.ndarray and v.numpy()[0] == 1
    np.testing.assert_array_equal(ops.convert_to_numpy([1, 2]), [1, 2])


def test_dtype_is_a_name():
    assert ops.dtype(Tensor(1.0)) == "float32" and ops.dtype(np.arange(2, dtype="int8")) == "int8"


def test_multi_hot():
    assert ops.multi_hot(np.array([0, 4]), 5).tolist() == [1, 0, 0, 0, 1]
    assert ops.multi_hot(np.array([[0, 1], [2, 2]]), 3, dtype="int32").tolist() == [[1, 1, 0], [0, 0, 1]]


def test_is_tensor_and_shape():
    assert ops.is_tensor(Tensor(1.0)) and ops.is_tensor(Variable(1.0)) and not ops.is_tensor(np.ones(2))
    assert ops.shape(Tensor(np.zeros((2, 3)))) == ops.shape(np.zeros((2, 3))) == (2, 3)


@pytest.mark.parametrize("call, message", [
    (lambda x: ops.expand_dims(x, 4), "axis 4 is out of bounds"),
    (lambda x: ops.squeeze(x, 0), "size not equal to one"),
    (lambda x: ops.swapaxes(x, 0, 2), "axis 2 is out of range for an array of 2 axes"),
    (lambda x: ops.moveaxis(x, 0, -3), "axis -3 is out of range"),
    (lambda x: ops.flip(x, 2), "axis 2 is out of range"),
    (lambda x: ops.take(x, [0], axis=2), "axis 2 is out of range"),
    (lambda x: ops.softmax(x, axis=3), "axis 3 is out of range"),
    (lambda x: ops.split(x, 2, axis=1), "cannot split axis 1 of extent 3 into 2 equal sections"),
    (lambda x: ops.pad(x, 1, mode="reflect"), "mode must be 'constant', not 'reflect'"),
    (lambda x: ops.matmul(x, x), "inner sizes differ"),
    (lambda x: ops.conv(x[None, :, :, None], np.ones((1, 1, 1, 1)), strides=0), "strides must be a positive whole"),
    (lambda x: ops.categorical_crossentropy(x, x[:1]), r"targets of shape \(2, 3\) for outputs of shape \(1, 3\)"),
    (lambda x: ops.binary_crossentropy(x, x[0]), r"targets of shape \(2, 3\) for outputs of shape \(3,\)"),
    (lambda x: ops.sparse_categorical_crossentropy(np.zeros(3, int), x), r"labels of shape \(3,\) do not fit"),
])  # fmt: skip
@pytest.mark.parametrize("wrap", [np.asarray, Tensor], ids=["arrays", "tensors"])
def test_errors(call, message, wrap):
    with pytest.raises(ValueError, match=message):
        call(wrap(np.ones((2, 3))))
