"""compile, fit, evaluate, predict: the training loop, and the step inside it.

One step reads top to bottom in ``Trainer.train_step``: forward, loss, the walk back, the optimizer.
"""

import warnings
from typing import Any

import numpy as np

from minidl import config, optimizers, random, registry
from minidl.callbacks import CallbackList, History, ProgressBar
from minidl.data.arrays import (
    Batches,
    as_data,
    batch_length,
    check_lengths,
    standardize,
    standardized,
    unpack,
    validation_part,
    warn_of_nan,
)  # fmt: skip
from minidl.engine.op import no_grad, trainable_are
from minidl.engine.tensor import Tensor, raw
from minidl.engine.walk import gradients
from minidl.graph.symbolic import flatten, map_structure
from minidl.metrics import Mean, Metric
from minidl_kernels.arrays import to_numpy

from .compiled import CompiledLosses, CompiledMetrics
from .snapshot import Snapshot

__all__ = ["Trainer"]


class Trainer:
    """The part of a model that trains it."""

    built: bool
    optimizer: Any = None
    compiled = False
    stop_training = False
    _compiled_loss: CompiledLosses | None = None
    _compiled_metrics: CompiledMetrics | None = None
    _snapshot: Snapshot | None = None
    _kept_metrics: list[Metric] | None = None  # those kept as attributes, when they were last looked for

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
            optimizer: name or object.
            loss: name, object or function of (y_true, y_pred); for several outputs a list, or a dictionary by name.
            loss_weights: factors of the outputs' losses.
            metrics: names, objects or functions; for several outputs a list of lists, or a dictionary by name.
            weighted_metrics: metrics that use sample_weight.
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: accepted as in Keras; nothing is traced.
        """
        self.optimizer = optimizers.get(optimizer)
        self._settings = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        names = self.output_names  # type: ignore[attr-defined]
        measured = metrics is not None or weighted_metrics is not None
        self.loss = loss
        self._compiled_loss = None if loss is None else CompiledLosses(loss, loss_weights, names)
        self._compiled_metrics = CompiledMetrics(metrics, weighted_metrics, names) if measured else None
        self._loss_tracker = Mean(name="loss")
        self._kept_metrics = None
        self._snapshot = Snapshot(self)
        self._fits = (-1, 0)
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
        names = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
        self.compile(**registry.deserialize({name: config[name] for name in names if name in config}))

    # ---- one step ----

    def train_step(self, data: Any) -> dict[str, Any]:
        """One update from one batch; override it for a training of your own (return a dictionary of numbers)."""
        x, y, sample_weight = unpack(data)
        if self.optimizer is None:
            raise ValueError("compile() was given optimizer=None, so nothing can be trained; name one, such as 'adam'")
        if not self.built:
            with (
                no_grad()
            ):  # the first call makes the weights; they must be there before it is settled which of them train
                self(x, training=False)  # type: ignore[operator]
        snapshot = self._settled_snapshot()
        with trainable_are(snapshot.ids):
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self.compute_loss(x, y, y_pred, sample_weight)
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
            loss = self.compute_loss(x, y, y_pred, sample_weight)
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
        """The compiled loss plus what layers added and the penalties on weights that train."""
        total = None
        if self._compiled_loss is not None and y is not None:
            total = self._compiled_loss(y, y_pred, sample_weight)
        for extra in self._added_losses():
            total = extra if total is None else total + extra
        if total is None:
            raise ValueError(
                "there is no loss: pass one to compile(loss=...), call add_loss() in a layer, or pass y to fit()"
            )
        return total if isinstance(total, Tensor) else Tensor(total)

    def _added_losses(self) -> list[Any]:
        regularized = [] if self._snapshot is None else self._settled_snapshot().regularized
        return [*self._run, *(w.regularizer(w) for w in regularized)]  # type: ignore[attr-defined]

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

    @property
    def metrics(self) -> list[Metric]:
        """The loss tracker, the compiled metrics (as one), the losses of several outputs, and metrics among attributes.

        Those of a model inside are not among them: it has a training of its own.
        """
        layers = self._flatten_layers()  # type: ignore[attr-defined]
        own = [layer for layer in layers if layer is self or not isinstance(layer, Trainer)]
        self._kept_metrics = [m for layer in own for m in vars(layer).values() if isinstance(m, Metric)]
        return self._known_metrics()

    def _known_metrics(self) -> list[Metric]:
        """The same, with the attributes as last looked through: a step has no time to do it again."""
        if self._kept_metrics is None:
            return self.metrics
        found: list[Metric] = [self._loss_tracker] if self.compiled else []
        if self._compiled_metrics is not None:
            found.append(self._compiled_metrics)
        if self._compiled_loss is not None:
            found += self._compiled_loss.trackers
        return list({id(m): m for m in [*found, *self._kept_metrics]}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of the loss and of the metrics, once the first batch has settled which they are."""
        names: list[str] = []
        for metric in self._known_metrics():
            names += [m.name for m in metric.metrics()] if isinstance(metric, CompiledMetrics) else [metric.name]
        return list(dict.fromkeys(names))

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self._known_metrics():
            metric.reset_state()

    # ---- loops ----

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train for some epochs.

        Args:
            x, y: arrays; lists of them, or dictionaries by name, for several inputs and outputs.
            batch_size: default 32; the last batch of an epoch may be short.
            epochs: the number of the last epoch.
            verbose: 0 (silent), 1 or "auto" (a bar), 2 (a line an epoch).
            callbacks: a list of Callback objects.
            validation_split: the last part of the data is held out.
            validation_data: (x, y) or (x, y, sample_weight).
            shuffle: a new order of the training data in every epoch.
            sample_weight: a weight for each sample.
            initial_epoch: the number of the first epoch, from 0.
            validation_freq: evaluate every so many epochs.

        Returns:
            A History: ``.history`` holds a list for each name, one number an epoch.
        """
        self._require_compiled("fit")
        self._kept_metrics = None
        _check_epochs(epochs, initial_epoch, validation_freq)
        x, y, sample_weight = standardized(x, y, sample_weight)
        check_lengths(x=x, y=y, sample_weight=sample_weight)
        warn_of_nan(x=x, y=y)
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or not 2 <= len(validation_data) <= 3:
                raise ValueError("validation_data must be (x, y) or (x, y, sample_weight)")
            held_out = standardized(*unpack(tuple(validation_data)), prefix="validation ")
        elif validation_split:
            (x, y, sample_weight), held_out = validation_part(x, y, sample_weight, validation_split)
        else:
            held_out = None
        seed = self._seed_of_fit() if shuffle else None
        batches = Batches(x, y, sample_weight, 32 if batch_size is None else batch_size, shuffle, seed)
        history, bar, calls = self._callbacks(callbacks, verbose, epochs=epochs, steps=len(batches))
        self.stop_training = False
        calls.on_train_begin({})
        try:
            for epoch in range(initial_epoch, epochs):
                self.reset_metrics()
                calls.on_epoch_begin(epoch, {})
                logs: dict[str, Any] = {}
                for step, batch in enumerate(batches):
                    calls.on_train_batch_begin(step, {})
                    logs = as_numbers(self.train_step(as_data(batch)))
                    calls.on_train_batch_end(step, logs)
                    if self.stop_training:
                        break
                if held_out is not None and (epoch + 1) % validation_freq == 0:
                    size = validation_batch_size or batches.batch_size
                    found = self._evaluate(Batches(*held_out, batch_size=size), calls)
                    logs |= {f"val_{name}": value for name, value in found.items()}
                calls.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            if getattr(self.optimizer, "use_ema", False):
                self.optimizer.finalize_variable_values(self._settled_snapshot().variables)
            calls.on_train_end(logs if epochs > initial_epoch else {})
        finally:
            if bar is not None:
                bar.close()
        return history

    def _seed_of_fit(self) -> random.SeedGenerator:
        """Orders of the data that follow from the seed alone, whatever other threads draw meanwhile."""
        seed, (seeding, fits) = config.global_seed(), self._fits
        if seed is None:
            return random.SeedGenerator()
        fits = fits + 1 if seeding == config.seedings() else 0  # so that two calls of fit() have different orders
        self._fits = config.seedings(), fits
        return random.SeedGenerator(int(np.random.SeedSequence((seed, 0, fits)).generate_state(1)[0]))

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on data.

        Returns:
            The loss, or a list [loss, metrics...], or a dictionary with ``return_dict``.
        """
        self._require_compiled("evaluate")
        x, y, sample_weight = standardized(x, y, sample_weight)
        batches = Batches(x, y, sample_weight, 32 if batch_size is None else batch_size)
        _, bar, calls = self._callbacks(callbacks, verbose, epochs=1, steps=len(batches), history=False)
        try:
            logs = self._evaluate(batches, calls)
        finally:
            if bar is not None:
                bar.close()
        return logs if return_dict else self._in_order(logs)

    def _evaluate(self, batches: Batches, calls: CallbackList) -> dict[str, Any]:
        self.reset_metrics()
        calls.on_test_begin({})
        logs: dict[str, Any] = {}
        for step, batch in enumerate(batches):
            calls.on_test_batch_begin(step, {})
            logs = as_numbers(self.test_step(as_data(batch)))
            calls.on_test_batch_end(step, logs)
        calls.on_test_end(logs)
        return logs

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = "auto", callbacks: Any = None) -> Any:
        """The outputs for data as NumPy arrays; nothing is recorded, dropout is off."""
        batches = Batches(standardize(x, "x"), batch_size=32 if batch_size is None else batch_size)
        _, bar, calls = self._callbacks(callbacks, verbose, epochs=1, steps=len(batches), history=False)
        calls.on_predict_begin({})
        parts = []
        try:
            for step, batch in enumerate(batches):
                calls.on_predict_batch_begin(step, {})
                parts.append(map_structure(lambda t: to_numpy(raw(t)), self.predict_step(as_data(batch[:1]))))
                calls.on_predict_batch_end(step, {})
            calls.on_predict_end({})
        finally:
            if bar is not None:
                bar.close()
        columns = [np.concatenate(column) for column in zip(*(list(flatten(part)) for part in parts), strict=True)]
        places = iter(columns)
        return map_structure(lambda _: next(places), parts[0])

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """One update from these samples; returns the loss, or [loss, metrics...], of this batch alone."""
        return self._on_batch("train_on_batch", x, y, sample_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss, or [loss, metrics...], of these samples."""
        return self._on_batch("test_on_batch", x, y, sample_weight, return_dict)

    def _on_batch(self, name: str, x: Any, y: Any, sample_weight: Any, return_dict: bool) -> Any:
        self._require_compiled(name)
        x, y, sample_weight = standardized(x, y, sample_weight)
        check_lengths(x=x, y=y, sample_weight=sample_weight)
        self.reset_metrics()
        step = self.train_step if name == "train_on_batch" else self.test_step
        logs = as_numbers(step(as_data((x, y, sample_weight))))
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for these samples as NumPy arrays."""
        # A copy: the output of a reshape would be the user's own array.
        return map_structure(lambda t: np.array(to_numpy(raw(t))), self.predict_step(as_data((standardize(x, "x"),))))

    # ---- helpers ----

    def _require_compiled(self, name: str) -> None:
        if not self.compiled:
            raise ValueError(f"call compile() before {name}(), for example model.compile(optimizer='adam', loss='mse')")

    def _in_order(self, logs: dict[str, Any]) -> Any:
        names = [name for name in self.metrics_names if name in logs]
        values = [logs[name] for name in (*names, *(name for name in logs if name not in names))]
        return values[0] if len(values) == 1 else values

    def _callbacks(
        self, callbacks: Any, verbose: Any, epochs: int, steps: int, history: bool = True
    ) -> tuple[History, ProgressBar | None, CallbackList]:
        if verbose not in ("auto", 0, 1, 2, True, False):
            raise ValueError(f"verbose must be 0, 1, 2 or 'auto', not {verbose!r}")
        verbose = 1 if verbose == "auto" else int(verbose)
        if isinstance(callbacks, CallbackList):
            return History(), None, callbacks
        given = [*callbacks] if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]
        kept = next((c for c in given if isinstance(c, History)), None) or History()
        bar = ProgressBar(verbose) if verbose and not any(isinstance(c, ProgressBar) for c in given) else None
        own = ([bar] if bar else []) + ([kept] if history and kept not in given else [])
        self.history = kept if history else getattr(self, "history", None)
        return kept, bar, CallbackList([*given, *own], self, verbose=verbose, epochs=epochs, steps=steps)


def as_numbers(logs: Any) -> dict[str, Any]:
    """What a step returned, by name in alphabetical order, as Python numbers where it is numbers.

    Raises:
        TypeError: it returned no dictionary.
    """
    if not isinstance(logs, dict):
        raise TypeError(f"train_step and test_step return a dictionary of numbers by name, not {type(logs).__name__}")
    result: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            result.update(as_numbers(value))
        else:
            array = np.asarray(to_numpy(raw(value)))
            result[name] = float(array.item()) if array.size == 1 and array.dtype.kind in "biuf" else value
    return {name: result[name] for name in sorted(result)}


def _check_epochs(epochs: Any, initial_epoch: Any, validation_freq: Any) -> None:
    given = (("epochs", epochs, 1), ("initial_epoch", initial_epoch, 0), ("validation_freq", validation_freq, 1))
    for name, value, least in given:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name} must be a whole number from {least} on, not {value!r}")
    if initial_epoch >= epochs:
        warnings.warn(f"initial_epoch={initial_epoch} is not below epochs={epochs}: nothing is trained", stacklevel=3)
