"""What compile() makes of losses and metrics: one for each output, with the names of Keras; logs as numbers."""

from typing import Any

import numpy as np

from minidl import losses as losses_module
from minidl import metrics as metrics_module
from minidl import registry
from minidl.callbacks.waiting import Waiting
from minidl.engine.tensor import Tensor, raw
from minidl.graph.symbolic import flatten
from minidl.metrics import Mean, Metric
from minidl_kernels.arrays import foreign, library_of, namespace, to_numpy
from minidl_kernels.devices import device_of, scope

__all__ = ["CompiledLosses", "CompiledMetrics", "as_numbers", "logs_of"]


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


def outputs_as_list(value: Any, names: list[str], argument: str, trained: list[str] | None = None) -> list[Any]:
    """Targets (or weights) as a list in the order of the outputs.

    Args:
        trained: the outputs that have a loss; targets may be given for them alone, the others get None.
    """
    if isinstance(value, dict):
        if set(value) == set(names):
            return [value[name] for name in names]
        if trained is not None and set(trained) <= set(value) <= set(names):
            return [value.get(name) for name in names]
        if trained is None and value and set(value) <= set(names):  # an output that is not named has no weights
            return [value.get(name) for name in names]
        raise ValueError(f"{argument} is given for {sorted(value)}, but the model's outputs are {names}")
    if isinstance(value, (list, tuple)):
        if len(value) == len(names):
            return list(value)
        if trained is not None and len(value) == len(trained):
            return outputs_as_list(dict(zip(trained, value, strict=True)), names, argument, trained)
        raise ValueError(f"{argument} has {len(value)} entries for the {len(names)} outputs {names}")
    if value is None or argument == "sample_weight":
        return [value] * len(names)
    if len(names) == 1:
        return [value]
    if trained is not None and len(trained) == 1:
        return outputs_as_list({trained[0]: value}, names, argument, trained)
    raise ValueError(f"{argument} is one array; the model has the {len(names)} outputs {names}: pass a list of arrays")


def leaves(y_pred: Any) -> list[Any]:
    """The outputs in a row."""
    return [y_pred] if isinstance(y_pred, Tensor) else list(flatten(y_pred))


def told_apart(names: list[str]) -> list[str]:
    """The names, with _1, _2, ... after the second, third, ... of a kind."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        unique.append(f"{name}_{count}" if count else name)
    return unique


def name_of(function: Any) -> str:
    """The name by which the loss of a function (or of an object that can be called) is shown."""
    named = getattr(function, "name", None) or getattr(function, "__name__", None)
    return str(named or registry.snake_case(type(function).__name__))


class CrossentropyByShape:
    """The loss "crossentropy" (or "ce"): binary, sparse categorical or categorical, as the first batch's shapes say."""

    def __init__(self, name: str):
        self.name = name
        self._loss: Any = None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if self._loss is None:
            kind = metrics_module.accuracy_for(y_true.shape, y_pred.shape)
            self._loss = {
                metrics_module.BinaryAccuracy: losses_module.BinaryCrossentropy,
                metrics_module.SparseCategoricalAccuracy: losses_module.SparseCategoricalCrossentropy,
            }.get(kind, losses_module.CategoricalCrossentropy)()
        return self._loss(y_true, y_pred, sample_weight)


def as_numbers(logs: Any) -> dict[str, Any]:
    """What a step returned, by name in alphabetical order, as Python numbers where it is numbers.

    Raises:
        TypeError: it returned no dictionary.
    """
    if not isinstance(logs, dict):
        raise TypeError(
            f"train_step and test_step return a dictionary of numbers by name, not {type(logs).__name__}; end with "
            f"return {{'loss': loss}}"
        )
    if {*map(type, logs.values())} == {float}:
        return {name: logs[name] for name in sorted(logs)}
    result: dict[str, Any] = {}
    for name, value in logs.items():
        result.update(as_numbers(value) if isinstance(value, dict) else {name: value})
    result.update(_read_at_once({name: one for name, one in result.items() if library_of(raw(one))}))
    for name, value in result.items():
        array = raw(value)
        if not library_of(array):
            array = np.asarray(array)
            result[name] = float(array.item()) if array.size == 1 and array.dtype.kind in "biuf" else value
    return {name: result[name] for name in sorted(result)}


def _read_at_once(values: dict[str, Any]) -> dict[str, Any]:
    """The single numbers among values on a GPU, by one transfer: each read waits for all work before."""
    arrays = {name: raw(value) for name, value in values.items()}
    single = {name: one for name, one in arrays.items() if one.size == 1 and one.dtype.kind in "biuf"}
    if len(single) < 2 or len({device_of(one) for one in single.values()}) > 1:
        return {name: to_numpy(one) for name, one in single.items()}
    first = next(iter(single.values()))
    with scope(device_of(first)):  # a callback may look from anywhere
        row = namespace(first).empty(len(single), "float64")
        for place, one in enumerate(single.values()):
            row[place : place + 1] = one.reshape(1)
        return dict(zip(single, to_numpy(row), strict=True))


def logs_of(found: Any) -> Any:
    """``as_numbers``; of numbers on a GPU logs that are read when somebody looks at one of them."""
    if isinstance(found, Waiting):
        return found
    if foreign and isinstance(found, dict) and any(library_of(raw(value)) for value in found.values()):
        return Waiting(found, as_numbers)
    return as_numbers(found)


class CompiledLosses:
    """The loss of each output, and their weighted sum.

    Args:
        loss, loss_weights: what compile() was given.
        names: of the outputs; None where they are not known before the first batch.
    """

    def __init__(self, loss: Any, loss_weights: Any, names: list[str] | None):
        self._given = loss, loss_weights
        self.names = names
        self.trained: list[str] = []  # the outputs that have a loss
        self.trackers: list[Mean] = []
        self._functions: list[Any] = []
        for entry in flatten(loss):  # a wrong name is told at compile, not in the first batch
            self._function(entry)
        if names is not None:
            self._resolve(names, names)

    def _resolve(self, names: list[str], shown: list[str] | None) -> None:
        loss, loss_weights = self._given
        factors = by_output(loss_weights, names, "loss_weights")
        functions = list(map(self._function, by_output(loss, names, "loss")))
        self._functions = list(zip(functions, factors, strict=True))
        with_loss = [place for place, function in enumerate(functions) if function is not None]
        self.trained = [names[place] for place in with_loss]
        if len(with_loss) > 1:  # outputs without names are shown by the names of their losses
            titles = [shown[place] if shown else functions[place].name for place in with_loss]
            self.trackers = [Mean(name=f"{title}_loss") for title in told_apart(titles)]
        self.names = names

    @staticmethod
    def _function(entry: Any) -> Any:
        if isinstance(entry, str) and entry.lower() in ("crossentropy", "ce"):
            return CrossentropyByShape(entry)
        found = losses_module.get(entry)
        if found is None or isinstance(found, losses_module.Loss):
            return found
        return losses_module.LossFunctionWrapper(found, name=entry if isinstance(entry, str) else name_of(found))

    def zero_targets(self, y_pred: Any) -> list[Any]:
        """For each output, zeros that its loss takes as targets; None for an output without a loss.

        Raises:
            ValueError: a loss whose targets may have several shapes.
        """
        if self.names is None:
            self._resolve(names_of(y_pred), sorted(y_pred) if isinstance(y_pred, dict) else None)
        found: list[Any] = []
        for (function, _), prediction in zip(self._functions, leaves(y_pred), strict=True):
            if isinstance(function, CrossentropyByShape):
                raise ValueError(f"what the loss {function.name!r} is depends on the shape of the targets")
            labels = getattr(function, "takes_labels", False)
            shape, dtype = (prediction.shape[:-1], np.int64) if labels else (prediction.shape, prediction.dtype)
            found.append(None if function is None else Tensor.of(namespace(prediction.data).zeros(shape, dtype)))
        return found

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any) -> Tensor | None:
        """The sum of the outputs' losses; None where no output has one."""
        if y_pred is None:
            raise ValueError("call() of the model returned None, so there is no loss; end it with return outputs")
        if self.names is None:
            self._resolve(names_of(y_pred), sorted(y_pred) if isinstance(y_pred, dict) else None)
        names: Any = self.names
        predictions, targets = leaves(y_pred), outputs_as_list(y, names, "y", self.trained)
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
        losses: what is compiled besides: targets may be given for the outputs with a loss alone.
    """

    def __init__(
        self, metrics: Any, weighted_metrics: Any, names: list[str] | None, losses: CompiledLosses | None = None
    ):
        super().__init__(name="compile_metrics")
        self.names, self._losses = names, losses
        self._prefixes = names  # what stands before the names of metrics where there are several outputs
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
        trained = self._losses.trained if self._losses is not None else None
        predictions, targets = leaves(y_pred), outputs_as_list(y, names, "y", trained)
        weights = outputs_as_list(sample_weight, names, "sample_weight")
        if not self._resolved:
            if self.names is None:
                self._prefixes = names if isinstance(y_pred, dict) else None
            self.names, self._resolved = names, self._resolve(names, targets, predictions)
        for metric, place, weighted in self._resolved:
            if targets[place] is None:
                raise ValueError(
                    f"output {names[place]!r} has the metric {metric.name!r}, but y holds no targets for it"
                )
            metric.update_state(targets[place], predictions[place], weights[place] if weighted else None)

    def _resolve(self, names: list[str], targets: list[Any], predictions: list[Any]) -> list[tuple[Metric, int, bool]]:
        found: list[tuple[Metric, int, bool]] = []
        for given, argument in self._given:
            for place, entries in enumerate(self._lists(given, names, argument)):
                for entry in entries:
                    if _is_accuracy(entry) and targets[place] is not None:
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
            output = f"{self._prefixes[place]}_" if self._prefixes is not None and len(self._prefixes) > 1 else ""
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
