"""What compile() makes of losses and metrics: one for each output, with the names of Keras."""

from typing import Any

from minidl import losses as losses_module
from minidl import metrics as metrics_module
from minidl.engine.tensor import Tensor
from minidl.graph.symbolic import flatten
from minidl.metrics import Mean, Metric

__all__ = ["CompiledLosses", "CompiledMetrics"]


def by_output(given: Any, names: list[str], argument: str, default: Any = None) -> list[Any]:
    """One entry for each output, of a single object, a list, or a dictionary by output name.

    Raises:
        ValueError: a list of another length, or a name that is no output.
    """
    if isinstance(given, dict):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ValueError(f"{argument} names {unknown}, but the model's outputs are {names}")
        return [given.get(name, default) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(f"{argument} has {len(given)} entries for the {len(names)} outputs {names}")
        return list(given)
    return [given] * len(names) if given is not None else [default] * len(names)


def outputs_as_list(value: Any, names: list[str], argument: str) -> list[Any]:
    """Targets (or weights) as a list in the order of the outputs."""
    if isinstance(value, dict):
        missing = [name for name in names if name not in value]
        if missing:
            raise ValueError(f"{argument} lacks {missing}; the model's outputs are {names}")
        return [value[name] for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(f"{argument} has {len(value)} entries for the {len(names)} outputs {names}")
        return list(value)
    return [value] * len(names) if value is None or argument == "sample_weight" else [value]


class CompiledLosses:
    """The loss of each output, and their weighted sum."""

    def __init__(self, loss: Any, loss_weights: Any, names: list[str]):
        self.names = names
        self.functions = [self._one(entry) for entry in by_output(loss, names, "loss")]
        self.weights = (
            by_output(loss_weights, names, "loss_weights") if loss_weights is not None else [None] * len(names)
        )
        self.trackers = [Mean(name=f"{name}_loss") for name in names] if len(names) > 1 else []

    @staticmethod
    def _one(entry: Any) -> Any:
        found = losses_module.get(entry)
        if found is None or isinstance(found, losses_module.Loss):
            return found
        return losses_module.LossFunctionWrapper(found)

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any) -> Tensor | None:
        """The sum of the outputs' losses; None where no output has one."""
        predictions = list(flatten(y_pred))
        targets = outputs_as_list(y, self.names, "y")
        if len(targets) != len(predictions):
            raise ValueError(
                f"y holds {len(targets)} arrays, but the model has the {len(predictions)} outputs {self.names}"
            )
        weights = outputs_as_list(sample_weight, self.names, "sample_weight")
        total = None
        trackers: list[Any] = list(self.trackers) or [None] * len(predictions)
        for function, factor, target, prediction, weight, tracker in zip(
            self.functions, self.weights, targets, predictions, weights, trackers, strict=True
        ):
            if function is None:
                continue
            value = function(target, prediction, weight)
            if factor is not None:
                value = value * factor
            if tracker is not None:
                tracker.update_state(value, float(prediction.shape[0]))
            total = value if total is None else total + value
        return total


class CompiledMetrics:
    """The metrics of each output; "accuracy" is resolved from shapes at the first batch."""

    def __init__(self, metrics: Any, weighted_metrics: Any, names: list[str]):
        self.names = names
        self._given = [
            (self._lists(metrics, "metrics"), False),
            (self._lists(weighted_metrics, "weighted_metrics"), True),
        ]
        self._resolved: list[tuple[Metric, int, bool]] | None = None

    def _lists(self, given: Any, argument: str) -> list[list[Any]]:
        if given is None:
            return [[] for _ in self.names]
        if len(self.names) == 1 and not isinstance(given, dict):
            entries = given if isinstance(given, (list, tuple)) else [given]
            nested = len(entries) == 1 and isinstance(entries[0], (list, tuple))
            return [list(entries[0])] if nested else [list(entries)]
        entries = by_output(given, self.names, argument, default=[])
        return [list(e) if isinstance(e, (list, tuple)) else [] if e is None else [e] for e in entries]

    def check_names(self) -> None:
        """Raise ValueError for a name that is no metric, at compile rather than in the first batch."""
        for lists, _ in self._given:
            for entry in flatten(lists):
                if str(entry).lower() not in ("accuracy", "acc"):
                    metrics_module.get(entry)

    def metrics(self) -> list[Metric]:
        """The metric objects, once the first batch has resolved them."""
        return [metric for metric, _, _ in self._resolved or []]

    def update(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """Count a batch."""
        predictions = list(flatten(y_pred))
        targets = outputs_as_list(y, self.names, "y")
        weights = outputs_as_list(sample_weight, self.names, "sample_weight")
        if self._resolved is None:
            self._resolved = self._resolve(targets, predictions)
        for metric, place, weighted in self._resolved:
            metric.update_state(targets[place], predictions[place], weights[place] if weighted else None)

    def _resolve(self, targets: list[Any], predictions: list[Any]) -> list[tuple[Metric, int, bool]]:
        found = []
        for place, name in enumerate(self.names):
            for lists, weighted in self._given:
                for entry in lists[place]:
                    if str(entry).lower() in ("accuracy", "acc"):
                        kind = metrics_module.accuracy_for(targets[place].shape, predictions[place].shape)
                        metric: Metric = kind(name=entry)
                    else:
                        metric = metrics_module.get(entry)
                        if isinstance(entry, str):
                            metric.name = entry
                    if len(self.names) > 1:
                        metric.name = f"{name}_{metric.name}"
                    found.append((metric, place, weighted))
        return found
