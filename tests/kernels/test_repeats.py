"""Work on arrays that note themselves: what is computed again, what is not, and where inputs are read."""

import weakref

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from minidl_kernels import graphs, memory, relu
from minidl_kernels.arrays import namespace
from minidl_kernels.loss import probability_cross_entropy, probability_cross_entropy_grad, softmax_cross_entropy
from minidl_kernels.matmul import matmul
from minidl_kernels.noted import Noted
from minidl_kernels.parallel import Row
from minidl_kernels.repeats import Call, Recorder

ROWS = np.arange(6, dtype="float32").reshape(2, 3)


def record(work):
    """The graph, and the arrays of the results."""
    graph, found = Recorder().record(work, np.dtype("float32"))
    return graph, found.array


def test_what_is_the_same_in_every_step_is_computed_once():
    x = ROWS.copy()

    def work():
        given = Noted(x)
        scale = namespace(given).ones((3,), "float32") * 4.0
        return given * (scale + 1)

    graph, found = record(work)
    assert len(graph.work.actions) == 1
    x[...] = 2 * ROWS
    graph.launch()
    np.testing.assert_array_equal(found, 10 * ROWS)


def test_calls_of_one_thread_are_one_row_and_read_other_arrays_in_place():
    x, w = ROWS.copy(), np.random.default_rng(0).standard_normal((3, 4)).astype("float32")

    def work():
        hidden = relu(matmul(Noted(x), w))
        return matmul(hidden, Noted(w), transpose_b=True)

    graph, found = record(work)
    (row,) = graph.work._runs
    assert type(row) is Row and len(graph.work.actions) == 3
    calls = graph.work.calls(x)
    assert len(calls) == 1
    for other in (ROWS - 3, -ROWS):  # each gone before the next one is there
        calls[0].put(x, other.copy())
        graph.launch()
        calls[0].put_back()
        np.testing.assert_allclose(found, np.maximum(other.astype("d") @ w, 0) @ w.T, rtol=1e-5)
    graph.launch()
    np.testing.assert_allclose(found, np.maximum(x.astype("d") @ w, 0) @ w.T, rtol=1e-5)


@pytest.mark.parametrize("how", ["setitem", "operator", "out", "fill", "at", "copyto", "kernel", "view"])
def test_a_constant_that_is_changed_is_set_anew(how):
    x = ROWS.copy()

    def work():
        given = Noted(x)
        xp = namespace(given)
        sums = xp.zeros((2, 3), "float32") + 1
        before = given + sums  # 1 here, in every step
        if how == "setitem":
            sums[...] = sums + given
        elif how == "operator":
            sums += given
        elif how == "out":
            xp.add(sums, given, out=sums)
        elif how == "fill":
            sums.fill(7)
        elif how == "at":
            xp.add.at(sums, xp.zeros((1,), "int64"), given[:1])
        elif how == "copyto":
            xp.copyto(sums, given)
        elif how == "kernel":
            matmul(given, xp.ones((3, 3), "float32"), out=sums)
        else:
            view = sums[1:]
            view += given[1:]
        return before * 100 + sums

    graph, found = record(work)
    for factor in (1, 2, 3):
        x[...] = now = factor * ROWS
        graph.launch()
        sums = np.ones((2, 3), "float32")
        if how in ("setitem", "operator", "out"):
            sums += now
        elif how == "fill":
            sums[...] = 7
        elif how == "at":
            sums[0] += now[0]
        elif how == "copyto":
            sums[...] = now
        elif how == "kernel":
            sums[...] = now.sum(axis=1, keepdims=True)
        else:
            sums[1:] += now[1:]
        np.testing.assert_array_equal(found, (now + 1) * 100 + sums)


def test_labels_are_looked_at_once_for_each_number_of_classes():
    p, labels = np.full((2, 3), 1 / 3, "float32"), np.array([0, 2])

    def work():
        given, classes = Noted(p), Noted(labels)
        loss, of_label = probability_cross_entropy(given, classes, epsilon=1e-7)
        gradient = probability_cross_entropy_grad(loss, given, of_label, classes, epsilon=1e-7)
        other, _ = softmax_cross_entropy(given[:, :2] * 1, Noted(np.array([0, 1])))
        return gradient.sum() + other.sum()

    graph, _ = record(work)
    checks = [one for one in graph.work.actions if "_labels_in_range" in repr(one.run)]
    assert len(checks) == 2  # of three kernels
    labels[1] = 3
    with pytest.raises(ValueError, match="probability_cross_entropy: the label of row 1 is 3; expected 0 to 2"):
        graph.launch()


def test_fewer_classes_for_the_same_labels_are_looked_at():
    logits, labels = np.zeros((2, 3), "float32"), np.array([0, 1])

    def work():
        given, classes = Noted(logits), Noted(labels)
        return softmax_cross_entropy(given, classes)[0] + softmax_cross_entropy(given[:, :2] * 1, classes)[0]

    graph, _ = record(work)
    labels[0] = 2
    with pytest.raises(ValueError, match="the label of row 0 is 2; expected 0 to 1"):
        graph.launch()


def product(x):
    return lambda: matmul(Noted(x), Noted(np.ones((3, 2), "float32")))


def test_calls_read_other_arrays_in_the_place_of_one():
    x = ROWS.copy()
    graph, found = record(product(x))
    (call,) = graph.work.calls(x)
    assert isinstance(call, Call)
    other = 3 * ROWS
    call.put(x, other)
    graph.launch()
    np.testing.assert_array_equal(found, 3 * ROWS.sum(axis=1, keepdims=True) * np.ones(2))
    call.put_back()
    graph.launch()
    np.testing.assert_array_equal(found, ROWS.sum(axis=1, keepdims=True) * np.ones(2))
    gone = weakref.ref(other)
    del other
    assert gone() is None


@pytest.mark.parametrize("how", ["view", "operation", "transposed", "check"])
def test_no_call_reads_other_arrays_where_something_else_reads_them(how):
    x = np.array([0, 1]) if how == "check" else ROWS.copy()

    def work():
        given = Noted(x)
        if how == "check":
            return softmax_cross_entropy(Noted(ROWS), given)[0]
        y = matmul(given, Noted(np.ones((3, 2), "float32"))).sum()
        if how == "view":
            return y + matmul(given.reshape(3, 2), Noted(np.ones((2, 2), "float32"))).sum()
        return y + (given * 2 if how == "operation" else matmul(given.T, given)).sum()

    graph, _ = record(work)
    assert graph.work.calls(x) == []


def test_what_a_variable_becomes_is_read_besides():
    class Variable:
        data, version, path = np.zeros((2, 3), "float32"), 0, "v"

    x, variable = ROWS.copy(), Variable()

    def work():
        given = Noted(x)
        graphs.used(variable).data = given
        return matmul(given, Noted(np.ones((3, 2), "float32")))

    graph, _ = record(work)
    assert graph.work.calls(x) == []
    x[...] = 5
    graph.launch()
    np.testing.assert_array_equal(variable.data, np.full((2, 3), 5))


BIG = (190, 190)  # of float32: more than the arena leaves to NumPy
BIG_BYTES = 190 * 190 * 4 + memory.LINE


def big(seed):
    return np.random.default_rng(seed).standard_normal(BIG).astype("float32") / 14  # products keep their size


def program(lines, x, w):
    """Run lines of (operation, which value, which other one, which value is dropped) on a list of live values."""
    live = [x]
    for operation, first, second, dropped in lines:
        a, b = live[first % len(live)], live[second % len(live)]
        if operation == "matmul":
            live.append(matmul(a, w))
        elif operation == "relu":
            live.append(relu(a))
        elif operation == "add":
            live.append(a + b)
        elif operation == "turn":
            live.append(a.T[::-1])
        elif a is not x:  # in place; the input is not the program's own
            a += b * 0.5
        if len(live) > 1 and dropped is not None:
            del live[dropped % len(live)]
        del a, b
    return matmul(live[-1], w)


LINES = st.tuples(
    st.sampled_from(["matmul", "relu", "add", "turn", "in place"]), st.integers(0, 5), st.integers(0, 5),
    st.none() | st.integers(0, 5),
)  # fmt: skip


@given(st.lists(LINES, max_size=12), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_programs_whose_results_make_room_for_each_other(lines, seed):
    x, w = big(seed), big(seed + 1)
    graph, found = record(lambda: program(lines, Noted(x), w))
    for again in range(3):
        x[...] = big(seed + 2 + again)
        expected = program(lines, x.copy(), w)
        others = relu(np.ones(BIG, "float32"))  # somebody else's memory stays what it is
        graph.launch()
        np.testing.assert_array_equal(found, expected)
        assert (others == 1).all()


def test_results_that_were_dropped_make_room():
    x, w = big(0), big(1)
    recorder = Recorder()

    def work():
        y = Noted(x)
        for _ in range(10):
            y = relu(matmul(y, w))
        return y

    graph, found = recorder.record(work, np.dtype("float32"))
    assert 0 < recorder.bytes <= 3 * BIG_BYTES  # of 20 results two live at a time
    kept = found.array.copy()
    second, other = recorder.record(lambda: matmul(relu(work()), w), np.dtype("float32"))
    assert recorder.bytes <= 4 * BIG_BYTES  # the first one's result is held
    np.testing.assert_array_equal(found.array, kept)
    for seed in (2, 3):
        x[...] = big(seed)
        expected = x
        for _ in range(10):
            expected = relu(matmul(expected, w))
        second.launch()
        np.testing.assert_array_equal(other.array, matmul(relu(expected), w))
        graph.launch()
        np.testing.assert_array_equal(found.array, expected)


def test_memory_of_what_was_refused_goes_back():
    recorder = Recorder()
    with pytest.raises(graphs.Refused, match="it reads values"):
        recorder.record(lambda: float(relu(Noted(big(0)))[0, 0]), np.dtype("float32"))
    assert recorder.bytes == 0
