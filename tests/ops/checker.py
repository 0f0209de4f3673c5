"""What is tested of every case, so that a case only has to be declared."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minidl.checking import gradcheck
from minidl.engine import Tensor, grad
from minidl.engine.op import Op
from tests.ops.case import Case


def check(function: Callable[..., Any], case: Case) -> None:
    """Everything that holds for a case of a differentiable op or function."""
    function = case.call or function
    names = differentiated(case)
    check_values(function, case)
    check_gradients(function, case, names)
    check_alone(function, case, names)
    check_twice(function, case, names)


def differentiated(case: Case) -> list[str]:
    """Names of the arguments that become Tensors."""
    given = ((name, value) for name, value in case.arguments.items() if name not in case.constant)
    return [name for name, value in given if any(map(_is_float, _listed(value)))]


def check_values(function: Callable[..., Any], case: Case) -> None:
    """Against the definition; arrays like Tensors; whatever the memory layout; float32 near float64."""
    found = flat(function(**case.arguments))
    assert all(not isinstance(y, Tensor) for y in found), "arrays in must give arrays out"
    if case.expected is not None:
        for y, expected in zip(found, flat(case.expected(**case.arguments)), strict=True):
            np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)
            assert np.shape(y) == np.shape(expected)
    for y, raw in zip(flat(function(**_changed(case, Tensor))), found, strict=True):
        assert isinstance(y, Tensor) and isinstance(y.data, np.ndarray)
        np.testing.assert_array_equal(y.numpy(), raw)
        assert y.dtype == raw.dtype and y.shape == np.shape(raw)
    for y, raw in zip(flat(function(**_changed(case, gapped))), found, strict=True):
        np.testing.assert_allclose(y, raw, rtol=1e-12, atol=1e-13)
    if "dtype" in case.arguments:
        return
    small = flat(function(**_changed(case, lambda x: x.astype("float32"))))
    for y, raw in zip(small, found, strict=True):
        if np.asarray(raw).dtype.kind == "f":
            assert y.dtype == "float32"
            np.testing.assert_allclose(y, raw, rtol=2e-4, atol=2e-5 * max(1.0, np.abs(raw).max(initial=0)))


def check_gradients(function: Callable[..., Any], case: Case, names: list[str]) -> None:
    """First and second order against differences, with a random signed upstream gradient."""

    def of_tensors(*tensors: Tensor) -> Any:
        return differentiable(function, function(**_rebuilt(case, names, tensors)))

    leaves = _leaves(case, names)
    few = max(x.size for x in leaves) > 50  # the directions carry the check, element by element would take long
    report = gradcheck(of_tensors, leaves, order=2, elements=6 if few else 24)
    for one in report.inputs + report.second:
        smooth = [probe for probe in one.elements if probe.low == probe.high]
        size = max((abs(probe.numeric) for probe in smooth), default=0.0)
        for probe in smooth:
            assert probe.error <= 1e-7 * size + probe.noise, f"{one.name} {probe}"


def check_alone(function: Callable[..., Any], case: Case, names: list[str]) -> None:
    """Each input's gradient is the same when no other input is differentiated."""
    leaves = _leaves(case, names)
    together = _gradients(function, case, names, [Tensor(x, requires_grad=True) for x in leaves])
    for i, g in enumerate(together):
        alone = _gradients(function, case, names, [Tensor(x, requires_grad=i == j) for j, x in enumerate(leaves)])[i]
        assert (g is None) == (alone is None)
        if g is not None:
            np.testing.assert_array_equal(alone.numpy(), g.numpy())


def check_twice(function: Callable[..., Any], case: Case, names: list[str]) -> None:
    """The same tensor as two inputs gets the sum of their gradients."""
    leaves = _leaves(case, names)
    for i in range(1, len(leaves)):
        if leaves[i].shape != leaves[0].shape:
            continue
        values = [leaves[0] if j == i else x for j, x in enumerate(leaves)]
        apart = _gradients(function, case, names, [Tensor(x, requires_grad=True) for x in values])
        shared = [Tensor(x, requires_grad=True) for x in values]
        shared[i] = shared[0]
        expected = sum(g.numpy() for g in (apart[0], apart[i]) if g is not None)
        found = _gradients(function, case, names, shared)[0]
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-14)


def check_constant(function: Callable[..., Any], case: Case) -> None:
    """What holds for an op without gradient."""
    found = function(**case.arguments)
    expected = case.expected(**case.arguments)
    np.testing.assert_array_equal(found, expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype and np.shape(found) == np.shape(expected)
    tensors = {
        name: Tensor(x, requires_grad=_is_float(x)) for name, x in case.arguments.items() if isinstance(x, np.ndarray)
    }
    live = function(**{**case.arguments, **tensors})
    assert isinstance(live, Tensor) and live.node is None
    np.testing.assert_array_equal(live.numpy(), expected)


def flat(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def differentiable(function: Callable[..., Any], outputs: Any) -> list[Tensor]:
    """Of an op gradients flow through the first output only."""
    return flat(outputs)[:1] if isinstance(function, Op) else flat(outputs)


def gapped(x: np.ndarray) -> np.ndarray:
    """The same values with every stride unusual: reversed axes, every second element, from the end."""
    wide = np.full(tuple(2 * n for n in reversed(x.shape)), np.nan)
    view = wide[(..., *(slice(None, None, -2) for _ in x.shape))].T
    view[...] = x
    return view


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == "float64"


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _changed(case: Case, change: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(one) for one in value]
        return change(value) if _is_float(value) else value

    return {name: changed(value) for name, value in case.arguments.items()}


def _leaves(case: Case, names: list[str]) -> list[np.ndarray]:
    return [x for name in names for x in _listed(case.arguments[name])]


def _rebuilt(case: Case, names: list[str], tensors: Iterable[Any]) -> dict[str, Any]:
    rest = iter(tensors)
    found = dict(case.arguments)
    for name in names:
        value = case.arguments[name]
        found[name] = [next(rest) for _ in value] if isinstance(value, list) else next(rest)
    return found


def _gradients(function: Callable[..., Any], case: Case, names: list[str], tensors: list[Tensor]) -> list[Any]:
    y = differentiable(function, function(**_rebuilt(case, names, tensors)))[0]
    upstream = np.random.default_rng(3).normal(size=y.shape)
    return grad(y, tensors, upstream=upstream)
