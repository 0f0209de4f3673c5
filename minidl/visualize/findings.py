"""What stands out in a training that was watched: a few known troubles, each with its number and what helps."""

import math
from typing import Any

from .axes import short
from .words import Words

__all__ = ["findings"]

VANISHED, EXPLODED = 1e-3, 1e3  # gradient of the first layer over that of the last
SLOW, FAST = 1e-5, 0.1  # update over weights
MANY = 0.5  # share of dead units, or of saturated numbers


def findings(step: Any) -> list[tuple[Words, Words]]:
    """(what was found, what helps) for the last step that was looked at; empty where nothing stands out."""
    found: list[tuple[Words, Words]] = []
    grads = step.gradients
    if not all(map(math.isfinite, [*grads.values(), step.loss])):
        found.append((
            Words("gradients or loss are not finite", "기울기나 손실이 유한하지 않다"),
            Words("lower the learning rate, or clip gradients", "학습률을 낮추거나 기울기를 자른다(clipping)"),
        ))  # fmt: skip
    elif len(grads) > 1:
        (first, low), (last, high) = list(grads.items())[0], list(grads.items())[-1]
        ratio = low / high if high else math.inf
        if ratio < VANISHED:
            found.append((
                Words(f"vanishing gradients: {first} gets {short(ratio)} of what {last} gets",
                      f"기울기 소실: {first}의 기울기는 {last}의 {short(ratio)}배"),
                Words("ReLU with He initialisation, batch normalisation, or skip connections",
                      "ReLU와 He 초기화, 배치 정규화, 또는 잔차 연결"),
            ))  # fmt: skip
        elif ratio > EXPLODED:
            found.append((
                Words(f"exploding gradients: {first} gets {short(ratio)} times what {last} gets",
                      f"기울기 폭주: {first}의 기울기는 {last}의 {short(ratio)}배"),
                Words("smaller initial weights, or clip gradients", "초기 가중치를 작게 하거나 기울기를 자른다"),
            ))  # fmt: skip
    for name, ratio in step.updates.items():
        if ratio > FAST:
            found.append((
                Words(f"{name}: a step changes the weights by {short(ratio)} of their size",
                      f"{name}: 한 걸음이 가중치를 그 크기의 {short(ratio)}배만큼 바꾼다"),
                Words("a lower learning rate; about 0.001 is usual", "학습률을 낮춘다. 보통 0.001 정도이다"),
            ))  # fmt: skip
        elif ratio < SLOW:
            found.append((
                Words(f"{name}: a step changes the weights by only {short(ratio)} of their size",
                      f"{name}: 한 걸음이 가중치를 그 크기의 {short(ratio)}배밖에 바꾸지 않는다"),
                Words("a higher learning rate, or gradients do not "
                      "arrive", "학습률을 높이거나, 기울기가 닿는지 확인한다"),
            ))  # fmt: skip
    for name, one in step.activations.items():
        if one.dead > MANY:
            found.append((
                Words(f"{name}: {one.dead:.0%} of the units are 0 for the whole batch",
                      f"{name}: 유닛의 {one.dead:.0%}가 배치 전체에서 0이다(죽은 유닛)"),
                Words("a lower learning rate, He initialisation, or leaky "
                      "ReLU", "낮은 학습률, He 초기화, 또는 leaky ReLU"),
            ))  # fmt: skip
        if one.saturated is not None and one.saturated > MANY:
            found.append((
                Words(f"{name}: {one.saturated:.0%} of the activations are saturated",
                      f"{name}: 활성값의 {one.saturated:.0%}가 포화되었다"),
                Words("smaller initial weights, scaled inputs, or ReLU", "작은 초기 가중치, 입력 정규화, 또는 ReLU"),
            ))  # fmt: skip
    return found
