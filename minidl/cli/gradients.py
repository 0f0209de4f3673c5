"""The gradient check of a trained model: quick enough to be part of every training.

``minidl.gradcheck`` looks at every number of a small input; for a whole network that takes minutes. Here each weight
array is checked along a random direction, which all of its numbers enter, and in a few single numbers.
"""

from typing import Any

import numpy as np

from minidl import ops
from minidl.checking.finite_differences import Differences, rounding_noise
from minidl.checking.subject import Subject
from minidl.visualize import Check
from minidl.visualize.words import Words

__all__ = ["check_gradients"]

_TOLERANCE = 1e-6


class _Loss:
    """The loss of a model on some pictures, as a function with the weights of the model."""

    def __init__(self, model: Any, x: np.ndarray):
        self.model, self.x = model, ops.convert_to_tensor(x)
        self.trainable_variables, self.variables = model.trainable_variables, model.variables
        self.built, self.name = model.built, "loss"
        self._flatten_layers = model._flatten_layers

    def __call__(self, labels: Any) -> Any:
        return self.model.compute_loss(y=labels, y_pred=self.model(self.x, training=False), training=False)


def check_gradients(model: Any, x: np.ndarray, y: np.ndarray, *, numbers: int = 2, seed: int = 0) -> Check:
    """Compare the gradient of the compiled loss with differences of its values, in float64.

    Args:
        model: compiled and built.
        x, y: a few samples.
        numbers: how many single numbers of each weight array are checked, besides a direction.
        seed: of the choice.
    """
    subject, rng = Subject(_Loss(model, x.astype("float64")), y, {}, None), np.random.default_rng(seed)
    rows = []
    with subject.in_float64():
        point, one = subject.values, np.ones(1)
        analytic = subject.gradients(point, one)
        differences = Differences(subject.evaluate, point, one, rounding_noise(subject.evaluate, point, rng))
        names = [path.removeprefix(f"{model.name}/") for path in subject.leaves]
        for i, name in enumerate(names):
            found = [_error(differences, analytic, i, moved) for moved in _directions(point[i].shape, numbers, rng)]
            rows.append((name, max(error for error, _ in found), all(passed for _, passed in found)))
    return Check(all(passed for _, _, passed in rows), _summary(rows, len(x), numbers), rows)


def _directions(shape: tuple[int, ...], numbers: int, rng: np.random.Generator) -> list[np.ndarray]:
    """A direction with random signs, then single numbers."""
    found = [rng.choice([-1.0, 1.0], shape)]
    for place in rng.choice(found[0].size, min(numbers, found[0].size), replace=False):
        single = np.zeros(shape)
        single.flat[place] = 1.0
        found.append(single)
    return found


def _error(differences: Differences, analytic: list[Any], i: int, moved: np.ndarray) -> tuple[float, bool]:
    """(difference as a part of the largest slope, whether it is small enough) along a direction of weight ``i``."""
    slope = differences.slope([moved if j == i else np.zeros_like(a) for j, a in enumerate(differences.x)])
    terms = np.zeros(1) if analytic[i] is None else analytic[i] * slope.moves[i]
    numeric = slope.nearest(float(terms.sum()))
    # Terms of both signs cancel in the sum, so the error is judged by their size.
    size = max(float(np.linalg.norm(terms)), abs(numeric))
    error = abs(float(terms.sum()) - numeric)
    largest = 0.0 if analytic[i] is None else float(np.abs(analytic[i] * differences.scales[i]).max(initial=0.0))
    return (error / max(size, largest) if error else 0.0), error <= slope.noise + _TOLERANCE * size


def _summary(rows: list[tuple[str, float, bool]], samples: int, numbers: int) -> Words:
    wrong = ", ".join(name for name, _, passed in rows if not passed)
    where = f"({samples} test pictures; a direction and {numbers} numbers of each array)"
    where_ko = f"(시험 그림 {samples}장; 배열마다 한 방향과 수 {numbers}개)"
    if wrong:
        return Words(
            f"The gradients of {wrong} differ from central differences in float64 {where}.",
            f"{wrong}의 기울기가 float64 중앙 차분과 다르다 {where_ko}.",
        )
    worst = max(error for _, error, _ in rows)
    return Words(
        f"All {len(rows)} weight arrays agree with central differences in float64 to {worst:.0e} {where}.",
        f"가중치 배열 {len(rows)}개가 모두 float64 중앙 차분과 {worst:.0e}까지 일치한다 {where_ko}.",
    )
