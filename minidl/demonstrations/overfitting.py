"""Overfitting on few pictures, and what dropout, an L2 penalty and augmentation do about it."""

from typing import Any

import numpy as np

from minidl import config, datasets, optimizers, regularizers
from minidl.layers import Dense, Dropout, Flatten, Input, RandomTranslation, Reshape
from minidl.losses import SparseCategoricalCrossentropy
from minidl.models import Sequential
from minidl.visualize import Section, Words, line_chart

from .demonstration import Demonstration

__all__ = ["REMEDIES", "gap", "run"]

PICTURES, TESTED, EPOCHS, LOOKS = 300, 1000, 40, 5
REMEDIES = ("none", "dropout", "l2", "augmentation")
_KO = {"none": "없음", "dropout": "드롭아웃", "l2": "L2", "augmentation": "데이터 증강"}


def _model(remedy: str) -> Any:
    penalty = regularizers.L2(0.01) if remedy == "l2" else None
    between = [Dropout(0.5)] if remedy == "dropout" else []
    front = [Reshape((28, 28, 1)), RandomTranslation(0.1, 0.1, seed=0)] if remedy == "augmentation" else []
    return Sequential([
        Input((28, 28)), *front, Flatten(), *between, Dense(128,
        "relu", kernel_regularizer=penalty), *between, Dense(10),
    ])  # fmt: skip


def gap(remedy: str) -> tuple[list[float], list[float]]:
    """Train, and look now and then: losses on the training and on the test pictures, in inference, without "
    "penalties."""
    (x, y), (x_test, y_test) = datasets.fashion_mnist.load_subset()
    x, y = (x[:PICTURES] / 255).astype("float32"), y[:PICTURES]
    x_test, y_test = (x_test[:TESTED] / 255).astype("float32"), y_test[:TESTED]
    config.set_global_seed(0)
    model, loss = _model(remedy), SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.002), loss)
    seen, unseen = [], []
    for _ in range(LOOKS):
        model.fit(x, y, epochs=EPOCHS // LOOKS, verbose=0)
        seen.append(float(loss(y, model.predict(x, batch_size=500, verbose=0))))
        unseen.append(float(loss(y_test, model.predict(x_test, batch_size=500, verbose=0))))
    return seen, unseen


def run() -> Demonstration:
    """The gap between test and training loss at the end, without a remedy and with each."""
    found = {remedy: gap(remedy) for remedy in REMEDIES}
    epochs = [float(EPOCHS // LOOKS * (i + 1)) for i in range(LOOKS)]
    charts = []
    for remedy, (seen, unseen) in found.items():
        chart = line_chart(
            {
                Words("training pictures", "학습 그림"): (epochs, seen),
                Words("test pictures", "시험 그림"): (epochs, unseen),
            },
            title=Words(f"Losses with {remedy}", f"손실: {_KO[remedy]}"),
            across=Words("epoch", "에포크"),
        )  # fmt: skip
        charts.append((Words(remedy, _KO[remedy]), chart))
    ends = {remedy: (seen[-1], unseen[-1]) for remedy, (seen, unseen) in found.items()}
    rows: list[list[Any]] = [
        [
            Words("remedy", "방법"),
            Words("training loss", "학습 손실"),
            Words("test loss", "시험 손실"),
            Words("gap", "차이"),
        ]
    ]
    rows += [[Words(remedy, _KO[remedy]), f"{a:.3f}", f"{b:.3f}", f"{b - a:.3f}"] for remedy, (a, b) in ends.items()]
    return Demonstration(
        "overfitting",
        Words("Overfitting, and three remedies", "과대적합과 세 가지 방법"),
        Words(
            f"A net learns {PICTURES} pictures by heart: the loss on them goes to zero, that on others rises. "
            f"Dropout, an L2 "
            "penalty and augmentation narrow the gap.",
            f"망은 사진 {PICTURES}장을 외워 버린다. 그 사진들의 손실은 0으로 가지만 다른 사진의 손실은 커진다. "
            f"드롭아웃, L2, 데이터 증강이 "
            "그 차이를 줄인다.",
        ),
        {remedy: float(np.float64(b - a)) for remedy, (a, b) in ends.items()},
        {
            remedy: Words(f"test loss - training loss, {remedy}", f"시험 손실 - 학습 손실, {_KO[remedy]}")
            for remedy in REMEDIES
        },
        [
            Section(
                Words("Losses by epoch", "에포크에 따른 손실"),
                Words(
                    f"{PICTURES} training and {TESTED} test pictures of clothes, one hidden layer of 128 units, both "
                    f"losses in "
                    "inference and without the penalty.",
                    f"옷 사진 학습용 {PICTURES}장, 시험용 {TESTED}장, 유닛 128개의 은닉층 하나. 두 손실 모두 추론 "
                    f"상태에서, 벌점 없이.",
                ),
                charts,
                rows,
            )
        ],
    )
