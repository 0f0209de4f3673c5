"""Connectionist temporal classification (Graves et al. 2006): labels for a sequence without their places in it."""

from typing import Any

import numpy as np

from minidl.engine.tensor import raw
from minidl_kernels.arrays import namespace

from .activation import log_softmax
from .arithmetic import add, cast, negative, where
from .reductions import logsumexp
from .shaping import broadcast_to, expand_dims, pad, squeeze, stack, take_along_axis, transpose

__all__ = ["ctc_loss"]

NEVER = -1e5  # the logarithm of what cannot happen: finite, so that no gradient is NaN


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Any:
    """-log of the probability of each label sequence: the sum over all ways to spread it over the time steps.

    A way repeats labels and puts blanks between them; two equal labels in a row need a blank between them.

    Args:
        target: (n, labels) whole numbers, padded at the end.
        output: (n, time, classes) logits.
        target_length, output_length: (n,) how many labels and steps of each row count.
        mask_index: the class that is the blank.

    Returns:
        (n,) losses; about 1e5 where the steps are too few for the labels.

    Raises:
        ValueError: shapes that do not fit together.
    """
    labels, used, steps = (_whole(x) for x in (target, target_length, output_length))
    n, time = output.shape[0], output.shape[1]
    if labels.ndim != 2 or len(output.shape) != 3 or labels.shape[0] != n:
        raise ValueError(
            f"ctc_loss: labels (n, labels) and outputs (n, time, classes) are expected, not shapes "
            f"{tuple(labels.shape)} and {tuple(output.shape)}"
        )
    if used.shape != (n,) or steps.shape != (n,):
        raise ValueError(f"ctc_loss: lengths of shape ({n},) are expected, not {used.shape} and {steps.shape}")
    if output.dtype == np.float16:
        output = cast(output, "float32")
    xp = namespace(labels)
    states = xp.full((n, 2 * max(labels.shape[1], 1) + 1), mask_index)  # blank, label, blank, label, ..., blank
    states[:, 1 : 2 * labels.shape[1] : 2] = labels
    skips = xp.zeros(states.shape, bool)  # from label to label, over the blank between
    skips[:, 2:] = (states[:, 2:] != mask_index) & (states[:, 2:] != states[:, :-2])
    places = broadcast_to(expand_dims(states, 1), (n, time, states.shape[1]))
    scores = take_along_axis(log_softmax(output), places, axis=-1)
    first, *rest = _one_by_one(transpose(scores, (1, 0, 2)))
    paths = where(xp.arange(states.shape[1]) < 2, first, NEVER)
    for step, score in enumerate(rest, 1):
        paths = where((step < steps)[:, None], add(_arrivals(paths, skips), score), paths)
    # A sequence ends in its last label or in the blank behind it; one without labels, in the first blank.
    last = take_along_axis(paths, xp.stack([2 * used, xp.maximum(2 * used - 1, 0)], axis=1), axis=-1)
    ends = where(xp.stack([used >= 0, used > 0], axis=1), last, NEVER)
    return negative(logsumexp(ends, axis=-1))


def _whole(x: Any) -> Any:
    values = raw(x)
    return (values if hasattr(values, "dtype") else np.asarray(values)).astype("int64")


def _arrivals(paths: Any, skips: Any) -> Any:
    """The probability to come to each state: by staying, from the one before, or from the one before that."""
    moved = pad(paths[:, :-1], ((0, 0), (1, 0)), constant_values=NEVER)
    skipped = where(skips, pad(paths[:, :-2], ((0, 0), (2, 0)), constant_values=NEVER), NEVER)
    return logsumexp(stack([paths, moved, skipped], axis=0), axis=0)


def _one_by_one(x: Any) -> list[Any]:
    """The entries along axis 0. Halved again and again: taken one by one, each gradient would be as large as x."""
    n = x.shape[0]
    return [squeeze(x, axis=0)] if n == 1 else [*_one_by_one(x[: n // 2]), *_one_by_one(x[n // 2 :])]
