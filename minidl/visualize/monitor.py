"""A training from the inside: gradients, updates and activations of every layer, taken from the steps themselves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minidl.callbacks import Callback
from minidl.engine.tensor import raw
from minidl.layers import InputLayer
from minidl_kernels.arrays import to_numpy

from .page import Page
from .watch import Watch

__all__ = ["Activations", "Step", "TrainingMonitor", "dead_units", "saturation"]

# The ends of the range of an activation that flattens out there.
_ENDS = {
    "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
}  # fmt: skip
_NEAR = 0.01  # of the range
_BINS = 30


@dataclass
class Activations:
    """What a layer gave for one batch.

    Attributes:
        mean, std: of all numbers.
        dead: share of the units (channels) that were 0 for the whole batch.
        saturated: share of the numbers within a hundredth of the range from an end of a sigmoid or tanh; None for
            layers without such an activation.
        counts, edges: the histogram.
    """

    mean: float
    std: float
    dead: float
    saturated: float | None
    counts: np.ndarray
    edges: np.ndarray


@dataclass
class Step:
    """One step that was looked at: layer name -> number, for the layers with weights that train.

    Attributes:
        number: how many steps came before it.
        loss: as in the logs: the mean of the epoch so far.
        gradients: the Euclidean norm of all gradients of the layer, as the optimizer got them.
        weights: the norm of its weights before the step.
        updates: the norm of what the step added to them, divided by ``weights``.
        activations: of the batch, for the layers with weights or an activation.
    """

    number: int
    loss: float
    gradients: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    updates: dict[str, float] = field(default_factory=dict)
    activations: dict[str, Activations] = field(default_factory=dict)


class TrainingMonitor(Callback):
    """Looks into every so-manieth step of ``fit``; ``page()`` shows what it saw.

    Gradients and activations are those of the training step itself: nothing is computed twice. A step that is looked
    at copies the weights once.

    Args:
        every: steps from one look to the next.

    Attributes:
        steps: a list of Step.

    Raises:
        ValueError: ``every`` is not a whole number above 0.
    """

    def __init__(self, every: int = 10):
        if isinstance(every, bool) or not isinstance(every, (int, np.integer)) or every < 1:
            raise ValueError(f"every must be a whole number above 0, not {every!r}")
        self.every, self.steps = every, list[Step]()
        self._seen = 0
        self._look: _Look | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._stop()  # of a fit that was broken off

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._seen % self.every == 0 and self.model.built:
            self._look = _Look(self.model)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        look = self._stop()
        if look is not None:
            self.steps.append(look.found(self._seen, float((logs or {}).get("loss", math.nan))))
        self._seen += 1

    def on_train_end(self, logs: Any = None) -> None:
        self._stop()

    def _stop(self) -> "_Look | None":
        look, self._look = self._look, None
        if look is not None:
            look.close()
        return look

    def series(self, what: str) -> dict[str, tuple[list[float], list[float]]]:
        """Numbers by layer over the steps: layer -> (step numbers, values).

        Args:
            what: "gradients", "weights" or "updates", as in Step; "mean", "std", "dead" or "saturated", as in
                Activations.

        Raises:
            ValueError: another word.
        """
        if what not in ("gradients", "weights", "updates", "mean", "std", "dead", "saturated"):
            raise ValueError(f"what must be the name of a number of Step or Activations, not {what!r}")
        found: dict[str, tuple[list[float], list[float]]] = {}
        for step in self.steps:
            own = getattr(step, what, None)
            values = own if own is not None else {n: getattr(a, what) for n, a in step.activations.items()}
            for name, value in values.items():
                if value is not None:
                    steps, numbers = found.setdefault(name, ([], []))
                    steps.append(float(step.number))
                    numbers.append(value)
        return found

    def page(self, surface: Any = None, rates: Any = None) -> Page:
        """What was seen, as a page in English and Korean with what stands out first.

        Args:
            surface: a LossSurface to show as well.
            rates: LearningRates to show as well.

        Raises:
            ValueError: no step was looked at yet.
        """
        from .monitor_page import page_of

        return page_of(self, surface, rates)


class _Look:
    """One step under observation: its layers' outputs, the gradients that its optimizer gets, the weights before it."""

    def __init__(self, model: Any):
        inner = [one for one in model._flatten_layers() if not one._sublayers() and not isinstance(one, InputLayer)]
        self.optimizer = model.optimizer
        self.owners = {id(v): layer.name for layer in inner for v in layer.weights}
        self.before = {id(v): (v, v.numpy()) for layer in inner for v in layer.weights}
        self.gradients: dict[int, Any] = {}
        self.watch = Watch([one for one in inner if one.weights or _activation(one)])
        self.watch.__enter__()
        if self.optimizer is not None:
            apply = self.optimizer.apply

            def keeping(grads: Any, trainable_variables: Any = None) -> Any:
                grads = list(grads)
                given = self.optimizer._variables if trainable_variables is None else list(trainable_variables)
                pairs = zip(given, grads, strict=False)
                self.gradients = {id(v): np.array(to_numpy(raw(g))) for v, g in pairs if g is not None}
                return apply(grads, trainable_variables)

            self.optimizer.__dict__["apply"] = keeping

    def close(self) -> None:
        self.watch.__exit__()
        if self.optimizer is not None:
            self.optimizer.__dict__.pop("apply", None)

    def found(self, number: int, loss: float) -> Step:
        step = Step(number, loss)
        groups: dict[str, list[int]] = {}
        for key in self.gradients:
            if key in self.owners:
                groups.setdefault(self.owners[key], []).append(key)
        for name in dict.fromkeys(self.owners.values()):
            keys = groups.get(name)
            if keys:
                weights = _norm([self.before[key][1] for key in keys])
                moved = _norm([self.before[key][0].numpy() - self.before[key][1] for key in keys])
                step.gradients[name] = _norm([self.gradients[key] for key in keys])
                step.weights[name] = weights
                step.updates[name] = moved / weights if weights else math.nan
        for layer, y in self.watch.values.items():
            step.activations[layer.name] = _measured(to_numpy(y.data), _activation(layer))
        return step


def dead_units(values: np.ndarray) -> float:
    """The share of units (last axis) that are 0 for the whole batch: with ReLU, these learn nothing from it."""
    values = np.asarray(values)
    return float(np.mean(~values.any(axis=tuple(range(values.ndim - 1)))))


def saturation(values: np.ndarray, activation: str) -> float | None:
    """The share of numbers within a hundredth of the range from an end of a sigmoid, tanh or the like.

    There the slope of these two is below 0.04 of the steepest, and gradients hardly pass. None for activations without
    two ends.
    """
    if activation not in _ENDS:
        return None
    low, high = _ENDS[activation]
    near = _NEAR * (high - low)
    values = np.asarray(values)
    return float(np.mean((values < low + near) | (values > high - near)))


def _measured(values: np.ndarray, activation: str) -> Activations:
    finite = values[np.isfinite(values)].astype(np.float64)
    counts, edges = np.histogram(finite, _BINS)
    mean, std = (float(finite.mean()), float(finite.std())) if finite.size else (math.nan, math.nan)
    return Activations(mean, std, dead_units(values), saturation(values, activation), counts, edges)


def _activation(layer: Any) -> str:
    """The name of what a layer ends with; "" where there is nothing."""
    own = getattr(layer, "activation", None)
    if own is not None:
        return getattr(own, "__name__", "")
    return type(layer).__name__.lower() if type(layer).__module__ == "minidl.layers.activation" else ""


def _norm(arrays: Sequence[np.ndarray]) -> float:
    return math.sqrt(sum(float(np.sum(np.square(one, dtype=np.float64))) for one in arrays))
