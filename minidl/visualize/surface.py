"""The loss around a trained model, along two directions in the space of its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from minidl.data.arrays import as_data, check_lengths, standardized, unpack
from minidl.engine.op import no_grad
from minidl.graph.symbolic import map_structure

from .axes import GRID, MUTED, short
from .svg import Figure, element, text
from .words import Words, svg_words

__all__ = ["LossSurface", "loss_surface"]


@dataclass
class LossSurface:
    """Losses on a square grid around the weights.

    Attributes:
        steps: (n,) how far along a direction; 0, the model itself, is in the middle.
        losses: (n, n), by step along the first and along the second direction.
        directions: two lists with an array for each weight of the model.
    """

    steps: np.ndarray
    losses: np.ndarray
    directions: tuple[list[np.ndarray], list[np.ndarray]]

    @property
    def sharpness(self) -> float:
        """The mean loss on the border of the grid, divided by that of the model: near 1 is flat."""
        border = np.concatenate([self.losses[0], self.losses[-1], self.losses[1:-1, 0], self.losses[1:-1, -1]])
        middle = len(self.steps) // 2
        return float(border.mean() / self.losses[middle, middle])

    def chart(self, *, width: int = 430) -> Figure:
        """The losses as squares: the darker the blue, the larger; on a logarithmic scale where all are above 0."""
        levels = np.log(self.losses) if (self.losses > 0).all() else self.losses
        low, high = float(levels.min()), float(levels.max())
        depth = (levels - low) / ((high - low) or 1.0)
        n, left, top = len(self.steps), 50, 12
        side = (width - left - 14) / n
        middle, end = n // 2, top + n * side
        least, most = float(self.losses.min()), float(self.losses.max())
        here = short(float(self.losses[middle, middle]))
        title = f"Loss around the model: {here} in the middle, {short(least)} to {short(most)}"
        parts: list[Any] = [element("title", title)]
        for i, j in np.ndindex(n, n):  # the first direction to the right, the second up
            where = f"{self.steps[i]:.3g}, {self.steps[j]:.3g}"
            tip = element("title", f"{where}: loss {self.losses[i, j]:.4g}")
            x, y = left + i * side, top + (n - 1 - j) * side
            style = f"fill:var(--first, #2f80d0);fill-opacity:{depth[i, j]:.3f};shape-rendering:crispEdges"
            parts.append(element("rect", tip, x=x, y=y, width=side, height=side, style=style))
        frame = {"x": left, "y": top, "width": n * side, "height": n * side}
        parts.append(element("rect", **frame, style=f"fill:none;stroke:{GRID}"))
        centre = left + (middle + 0.5) * side, top + (n - middle - 0.5) * side
        parts.append(element("circle", cx=centre[0], cy=centre[1], r=4, style="fill:var(--second, #d65e18)"))
        for i in (0, middle, n - 1):
            at, style = (i + 0.5) * side, f"fill:{MUTED}"
            parts.append(text(left + at, end + 17, short(float(self.steps[i])), anchor="middle", size=12, style=style))
            parts.append(text(left - 7, end - at + 4, short(float(self.steps[i])), anchor="end", size=12, style=style))
        ends = Words(
            f"palest {short(least)}, bluest {short(most)}", f"가장 옅은 곳 {short(least)}, 가장 짙은 곳 {short(most)}"
        )
        parts.append(svg_words(left + n * side / 2, end + 36, ends, anchor="middle", size=12, style=f"fill:{MUTED}"))
        height = end + 44
        return element(
            "svg", *parts, viewBox=f"0 0 {width} {height:.0f}", width=width, height=round(height), role="img",
            xmlns="http://www.w3.org/2000/svg", font_family="system-ui, sans-serif",
        )  # fmt: skip

    def _repr_html_(self) -> str:
        return str(self.chart())


def loss_surface(
    model: Any, x: Any, y: Any = None, *, span: float = 1.0, points: int = 15, batch_size: int = 256, seed: int = 0,
) -> LossSurface:  # fmt: skip
    """The loss of a compiled model, in inference, on a grid around its weights.

    The two directions are random. Each filter (the weights that lead to one output of a layer) of a direction is scaled
    to the length of that filter of the model, and biases and other vectors do not move, so that sharpness can be
    compared between models (Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets").

    Args:
        model: built and compiled; it is afterwards as it was before.
        x, y: arrays, as for ``evaluate``.
        span: how far to go both ways; 1 is as long as the weights themselves.
        points: along each direction, an odd number; ``points`` squared evaluations.
        seed: of the directions.

    Raises:
        ValueError: a model that is not built or compiled, an even number of points, or a span not above 0.
    """
    if not getattr(model, "compiled", False) or not model.built:
        raise ValueError(f"{model.name!r} must be compiled and built first, or there is no loss")
    if points < 3 or points % 2 == 0 or span <= 0:
        raise ValueError(f"points must be odd, 3 or more, and span above 0; they are {points} and {span}")
    x, y, _ = standardized(x, y, None)
    check_lengths(x=x, y=y)
    variables = model.weights
    start = [variable.numpy() for variable in variables]
    rng = np.random.default_rng(seed)
    first, second = _direction(start, rng), _direction(start, rng)
    steps = np.linspace(-span, span, points)
    losses = np.zeros((points, points))
    try:
        for i, j in np.ndindex(points, points):
            for variable, value, one, other in zip(variables, start, first, second, strict=True):
                if value.ndim > 1:
                    variable.assign((value + steps[i] * one + steps[j] * other).astype(value.dtype))
            losses[i, j] = _loss(model, x, y, batch_size)
    finally:
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
    return LossSurface(steps, losses, (first, second))


def _direction(weights: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Random numbers with the length of each filter; 0 for vectors."""
    made: list[np.ndarray] = []
    for weight in weights:
        if weight.ndim < 2:
            made.append(np.zeros_like(weight, np.float64))
            continue
        axes = tuple(range(weight.ndim - 1))  # all but the outputs
        random = rng.standard_normal(weight.shape)
        length = np.sqrt((weight.astype(np.float64) ** 2).sum(axes) / (random**2).sum(axes))
        made.append(random * length)
    return made


def _loss(model: Any, x: Any, y: Any, batch_size: int) -> float:
    """The mean loss over the data, penalties included."""
    length, total = check_lengths(x=x), 0.0
    with no_grad():
        for first in range(0, length, batch_size):
            at = slice(first, min(first + batch_size, length))
            batch = tuple(None if part is None else map_structure(itemgetter(at), part) for part in (x, y))
            inputs, targets, _ = unpack(as_data(batch))
            loss = model.compute_loss(x=inputs, y=targets, y_pred=model(inputs, training=False), training=False)
            total += float(loss) * (at.stop - at.start)
    return total / length
