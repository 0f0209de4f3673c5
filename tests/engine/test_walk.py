"""The walk: the chain rule on graphs of all shapes, and what it leaves behind."""

import gc
import threading
import weakref

import numpy as np
import pytest

from minidl import ops
from minidl.engine import Tensor, Variable, grad, no_grad


def leaf(*values):
    return Tensor(np.array(values), requires_grad=True)


def test_a_chain_of_20000_ops_and_its_destruction():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(20_000):
        y = y + x
    y.backward()
    np.testing.assert_array_equal(x.grad, [20_001, 20_001])
    node = weakref.ref(y)
    del y  # would overflow the stack if it recursed
    assert node() is None


def test_a_chain_through_create_graph():
    x = leaf(0.999)
    y = x
    for _ in range(3000):
        y = y * 1.0001
    g = grad(y, x, create_graph=True)
    np.testing.assert_allclose(g.numpy(), 1.0001**3000)


def test_diamonds_are_visited_once_however_many_paths_there_are():
    x = leaf(1.5)
    y = x
    for _ in range(60):  # 2 ** 60 paths
        y = y * 0.5 + y * 0.5
    y.backward()
    np.testing.assert_allclose(x.grad, [1.0])


def test_a_value_used_twice_by_one_op():
    x = leaf(3.0, -2.0)
    (x * x).backward()
    np.testing.assert_array_equal(x.grad, [6, -4])


def test_two_tensors_of_one_node_are_the_same_value():
    x = leaf(2.0)
    y = x * x
    again = Tensor.of(y.data, y.node)
    np.testing.assert_array_equal(grad(again * 3, y).numpy(), [3])


@pytest.mark.parametrize("shapes", [
    ((3, 1, 4), (2, 1)), ((2, 1), (3, 1, 4)), ((), (2, 3)), ((2, 3), ()), ((1, 1), (3,)), ((5, 1), (5, 5)),
])  # fmt: skip
def test_broadcasting_is_undone(shapes):
    rng = np.random.default_rng(0)
    a, b = (Tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes)
    upstream = rng.normal(size=np.broadcast_shapes(*shapes))
    (a * b).backward(upstream)

    def summed(g, shape):  # by an explicit sum over the places that each element was repeated to
        total = np.zeros(shape)
        where = np.broadcast_to(np.arange(total.size).reshape(shape), g.shape)
        np.add.at(total.reshape(-1), where, g)
        return total

    np.testing.assert_allclose(a.grad, summed(upstream * b.data, shapes[0]), rtol=1e-12)
    np.testing.assert_allclose(b.grad, summed(upstream * a.data, shapes[1]), rtol=1e-12)


def test_gradients_have_the_dtype_of_what_they_belong_to():
    x = Tensor(np.ones(3, "float32"), requires_grad=True)
    y = Tensor(np.ones(3), requires_grad=True)
    (x * y).backward()
    assert x.grad.dtype == "float32" and y.grad.dtype == "float64"


def test_backward_accumulates_until_grad_is_reset():
    v = Variable([1.0, 2.0])
    y = v * v
    y.backward()
    y.backward()
    np.testing.assert_array_equal(v.grad, [4, 8])
    v.grad = None
    (v * 3).backward()
    np.testing.assert_array_equal(v.grad, [3, 3])


def test_gradients_belong_to_their_leaf_alone():
    a, b, upstream = leaf(1.0, 2.0), leaf(3.0, 4.0), np.ones(2)
    (a + b).backward(upstream)
    a.grad *= 100
    np.testing.assert_array_equal(b.grad, [1, 1])
    np.testing.assert_array_equal(upstream, [1, 1])
    c = leaf(1.0, 2.0)
    ops.sum(c).backward()
    c.grad[0] = 5  # not a read-only view of one number
    np.testing.assert_array_equal(c.grad, [5, 1])


def test_gradients_of_numbers_are_arrays():
    v = Variable(2.0)
    ops.sum(v * v).backward()
    assert type(v.grad) is np.ndarray and v.grad.shape == () and v.grad.dtype == "float32"
    assert type(grad(ops.sum(v * v), v).data) is np.ndarray


def test_only_leaves_that_asked_keep_a_gradient():
    v, x = Variable([2.0]), Tensor([3.0])
    y = v * x
    z = y * y
    z.backward()
    assert y.grad is None and z.grad is None and x.grad is None and v.grad is not None


def test_third_order_of_known_functions():
    x = leaf(0.3, -1.2, 2.0)
    order = [np.sin, np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v)]
    y = ops.sin(x)
    for derivative in order[1:]:
        y = grad(y, x, create_graph=True)
        np.testing.assert_allclose(y.numpy(), derivative(x.data), rtol=1e-13)
    y = x**4
    for factor, power in ((4, 3), (12, 2), (24, 1)):
        y = grad(y, x, create_graph=True)
        np.testing.assert_allclose(y.numpy(), factor * x.data**power, rtol=1e-12)


def test_mixed_derivatives_commute():
    x, y = leaf(1.3), leaf(-0.4)
    f = ops.exp(x * y) * x
    xy = grad(grad(f, x, create_graph=True), y)
    yx = grad(grad(f, y, create_graph=True), x)
    expected = np.exp(1.3 * -0.4) * (2 * 1.3 + 1.3**2 * -0.4)
    np.testing.assert_allclose([xy.item(), yx.item()], expected, rtol=1e-13)


def test_a_gradient_penalty_reaches_the_weights():
    w, x = Variable(np.array([2.0, -1.0])), leaf(3.0, 0.5)
    slope = grad(ops.sum(w * x * x), x, create_graph=True)  # 2 w x
    ops.sum(slope * slope).backward()  # d/dw sum (2 w x)^2 = 8 w x^2
    np.testing.assert_allclose(w.grad, 8 * w.data * x.data**2)


def test_grad_returns_none_without_dependence_and_the_upstream_for_itself():
    x, other = leaf(1.0), leaf(2.0)
    y = x * 2
    assert grad(y, other) is None
    np.testing.assert_array_equal(grad(y, y).numpy(), [1])
    found = grad(y, [x, other, y], upstream=np.array([5.0]))
    assert found[1] is None and found[0].item() == 10 and found[2].item() == 5
    assert x.grad is None


def test_grad_of_a_middle_value_also_goes_on_below_it():
    x = leaf(2.0)
    y = x * x
    z = y * 3
    to_y, to_x = grad(z, [y, x])
    assert to_y.item() == 3 and to_x.item() == 12


def test_a_tensor_as_upstream_is_differentiated_too():
    x, weights = leaf(2.0, 3.0), leaf(1.0, 4.0)
    g = grad(x * x, x, upstream=weights, create_graph=True)  # 2 x w
    np.testing.assert_array_equal(grad(g, weights).numpy(), [4, 6])


def test_under_no_grad_there_is_no_way_back():
    x = leaf(1.0)
    with no_grad():
        y = x * 2
    with pytest.raises(ValueError, match="no gradient flows here"):
        y.backward()
    assert grad(y, x) is None


@pytest.mark.parametrize("call, error, message", [
    (lambda x: (x * 2).backward(np.ones(3)), ValueError, r"upstream gradient has shape \(3,\); the tensor has \(2,\)"),
    (lambda x: grad(x, [1.0]), TypeError, "grad takes Tensors, not float"),
    (lambda x: grad(x.data, x), TypeError, "grad takes Tensors, not ndarray"),
])  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(leaf(1.0, 2.0))


def test_assigning_between_forward_and_backward_names_the_variable():
    v, x = Variable([1.0, 2.0], name="kernel"), Tensor([3.0, 4.0], requires_grad=True)
    y = x * v
    v.assign([5.0, 6.0])
    with pytest.raises(RuntimeError, match="kernel was assigned to after op multiply used it as 'x2'"):
        y.backward()
    (x * v).backward()  # a new forward pass is fine
    np.testing.assert_array_equal(x.grad, [5, 6])


def test_an_update_in_place_is_noticed_as_well():
    v, x = Variable([1.0, 2.0], name="kernel"), leaf(3.0, 4.0)
    y = x * v
    v.data *= 0.9
    v.version += 1  # data was written into
    with pytest.raises(RuntimeError, match="kernel"):
        y.backward()


def test_an_assignment_that_no_gradient_needs_is_no_error():
    v, x = Variable([1.0, 2.0]), leaf(3.0, 4.0)
    y = v + x
    taken = ops.exp(v)  # keeps its output
    v.assign([0.0, 0.0])
    (y + taken).backward()
    np.testing.assert_allclose(v.grad, 1 + np.exp([1.0, 2.0]), rtol=1e-6)


def test_what_was_taken_of_a_variable_before_an_update_keeps_its_value():
    v = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
    taken = ops.transpose(v)
    y = taken * taken
    v.data *= 0
    v.version += 1  # data was written into
    y.backward()
    np.testing.assert_array_equal(v.grad, [[2, 4], [6, 8]])


def test_the_graph_is_freed_by_reference_counting():
    gc.collect()
    gc.disable()
    try:
        x = leaf(0.5, 0.6)
        y = ops.exp(ops.sin(x) * x)
        g = grad(y, x, create_graph=True)
        watched = [weakref.ref(t) for t in (y, g)] + [weakref.ref(t.data) for t in (y, g)]
        y.backward()
        del y, g
        assert [one() for one in watched] == [None] * 4
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        assert not [one for one in gc.garbage if type(one).__module__.startswith("minidl")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_two_threads_differentiate_at_once():
    shared = Variable(np.linspace(-1, 1, 50))
    found = {}

    def work(k):
        for _ in range(50):
            y = ops.sum(ops.sin(shared * float(k)))
            g = grad(y, shared, create_graph=True)
            found.setdefault(k, []).append((g.numpy(), grad(g, shared).numpy()))

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, results in found.items():
        assert len(results) == 50
        for first, second in results:
            np.testing.assert_allclose(first, k * np.cos(k * shared.data), rtol=1e-12)
            np.testing.assert_allclose(second, -(k**2) * np.sin(k * shared.data), rtol=1e-12)


def test_random_graphs_against_forward_mode():
    """Random programs of five ops, differentiated by dual numbers (value, derivative) beside it."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = Tensor(rng.uniform(0.5, 1.5, 3), requires_grad=True)
        direction = rng.normal(size=3)
        pool = [(x, x.data, direction)]
        for _ in range(25):
            (a, av, ad), (b, bv, bd) = (pool[i] for i in rng.integers(0, len(pool), 2))
            kind = rng.integers(0, 5)
            if kind == 0:
                pool.append((a + b, av + bv, ad + bd))
            elif kind == 1:
                pool.append((a * b * 0.5, av * bv * 0.5, (ad * bv + av * bd) * 0.5))
            elif kind == 2:
                pool.append((ops.sin(a), np.sin(av), np.cos(av) * ad))
            elif kind == 3:
                pool.append((a - b, av - bv, ad - bd))
            else:
                pool.append((a[::-1], av[::-1], ad[::-1]))
        y, value, derivative = pool[-1]
        upstream = rng.normal(size=3)
        np.testing.assert_allclose(y.numpy(), value, rtol=1e-13)
        g = grad(y, x, upstream=upstream)
        found = 0 if g is None else g.numpy() @ direction
        np.testing.assert_allclose(found, upstream @ derivative, rtol=1e-9, atol=1e-12)
