"""GradientTape, and the functions that change what it sees: stop_gradient and custom_gradient."""

import numpy as np
import pytest

from minidl import ops
from minidl.engine import GradientTape, Tensor, Variable, grad
from minidl.engine.op import trainable_are
from minidl.ops import custom_gradient, stop_gradient


def constant(*values):
    return Tensor(np.array(values))


def test_a_variable_is_watched_by_itself():
    w = Variable(3.0)
    with GradientTape() as tape:
        y = w * w
    assert isinstance(tape.gradient(y, w), Tensor) and w.grad is None
    with GradientTape() as tape:
        y = w * w
    assert tape.gradient(y, w).item() == 6


def test_a_constant_must_be_watched_and_only_to_the_end_of_the_block():
    x = constant(2.0)
    with GradientTape(persistent=True) as tape:
        before = x * x
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x).item() == 4 and tape.gradient(before, x) is None
    assert (x * x).node is None


def test_watch_takes_a_list_and_frozen_variables():
    a, w = constant(2.0), Variable(5.0, trainable=False)
    with GradientTape() as tape:
        tape.watch([a, w])
        y = a * w
    assert [g.item() for g in tape.gradient(y, [a, w])] == [5, 2]
    with trainable_are(set()), GradientTape() as tape:
        tape.watch(w)
        y = w * w
    assert tape.gradient(y, w).item() == 10


def test_without_watching_accessed_variables():
    a, b = Variable(2.0), Variable(3.0)
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(b)
        y = a * b
    assert [step[0] for step in y.node.steps] == ["x2"]
    da, db = tape.gradient(y, [a, b])
    assert da is None and db.item() == 2
    assert (a * 1.0).node is not None  # outside of the block the flag counts again


def test_a_tape_serves_once_unless_it_is_persistent():
    w = Variable(2.0)
    with GradientTape() as tape:
        y = w * w
    tape.gradient(y, w)
    with pytest.raises(RuntimeError, match=r"GradientTape\(persistent=True\)"):
        tape.gradient(y, w)
    with GradientTape(persistent=True) as tape:
        y = w * w
        z = y * w
    assert tape.gradient(y, w).item() == 4 and tape.gradient(z, w).item() == 12 and tape.gradient(z, y).item() == 2


def test_nested_tapes_give_higher_orders():
    x = constant(2.0)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as middle:
            middle.watch(x)
            with GradientTape() as inner:
                inner.watch(x)
                y = x**4
            first = inner.gradient(y, x)
        second = middle.gradient(first, x)
    third = outer.gradient(second, x)
    assert [g.item() for g in (first, second, third)] == [32, 48, 48]


def test_an_inner_tape_that_watches_nothing_else_leaves_the_outer_tape_s_variables_alone():
    w = Variable(2.0)
    x = constant(3.0)
    with GradientTape() as outer:
        with GradientTape() as inner:
            inner.watch(x)
            y = w * x * x
        slope = inner.gradient(y, x)  # 2 w x
    assert slope.item() == 12 and outer.gradient(slope, w).item() == 6


def test_a_gradient_outside_of_all_tapes_is_not_recorded():
    w = Variable(2.0)
    with GradientTape() as tape:
        y = w * w * w
    assert tape.gradient(y, w).node is None


def test_sources_as_list_tuple_and_dict():
    a, b = Variable(2.0), Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y = a * b
    assert tape.gradient(y, (a, b))[1].item() == 2
    found = tape.gradient(y, {"a": a, "b": b})
    assert {name: g.item() for name, g in found.items()} == {"a": 3, "b": 2}


def test_several_targets_are_summed_with_their_upstream_gradients():
    x = Variable(np.array([1.0, 2.0]))
    with GradientTape(persistent=True) as tape:
        y, z = x * 2, x * x
    np.testing.assert_array_equal(tape.gradient([y, z], x).numpy(), [4, 6])
    weighted = tape.gradient([y, z], x, output_gradients=[np.array([1.0, 0.0]), None])
    np.testing.assert_array_equal(weighted.numpy(), [2 + 2, 4])
    np.testing.assert_array_equal(tape.gradient(z, x, output_gradients=constant(1.0, 10.0)).numpy(), [2, 40])


def test_unconnected_sources_are_none_or_zero():
    x, other = Variable(1.0), Variable(np.array([1.0, 2.0]))
    with GradientTape(persistent=True) as tape:
        y = x * 2
    assert tape.gradient(y, other) is None
    zero = tape.gradient(y, other, unconnected_gradients="zero")
    np.testing.assert_array_equal(zero.numpy(), [0, 0])


@pytest.mark.parametrize("call, error, message", [
    (lambda tape, y: tape.watch(np.ones(2)), TypeError, "watch takes floating Tensors, not array.*convert_to_tensor"),
    (lambda tape, y: tape.watch(Tensor([1, 2])), TypeError, "watch takes floating Tensors.*int32"),
    (lambda tape, y: tape.gradient(y, 3.0), TypeError, "takes Tensors, not float"),
    (lambda tape, y: tape.gradient(2.0, y), TypeError, "takes Tensors, not float"),
    (lambda tape, y: tape.gradient(y, y, unconnected_gradients="no"), ValueError, "'none' or 'zero', not 'no'"),
    (lambda tape, y: tape.gradient([y, y], y, output_gradients=[None]), ValueError, "output_gradients"),
])  # fmt: skip
def test_errors(call, error, message):
    with GradientTape() as tape:
        y = Variable(1.0) * 2
    with pytest.raises(error, match=message):
        call(tape, y)


def test_the_block_ends_when_an_exception_leaves_it():
    x = constant(1.0)
    with pytest.raises(KeyError), GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        raise KeyError
    assert (Variable(1.0) * 1).node is not None and (x * 1).node is None


def test_stop_gradient():
    x = Variable(np.array([2.0, 3.0]))
    y = x * stop_gradient(x * x)
    y.backward()
    np.testing.assert_array_equal(x.grad, [4, 9])
    assert stop_gradient(x).node is None


def test_custom_gradient_replaces_the_gradient():
    @custom_gradient
    def clipped_identity(x):
        return x, lambda upstream: ops.clip(upstream, -1.0, 1.0)

    x = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    y = clipped_identity(x * 2)
    np.testing.assert_array_equal(y.numpy(), [2, 4, 6])
    y.backward(np.array([-5.0, 0.5, 3.0]))
    np.testing.assert_array_equal(x.grad, [-2, 1, 2])


def test_custom_gradient_of_second_order_also_through_values_of_the_forward_pass():
    @custom_gradient
    def log1pexp(x):  # the example of TensorFlow's documentation
        e = ops.exp(x)
        return ops.log(1.0 + e), lambda upstream: upstream * (1.0 - 1.0 / (1.0 + e))

    x = Tensor(np.array([-1.0, 0.5, 2.0]), requires_grad=True)
    first = grad(log1pexp(x), x, create_graph=True)
    s = 1 / (1 + np.exp(-x.data))
    np.testing.assert_allclose(first.numpy(), s, rtol=1e-14)
    np.testing.assert_allclose(grad(first, x).numpy(), s * (1 - s), rtol=1e-13)


def test_custom_gradient_with_several_arguments_of_which_some_are_not_live():
    @custom_gradient
    def product(a, b, c):
        return a * b * c, lambda g: (g * b * c, None, g * a * b)

    a, c = Variable(2.0), Variable(5.0)
    product(a, 3.0, c).backward()
    assert (a.grad, c.grad) == (15, 6)
    assert product(1.0, 2.0, 3.0).node is None
    assert product.__name__ == "product"


def test_custom_gradient_with_a_wrong_number_or_shape_of_gradients():
    @custom_gradient
    def one_short(a, b):
        return a * b, lambda g: g * b

    @custom_gradient
    def misshapen(a):
        return a * 2, lambda g: ops.stack([g, g])[:, :1]

    a = Variable(np.array([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="one_short: grad returned 1 gradients for 2 arguments"):
        one_short(a, a).backward()
    with pytest.raises(ValueError, match=r"op misshapen.*\(2, 1\).*\(3,\)"):
        misshapen(a).backward()
