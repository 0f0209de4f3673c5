"""The arena: what is held is never given out again, what is free is, and what nobody wants goes back."""

import gc
import threading

import numpy as np
import pytest

from minidl_kernels import memory, relu

SHAPE = (300, 401)  # of float32: more than LARGE bytes
BYTES = 300 * 401 * 4


@pytest.fixture(autouse=True)
def empty_arena():
    gc.collect()
    memory.release()


def place(array):
    return array.__array_interface__["data"][0]


def test_a_free_buffer_is_used_again_and_a_held_one_never():
    first = relu(np.ones(SHAPE, "f"))
    where = place(first)
    second = relu(np.full(SHAPE, 2.0, "f"))
    assert place(second) != where and (first == 1).all() and (second == 2).all()
    del first
    third = relu(np.full(SHAPE, 3.0, "f"))
    assert place(third) == where and (second == 2).all() and (third == 3).all()


@pytest.mark.parametrize("hold", [lambda y: y[::2, 1:], lambda y: y.reshape(-1), memoryview, lambda y: {"y": [y.T]}])
def test_whatever_refers_to_a_buffer_holds_it(hold):
    held = hold(relu(np.full(SHAPE, 5.0, "f")))
    for _ in range(3):
        relu(np.zeros(SHAPE, "f"))
    values = held["y"][0] if isinstance(held, dict) else np.asarray(held)
    assert (values == 5).all()


def test_report_counts_bytes_and_results():
    before = memory.report()
    y = relu(np.ones(SHAPE, "f"))
    taken = BYTES + memory.LINE  # to start at the beginning of a cache line
    assert memory.report()[:2] == (before.in_use + taken, before.free)
    del y
    assert memory.report()[:2] == (before.in_use, before.free + taken)
    relu(np.ones(SHAPE, "f"))
    after = memory.report()
    assert (after.made - before.made, after.reused - before.reused) == (1, 1)
    memory.release()
    assert memory.report().free == 0


def test_every_buffer_starts_with_a_cache_line():
    made = [memory.empty((rows, 401), np.dtype("f")) for rows in range(100, 140)]
    assert [one.ctypes.data % memory.LINE for one in made] == [0] * 40


def test_small_results_are_left_to_numpy():
    before = memory.report()
    relu(np.ones((3, 4), "f"))
    assert memory.report() == before


def test_a_buffer_serves_for_what_fits_into_it_and_fills_half_of_it():
    where = place(relu(np.ones(SHAPE, "f")))
    for fits, shape, dtype in (
        (True, (200, 401), "f"), (True, (401, 150), "d"), (True, (1, 300, 401, 1), "f"),
        (False, (301, 401), "f"), (False, (149, 401), "f"),
    ):  # fmt: skip
        y = relu(np.ones(shape, dtype))
        assert (place(y) == where) == fits and y.shape == shape and y.dtype == dtype and (y == 1).all()
        del y


def test_the_smallest_buffer_that_fits_is_taken():
    held = [relu(np.ones((rows, 401), "f")) for rows in (500, 300, 400)]
    where = [place(y) for y in held]
    del held
    assert place(relu(np.ones((350, 401), "f"))) == where[2]


def test_what_is_not_wanted_for_long_goes_back():
    relu(np.ones(SHAPE, "f"))
    other = np.ones((400, 301), "f")
    for _ in range(memory.PATIENCE + 1):
        memory.empty(other.shape, other.dtype)
    assert memory.report().free >= BYTES
    memory.empty((500, 501), other.dtype)  # only a new buffer makes it look
    assert memory.report().free == 400 * 301 * 4 + 500 * 501 * 4 + 2 * memory.LINE


def test_each_thread_has_its_own():
    where, seen = place(relu(np.ones(SHAPE, "f"))), []
    thread = threading.Thread(target=lambda: seen.append(place(relu(np.ones(SHAPE, "f")))))
    thread.start()
    thread.join()
    assert seen != [where]
