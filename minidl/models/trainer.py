"""compile, and one step: forward, loss, the walk back, the optimizer. The loops over data are in loops.py.

One step reads top to bottom in ``Trainer.train_step``.
"""

import inspect
import warnings
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import numpy as np

from minidl import optimizers, registry
from minidl.data.arrays import as_data, batch_length, check_lengths, class_weights, standardize, standardized, unpack
from minidl.engine.op import no_grad, trainable_are
from minidl.engine.tensor import Tensor, raw
from minidl.engine.walk import gradients
from minidl.graph.symbolic import map_structure
from minidl.metrics import Mean, Metric
from minidl_kernels import devices
from minidl_kernels.arrays import foreign, to_numpy

from .captured import CapturedPredictions, CapturedSteps
from .compiled import CompiledLosses, CompiledMetrics, as_numbers
from .loops import Loops
from .loss_weights import check_loss_weights
from .snapshot import Snapshot

__all__ = ["Trainer"]


class Trainer(Loops):
    """The part of a model that trains it."""

    built: bool
    optimizer: Any = None
    compiled = False
    loss: Any = None
    run_eagerly = False
    jit_compile: Any = "auto"
    steps_per_execution = 1
    _compiled_loss: CompiledLosses | None = None
    _compiled_metrics: CompiledMetrics | None = None
    _snapshot: Snapshot | None = None
    _captured: CapturedSteps | None = None
    _predictions: CapturedPredictions | None = None
    _kept_metrics: list[Metric] | None = None  # those kept as attributes, when they were last looked for
    _all_metrics: tuple[int, list[Metric]] = (-1, [])  # and all; with how many trackers of outputs there were then
    _training: dict[str, bool]  # what compute_loss is told of the phase, where it takes it
    _testing: dict[str, bool]

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose how to train, and take a snapshot of what is trainable.

        Args:
            optimizer: name or object; None for a model with a train_step that uses others.
            loss: name, object or function of (y_true, y_pred); for several outputs a list, or a dictionary by name.
            loss_weights: factors of the outputs' losses, numbers: one, a list, or a dictionary by name.
            metrics: names, objects or functions; for several outputs a list of lists, or a dictionary by name.
            weighted_metrics: metrics that use sample_weight.
            run_eagerly: do not record steps and predictions.
            jit_compile: a training step is recorded once for each shape of a batch, and done as a whole afterwards: a
                CUDA graph on a GPU, a list of launches on the CPU. "auto": where nothing but parts of minidl is in it,
                so that it computes the same. True: also with layers, losses, metrics or a train_step of your own, whose
                Python then runs while it is recorded, and no more; a warning says where that cannot be. False: never.
                ``summary(show_kernels=True)`` shows what was recorded, and why not.
            steps_per_execution, auto_scale_loss: accepted as in Keras; every batch is a step of its own.

        Raises:
            TypeError: loss_weights that are no numbers, such as metrics without ``metrics=``.
            ValueError: not as many losses, factors or lists of metrics as outputs, or names of other outputs. What was
                compiled before stays as it was.
        """
        check_loss_weights(loss_weights, loss)
        names = self.output_names  # type: ignore[attr-defined]
        compiled_loss = None if loss is None else CompiledLosses(loss, loss_weights, names)
        measured = metrics is not None or weighted_metrics is not None
        compiled_metrics = CompiledMetrics(metrics, weighted_metrics, names, compiled_loss) if measured else None
        self.optimizer = None if optimizer is None else optimizers.get(optimizer)
        # A proxy: in a dictionary, the metrics would be taken for attributes of the user.
        settings = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self._settings = MappingProxyType(settings)
        self.loss, self._compiled_loss, self._compiled_metrics = loss, compiled_loss, compiled_metrics
        takes_phase = "training" in inspect.signature(self.compute_loss).parameters
        self._training, self._testing = ({"training": True}, {"training": False}) if takes_phase else ({}, {})
        self._loss_tracker = Mean(name="loss")
        self._kept_metrics = None
        self._snapshot = Snapshot(self)
        self._fits = (-1, 0)
        if run_eagerly and jit_compile is True:
            warnings.warn("run_eagerly=True: steps are not recorded, and jit_compile=True is not heeded", stacklevel=2)
        self.run_eagerly, self.steps_per_execution, self.jit_compile = run_eagerly, steps_per_execution, jit_compile
        self._captured = self._predictions = None
        self.compiled, self.stop_training = True, False

    def get_compile_config(self) -> dict[str, Any] | None:
        """What compile() was called with, as plain data; None before, and (with a warning) where it cannot be saved."""
        if not self.compiled:
            return None
        try:
            return registry.serialize({"optimizer": self.optimizer, **self._settings})
        except (TypeError, ValueError) as error:
            warnings.warn(f"what compile() was given will not be saved: {error}", stacklevel=2)
            return None

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as ``get_compile_config`` (or Keras) noted it."""
        if type(self).compile is not Trainer.compile:
            warnings.warn(
                f"{type(self).__name__} has a compile() of its own, so it is opened without; call compile(), or define "
                f"get_compile_config() and compile_from_config(config)",
                stacklevel=2,
            )
            return
        names = inspect.signature(Trainer.compile).parameters
        self.compile(**registry.deserialize({name: config[name] for name in names if name in config}))

    # ---- one step ----

    def train_step(self, data: Any) -> dict[str, Any]:
        """One update from one batch; override it for a training of your own (return a dictionary of numbers)."""
        x, y, sample_weight = unpack(data)
        if self.optimizer is None:
            raise ValueError("compile() was given optimizer=None, so nothing can be trained; name one, such as 'adam'")
        if not self.built:  # the first call makes the weights; only then can it be settled which of them train
            with no_grad():
                self(x, training=False)  # type: ignore[operator]
        snapshot = self._settled_snapshot()
        with trainable_are(snapshot.ids):
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **self._training)
            scaled = self.optimizer.scale_loss(loss)
        if snapshot.variables:
            grads = gradients([scaled], [None], snapshot.variables, create_graph=False)
            self.optimizer.apply(grads, snapshot.variables)
        self._loss_tracker.update_state(loss, float(batch_length(x)))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Loss and metrics of one batch; override it for an evaluation of your own."""
        x, y, sample_weight = unpack(data)
        with no_grad(), trainable_are(self._settled_snapshot().ids):
            y_pred = self(x, training=False)  # type: ignore[operator]
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **self._testing)
        self._loss_tracker.update_state(loss, float(batch_length(x)))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def _settled_snapshot(self) -> Snapshot:
        snapshot: Any = self._snapshot
        return snapshot if snapshot.settled else snapshot.resolved()

    def predict_step(self, data: Any) -> Any:
        """The outputs for one batch."""
        with no_grad():
            return self(unpack(data)[0], training=False)  # type: ignore[operator]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The compiled loss plus what layers added and the penalties on weights that train; 0 to test without any."""
        total = None
        if self._compiled_loss is not None and y is not None:
            total = self._compiled_loss(y, y_pred, sample_weight)
        for extra in self._added_losses():
            total = extra if total is None else total + extra
        if total is None and (training or self._compiled_loss is not None):
            raise ValueError(
                f"there is no loss: pass one to compile(loss=...), call add_loss() in a layer, or pass y to "
                f"{'fit' if training else 'evaluate'}()"
            )
        return total if isinstance(total, Tensor) else Tensor(0.0 if total is None else total)

    def _added_losses(self) -> list[Any]:
        regularized = [] if self._snapshot is None else self._settled_snapshot().regularized
        made = [one.sum() if getattr(one, "ndim", 0) else one for one in self._run]  # type: ignore[attr-defined]
        return [*made, *(w.regularizer(w) for w in regularized)]

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Count a batch in all metrics, and return their values so far."""
        if self._compiled_metrics is not None and y is not None:
            with no_grad():
                self._compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """The value of every metric, by name."""
        result: dict[str, Any] = {}
        for metric in self._known_metrics():
            value = metric.result()
            result.update(value if isinstance(value, dict) else {metric.name: value})
        return result

    def _train_step(self, batch: tuple[Any, ...]) -> Any:
        """``train_step`` on arrays, recorded where that can be."""
        if self._captured is None or not self._captured.fits():
            self._captured = CapturedSteps(self)
        return self._captured(batch)

    def _predict_step(self, batch: tuple[Any, ...]) -> Any:
        """``predict_step`` on arrays, on the CPU recorded where that can be."""
        if devices.current().library is not None:
            return self.predict_step(as_data(batch))
        if self._predictions is None:
            self._predictions = CapturedPredictions(self)
        return self._predictions(batch)

    def _test_step(self, batch: tuple[Any, ...]) -> Any:
        return self.test_step(as_data(batch))

    # ---- one batch by itself ----

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: dict[Any, float] | None = None,
        return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """One update from these samples; returns the loss, or [loss, metrics...], of this batch alone."""
        self._require_compiled("train_on_batch")
        return self._on_batch(self._train_step, x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss, or [loss, metrics...], of these samples."""
        self._require_compiled("test_on_batch")
        return self._on_batch(self._test_step, x, y, sample_weight, None, return_dict)

    def _on_batch(self, step: Any, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
        x, y, sample_weight = standardized(x, y, sample_weight)
        check_lengths(x=x, y=y, sample_weight=sample_weight)
        if class_weight is not None:
            sample_weight = class_weights(y, class_weight, sample_weight)
        self.reset_metrics()
        batch = (x, y, sample_weight)
        logs = self._away(step, batch) if foreign else as_numbers(step(batch))
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for these samples as NumPy arrays."""
        # A copy: the output of a reshape would be the user's own array.
        with self._at_home():
            outputs = self._predict_step((standardize(x, "x"),))
        if type(outputs) is Tensor:
            return np.array(to_numpy(outputs.data))
        return map_structure(lambda t: np.array(to_numpy(raw(t))), outputs)

    # ---- what a train_step written for TensorFlow's Keras calls ----

    def compiled_loss(
        self, y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = ()
    ) -> Tensor | None:
        """The compiled loss plus ``regularization_losses`` (of ``self.losses``); counted as the loss of this batch."""
        total = None if self._compiled_loss is None else self._compiled_loss(y, y_pred, sample_weight)
        for extra in regularization_losses or ():
            total = extra if total is None else total + extra
        if total is not None:
            self._loss_tracker.update_state(total, float(batch_length(y_pred)))
        return total

    @property
    def compiled_metrics(self) -> CompiledMetrics:
        """What compile() made of metrics, with ``update_state(y, y_pred)``."""
        names = self.output_names  # type: ignore[attr-defined]
        return CompiledMetrics(None, None, names) if self._compiled_metrics is None else self._compiled_metrics

    # ---- metrics ----

    @property
    def metrics(self) -> list[Metric]:
        """The loss tracker, the compiled metrics (as one), the losses of several outputs, and metrics among attributes.

        Those of a model inside are not among them: it has a training of its own. A subclass may override this property;
        then what it lists is what is reset in every epoch.
        """
        layers = self._flatten_layers()  # type: ignore[attr-defined]
        own = [layer for layer in layers if layer is self or not isinstance(layer, Trainer)]
        self._kept_metrics, self._all_metrics = None, (-1, [])  # or they would be found among the attributes
        self._kept_metrics = [m for layer in own for value in vars(layer).values() for m in _metrics_in(value)]
        return self._with_compiled(self._kept_metrics)

    def _known_metrics(self) -> list[Metric]:
        """The same, with the attributes as last looked through: a step has no time to do it again."""
        if type(self).metrics is not Trainer.metrics:
            return self.metrics
        trackers = 0 if self._compiled_loss is None else len(self._compiled_loss.trackers)  # the first batch makes them
        if self._kept_metrics is None or self._all_metrics[0] != trackers:
            self._all_metrics = trackers, self.metrics
        return self._all_metrics[1]

    def _with_compiled(self, kept: list[Metric]) -> list[Metric]:
        found: list[Metric] = [self._loss_tracker] if self.compiled else []
        if self._compiled_metrics is not None:
            found.append(self._compiled_metrics)
        if self._compiled_loss is not None:
            found += self._compiled_loss.trackers
        return list({id(m): m for m in [*found, *kept]}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names in the order of what evaluate() lists, once the first batch has settled which they are."""
        names: list[str] = []
        for metric in self._known_metrics():
            names += [m.name for m in metric.metrics()] if isinstance(metric, CompiledMetrics) else [metric.name]
        known = self.get_metrics_result()
        return [*(name for name in dict.fromkeys(names) if name in known), *sorted(known.keys() - set(names))]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self._known_metrics():
            metric.reset_state()

    def _in_order(self, logs: dict[str, Any]) -> Any:
        """What a step returned as a list in the order of ``metrics_names``; a single number as itself."""
        if len(logs) == 1:
            return next(iter(logs.values()))
        names = [name for name in self.metrics_names if name in logs]
        values = [logs[name] for name in (*names, *(name for name in logs if name not in names))]
        return values

    def _require_compiled(self, name: str) -> None:
        if not self.compiled:
            raise ValueError(f"call compile() before {name}(), for example model.compile(optimizer='adam', loss='mse')")


def _metrics_in(value: Any) -> Iterator[Metric]:
    """The metrics that an attribute holds, itself or in lists and dictionaries."""
    if isinstance(value, Metric):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _metrics_in(part)
