"""gradcheck: are the gradients of this function right?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.engine.tensor import Tensor, raw
from minidl.engine.walk import gradients
from minidl_kernels.arrays import to_numpy

from .finite_differences import Arrays
from .probing import Probing, signed
from .report import InputResult, Report
from .subject import Subject

__all__ = ["gradcheck"]


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    order: int = 1,
    rtol: float = 1e-6,
    elements: int = 512,
    seed: int = 0,
    twin: Callable[..., Any] | None = None,
    raise_on_failure: bool = True,
    **arguments: Any,
) -> Report:
    """Compare the gradients of ``f`` with differences of its values.

    ::

        minidl.gradcheck(lambda x, w: ops.tanh(x @ w), [x, w])
        print(minidl.gradcheck(layer, x, training=True))

    Everything is computed in float64: inputs as copies, the weights of a layer or model swapped for the time being.
    The upstream gradient is random with both signs. An element of the gradient is right when
    |analytic - numeric| <= noise + rtol * max(|analytic|, |numeric|), where noise is the measured rounding noise of f.

    Args:
        f: takes Tensors, gives a Tensor (or several). The weights of layers and models are checked as well.
        inputs: an array, Tensor or Variable, or a list or tuple of them. Whole numbers (labels) are not checked.
        order: 2: where the gradients are right, differentiate them as well, and test that the Hessian is symmetric.
        rtol: tolerated relative error.
        elements: an input with more elements is checked along random, channel, edge and corner directions, and in so
            many elements (64 at most); a smaller one in every element.
        seed: of the upstream gradient and the directions.
        twin: what to take differences of in place of f: the same function in float64, for an f in float32.
        raise_on_failure: raise AssertionError with the report; False: only return it.
        arguments: further arguments of f, such as training=True.

    Raises:
        AssertionError: a gradient is wrong.
        ValueError: f is not a function: two calls gave two results.
        TypeError: f gives no floating Tensor, or no input is floating.
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, not {order!r}")
    subject, rng = Subject(f, inputs, arguments, twin), np.random.default_rng(seed)
    with subject.in_float64(), np.errstate(all="ignore"):  # the report names what is not finite
        x = subject.values
        center = subject.evaluate_f(x)
        if not np.array_equal(center, subject.evaluate_f(x), equal_nan=True):
            raise ValueError(f"{subject.name} gave two results for the same inputs; fix the seed of its random numbers")
        report = Report(subject.name, [])
        if not np.isfinite(center).all():
            report.problems.append(f"{int((~np.isfinite(center)).sum())} of {center.size} outputs are not finite")
        judged = subject.evaluate_f if twin else None
        probing = Probing(subject.evaluate, subject.gradients, x, rng, rtol, elements, judged)
        report.inputs = probing.results(list(subject.leaves))
        if order == 2 and report.ok:
            weights = signed(rng, center.shape)
            report.second, problems = _second_order(subject, x, weights, rng, rtol, elements)
            report.problems += problems
    if raise_on_failure and not report.ok:
        raise AssertionError(str(report))
    return report


def _second_order(
    subject: Subject, x: Arrays, weights: np.ndarray, rng: np.random.Generator, rtol: float, elements: int
) -> tuple[list[InputResult], list[str]]:
    """The gradient, as a function of the inputs and of the upstream gradient, checked like any other function."""

    def function(arrays: Arrays) -> np.ndarray:
        return _row(subject.gradients(arrays[:-1], arrays[-1]), x)

    def recorded(arrays: Arrays) -> tuple[Tensor, list[Any]]:
        upstream = Tensor(arrays[-1], requires_grad=True)
        return upstream, subject.gradients(arrays[:-1], upstream, create_graph=True)

    def gradient(arrays: Arrays, v: np.ndarray) -> list[Any]:
        upstream, first = recorded(arrays)
        leaves = [*subject.leaves.values(), upstream]
        ends = np.cumsum([a.size for a in x])
        parts = [v[end - a.size : end].reshape(a.shape) for a, end in zip(x, ends, strict=True)]
        pairs = [(g, part) for g, part in zip(first, parts, strict=True) if g is not None]
        found = gradients([g for g, _ in pairs], [part for _, part in pairs], leaves, False)
        return [None if g is None else to_numpy(raw(g)).astype("float64") for g in found]

    point, problems = [*x, weights], []
    plain, again = function(point), _row([None if g is None else g.numpy() for g in recorded(point)[1]], x)
    if not np.abs(plain - again).max(initial=0) <= 1e-9 * max(1e-300, float(np.abs(plain).max(initial=0))):
        problems.append("the gradient that is recorded (create_graph=True) differs from the plain one")
    u, v = signed(rng, plain.shape), signed(rng, plain.shape)
    hu, hv = (_row(gradient(point, w)[:-1], x) for w in (u, v))
    # Up to rounding: of the products, and of the gradient itself where the Hessian is next to nothing.
    if not abs(u @ hv - v @ hu) <= 1e-8 * float(np.linalg.norm(hu) * np.linalg.norm(v)) + 1e-15 * np.abs(plain).sum():
        problems.append(f"the Hessian is not symmetric: u'Hv = {u @ hv:.8g}, v'Hu = {v @ hu:.8g}")
    # A gradient near 0 may be a difference of large numbers (1 - s of a saturated sigmoid), whose rounding is larger.
    size = float(np.median(np.abs(weights * subject.evaluate(x)))) if weights.size else 0.0
    probing = Probing(function, gradient, point, rng, rtol, elements, size=size)
    return probing.results([*subject.leaves, "upstream gradient"]), problems


def _row(parts: list[Any], like: Arrays) -> np.ndarray:
    return np.concatenate([np.zeros(a.size) if g is None else g.reshape(-1) for g, a in zip(parts, like, strict=True)])
