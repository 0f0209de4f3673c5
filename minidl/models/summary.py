"""The table that ``model.summary()`` prints, in Keras' columns."""

import math
import re
import shutil
from collections.abc import Iterator
from typing import Any

from minidl.layers.layer import Layer

from .kernel_text import kernel_text

__all__ = ["summary_rows", "summary_text", "total_lines"]


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
    show_kernels: bool | int = False,
) -> str:
    """Layers, output shapes, parameter counts and totals; arguments as of ``Model.summary``."""
    from rich.console import Console
    from rich.table import Table

    headers, rows = summary_rows(model, expand_nested, show_trainable, layer_range)
    branched = "Connected to" in headers
    ends = positions or (
        [0.3, 0.56, 0.74, 1.0] if branched else [0.45, 0.80, 1.0]
    )  # of the columns, in parts of a line
    if show_trainable:
        ends = [*(0.9 * end for end in ends), 1.0]
    default = min((108 if branched else 88) + (12 if show_trainable else 0), shutil.get_terminal_size().columns - 4)
    line_length = line_length or max(default, 40)
    places = [0, *(int(end * line_length) for end in ends)]
    table = Table(width=line_length, show_lines=True)
    for header, start, end in zip(headers, places[:-1], places[1:], strict=True):
        justify: Any = "right" if header == "Param #" else "center" if header == "Trainable" else "left"
        table.add_column(header, justify=justify, width=end - start)
    for row in rows:
        table.add_row(*row)
    console = Console(width=max(line_length, 40), color_system=None, highlight=False, force_terminal=False)
    with console.capture() as capture:
        console.print(f'Model: "{model.name}"', markup=False)
        console.print(table, markup=False)
        for line in total_lines(model):
            console.print(f" {line}", markup=False)
    if not show_kernels:
        return capture.get()
    batch_size = 32 if show_kernels is True else show_kernels
    return capture.get() + kernel_text(model, _shown(model, True, layer_range), batch_size)


def summary_rows(
    model: Any, expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None
) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and a row for each layer; arguments as of ``Model.summary``."""
    branched = _is_branched(model)
    headers = ["Layer (type)", "Output Shape", "Param #"] + ["Connected to"] * branched + ["Trainable"] * show_trainable
    rows = []
    for layer, depth in _shown(model, expand_nested, layer_range):
        name = f"{'   ' * depth}└ {layer.name}" if depth else layer.name
        row = [f"{name} ({type(layer).__name__})", _shape(layer), _params(layer)]
        if branched:
            row.append(_connections(model, layer))
        if show_trainable:
            row.append(("Y" if layer.trainable else "N") if layer.weights else "-")
        rows.append(row)
    return headers, rows


def total_lines(model: Any) -> list[str]:
    """How many parameters there are, and how much memory they take."""
    lines = []
    for title, weights in _totals(model):
        count = sum(w.size for w in weights)
        lines.append(f"{title}: {count:,} ({_readable(sum(w.size * w.dtype.itemsize for w in weights))})")
    return lines


def _shown(model: Any, expand_nested: bool, layer_range: Any) -> Iterator[tuple[Any, int]]:
    """Each layer with how deep it lies."""
    layers = model.layers
    if layer_range is not None:
        if not isinstance(layer_range, (list, tuple)) or len(layer_range) != 2:
            raise ValueError(f"layer_range must be two names, the first and the last layer shown, not {layer_range!r}")
        first = [i for i, layer in enumerate(layers) if re.match(layer_range[0], layer.name)]
        last = [i for i, layer in enumerate(layers) if re.match(layer_range[1], layer.name)]
        if not first or not last:
            missing = layer_range[0] if not first else layer_range[1]
            raise ValueError(f"no layer's name matches {missing!r}; there are: {', '.join(one.name for one in layers)}")
        layers = layers[min(first[0], last[-1]) : max(first[0], last[-1]) + 1]
    stack = [(layer, 0) for layer in reversed(layers)]
    while stack:
        layer, depth = stack.pop()
        yield layer, depth
        if expand_nested:
            stack += [(inner, depth + 1) for inner in reversed(getattr(layer, "layers", None) or [])]


def _totals(model: Any) -> list[tuple[str, list[Any]]]:
    trainable, fixed = model.trainable_weights, model.non_trainable_weights
    rows = [("Total params", trainable + fixed), ("Trainable params", trainable), ("Non-trainable params", fixed)]
    if model.optimizer is not None and model.optimizer.built:
        rows[0] = ("Total params", trainable + fixed + model.optimizer.variables)
        rows.append(("Optimizer params", model.optimizer.variables))
    return rows


def _is_branched(model: Any) -> bool:
    function = getattr(model, "_function", None)
    if function is None:
        return False
    calls = function.calls
    joined = any(len(call.inputs()) > 1 for call in calls)
    shared = len({id(call.operation) for call in calls}) < len(calls)
    used = [id(t) for call in calls for t in call.inputs()]
    return joined or shared or len(function.inputs) > 1 or len(set(used)) < len(used)


def _shape(layer: Any) -> str:
    if layer._inbound:
        shapes = [str(t.shape) for t in layer._inbound[-1].outputs]
        return shapes[0] if len(shapes) == 1 else ", ".join(shapes)
    if layer._built_for is None:
        return "?"
    try:
        return str(layer.compute_output_shape(layer._built_for))
    except Exception:  # of a layer of the user's own that runs on nothing but its real inputs
        return "?"


def _params(layer: Any) -> str:
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _connections(model: Any, layer: Any) -> str:
    names = []
    for call in model._function.calls:
        if call.operation is layer:
            for tensor in call.inputs():
                maker = tensor.call.operation
                place = maker._inbound.index(tensor.call) if isinstance(maker, Layer) else 0
                names.append(f"{maker.name}[{place}][{tensor.index}]")
    return ", ".join(names) or "-"


def _readable(size: float) -> str:
    units = ["B", "KB", "MB", "GB", "TB"]
    place = min(int(math.log(size, 1024)), len(units) - 1) if size >= 1 else 0
    return f"{size / 1024**place:.2f} {units[place]}"
