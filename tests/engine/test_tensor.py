"""Tensor: what it holds, how it becomes numbers and arrays, and what it refuses."""

import numpy as np
import pytest

from minidl import config, ops
from minidl.engine import Tensor, Variable, grad


def test_python_numbers_take_the_default_types_and_arrays_keep_theirs():
    assert Tensor(1.5).dtype == "float32" and Tensor([[1.0, 2.0]]).dtype == "float32"
    assert Tensor(3).dtype == "int32" and Tensor([1, 2]).dtype == "int32"
    assert Tensor(True).dtype == bool
    assert Tensor(np.zeros(2)).dtype == "float64" and Tensor(np.float64(2)).dtype == "float64"
    assert Tensor([np.float64(1), np.float64(2)]).dtype == "float64"
    assert Tensor([1, 2], dtype="float64").dtype == "float64"


def test_floatx_decides_about_python_floats():
    config.set_floatx("float64")
    try:
        assert Tensor(1.5).dtype == "float64" and ops.divide(Tensor(1), 2).dtype == "float64"
    finally:
        config.set_floatx("float32")


def test_arrays_are_not_copied_but_numpy_gives_a_copy():
    array = np.arange(3.0)
    tensor = Tensor(array)
    assert tensor.data is array
    copy = tensor.numpy()
    copy[0] = 9
    assert array[0] == 0 and np.asarray(tensor) is not array


def test_properties():
    tensor = Tensor(np.zeros((2, 3)))
    assert (tensor.shape, tensor.ndim, tensor.size, len(tensor)) == ((2, 3), 2, 6, 2)
    assert tensor.T.shape == (3, 2) and tensor.reshape(3, 2).shape == tensor.reshape((3, 2)).shape == (3, 2)


def test_repr_shows_values_shape_and_dtype():
    assert repr(Tensor([1.0, 2.5])) == "Tensor([1. , 2.5], shape=(2,), dtype=float32)"


def test_format_takes_a_number_format():
    assert f"{Tensor(0.12345):.2f}" == "0.12"


def test_numbers():
    assert float(Tensor([2.5])) == 2.5 and int(Tensor(7)) == 7 and Tensor([[4.0]]).item() == 4.0
    assert [10, 20, 30][Tensor(1)] == 20
    assert bool(Tensor(1)) and not Tensor(0.0)


@pytest.mark.parametrize("act", [lambda t: [1, 2][t], len, list], ids=["index", "len", "iter"])
def test_a_float_scalar_is_no_index_and_has_no_length(act):
    with pytest.raises(TypeError, match="index|integer|unsized|length"):
        act(Tensor(1.0))


def test_truth_of_several_elements_is_ambiguous():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))


def test_iteration_gives_rows_that_gradients_flow_through():
    x = Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    first, _, last = x
    (first * last).sum().backward()
    np.testing.assert_array_equal(x.grad, [[4, 5], [0, 0], [0, 1]])


def test_operators_on_both_sides():
    a, b = np.array([1.0, 4.0]), np.array([2.0, -3.0])
    ta, tb = Tensor(a), Tensor(b)
    pairs = [
        (ta + tb, a + b), (ta - tb, a - b), (ta * tb, a * b), (ta / tb, a / b), (ta**tb, a**b), (ta @ tb, a @ b),
        (2 + ta, 2 + a), (2 - ta, 2 - a), (2 * ta, 2 * a), (2 / ta, 2 / a), (2**ta, 2**a), (-ta, -a), (abs(tb), abs(b)),
        (a + tb, a + b), (a - tb, a - b), (a * tb, a * b), (a / tb, a / b), (a**tb, a**b), (a @ tb, a @ b),
        (np.float64(2) * ta, 2 * a),
    ]  # fmt: skip
    for found, expected in pairs:
        assert isinstance(found, Tensor)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-15)
    for found, expected in [(ta < tb, a < b), (ta >= b, a >= b), (a == ta, a == a), (ta != tb, a != b)]:
        assert isinstance(found, Tensor)
        np.testing.assert_array_equal(found.numpy(), expected)


def test_ndarray_on_the_left_keeps_the_graph():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    (np.array([3.0, 4.0]) - x).sum().backward()
    np.testing.assert_array_equal(x.grad, [-1, -1])


@pytest.mark.parametrize("function", [np.exp, np.sin, np.maximum])
def test_numpy_functions_raise_and_say_what_to_write(function):
    x = Tensor(np.ones(2))
    with pytest.raises(TypeError, match=rf"minidl\.ops\.{function.__name__}\(x\).*x\.numpy\(\)"):
        function(*[x] * function.nin) if function is not np.maximum else function.reduce(x)


def test_adding_in_place_to_an_ndarray_raises():
    total = np.zeros(2)
    with pytest.raises(TypeError, match="cut the graph"):
        total += Tensor(np.ones(2))


def test_np_stack_gives_a_detached_array():
    x = Tensor(np.ones(2), requires_grad=True)
    stacked = np.stack([x * 2, x * 3])
    assert type(stacked) is np.ndarray
    np.testing.assert_array_equal(stacked, [[2, 2], [3, 3]])


def test_a_list_of_live_tensors_raises_and_names_stack():
    x = Tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"ops\.stack"):
        Tensor([x, x * 2])
    assert Tensor([Tensor(1.0), Tensor(2.0)]).shape == (2,)


@pytest.mark.parametrize("value", ["text", object(), ["a", "b"], None])
def test_only_numbers(value):
    with pytest.raises(TypeError, match="holds numbers"):
        Tensor(value)


def test_only_floats_have_gradients():
    with pytest.raises(TypeError, match="int32"):
        Tensor([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match="int32"):
        grad(Tensor([1, 2]), Tensor([1.0, 2.0]))


def test_writing_into_a_tensor_raises():
    with pytest.raises(TypeError, match="where"):
        Tensor([1.0])[0] = 2.0


def test_tensors_are_hashable_by_identity():
    a, b = Tensor([1.0]), Tensor([1.0])
    assert len({a, b, a}) == 2


def test_results_of_reductions_are_arrays_whose_dtype_counts():
    one = ops.sum(Tensor(np.ones(3, "float32")))
    assert type(one.data) is np.ndarray and one.dtype == "float32"
    assert (one + one).dtype == (one * 2.5).dtype == (one / 3).dtype == ops.exp(one).dtype == "float32"
    assert (one * np.float64(2)).dtype == "float32"  # a number of NumPy counts like one of Python
    assert (one * ops.sum(Tensor(np.ones(3)))).dtype == "float64"


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["add", "divide", "where"])
def test_dtypes_of_results_are_those_of_keras(keras, name):
    first = (np.array([True, False]),) if name == "where" else ()
    for left in ("float32", "int32", "bool"):
        for right in (np.ones(2, "float32"), np.ones(2, "int64"), 1.5, np.float64(1.5)):
            a = np.ones(2, left)
            ours = getattr(ops, name)(*first, Tensor(a), right)
            theirs = getattr(keras.ops, name)(*first, a, right)
            # Keras on JAX has no 64 bits: what counts is whether it is a float, and that this is float32.
            assert ours.dtype.kind == np.dtype(str(theirs.dtype)).kind, (left, right)
            assert ours.dtype.kind != "f" or ours.dtype == "float32", (left, right)


def test_variables_are_tensors():
    assert isinstance(Variable([1.0]), Tensor)
