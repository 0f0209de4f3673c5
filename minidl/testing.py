"""Assertions for tests of one's own: gradients, optimizers, training loops, initial weights.

::

    from minidl.testing import assert_gradients, assert_update

    def test_my_layer():
        assert_gradients(MyLayer(3, 4), np.random.default_rng(0).normal(size=(5, 3)))

    def test_my_adam():
        assert_update(MyAdam(learning_rate=0.01), "adam", learning_rate=0.01)

Each raises AssertionError with a report that says what is wrong, where, and as far as it can be told why.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.checking.diagnosis import (
    Diagnosis,
    Trajectory,
    diagnose,
    diagnose_initializer,
    diagnose_training,
    diagnose_update,
)

__all__ = ["assert_gradients", "assert_initializer", "assert_training", "assert_update"]


def assert_gradients(f: Any, inputs: Any, *, backward: Any = None, **options: Any) -> Diagnosis:
    """The gradients of a function, op, layer or model are right.

    Args:
        f: an object with ``forward`` and ``backward``; ``forward(x, *params) -> (y, cache)`` with ``backward``; a
            function that returns ``(loss, gradients)``; or a function of Tensors, a layer or a model of minidl.
        inputs: arrays, or ``make(rng, batch) -> arrays``.
        backward: ``backward(g, cache) -> gradients``, for a pair.
        options: seed, rtol, language ("en" or "ko"), probes, and arguments of f; see ``minidl.checking.diagnose``.

    Returns:
        The report.

    Raises:
        AssertionError: a gradient is wrong; the text is the report.
    """
    __tracebackhide__ = True
    report = diagnose(f, inputs, backward=backward, **options)
    if not report.ok:
        raise AssertionError(str(report))
    return report


def assert_update(update: Any, rule: str, **options: Any) -> Trajectory:
    """An optimizer follows its rule for some steps.

    Args:
        update: an object with ``update(params, grads)`` or ``step(params, grads)``, or a function
            ``f(w, dw, config) -> (w, config)``.
        rule: "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam" or "adamw".
        options: steps, seed, language, and the settings: learning_rate, momentum, beta_1, beta_2, rho,
            epsilon, weight_decay.

    Raises:
        AssertionError: it leaves the rule; the text is the report.
    """
    __tracebackhide__ = True
    report = diagnose_update(update, rule, **options)
    if not report.ok:
        raise AssertionError(str(report))
    return report


def assert_training(
    train: Callable[..., Any],
    loss: Callable[..., float],
    params: dict[str, np.ndarray],
    batches: list[tuple[np.ndarray, ...]],
    **options: Any,
) -> Trajectory:
    """A training loop is gradient descent over the batches, and leaves what is frozen alone.

    Args:
        train: ``train(params, batches, learning_rate)``; ``loss``: ``loss(params, *batch) -> float``.
        params, batches: where to start, and what to learn from.
        options: learning_rate, epochs, frozen, below, language; see ``minidl.checking.diagnose_training``.

    Raises:
        AssertionError: the parameters go elsewhere; the text is the report.
    """
    __tracebackhide__ = True
    report = diagnose_training(train, loss, params, batches, **options)
    if not report.ok:
        raise AssertionError(str(report))
    return report


def assert_initializer(
    make: Callable[..., Any], rule: str, shape: tuple[int, ...] = (300, 100), **options: Any
) -> Trajectory:
    """Initial weights have the mean and deviation of a rule.

    Args:
        make: ``make(shape)`` or ``make(fan_in, fan_out)`` -> weights.
        rule: "he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal" or "lecun_uniform".
        shape: (in, out), or (h, w, in, out).
        options: language, seed.

    Raises:
        AssertionError: they have not; the text is the report.
    """
    __tracebackhide__ = True
    report = diagnose_initializer(make, rule, shape, **options)
    if not report.ok:
        raise AssertionError(str(report))
    return report
