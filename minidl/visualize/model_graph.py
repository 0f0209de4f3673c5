"""A model as a drawing: a box for every layer, an arrow for every tensor. SVG, or PNG by Pillow; no outside program."""

import io
import os
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minidl.atomic import replacing
from minidl.graph import Function

from .layered import Point, place
from .svg import Figure, element, text

__all__ = ["ModelDrawing", "draw_model"]

SIZE, LINE, PAD = 13, 19, 9  # of the text, of a row, around the rows
TITLE, PLAIN, BORDER, INNER = "#33415c", "#ffffff", "#5c677d", "#eef1f6"


@dataclass
class _Box:
    """A rectangle with rows of text, the first one as its title, and what lies inside (for a nested model)."""

    rows: list[str]
    inside: "_Scene | None" = None

    @property
    def size(self) -> Point:
        width = max(_width(row, bold=i == 0) for i, row in enumerate(self.rows)) + 2 * PAD
        height = LINE * len(self.rows) + PAD
        if self.inside is None:
            return width, height
        return max(width, self.inside.size[0] + 2 * PAD), height + self.inside.size[1] + 2 * PAD


@dataclass
class _Scene:
    boxes: list[tuple[Point, _Box]] = field(default_factory=list)
    lines: list[list[Point]] = field(default_factory=list)
    size: Point = (0, 0)


class ModelDrawing:
    """A drawing of a model; a notebook shows it, ``svg`` is its text, ``save`` writes .svg or .png."""

    def __init__(self, scene: _Scene):
        self._scene = scene

    @property
    def svg(self) -> Figure:
        """The drawing as SVG."""
        width, height = (extent + 2 * PAD for extent in self._scene.size)
        arrow = element(
            "marker", element("path", d="M0,0 L8,4 L0,8 z", fill=BORDER), id="tip", markerWidth=8, markerHeight=8,
            refX=8, refY=4, orient="auto",
        )  # fmt: skip
        drawn = list(_svg_of(self._scene, PAD, PAD))
        return element(
            "svg", element("defs", arrow), *drawn, xmlns="http://www.w3.org/2000/svg", width=width, height=height,
            viewBox=f"0 0 {width:.0f} {height:.0f}", font_family="sans-serif", color="#1b1f27", role="img",
        )  # fmt: skip

    def _repr_svg_(self) -> str:
        return str(self.svg)

    def png(self, dpi: int = 200) -> bytes:
        """The drawing as a PNG file; at 100 dpi a pixel is a unit of the SVG."""
        from PIL import Image, ImageDraw

        scale = dpi / 100
        width, height = (max(1, round((extent + 2 * PAD) * scale)) for extent in self._scene.size)
        picture = Image.new("RGB", (width, height), "white")
        _paint(ImageDraw.Draw(picture), self._scene, PAD, PAD, scale)
        file = io.BytesIO()
        picture.save(file, "PNG", dpi=(dpi, dpi))
        return file.getvalue()

    def save(self, path: str | os.PathLike[str], dpi: int = 200) -> None:
        """Write it as .svg or .png.

        Raises:
            ValueError: another ending.
        """
        kind = Path(path).suffix.lower()
        if kind not in (".svg", ".png"):
            raise ValueError(f"to_file must end in .svg or .png, but is {os.fspath(path)!r}")
        content = str(self.svg).encode() if kind == ".svg" else self.png(dpi)
        with replacing(path) as file:
            file.write(content)


def draw_model(
    model: Any, *, show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = False,
    rankdir: str = "TB", expand_nested: bool = False, show_layer_activations: bool = False,
        show_trainable: bool = False,
) -> ModelDrawing:  # fmt: skip
    """The drawing of a model that is built.

    Args:
        rankdir: "TB" draws from top to bottom, "LR" from left to right.
        expand_nested: show what is inside models that are layers.

    Raises:
        ValueError: the model has no shapes yet, or another ``rankdir``.
    """
    if rankdir not in ("TB", "LR"):
        raise ValueError(f"rankdir must be 'TB' or 'LR', not {rankdir!r}")
    if not model.built:
        raise ValueError(f"{model.name} is not built: call build() or the model on a batch, then its shapes are known")
    wanted = [
        (show_layer_activations, _activation), (show_shapes, _shapes), (show_dtype,
        lambda layer: f"dtype {layer.dtype}"),
        (show_trainable, lambda layer: "trainable" if layer.trainable else "not trainable"),
    ]  # fmt: skip

    def rows(layer: Any) -> list[str]:
        kind = type(layer).__name__ if hasattr(layer, "weights") else str(layer.name)
        title = f"{layer.name} ({kind})" if show_layer_names else kind
        if not hasattr(layer, "weights"):
            return [title]
        return [title, *(row for show, of in wanted if show and (row := of(layer)))]

    def scene(part: Any) -> _Scene:
        nodes, edges = _graph_of(part)
        boxes = {}
        for node in nodes:
            nested = expand_nested and bool(getattr(node, "layers", None))
            boxes[id(node)] = _Box(rows(node), scene(node) if nested else None)
        sizes: dict[Hashable, Point] = {
            key: box.size if rankdir == "TB" else box.size[::-1] for key, box in boxes.items()
        }
        found = place(sizes, edges)
        turn = (lambda p: p) if rankdir == "TB" else (lambda p: p[::-1])
        return _Scene(
            [(turn(found.corners[key]), box) for key, box in boxes.items()],
            [[turn(point) for point in line] for line in found.edges], turn(found.size),
        )  # fmt: skip

    return ModelDrawing(scene(model))


def _graph_of(model: Any) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """Layers and ops, and which follows from which (by id). What a model of its own class does in call is not known."""
    outputs = getattr(model, "outputs", None)
    if not outputs:
        return list(model.layers), []
    function = Function(model.inputs, outputs)
    nodes = function.operations()
    known, edges = {id(node) for node in nodes}, []
    for call in function.calls:
        for tensor in call.inputs():
            edge = (id(tensor.call.operation), id(call.operation)) if tensor.call else None
            if edge and edge not in edges and set(edge) <= known and edge[0] != edge[1]:
                edges.append(edge)
    return nodes, edges


def _activation(layer: Any) -> str:
    activation = getattr(layer, "activation", None)
    return f"activation {getattr(activation, '__name__', activation)}" if activation is not None else ""


def _shapes(layer: Any) -> str:
    """Shapes of its inputs and outputs in its last symbolic call."""
    if not layer._inbound:
        return ""
    call = layer._inbound[-1]
    into, out = ([str(tuple(t.shape)) for t in tensors] for tensors in (call.inputs(), call.outputs))
    return f"{', '.join(into)} to {', '.join(out)}" if into else ", ".join(out)


def _svg_of(scene: _Scene, x: float, y: float) -> Any:
    for line in scene.lines:
        points = " ".join(f"{px + x:.1f},{py + y:.1f}" for px, py in line)
        yield element("polyline", points=points, fill="none", stroke=BORDER, stroke_width=1.3, marker_end="url(#tip)")
    for (left, top), box in scene.boxes:
        left, top = left + x, top + y
        width, height = box.size
        fill = PLAIN if box.inside is None else INNER
        yield element("rect", x=left, y=top, width=width, height=height, rx=4, fill=fill, stroke=BORDER)
        yield element("rect", x=left, y=top, width=width, height=LINE + PAD / 2, rx=4, fill=TITLE)
        for i, row in enumerate(box.rows):
            style = "fill:#fff;font-weight:bold" if i == 0 else ""
            yield text(left + width / 2, top + _baseline(i), row, anchor="middle", size=SIZE, style=style)
        if box.inside is not None:
            inner = left + (width - box.inside.size[0]) / 2
            yield from _svg_of(box.inside, inner, top + LINE * len(box.rows) + 2 * PAD)


def _paint(draw: Any, scene: _Scene, x: float, y: float, scale: float) -> None:
    for line in scene.lines:
        points = [((px + x) * scale, (py + y) * scale) for px, py in line]
        draw.line(points, fill=BORDER, width=max(1, round(1.3 * scale)), joint="curve")
        draw.polygon(_tip(points[-2], points[-1], 7 * scale), fill=BORDER)
    for (left, top), box in scene.boxes:
        left, top = left + x, top + y
        width, height = box.size
        corners = [left * scale, top * scale, (left + width) * scale, (top + height) * scale]
        draw.rounded_rectangle(corners, 4 * scale, PLAIN if box.inside is None else INNER, BORDER, max(1, round(scale)))
        corners[3] = (top + LINE + PAD / 2) * scale
        draw.rounded_rectangle(corners, 4 * scale, TITLE)
        for i, row in enumerate(box.rows):
            place_at = ((left + width / 2) * scale, (top + _baseline(i)) * scale)
            draw.text(place_at, row, fill="white" if i == 0 else "#1b1f27", font=_font(SIZE * scale), anchor="ms")
        if box.inside is not None:
            inner = left + (width - box.inside.size[0]) / 2
            _paint(draw, box.inside, inner, top + LINE * len(box.rows) + 2 * PAD, scale)


def _baseline(i: int) -> float:
    return (i + 1) * LINE - 4 + (PAD / 2 if i else 0)


def _tip(start: Point, end: Point, length: float) -> list[Point]:
    """The triangle at the end of a line."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    size = (dx * dx + dy * dy) ** 0.5 or 1.0
    dx, dy = dx / size * length, dy / size * length
    return [end, (end[0] - dx - dy / 2, end[1] - dy + dx / 2), (end[0] - dx + dy / 2, end[1] - dy - dx / 2)]


def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _width(row: str, bold: bool) -> float:
    """Room for a row in any common font without serifs."""
    return float(_font(SIZE).getlength(row)) * (1.18 if bold else 1.1)
