"""The page of a training that was watched."""

import math
from collections.abc import Mapping
from typing import Any

from .axes import short
from .findings import findings
from .lines import line_chart
from .page import Page, Section
from .svg import Figure
from .words import Words

__all__ = ["page_of"]

_STEP = Words("step", "스텝")


def page_of(monitor: Any, surface: Any, rates: Any) -> Page:
    """See ``TrainingMonitor.page``."""
    if not monitor.steps:
        raise ValueError("no step was looked at yet: pass the monitor to fit(..., callbacks=[monitor]) first")
    last = monitor.steps[-1]
    page = Page(
        Words("A training, seen from inside", "학습의 안을 들여다보기"),
        Words(
            f"Gradients, updates and activations of every layer in {len(monitor.steps)} steps, one of every "
            f"{monitor.every}, as they were in training.",
            f"학습 중 {monitor.every}스텝마다 한 번, 모두 {len(monitor.steps)}개 스텝에서 본 층별 기울기, 갱신량, "
            f"활성값.",
        ),
        _facts(last),
        [_standing_out(last), *_steps(monitor), _histograms(monitor), *_units(monitor), _table(last)],
    )
    if rates is not None:
        page.sections.append(Section(
            Words("How large may the learning rate be?", "학습률은 얼마까지 가능한가?"),
            Words("The rate grows from batch to batch until the loss rises. Half of the largest rate that still "
                  "works is "
                  "a good one.",
                  "배치마다 학습률을 키우면서 손실이 다시 커지는 곳을 찾는다. 아직 쓸 수 있는 최대 학습률의 절반이 "
                  "좋은 값이다."),
            [(Words("Loss by learning rate", "학습률에 따른 손실"), rates.chart())],
        ))  # fmt: skip
    if surface is not None:
        page.sections.append(Section(
            Words("The loss around the model", "모델 주변의 손실"),
            Words("The loss along two random directions, each filter as long as the model's own; 0 is the model. A "
                  "wide "
                  "pale valley is a flat minimum.",
                  "두 임의 방향(필터마다 모델의 필터와 같은 길이로 맞춤)을 따라 본 손실. 0이 모델의 자리이고, 옅은 "
                  "골짜기가 넓으면 "
                  "평평한 최솟값이다."),
            [(Words("Loss by the two directions", "두 방향에 따른 손실"), surface.chart())],
        ))  # fmt: skip
    return page


def _facts(last: Any) -> list[tuple[Any, Any]]:
    facts: list[tuple[Any, Any]] = [(Words("loss", "손실"), short(last.loss))]
    if len(last.gradients) > 1:
        first, *_, end = last.gradients.values()
        ratio = short(first / end) if end else "inf"
        facts.append((Words("gradient, first layer / last", "기울기, 첫 층 / 끝 층"), ratio))
    ratios = [value for value in last.updates.values() if math.isfinite(value)]
    if ratios:
        facts.append((Words("update / weights", "갱신량 / 가중치"), f"{short(min(ratios))} – {short(max(ratios))}"))
    if last.activations:
        facts.append(
            (Words("dead units, at most", "죽은 유닛, 최대"), f"{max(a.dead for a in last.activations.values()):.0%}")
        )
    return facts


def _standing_out(last: Any) -> Section:
    found = findings(last)
    title = Words("What stands out", "눈에 띄는 것")
    if not found:
        calm = Words("Nothing: gradients reach all layers, updates are of a usual size, units are alive.",
                     "없음: 기울기가 모든 층에 닿고, 갱신량은 보통 크기이며, 유닛은 살아 있다.")  # fmt: skip
        return Section(title, calm)
    return Section(
        title, rows=[(Words("in the last step", "마지막 스텝에서"), Words("what helps", "도움이 되는 것")), *found]
    )


def _steps(monitor: Any) -> list[Section]:
    titles = {
        "gradients": Words("Gradient norm of each layer by step", "스텝별 각 층의 기울기 크기"),
        "updates": Words("Size of updates by step", "스텝별 갱신량"),
        "std": Words("Standard deviation of activations by step", "스텝별 활성값의 표준편차"),
    }
    gradients, updates, spread = (_chart(monitor.series(key), title, log_y=True) for key, title in titles.items())
    losses = {Words("loss", "손실"): ([float(s.number) for s in monitor.steps], [s.loss for s in monitor.steps])}
    sections = []
    if gradients and updates:
        sections.append(Section(
            Words("Gradients and updates", "기울기와 갱신량"),
            Words("The norm of each layer's gradient as the optimizer got it; and how much a step changed the "
                  "weights, as a "
                  "share of their size. About 0.001 is usual.",
                  "옵티마이저가 받은 층별 기울기의 크기와, 한 스텝이 바꾼 양을 가중치 크기로 나눈 비율. 비율은 0.001 "
                  "정도가 보통이다."),
            [(Words("Gradient norm", "기울기의 크기"), gradients), (Words(
                "Update / weights", "갱신량 / 가중치"), updates)],
        ))  # fmt: skip
    figures = [
        (
            Words("Loss, mean of the epoch so far", "손실, 에포크 안에서 지금까지의 평균"),
            _chart(losses, Words("Loss by step", "스텝별 손실")),
        ),
        (Words("Standard deviation of the activations", "활성값의 표준편차"), spread),
    ]
    shown = [(caption, figure) for caption, figure in figures if figure is not None]
    if shown:
        text = Words("Where the spread shrinks from layer to layer, so does what can be learned from.",
                     "층을 지날수록 퍼짐이 줄어들면 배울 수 있는 신호도 줄어든다.")  # fmt: skip
        sections.append(Section(Words("Loss and signal", "손실과 신호"), text, shown))
    return sections


def _histograms(monitor: Any) -> Section:
    figures = []
    for name in monitor.steps[-1].activations:
        lines = {}
        for label, step in ((Words("first", "처음"), monitor.steps[0]), (Words("last", "마지막"), monitor.steps[-1])):
            one = step.activations.get(name)
            if one is not None and one.counts.sum():
                share = one.counts / one.counts.sum()
                words = Words(f"{label.en} (step {step.number})", f"{label.ko} (스텝 {step.number})")
                lines[words] = _outline(one.edges, share)
        if lines:
            chart = line_chart(
                lines, title=Words(f"Histogram of the activations of {name}", f"{name} 활성값의 분포"),
                across=Words("activation", "활성값"), up=Words("share", "비율"), height=220,
            )  # fmt: skip
            figures.append((name, chart))
    return Section(
        Words("Activations", "활성값"),
        Words("What each layer gave for a batch, in the first and in the last step that was looked at.",
              "처음과 마지막으로 본 스텝에서 각 층이 배치 하나에 대해 낸 값의 분포."),
        figures,
    )  # fmt: skip


def _outline(edges: Any, share: Any) -> tuple[list[float], list[float]]:
    """A histogram as a line of stairs."""
    xs = [float(edge) for edge in edges for _ in (0, 1)]
    ys = [0.0, *(float(one) for one in share for _ in (0, 1)), 0.0]
    return xs, ys


def _units(monitor: Any) -> list[Section]:
    figures: list[tuple[Any, Figure]] = []
    for what, caption in (
        ("dead", Words("Dead units", "죽은 유닛")), ("saturated", Words("Saturated activations", "포화된 활성값")),
    ):  # fmt: skip
        series = {name: (xs, ys) for name, (xs, ys) in monitor.series(what).items() if any(ys)}
        chart = _chart(series, caption)
        if chart is not None:
            figures.append((caption, chart))
    if not figures:
        return []
    text = Words("Dead: 0 for every sample of the batch. Saturated: within a hundredth of the range from an end of a "
                 "sigmoid "
                 "or tanh, where gradients hardly pass. Layers without any are left out.",
                 "죽은 유닛: 배치의 모든 표본에서 0. 포화: 시그모이드나 tanh의 끝에서 범위의 100분의 1 안쪽, "
                 "기울기가 거의 지나가지 "
                 "못하는 곳. 하나도 없는 층은 뺐다.")  # fmt: skip
    return [Section(Words("Dead and saturated units", "죽은 유닛과 포화"), text, figures)]


def _table(last: Any) -> Section:
    head = [Words("layer", "층"), Words("gradient", "기울기"), Words("update / weights", "갱신량 / 가중치"),
            Words("mean", "평균"), Words("std", "표준편차"), Words("dead", "죽음"), Words(
                "saturated", "포화")]  # fmt: skip
    rows: list[list[Any]] = [head]
    for name in dict.fromkeys([*last.activations, *last.gradients]):
        one = last.activations.get(name)
        numbers = [last.gradients.get(name), last.updates.get(name)]
        cells = ["" if value is None else short(value) for value in numbers]
        if one is None:
            cells += [""] * 4
        else:
            cells += [short(one.mean), short(one.std), f"{one.dead:.0%}"]
            cells.append("" if one.saturated is None else f"{one.saturated:.0%}")
        rows.append([name, *cells])
    return Section(Words(f"Step {last.number} in numbers", f"스텝 {last.number}의 수치"), rows=rows)


def _chart(
    series: Mapping[Any, tuple[list[float], list[float]]], title: Words, *, log_y: bool = False
) -> Figure | None:  # fmt: skip
    if not any(math.isfinite(y) and (y > 0 or not log_y) for _, ys in series.values() for y in ys):
        return None
    return line_chart(series, title=title, across=_STEP, log_y=log_y)
