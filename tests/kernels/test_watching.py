"""What is seen of the calls of kernels, and that a watched call without computing changes nothing."""

import threading

import numpy as np
import pytest

import minidl_kernels as kernels
from minidl_kernels import watching

X, W = np.ones((2, 6, 6, 3), "f"), np.ones((3, 3, 3, 4), "f")


def test_a_call_is_listed_with_what_it_chose_and_who_refused():
    with kernels.watch() as seen:
        seen.place = "here"
        y = kernels.conv2d(X, W, strides=(2, 2))
    (call,) = seen.calls
    assert (y == 27).all()
    assert (call.kernel, call.implementation, call.place) == ("conv2d", "cpu", "here")
    assert call.shapes == (X.shape, W.shape)
    assert call.settings == {"strides": (2, 2), "padding": "valid", "activation": None}
    assert call.refused == (("winograd", "takes kernels of 3x3 with stride 1"),)


def test_one_that_pays_for_larger_arrays_only_is_listed_as_refusing():
    with kernels.watch() as seen:
        kernels.scale_shift(np.ones((2, 2), "f"), np.ones(2, "f"), np.ones(2, "f"))
    (call,) = seen.calls
    assert call.implementation == "array" and call.refused == (("cpu", "pays from 4,096 elements on"),)


def test_the_same_is_seen_at_every_call():
    x = np.ones((40, 40), "f")
    with kernels.watch() as seen:
        for _ in range(3):
            kernels.relu(x)
            kernels.matmul(x, x)
    assert [call.kernel for call in seen.calls] == ["relu", "matmul"] * 3
    assert seen.calls[0] == seen.calls[2] == seen.calls[4]


def test_an_explicit_choice_and_a_setting_are_seen():
    with kernels.watch() as seen, kernels.conv2d.use("reference"):
        kernels.conv2d(X, W)
    assert [call.implementation for call in seen.calls] == ["reference"]
    kernels.config.use_implementation("conv2d", "array")
    try:
        with kernels.watch() as seen:
            kernels.conv2d(X, W)
    finally:
        kernels.config.use_implementation("conv2d", None)
    assert [call.implementation for call in seen.calls] == ["array"]


def test_without_computing_the_results_are_zeros_and_nothing_changes():
    w, g, out = np.ones(5, "f"), np.ones(5, "f"), np.full((2, 4, 4, 4), 7, "f")
    with kernels.watch(compute=False) as seen:
        y = kernels.conv2d(X, W)
        assert kernels.conv2d(X, W, out=out) is out
        parts = kernels.batch_norm(X, W[0, 0, :, 0], W[0, 0, :, 0], epsilon=1e-3)
        assert kernels.sgd([w], [g], learning_rate=1.0) is None
    assert y.shape == (2, 4, 4, 4) and y.dtype == "float32" and not y.any()
    assert [p.shape for p in parts] == [X.shape, (3,), (3,)] and not any(p.any() for p in parts)
    assert (w == 1).all() and (out == 7).all()
    assert [call.kernel for call in seen.calls] == ["conv2d", "conv2d", "batch_norm", "sgd"]
    assert (kernels.conv2d(X, W) == 27).all()  # and afterwards it computes again


def test_errors_are_the_same_without_computing():
    with kernels.watch(compute=False) as seen, pytest.raises(ValueError, match="channels"):
        kernels.conv2d(X, W[:, :, :2])
    assert seen.calls == [] and watching.watchers == 0


def test_the_inner_block_sees_and_other_threads_are_not_seen():
    x = np.ones(3, "f")
    with kernels.watch() as outer:
        with kernels.watch() as inner:
            kernels.relu(x)
        other = threading.Thread(target=kernels.relu, args=(x,))
        other.start()
        other.join()
    assert len(inner.calls) == 1 and outer.calls == []
