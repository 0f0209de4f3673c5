"""What ``model.summary(show_kernels=True)`` adds: under each layer, the kernels that a training step calls there."""

from collections.abc import Iterable, Iterator
from typing import Any

from minidl.layers import InputLayer
from minidl_kernels import devices
from minidl_kernels.watching import Call

from .captured import CapturedSteps, products
from .kernel_plan import Place, planned_calls

__all__ = ["described", "kernel_text"]

FUSED = {  # what the implementation "cpu" does in one pass that could be several (NumPy makes several of it)
    "bias_relu": "bias and relu in one pass",
    "relu_bias_grad": "gradients of relu and bias in one pass",
    "batch_norm_relu": "batch norm and relu in one pass",
    "batch_norm_relu_grad": "gradients of relu and batch norm in one pass",
    "softmax_cross_entropy": "softmax and cross-entropy in one pass",
    "probability_cross_entropy": "division by the sum, clipping and logarithm in one pass",
    "dense_weight_grad": "gradients of kernel and bias in one pass",
    **dict.fromkeys(("adam", "rmsprop", "sgd", "sgd_momentum"), "all weights in one pass"),
}
WITH_BIAS = {"dense": "product", "conv2d": "convolution"}
VARIANTS = {"winograd": "F(2x2)", "winograd_4x4": "F(4x4)"}


def described(call: Call) -> list[str]:
    """One call in lines: ``kernel: implementation``, what is fused; then who refused it and why."""
    chain = f" {call.settings['chain']}" if "chain" in call.settings else ""  # of elementwise steps
    line = f"{call.kernel}{chain}: {call.implementation}"
    if call.implementation in VARIANTS:
        line += f" {VARIANTS[call.implementation]}"
    fused = FUSED.get(call.kernel)
    if call.kernel in WITH_BIAS and len(call.shapes) == 3:
        fused = (
            f"{WITH_BIAS[call.kernel]}{', bias and relu' if call.settings['activation'] else ' and bias'} in one pass"
        )
    if fused and call.implementation in ("cpu", *VARIANTS):
        line += f", {fused}"
    return [line, *(f"  not {name}: {reason}" for name, reason in call.refused)]


def kernel_text(model: Any, layers: Iterable[tuple[Any, int]], batch_size: int) -> str:
    """The kernels of a training step with so many samples, layer by layer, then of loss and optimizer.

    Args:
        layers: pairs of a layer and how deep it lies. Those that hold others are left out where they call no kernel.
    """
    steps = _captured(model)
    try:
        with (
            devices.scope(model._home() or devices.current()),
            products(steps is not None and steps.on_gpu and steps.never is None),
        ):
            calls = planned_calls(model, batch_size)
    except ValueError as error:
        return f" Kernels: {error}\n"
    lines = [f" Kernels of a training step with {batch_size} samples:"]
    for part in _parts(model, [layer for layer, _ in layers], calls):
        forward, backward = ([call for call in calls if call.place == Place(part, back)] for back in (False, True))
        name = part if isinstance(part, str) else f"{part.name} ({type(part).__name__})"
        lines.append(f"   {name}" + ("" if forward or backward else ": no kernel"))
        first = "update  " if part == "optimizer" else "forward "
        for title, several in ((first, forward), ("backward", backward)):
            for text in _listed(several):
                lines.append(f"     {title}  {text}")
                title = " " * len(title)
    lines += [f" Steps: {line}" for line in steps.lines()] if steps is not None else ()
    return "\n".join(lines) + "\n"


def _captured(model: Any) -> CapturedSteps | None:
    """What is known of recorded steps; None before ``compile``."""
    if not model.compiled:
        return None
    home = model._home() or devices.current()
    if model._captured is not None and model._captured.device == home:
        return model._captured
    with devices.scope(home):
        return CapturedSteps(model)


def _parts(model: Any, layers: list[Any], calls: list[Call]) -> Iterator[Any]:
    """Layers, "loss" and "optimizer", in the order in which they are shown."""
    called = {id(call.place.part): call.place.part for call in calls}
    shown = {id(layer) for layer in layers}
    for layer in dict.fromkeys(layers):
        holds_others = isinstance(layer, InputLayer) or layer._sublayers()
        if id(layer) in called or not holds_others:
            yield layer
    if shown >= {id(layer) for layer in model.layers}:  # all of them: then also what is in no list of layers
        yield from (part for key, part in called.items() if key not in shown)


def _listed(calls: list[Call]) -> Iterator[str]:
    """The lines of some calls; equal ones once, with their number."""
    texts = ["\n".join(described(call)) for call in calls]
    for text in dict.fromkeys(texts):
        count = texts.count(text)
        yield from (text if count == 1 else f"{count} x {text}").split("\n")
