"""Equal initial weights: hidden units that begin alike stay alike, and a layer of many is worth one unit."""

from typing import Any

import numpy as np

from minidl import config, initializers, optimizers
from minidl.layers import Dense, Input
from minidl.models import Sequential
from minidl.visualize import Section, Words, line_chart

from .demonstration import Demonstration
from .xor import X, Y

__all__ = ["run", "spread", "train"]

UNITS, STEPS = 8, 300
STARTS = {
    "zeros": initializers.Zeros(),
    "constant": initializers.Constant(0.5),
    "random": initializers.GlorotUniform(seed=3),
}


def train(start: Any) -> tuple[np.ndarray, list[float], list[float]]:
    """Learn XOR from such weights: the hidden layer's kernel at the end, and its spread and the loss in every step."""
    config.set_global_seed(0)
    hidden = Dense(UNITS, "tanh", kernel_initializer=start)  # biases start at 0 in all three
    model = Sequential([Input((2,)), hidden, Dense(1, "sigmoid", kernel_initializer=start)])
    model.compile(optimizers.Adam(0.05), "binary_crossentropy")
    spreads, losses = [], []
    for _ in range(STEPS):
        spreads.append(spread(hidden.kernel.numpy()))
        losses.append(float(model.train_on_batch(X, Y)))
    return hidden.kernel.numpy(), spreads, losses


def spread(kernel: np.ndarray) -> float:
    """The largest difference between the weights of two units: 0 where all units are the same."""
    return float(np.ptp(kernel, axis=1).max())


def run() -> Demonstration:
    """How far apart the units are after training, and what the net has learned."""
    found = {name: train(start) for name, start in STARTS.items()}
    steps = [float(i) for i in range(STEPS)]
    ko = {"zeros": "0", "constant": "상수", "random": "난수"}
    names = {name: Words(name, ko[name]) for name in found}
    losses = line_chart(
        {names[name]: (steps, values) for name, (_, _, values) in found.items()},
        title=Words("Loss by step", "스텝별 손실"),
        across=Words("step", "스텝"),
    )  # fmt: skip
    spreads = line_chart(
        {names[name]: (steps, values) for name, (_, values, _) in found.items()},
        title=Words("Spread of the units by step", "스텝별 유닛 사이의 차이"),
        across=Words("step", "스텝"),
    )  # fmt: skip
    return Demonstration(
        "zeros",
        Words("Equal weights stay equal", "같은 가중치는 계속 같다"),
        Words(
            "Units that start with the same weights get the same gradient in every step: the layer never learns more "
            "than "
            "one unit could. Biases may be zero; weights must differ.",
            "같은 가중치로 시작한 유닛은 매 스텝 같은 기울기를 받아, 층 전체가 유닛 하나보다 많이 배우지 못한다. "
            "편향은 0이어도 되지만 "
            "가중치는 서로 달라야 한다.",
        ),
        {
            **{f"{name}_spread": spread(kernel) for name, (kernel, _, _) in found.items()},
            **{f"{name}_loss": values[-1] for name, (_, _, values) in found.items()},
        },
        {
            **{
                f"{name}_spread": Words(
                    f"{name}: largest difference between units", f"{ko[name]}: 유닛 사이의 최대 차이"
                )
                for name in STARTS
            },
            **{f"{name}_loss": Words(f"{name}: loss at the end", f"{ko[name]}: 끝의 손실") for name in STARTS},
        },
        [
            Section(
                Words("XOR with eight hidden units", "은닉 유닛 8개로 XOR"),
                Words(
                    "log 2 = 0.693 is the loss of always answering one half.",
                    "손실 log 2 = 0.693은 언제나 2분의 1이라고 답할 때의 값이다.",
                ),
                [
                    (Words("Loss", "손실"), losses),
                    (Words("Largest difference between units", "유닛 사이의 최대 차이"), spreads),
                ],
            )
        ],
    )
