"""What compile() makes of losses and metrics: one for each output, with the names of Keras."""

from typing import Any

from minidl import losses as losses_module
from minidl import metrics as metrics_module
from minidl.engine.tensor import Tensor
from minidl.graph.symbolic import flatten
from minidl.metrics import Mean, Metric

__all__ = ["CompiledLosses", "CompiledMetrics"]


def names_of(y_pred: Any) -> list[str]:
    """Names for the outputs of a model that has none: the keys of a dictionary, or output_1, output_2, ..."""
    if isinstance(y_pred, dict):
        return sorted(y_pred)
    return [f"output_{i + 1}" for i, _ in enumerate(flatten(y_pred))]


def by_output(given: Any, names: list[str], argument: str) -> list[Any]:
    """One entry for each output, of a single object, a list, or a dictionary by output name.

    Raises:
        ValueError: a list of another length, or a name that is no output.
    """
    if isinstance(given, dict):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ValueError(f"{argument} names {unknown}, but the model's outputs are {names}")
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(f"{argument} has {len(given)} entries for the {len(names)} outputs {names}")
        return list(given)
    return [given] * len(names)


def outputs_as_list(value: Any, names: list[str], argument: str) -> list[Any]:
    """Targets (or weights) as a list in the order of the outputs."""
    if isinstance(value, dict):
        if set(value) != set(names):
            raise ValueError(f"{argument} is given for {sorted(value)}, but the model's outputs are {names}")
        return [value[name] for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(f"{argument} has {len(value)} entries for the {len(names)} outputs {names}")
        return list(value)
    if value is None or argument == "sample_weight":
        return [value] * len(names)
    if len(names) > 1:
        raise ValueError(
            f"{argument} is one array; the model has the {len(names)} outputs {names}: pass a list of arrays"
        )
    return [value]


def leaves(y_pred: Any) -> list[Any]:
    """The outputs in a row."""
    return [y_pred] if isinstance(y_pred, Tensor) else list(flatten(y_pred))


class CompiledLosses:
    """The loss of each output, and their weighted sum.

    Args:
        loss, loss_weights: what compile() was given.
        names: of the outputs; None where they are not known before the first batch.
    """

    def __init__(self, loss: Any, loss_weights: Any, names: list[str] | None):
        self._given = loss, loss_weights
        self.names = names
        self.trackers: list[Mean] = []
        self._functions: list[Any] = []
        for entry in flatten(loss):  # a wrong name is told at compile, not in the first batch
            losses_module.get(entry)
        if names is not None:
            self._resolve(names)

    def _resolve(self, names: list[str]) -> None:
        loss, loss_weights = self._given
        factors = by_output(loss_weights, names, "loss_weights")
        self._functions = list(zip(map(self._function, by_output(loss, names, "loss")), factors, strict=True))
        trained = [name for name, (function, _) in zip(names, self._functions, strict=True) if function is not None]
        self.trackers = [Mean(name=f"{name}_loss") for name in trained] if len(trained) > 1 else []
        self.names = names

    @staticmethod
    def _function(entry: Any) -> Any:
        found = losses_module.get(entry)
        if found is None or isinstance(found, losses_module.Loss):
            return found
        return losses_module.LossFunctionWrapper(found)

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any) -> Tensor | None:
        """The sum of the outputs' losses; None where no output has one."""
        if self.names is None:
            self._resolve(names_of(y_pred))
        names: Any = self.names
        predictions, targets = leaves(y_pred), outputs_as_list(y, names, "y")
        weights = outputs_as_list(sample_weight, names, "sample_weight")
        trackers = iter(self.trackers)
        total = None
        for (function, factor), target, prediction, weight in zip(
            self._functions, targets, predictions, weights, strict=True
        ):
            if function is None:
                continue
            value = function(target, prediction, weight)
            tracker = next(trackers, None)
            if tracker is not None:  # what is shown of an output is its loss before the factor
                tracker.update_state(value, float(prediction.shape[0]))
            if factor is not None:
                value = value * factor
            total = value if total is None else total + value
        return total


class CompiledMetrics(Metric):
    """The metrics of all outputs as one; "accuracy" is resolved from shapes at the first batch.

    Args:
        metrics, weighted_metrics: what compile() was given.
        names: of the outputs; None where they are not known before the first batch.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any, names: list[str] | None):
        super().__init__(name="compile_metrics")
        self.names = names
        self._given = [(metrics, "metrics"), (weighted_metrics, "weighted_metrics")]
        self._resolved: list[tuple[Metric, int, bool]] = []
        for given, argument in self._given:  # a wrong name is told at compile, not in the first batch
            for entry in flatten([] if given is None else given):
                if entry is not None and not _is_accuracy(entry):
                    metrics_module.find(entry)
            if names is not None:
                self._lists(given, names, argument)

    @staticmethod
    def _lists(given: Any, names: list[str], argument: str) -> list[list[Any]]:
        """A list of metrics for each output."""
        if len(names) == 1 and not isinstance(given, dict):
            return [[entry for entry in flatten(given) if entry is not None]]
        entries = by_output(given, names, argument)
        return [list(e) if isinstance(e, (list, tuple)) else [] if e is None else [e] for e in entries]

    def metrics(self) -> list[Metric]:
        """The metric objects, once the first batch has resolved them."""
        return [metric for metric, _, _ in self._resolved]

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch."""
        names = self.names or names_of(y_pred)
        predictions, targets = leaves(y_pred), outputs_as_list(y, names, "y")
        weights = outputs_as_list(sample_weight, names, "sample_weight")
        if not self._resolved:
            self.names, self._resolved = names, self._resolve(names, targets, predictions)
        for metric, place, weighted in self._resolved:
            metric.update_state(targets[place], predictions[place], weights[place] if weighted else None)

    def _resolve(self, names: list[str], targets: list[Any], predictions: list[Any]) -> list[tuple[Metric, int, bool]]:
        found: list[tuple[Metric, int, bool]] = []
        for given, argument in self._given:
            for place, entries in enumerate(self._lists(given, names, argument)):
                for entry in entries:
                    if _is_accuracy(entry):
                        kind = metrics_module.accuracy_for(targets[place].shape, predictions[place].shape)
                        metric = kind(name=entry)
                    else:
                        metric = metrics_module.compiled(entry)
                    found.append((metric, place, argument == "weighted_metrics"))
        return found

    def result(self) -> dict[str, Any]:
        """The value of every metric. Several outputs put their names in front; a second one of a name is told apart."""
        results: dict[str, Any] = {}
        for metric, place, weighted in self._resolved:
            output = f"{self.names[place]}_" if self.names is not None and len(self.names) > 1 else ""
            name = output + metric.name
            if name in results and weighted:
                name = f"{output}weighted_{metric.name}"
            copies = 0
            while (unique := f"{name}_{copies}" if copies else name) in results:
                copies += 1
            results[unique] = metric.result()
        return results

    def reset_state(self) -> None:
        for metric, _, _ in self._resolved:
            metric.reset_state()


def _is_accuracy(entry: Any) -> bool:
    return isinstance(entry, str) and entry.lower() in ("accuracy", "acc")
