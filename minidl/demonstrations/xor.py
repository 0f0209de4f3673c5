"""XOR: one linear unit gets at most three of the four right, two layers all of them."""

from typing import Any

import numpy as np

from minidl import config, optimizers
from minidl.layers import Dense, Input
from minidl.models import Sequential
from minidl.visualize import Section, Words, signed

from .demonstration import Demonstration

__all__ = ["X", "Y", "accuracy", "run", "train"]

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
Y = np.array([[0], [1], [1], [0]], "float32")


def train(*layers: Any, steps: int = 300) -> Any:
    """A net of these layers that has learned XOR as well as it can."""
    model = Sequential([Input((2,)), *layers])
    model.compile(optimizers.Adam(0.1), "binary_crossentropy")
    for _ in range(steps):
        model.train_on_batch(X, Y)
    return model


def accuracy(model: Any) -> float:
    """The share of the four answers that are on the right side of one half."""
    return float(np.mean((model.predict(X, verbose=0) > 0.5) == Y))


def run() -> Demonstration:
    """Both nets, and what they answer between the four points."""
    config.set_global_seed(3)
    line = train(Dense(1, "sigmoid"))
    net = train(Dense(8, "tanh"), Dense(1, "sigmoid"))
    across, up = np.meshgrid(np.linspace(-0.5, 1.5, 60), np.linspace(1.5, -0.5, 60))
    places = np.stack([across.ravel(), up.ravel()], 1).astype("float32")
    shown = [
        signed(model.predict(places, verbose=0).reshape(60, 60) - 0.5, alt=f"answers of {name}", largest=0.5)
        for name, model in (("one unit", line), ("two layers", net))
    ]
    answers = {name: model.predict(X, verbose=0)[:, 0] for name, model in (("line", line), ("net", net))}
    rows: list[list[Any]] = [
        [Words("input", "입력"), "XOR", Words("one unit", "유닛 하나"), Words("two layers", "두 층")]
    ]
    for x, y, one, other in zip(X.astype(int), Y[:, 0], answers["line"], answers["net"], strict=True):
        rows.append([f"{x[0]}, {x[1]}", f"{y:.0f}", f"{one:.3f}", f"{other:.3f}"])
    return Demonstration(
        "xor",
        Words("XOR needs a hidden layer", "XOR에는 은닉층이 필요하다"),
        Words(
            "No straight line parts the ones from the zeros of XOR, so a single unit gets at most 3 of 4 right. A "
            "hidden "
            "layer bends the line.",
            "XOR의 0과 1은 직선 하나로 나눌 수 없어서, 유닛 하나로는 4개 중 많아야 3개를 맞힌다. 은닉층은 경계를 "
            "휘게 한다.",
        ),
        {"line": accuracy(line), "net": accuracy(net)},
        {
            "line": Words("accuracy of one unit", "유닛 하나의 정확도"),
            "net": Words("accuracy of two layers", "두 층의 정확도"),
        },
        [
            Section(
                Words("The answers everywhere", "모든 곳에서의 답"),
                Words(
                    "Blue where the answer is above one half, orange below; the four points are at 0 and 1, a "
                    "quarter of the "
                    "picture from its borders.",
                    "답이 2분의 1보다 크면 파랑, 작으면 주황. 네 점은 그림 테두리에서 4분의 1 안쪽, 0과 1의 자리에 "
                    "있다.",
                ),
                [(Words("One unit", "유닛 하나"), shown[0]), (Words("Two layers", "두 층"), shown[1])],
                rows,
            )
        ],
    )
