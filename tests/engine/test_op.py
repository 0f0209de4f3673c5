"""What a call of an op records, and what it keeps."""

import threading

import numpy as np
import pytest

from minidl import ops
from minidl.engine import Tensor, Variable, grad, no_grad
from minidl.engine.op import Op, is_recording, op, registered, trainable_are


@pytest.fixture
def scratch(monkeypatch):
    """Ops made in a test do not stay in the registry."""
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)


@pytest.fixture
def x():
    return Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)


def test_arrays_in_arrays_out_and_nothing_recorded():
    assert type(ops.exp(np.ones(2))) is np.ndarray
    assert ops.exp(Tensor(np.ones(2))).node is None


def test_a_node_names_its_op_and_its_live_inputs(x):
    y = ops.multiply(x, Tensor(np.ones(3)))
    assert y.node.op is ops.multiply and [step[0] for step in y.node.steps] == ["x1"]
    z = ops.exp(y)
    assert z.node.steps[0][1] is y.node and z.node.order > y.node.order


class Same(list):
    """Equal to a list of the very same objects."""

    def __eq__(self, other):
        return len(self) == len(other) and all(a is b for a, b in zip(self, other, strict=True))


def kept(y):
    return Same(value for _, _, _, taken in y.node.steps for value in taken)


def test_only_what_live_inputs_rules_ask_for_is_kept(x):
    frozen = Variable([1.0, 2.0, 3.0], trainable=False, dtype="float64")
    assert kept(x * frozen) == [frozen.data] and kept(frozen * x) == [frozen.data]
    assert kept(x * x) == [x.data, x.data]
    y = ops.exp(x)
    assert kept(y) == [y.data]
    assert kept(ops.add(x, 1.0)) == []
    assert (frozen * frozen).node is None


def test_rules_of_frozen_inputs_never_run(scratch):
    calls = []

    @op
    def product(a, b):
        return a * b

    @product.grad("a")
    def _(g, b):
        calls.append("a")
        return g * b

    @product.grad("b")
    def _(g, a):
        calls.append("b")
        return g * a

    a, b = Variable(2.0), Variable(3.0, trainable=False)
    product(a, b).backward()
    assert calls == ["a"] and a.grad == 3 and b.grad is None
    b.trainable = True
    grad(product(a, b), b)  # a is live as well, but nobody asked
    assert calls == ["a", "b"]


def test_values_that_no_rule_needs_are_freed(x):
    import weakref

    middle = ops.add(x, 1.0)
    array = weakref.ref(middle.data)
    y = ops.exp(middle)  # asks for its output only
    del middle
    assert array() is None
    y.backward()
    np.testing.assert_allclose(x.grad, np.exp([2.0, 3, 4]))


def test_no_grad_records_nothing(x):
    with no_grad():
        assert not is_recording() and ops.exp(x).node is None
    assert is_recording() and ops.exp(x).node is not None


def test_recording_is_a_matter_of_the_thread(x):
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(ops.exp(x).node is not None))
        thread.start()
        thread.join()
    assert seen == [True]


def test_a_selection_overrides_the_trainable_flags():
    a, b = Variable(2.0, trainable=False), Variable(3.0)
    with trainable_are({id(a)}):
        y = a * b
    y.backward()
    assert a.grad == 3 and b.grad is None


TAKE = {
    "reshape": lambda v: ops.reshape(v, (2, 2)),
    "transpose": lambda v: ops.transpose(v),
    "getitem": lambda v: v[0],
    "cast": lambda v: ops.cast(v, v.dtype),
    "value": lambda v: v.value,
    "broadcast_to": lambda v: ops.broadcast_to(v, (3, 2, 2)),
    "stop_gradient": ops.stop_gradient,
}


@pytest.mark.parametrize("take", TAKE.values(), ids=TAKE)
def test_results_do_not_share_memory_with_a_variable(take):
    v = Variable(np.arange(4.0).reshape(2, 2))
    taken = take(v)
    before = taken.numpy()
    v.data += 100  # as an optimizer does
    v.version += 1  # data was written into
    np.testing.assert_array_equal(taken.numpy(), before)


def test_a_list_of_tensors_is_one_input(x):
    y = ops.concatenate([x, Tensor(np.ones(1)), x * 2])
    assert y.node.steps[0][1][1] is None
    y.backward(np.arange(7.0))
    np.testing.assert_array_equal(x.grad, [0 + 2 * 4, 1 + 2 * 5, 2 + 2 * 6])


def test_a_list_may_be_appended_to_before_the_backward_pass(x):
    features = [x, x * 2]
    y = ops.concatenate(features)
    features.append(y)
    y.backward()
    np.testing.assert_array_equal(x.grad, [3, 3, 3])


def test_tuples_with_tensors_stay_tuples(x):
    matrix = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    picked = matrix[Tensor([1, 0]), 1:]
    np.testing.assert_array_equal(picked.numpy(), [[4, 5], [1, 2]])
    picked.backward()
    np.testing.assert_array_equal(matrix.grad, [[0, 1, 1], [0, 1, 1]])


def test_constant_ops_and_whole_numbers_cut_the_graph(x):
    assert ops.greater(x, 0).node is None and ops.argmax(x).node is None
    assert ops.cast(x, "int32").node is None


def test_arguments_by_name_and_python_s_own_errors():
    x = Tensor(np.ones((2, 3)))
    assert ops.sum(x=x, axis=1, keepdims=True).shape == (2, 1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        ops.sum(x, axes=1)
    with pytest.raises(TypeError, match="positional argument"):
        ops.exp(x, x)
    with pytest.raises(TypeError, match="multiple values for argument 'x1'"):
        ops.add(x, x, x1=x)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        ops.add(x)


def test_an_op_in_eight_lines(scratch, x):
    @op
    def cube(x):
        return x**3

    @cube.grad("x")
    def _(g, x):
        return g * 3 * x**2

    first = grad(cube(x), x, create_graph=True)
    np.testing.assert_allclose(first.numpy(), [3, 12, 27])
    np.testing.assert_allclose(grad(first, x).numpy(), [6, 12, 18])
    assert repr(cube) == "<op cube(x)>"


def test_forward_may_return_a_python_number(scratch):
    @op
    def total(x):
        return float(x.sum())

    found = total(Tensor(np.ones(3)))
    assert found.shape == () and isinstance(found.data, np.ndarray)


def test_a_joint_rule_serves_several_inputs_and_runs_once(scratch):
    calls = []

    @op
    def both(a, b, scale=2.0):
        return scale * a * b

    @both.grad("a", "b")
    def _(g, a, b, scale):
        calls.append(scale)
        return g * scale * b, g * scale * a

    a, b = Variable(3.0), Variable(5.0)
    both(a, b).backward()
    assert (a.grad, b.grad, calls) == (10, 6, [2.0])


def test_upstream_is_changed_once_for_all_rules(scratch):
    @op
    def halved_sum(a, b):
        return (a + b) / 2

    @halved_sum.upstream
    def _(g):
        return g / 2

    @halved_sum.grad("a")
    def _(g):
        return g

    @halved_sum.grad("b")
    def _(g):
        return g

    a, b = Variable(3.0), Variable(5.0)
    halved_sum(a, b).backward()
    assert a.grad == b.grad == 0.5


def test_upstream_may_find_what_rules_would_give(scratch):
    calls = []

    @op
    def twice_the_sum(a, b):
        return 2 * (a + b)

    @twice_the_sum.grad("a")
    def _(g):
        return g

    @twice_the_sum.grad("b")
    def of_b(g):
        calls.append(g)
        return g

    @twice_the_sum.upstream
    def _(g):
        return 2 * g if isinstance(g, Tensor) else (2 * g, {of_b: 2 * g})

    a, b = Variable(3.0), Variable(5.0)
    (twice_the_sum(a, b) * a).backward()
    assert (a.grad, b.grad, calls) == (16 + 6, 6, [])
    y = twice_the_sum(a, b)
    first = grad(y * y, b, create_graph=True)  # 4 * (2a + 2b)
    assert (float(first), float(grad(first, a)), len(calls)) == (64, 8, 1)
    assert float(grad(twice_the_sum(a, 1.0), a)) == 2


def test_further_outputs_are_constants_that_rules_may_ask_for(scratch, x):
    @op(outputs=("y", "scale"))
    def scaled(x):
        return x * 3, np.full(x.shape, 3.0)

    @scaled.grad("x")
    def _(g, scale):
        return g * scale

    y, scale = scaled(x)
    assert scale.node is None
    y.backward()
    np.testing.assert_array_equal(x.grad, [3, 3, 3])


def test_a_missing_rule_is_named_at_the_call(scratch, x):
    @op
    def lonely(x):
        return x * 1

    assert lonely(Tensor(np.ones(2))).node is None
    with pytest.raises(TypeError, match=r"op lonely has no rule for 'x'; write @lonely.grad\('x'\)"):
        lonely(x)


def test_a_rule_that_asks_for_something_unknown_is_refused(scratch):
    @op
    def f(x):
        return x

    with pytest.raises(
        ValueError, match=r"rule of op f names \['upstream'\]; it takes g, and may ask for \['x', 'y'\]"
    ):
        f.grad("x")(lambda upstream: upstream)
    with pytest.raises(ValueError, match=r"names \['z'\]"):
        f.grad("z")(lambda g: g)


def test_a_rule_whose_gradient_has_another_shape_is_named(scratch):
    @op
    def product(a, b):
        return a @ b

    @product.grad("a")
    def _(g, b):
        return b @ ops.transpose(g)  # transposed: an engine that reshaped it would hide this

    a, b = Variable(np.ones((2, 3))), Tensor(np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"op product for 'a' gave a gradient of shape \(3, 2\).*shape \(2, 3\)"):
        product(a, b).backward()


def test_every_op_is_registered_under_its_name():
    assert all(isinstance(one, Op) and one.name == name for name, one in registered.items())
    assert ops.exp.__doc__ and ops.exp.__name__ == "exp"
