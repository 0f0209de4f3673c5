"""Variable: assignment, flags, and how much of a value it shares."""

import numpy as np
import pytest

from minidl.engine import Tensor, Variable


def test_the_start_value_is_copied():
    array = np.zeros(2)
    v = Variable(array)
    array[0] = 5
    assert v.numpy()[0] == 0


@pytest.mark.parametrize("value, dtype", [
    (1, "int32"), (1.0, "float32"), ([1, 2], "int32"), ([1.0], "float32"), (True, "bool"), (np.zeros(3), "float64"),
    (np.zeros(3, "int64"), "int64"),
])  # fmt: skip
def test_dtypes_are_those_of_keras_but_for_its_missing_64_bits(value, dtype):
    assert Variable(value).dtype == dtype


def test_assign_keeps_dtype_and_identity_and_does_not_touch_what_was_taken():
    v = Variable([1.0, 2.0])
    array = v.data
    assert v.assign([3, 4]) is v and v.dtype == "float32"
    np.testing.assert_array_equal(array, [1, 2])
    v.assign_add([1, 1]).assign_sub(Tensor([0.0, 2.0]))
    np.testing.assert_array_equal(v.numpy(), [4, 3])
    source = np.array([9.0, 9.0], "float32")
    v.assign(source)
    source[0] = 0
    np.testing.assert_array_equal(v.numpy(), [9, 9])


def test_assign_of_another_shape_names_the_variable():
    with pytest.raises(ValueError, match=r"gamma: cannot assign shape \(3,\) to a variable of shape \(2,\)"):
        Variable([1.0, 2.0], name="gamma").assign([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="holds numbers"):
        Variable(1.0).assign("text")


def test_every_change_counts_as_a_new_version():
    v = Variable(1.0)
    versions = [v.version, v.assign(2.0).version, v.assign_add(1.0).version]
    v.version += 1  # data was written into
    assert [*versions, v.version] == [0, 1, 2, 3]


def test_frozen_and_whole_number_variables_are_constants():
    assert (Variable(2.0, trainable=False) * 2).node is None
    assert (Variable(2) * 2.0).node is None
    v = Variable(2.0)
    v.trainable = False
    assert (v * v).node is None


def test_value_is_a_copy_that_gradients_flow_through():
    for start in (2.0, 3, True):
        v = Variable(start)
        assert type(v.value) is Tensor and v.value.dtype == v.dtype and v.value.data is not v.data
    v = Variable(2.0)
    (v.value * 3).backward()
    assert v.grad == 3


def test_repr_and_name():
    assert repr(Variable([1.0], name="beta")) == "<Variable beta, shape=(1,), dtype=float32, trainable=True>"
    assert Variable(1.0).name == "variable"
