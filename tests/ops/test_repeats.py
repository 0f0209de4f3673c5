"""Every case of every op, noted with other values and done again: the bits that it has as always, or a reason."""

import numpy as np
import pytest

from minidl.engine import Tensor
from minidl.engine.tensor import raw
from minidl.engine.walk import gradients
from minidl_kernels import graphs
from minidl_kernels.noted import Noted
from minidl_kernels.repeats import Recorder
from tests.ops.cases import CASES
from tests.ops.checker import differentiable, differentiated, flat
from tests.ops.constants import CONSTANT
from tests.ops.test_registry import function_named

# A case of these looks at values, or makes an array of its own, and so is not noted; everything else must be.
NOT_NOTED = set(
    (
        "average bincount cholesky cholesky_factor correlate cumprod diag diagflat diagonal divide_no_nan einsum "
        "getitem logdet nancumprod power probability_cross_entropy_composed quantile repeat scan scatter_add "
        "scatter_update segment_max segment_min segment_prod segment_sum select slice_update "
        "softmax_cross_entropy_grad solve_triangular take trace tril triu vander"
    ).split()
)


def swapped(value):
    """An array with other values of the same kind: whole numbers say places, so they stay."""
    return np.array(np.flip(value)) if value.dtype.kind in "fc" else value.copy()


def inputs(case, names, wrap):
    """The arguments, also those in lists, with their arrays wrapped; those that ``names`` names want gradients."""

    def wrapped(name, value):
        if isinstance(value, list):
            return [wrapped(name, one) for one in value]
        return wrap(value, name in names and value.dtype.kind == "f") if isinstance(value, np.ndarray) else value

    return {name: wrapped(name, value) for name, value in case.arguments.items()}


def outcome(function, given, names, wrap):
    """The outputs of a call, and the gradients of the first ones."""
    found = flat(function(**given))
    live = [y for y in differentiable(function, found) if isinstance(y, Tensor) and y.live()]
    leaves = [one for name in names for one in flat(given[name]) if isinstance(one, Tensor)]
    upstreams = [wrap(np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)) for y in live]
    taken = gradients(live, upstreams, leaves, False) if live and leaves else []
    return [raw(one) for one in (*found, *taken)]


def as_always(function, case, names):
    given = inputs(case, names, lambda value, live: Tensor(value.copy(), requires_grad=live))
    return outcome(function, given, names, lambda value: value)


def again(function, case, names):
    """Noted with swapped values, then done with those of the case."""
    places = []

    def wrap(value, live):
        own = swapped(value)
        places.append((own, value))
        found = Tensor.of(Noted(own))
        found.requires_grad = live
        return found

    given = inputs(case, names, wrap)
    graph, found = Recorder().record(lambda: outcome(function, given, names, Noted), np.dtype("float64"))
    for own, value in places:
        own[...] = value
    graph.launch()
    return [one.array if isinstance(one, Noted) else one for one in found]


def agree(function, case, names):
    with np.errstate(all="ignore"):
        expected, found = as_always(function, case, names), again(function, case, names)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", sorted({*CASES, *CONSTANT}))
def test_op(name):
    refused = False
    for case in (*CASES.get(name, ()), *CONSTANT.get(name, ())):
        try:
            agree(case.call or function_named(name), case, differentiated(case) if name in CASES else ())
        except graphs.Refused:
            refused = True
    assert refused == (name in NOT_NOTED)
