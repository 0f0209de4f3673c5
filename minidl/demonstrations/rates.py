"""Gradient descent on a bowl, at rates that are too small, good, too large; and on a curve with two valleys."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl import Variable, optimizers
from minidl.visualize import Section, Words, line_chart

from .demonstration import Demonstration

__all__ = ["descend", "run"]

RATES, STEPS = {"small": 0.005, "good": 0.15, "large": 0.205}, 30
START = (4.0, 1.0)


def bowl(p: Any) -> Any:
    """(x^2 + 10 y^2) / 2: its largest curvature is 10, so steps diverge above 2 / 10."""
    return 0.5 * (p[0] * p[0] + 10.0 * p[1] * p[1])


def valleys(p: Any) -> Any:
    """x^4 / 4 - x^2 / 2 + x / 5: not convex, with a deep valley on the left and a shallow one on the right."""
    return p[0] ** 4 / 4 - p[0] ** 2 / 2 + 0.2 * p[0]


def descend(loss_of: Callable[[Any], Any], start: Any, rate: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Gradient descent from a point: all points (steps + 1, n), and the loss at each."""
    point = Variable(np.array(start, "float64"), dtype="float64")
    optimizer = optimizers.SGD(rate)
    points, losses = [], []
    for _ in range(steps + 1):
        loss = loss_of(point)
        points.append(point.numpy())
        losses.append(loss.item())
        loss.backward()
        gradient, point.grad = point.grad, None
        optimizer.apply([gradient], [point])
    return np.array(points), np.array(losses)


def run() -> Demonstration:
    """The loss after 30 steps for each rate, and where two starts end."""
    runs = {name: descend(bowl, START, rate, STEPS) for name, rate in RATES.items()}
    ends = {side: descend(valleys, [x], 0.1, 200)[0] for side, x in (("left", -1.5), ("right", 1.5))}
    return Demonstration(
        "rates",
        Words("Learning rates", "학습률"),
        Words(
            "Too small a learning rate hardly moves, too large a one climbs out of the valley. The limit is 2 divided "
            "by the largest curvature.",
            "학습률이 너무 작으면 거의 움직이지 않고, 너무 크면 골짜기를 벗어나 올라간다. 한계는 2를 최대 곡률로 "
            "나눈 값이다.",
        ),
        {
            **{name: float(losses[-1]) for name, (_, losses) in runs.items()},
            **{side: float(points[-1, 0]) for side, points in ends.items()},
        },
        {
            **{
                name: Words(f"loss after {STEPS} steps, rate {rate:g}", f"{STEPS}스텝 뒤의 손실, 학습률 {rate:g}")
                for name, rate in RATES.items()
            },
            "left": Words("not convex: from -1.5 it ends at", "비볼록: -1.5에서 시작해 닿은 곳"),
            "right": Words("not convex: from 1.5 it ends at", "비볼록: 1.5에서 시작해 닿은 곳"),
        },
        [_convex(runs), _not_convex(ends)],
    )


def _convex(runs: dict[str, tuple[np.ndarray, np.ndarray]]) -> Section:
    """The losses of all rates, and their first steps over the bowl."""
    steps = [float(i) for i in range(STEPS + 1)]
    ko = {"small": "작음", "good": "알맞음", "large": "큼"}
    names = {name: Words(f"{name}: {rate:g}", f"{ko[name]}: {rate:g}") for name, rate in RATES.items()}
    losses = line_chart(
        {names[name]: (steps, found.tolist()) for name, (_, found) in runs.items()},
        title=Words("Loss by step", "스텝별 손실"), across=Words("step", "스텝"), log_y=True,
    )  # fmt: skip
    paths = line_chart(
        {names[name]: (points[:12, 0].tolist(), points[:12, 1].tolist()) for name, (points, _) in runs.items()},
        title=Words("Paths over the bowl", "그릇 위의 경로"),
    )
    return Section(
        Words("A convex bowl", "볼록한 그릇"),
        Words(
            "f(x, y) = (x² + 10 y²) / 2, from (4, 1). A step multiplies x by 1 - rate and y by 1 - 10 rate.",
            "f(x, y) = (x² + 10 y²) / 2, (4, 1)에서 시작. 한 스텝마다 x에는 1 - 학습률, y에는 1 - 10 × 학습률이 "
            "곱해진다.",
        ),
        [
            (Words("Loss", "손실"), losses),
            (Words("The first steps, x across and y up", "처음 몇 스텝, 가로 x, 세로 y"), paths),
        ],
    )


def _not_convex(ends: dict[str, np.ndarray]) -> Section:
    """The curve, and where two starts lead."""
    grid = np.linspace(-1.7, 1.7, 60)
    lines: dict[Any, Any] = {"f(x)": (grid.tolist(), [valleys([x]) for x in grid])}
    for points in ends.values():
        name = Words(f"start {points[0, 0]:g}", f"시작 {points[0, 0]:g}")
        lines[name] = (points[:, 0].tolist(), [valleys(p) for p in points])
    curve = line_chart(lines, title=Words("Two starts, two valleys", "두 시작점, 두 골짜기"), across="x")
    return Section(
        Words("Not convex: two valleys", "비볼록: 두 골짜기"),
        Words(
            "f(x) = x⁴/4 - x²/2 + x/5. Gradient descent ends in the valley of its start; the right one is not the "
            "deepest.",
            "f(x) = x⁴/4 - x²/2 + x/5. 경사하강법은 시작한 쪽 골짜기에서 끝난다. 오른쪽은 가장 깊은 곳이 아니다.",
        ),
        [(Words("The curve and the points of both runs", "곡선과 두 실행이 지나간 점"), curve)],
    )
