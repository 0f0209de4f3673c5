"""A saddle point: the gradient is zero, and it is no minimum; the least noise leads out, slowly at first."""

import math
from typing import Any

import numpy as np

from minidl import Variable, ops
from minidl.engine.walk import grad
from minidl.visualize import Section, Words, line_chart

from .demonstration import Demonstration
from .rates import descend

__all__ = ["curvatures", "run", "saddle"]

RATE, STEPS, NOISE = 0.1, 250, 1e-6


def saddle(p: Any) -> Any:
    """x^2 / 2 - y^2 / 2 + y^4 / 4: a saddle at (0, 0), minima of -1/4 at (0, 1) and (0, -1)."""
    return p[0] ** 2 / 2 - p[1] ** 2 / 2 + p[1] ** 4 / 4


def curvatures(point: Any) -> np.ndarray:
    """The eigenvalues of the matrix of second derivatives, by differentiating the gradient."""
    p = Variable(np.array(point, "float64"), dtype="float64")
    slope = grad(saddle(p), p, create_graph=True)
    rows = [grad(slope, p, upstream=np.eye(2)[i]) for i in range(2)]
    return np.linalg.eigvalsh(np.stack([ops.convert_to_numpy(row) for row in rows]))


def run() -> Demonstration:
    """Two runs: one starts exactly on the ridge, the other a millionth beside it."""
    still, resting = descend(saddle, (1.0, 0.0), RATE, STEPS)
    moved, falling = descend(saddle, (1.0, NOISE), RATE, STEPS)
    low, high = curvatures((0.0, 0.0))
    escape = int(np.argmax(np.abs(moved[:, 1]) > 0.1))
    steps = [float(i) for i in range(STEPS + 1)]
    ridge, beside = Words("on the ridge", "능선 위에서"), Words("a millionth beside", "100만분의 1 옆에서")
    losses = line_chart(
        {ridge: (steps, resting.tolist()), beside: (steps, falling.tolist())},
        title=Words("Loss by step", "스텝별 손실"), across=Words("step", "스텝"),
    )  # fmt: skip
    paths = line_chart(
        {ridge: (still[:, 0].tolist(), still[:, 1].tolist()), beside: (moved[:, 0].tolist(), moved[:, 1].tolist())},
        title=Words("Paths past the saddle", "안장점을 지나는 경로"), across="x", up="y",
    )  # fmt: skip
    return Demonstration(
        "saddle",
        Words("A saddle point", "안장점"),
        Words(
            "At a saddle the gradient is zero, but it is no minimum: one way leads up, another down. Gradient "
            "descent rests "
            "there until the least noise leads it out.",
            "안장점에서 기울기는 0이지만 최솟값이 아니다. 한쪽은 오르막, 다른 쪽은 내리막이다. 경사하강법은 아주 "
            "작은 잡음이 이끌어 낼 "
            "때까지 그곳에 머문다.",
        ),
        {
            "low": float(low), "high": float(high), "resting": float(resting[-1]), "falling": float(falling[-1]),
            "escape": float(escape),
        },
        {
            "low": Words("smallest curvature there", "그곳의 최소 곡률"),
            "high": Words("largest curvature there", "그곳의 최대 곡률"),
            "resting": Words("loss at the end, from the ridge", "능선에서 시작: 끝의 손실"),
            "falling": Words("loss at the end, from beside it", "옆에서 시작: 끝의 손실"),
            "escape": Words("steps until |y| is above 0.1", "|y|가 0.1을 넘기까지의 스텝"),
        },
        [
            Section(
                Words("Rest, then fall", "머물다가 떨어진다"),
                Words(
                    f"f(x, y) = x²/2 - y²/2 + y⁴/4, learning rate {RATE:g}. Near the saddle each step multiplies y by "
                    f"1 + {RATE:g}: from a millionth to a tenth it takes log(10⁵) / log({1 + RATE:g}) = "
                    f"{math.log(0.1 / NOISE) / math.log(1 + RATE):.0f} steps.",
                    f"f(x, y) = x²/2 - y²/2 + y⁴/4, 학습률 {RATE:g}. 안장점 근처에서 한 스텝마다 y에 1 + {RATE:g}이 "
                    f"곱해진다. "
                    f"100만분의 1에서 10분의 1까지 log(10⁵) / log({1 + RATE:g}) = "
                    f"{math.log(0.1 / NOISE) / math.log(1 + RATE):.0f} 스텝이 걸린다.",
                ),
                [(Words("Loss", "손실"), losses), (Words("The two paths", "두 경로"), paths)],
            )
        ],
    )  # fmt: skip
