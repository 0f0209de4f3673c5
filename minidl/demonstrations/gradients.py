"""Vanishing gradients: ten layers of sigmoids with small normal weights, against ReLU with He initialisation."""

from typing import Any

import numpy as np

from minidl import config, datasets, initializers
from minidl.engine.walk import gradients
from minidl.layers import Dense, Flatten, Input
from minidl.losses import SparseCategoricalCrossentropy
from minidl.models import Sequential
from minidl.visualize import Section, Words, line_chart

from .demonstration import Demonstration

__all__ = ["gradient_norms", "run"]

DEPTH, UNITS, PICTURES = 10, 100, 256


def run() -> Demonstration:
    """The norm of the kernel's gradient in every layer, before any training."""
    (x, y), _ = datasets.fashion_mnist.load_subset()
    x, y = (x[:PICTURES] / 255).astype("float32"), y[:PICTURES]
    config.set_global_seed(0)
    old = gradient_norms("sigmoid", initializers.RandomNormal(stddev=0.1), x, y)
    new = gradient_norms("relu", initializers.HeNormal(), x, y)
    layers = [float(i) for i in range(1, DEPTH + 1)]
    names = {
        Words("sigmoid, normal 0.1", "시그모이드, 정규분포 0.1"): (layers, old),
        Words("ReLU, He", "ReLU, He"): (layers, new),
    }
    chart = line_chart(
        names,
        title=Words("Gradient norm by layer", "층별 기울기의 크기"),
        across=Words("hidden layer, from the input", "은닉층 (입력부터)"),
        log_y=True,
    )
    return Demonstration(
        "gradients",
        Words("Vanishing gradients", "기울기 소실"),
        Words(
            "With sigmoids and small normal weights, the first layers get almost no gradient; with ReLU and He "
            "initialisation they get as much as the last.",
            "시그모이드와 작은 정규분포 가중치에서는 앞쪽 층에 기울기가 거의 닿지 않는다. ReLU와 He 초기화에서는 끝 "
            "층만큼 닿는다.",
        ),
        {"sigmoid": old[0] / old[-1], "relu": new[0] / new[-1]},
        {
            "sigmoid": Words("sigmoid: first layer / last", "시그모이드: 첫 층 / 끝 층"),
            "relu": Words("ReLU, He: first layer / last", "ReLU, He: 첫 층 / 끝 층"),
        },
        [
            Section(
                Words("The gradient in every layer", "층마다의 기울기"),
                Words(
                    f"{DEPTH} hidden layers of {UNITS} units, {PICTURES} pictures of clothes, before the first step. A "
                    "sigmoid's slope is at most 1/4: every layer takes away its share.",
                    f"유닛 {UNITS}개짜리 은닉층 {DEPTH}개, 옷 사진 {PICTURES}장, 학습 전. 시그모이드의 기울기는 최대 "
                    f"1/4이어서 층마다 "
                    "줄어든다.",
                ),
                [(Words("Norm of the kernel's gradient", "커널 기울기의 크기"), chart)],
            )
        ],
    )


def gradient_norms(activation: str, start: Any, x: np.ndarray, y: np.ndarray) -> list[float]:
    """The norm of the gradient of each hidden layer's kernel, from the input on."""
    hidden = [Dense(UNITS, activation, kernel_initializer=start) for _ in range(DEPTH)]
    model = Sequential([Input(x.shape[1:]), Flatten(), *hidden, Dense(10, kernel_initializer=start)])
    loss: Any = SparseCategoricalCrossentropy(from_logits=True)(y, model(x, training=True))
    found = gradients([loss], [None], [layer.kernel for layer in hidden], create_graph=False)
    return [float(np.linalg.norm(g.numpy())) for g in found]
