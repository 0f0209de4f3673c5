"""A stack of layers without activations is one linear map; with ReLU in between it is not."""

from typing import Any

import numpy as np

from minidl import config
from minidl.layers import Dense, Input
from minidl.models import Sequential
from minidl.visualize import Section, Words, line_chart

from .demonstration import Demonstration

__all__ = ["bend", "difference", "run", "single_map", "stack"]

SIZES = (64, 2, 64, 32)


def stack(activation: Any) -> Any:
    """Dense layers from 20 inputs, with a bottleneck of 2 units."""
    model = Sequential([Input((20,)), *(Dense(units, activation) for units in SIZES)])
    rng = np.random.default_rng(0)
    layer: Any
    for layer in model.layers:
        layer.bias.assign(rng.normal(size=layer.bias.shape))
    return model


def single_map(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """The kernel and bias of the one layer that does what the stack does where there is no activation."""
    kernel, bias = np.eye(model.layers[0].kernel.shape[0]), 0.0
    for layer in model.layers:
        weights, shift = (one.astype(np.float64) for one in layer.get_weights())
        kernel, bias = kernel @ weights, bias @ weights + shift if np.ndim(bias) else shift
    return kernel, np.asarray(bias)


def difference(model: Any, x: np.ndarray) -> float:
    """The largest difference between the stack and the single map, as a share of the largest output."""
    kernel, bias = single_map(model)
    one = x @ kernel + bias
    return float(np.abs(model.predict(x, verbose=0) - one).max() / np.abs(one).max())


def bend(values: np.ndarray) -> np.ndarray:
    """How far each column is from a straight line: its largest second difference, as a share of the largest value."""
    return np.abs(np.diff(values.astype(np.float64), 2, axis=0)).max(0) / max(np.abs(values).max(), 1e-30)


def run() -> Demonstration:
    """Both stacks beside their single map, and the rank of the map."""
    config.set_global_seed(0)
    linear, relu = stack(None), stack("relu")
    x = np.random.default_rng(1).normal(size=(200, 20)).astype("float32")
    along = np.linspace(-3, 3, 61)
    line = (along[:, None] * x[:1]).astype("float32")
    outputs = {name: net.predict(line, verbose=0) for name, net in ((Words("linear", "선형"), linear), ("ReLU", relu))}
    chosen = int(bend(outputs["ReLU"]).argmax())
    kernel, _ = single_map(linear)
    chart = line_chart(
        {name: (along.tolist(), values[:, chosen].tolist()) for name, values in outputs.items()},
        title=Words("One output along a line", "직선을 따라 본 출력 하나"),
        across=Words("place on a line through the inputs", "입력을 지나는 직선 위의 자리"),
    )
    return Demonstration(
        "linear",
        Words("Without activations, depth is nothing", "활성화 함수가 없으면 깊이는 소용없다"),
        Words(
            "A stack of linear layers computes one linear map, W₁W₂W₃W₄: the same outputs up to rounding. Only what "
            "is not linear between the layers makes depth count.",
            "선형 층을 아무리 쌓아도 하나의 선형 사상 W₁W₂W₃W₄와 반올림 오차까지 같다. 층 사이의 비선형성이 있어야 "
            "깊이에 의미가 있다.",
        ),
        {"linear": difference(linear, x), "relu": difference(relu, x), "rank": float(np.linalg.matrix_rank(kernel))},
        {
            "linear": Words("no activation: difference from one map", "활성화 없음: 하나의 사상과의 차이"),
            "relu": Words("ReLU: difference from that map", "ReLU: 그 사상과의 차이"),
            "rank": Words("rank of the map (bottleneck: 2 units)", "사상의 계수 (병목: 유닛 2개)"),
        },
        [
            Section(
                Words("One output along a line", "직선을 따라 본 출력 하나"),
                Words(
                    f"Four layers of {', '.join(map(str, SIZES))} units on 20 inputs. Along a line, a linear stack "
                    "gives a line; ReLU bends it.",
                    f"입력 20개, 유닛 {', '.join(map(str, SIZES))}개의 네 층. 직선을 따라가면 선형 층은 직선을 내고, "
                    f"ReLU는 꺾인다.",
                ),
                [(Words("The output that ReLU bends most", "ReLU가 가장 많이 꺾는 출력"), chart)],
            )
        ],
    )
