"""fit, evaluate and predict: the loops around the steps of a Trainer."""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from minidl import config, random
from minidl.callbacks import CallbackList, History
from minidl.data.arrays import as_data, standardized, unpack, validation_part
from minidl.data.epochs import Epochs, epochs_of
from minidl.data.streams import is_stream
from minidl.engine.tensor import raw
from minidl.graph.symbolic import flatten, map_structure
from minidl_kernels import devices, late
from minidl_kernels.arrays import foreign, to_numpy

from .compiled import CompiledMetrics, as_numbers, logs_of

__all__ = ["Loops"]


class Loops:
    """The part of a Trainer that goes over data; the steps are the Trainer's."""

    compiled: bool
    optimizer: Any
    history: Any = None
    stop_training = False  # set it in a callback, and training ends after the batch or epoch
    stop_evaluating = False
    stop_predicting = False
    _fits = (-1, 0)
    _data: Any = None  # of the fit that is under way
    _resumed: Any = None  # what BackupAndRestore found: epoch, batch, position, metrics

    # What the Trainer adds:
    train_step: Any
    test_step: Any
    predict_step: Any
    reset_metrics: Any
    _home: Any
    metrics: Any
    _kept_metrics: Any
    _train_step: Any
    _predict_step: Any
    _test_step: Any
    _in_order: Any
    _settled_snapshot: Any
    _require_compiled: Any

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
        class_weight: dict[Any, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train for some epochs.

        Args:
            x, y: arrays; lists of them, or dictionaries by name, for several inputs and outputs. Or x alone: a
                generator, an iterator, a PyDataset, or a data loader, whose batches are (x, y) or (x, y, weights).
            batch_size: default 32; the last batch of an epoch may be short.
            epochs: the number of the last epoch.
            verbose: 0 (silent), 1 or "auto" (a bar), 2 (a line an epoch).
            callbacks: a list of Callback objects.
            validation_split: the last part of the arrays is held out.
            validation_data: (x, y) or (x, y, sample_weight); or what makes batches, as for x.
            shuffle: a new order of the training data in every epoch.
            class_weight: factors of the loss by whole-number class; 1 where a class is not named.
            sample_weight: a weight for each sample; for several outputs one such array, or a list or dictionary.
            initial_epoch: the number of the first epoch, from 0.
            steps_per_epoch: batches an epoch; default: all. The next epoch goes on where this one stopped.
            validation_steps, validation_batch_size: the same for validation_data.
            validation_freq: evaluate every so many epochs; or a list of the epochs (from 1) after which to evaluate.

        Returns:
            A History: ``.history`` holds a list for each name, one number an epoch.
        """
        self._require_compiled("fit")
        self._kept_metrics = None
        _check_epochs(epochs, initial_epoch, validation_freq)
        if validation_split and validation_data is None:
            x, y, sample_weight, validation_data = _split(x, y, sample_weight, validation_split)
        seed = self._seed_of_fit() if shuffle else None
        data = epochs_of(
            x, y, sample_weight, batch_size, steps_per_epoch, shuffle, seed, class_weight, warns_of_nan=True
        )  # fmt: skip
        held_out = None
        if validation_data is not None:
            held_out = _held_out(validation_data, validation_batch_size or data.source.batch_size, validation_steps)
        calls = self._callbacks(callbacks, verbose, epochs, data.length, history=True)
        self.stop_training = False
        self._data, self._resumed = data, None
        calls.on_train_begin({})
        try:
            with self._at_home():
                logs = self._train(initial_epoch, epochs, held_out, validation_freq, calls)
                self._put_averages_in_place()
            calls.on_train_end(logs)
        finally:
            _close(calls)
            self._data = self._resumed = None
        return self.history

    def _train(
        self, initial_epoch: int, epochs: int, held_out: Epochs | None, validation_freq: Any, calls: CallbackList
    ) -> dict[str, Any]:
        """The epochs, each with its evaluation; the logs of the last."""
        logs: dict[str, Any] = {}
        initial_epoch, first = self._resume(initial_epoch)
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            calls.on_epoch_begin(epoch, {})
            with late.checks():
                counted = self._train_epoch(first, calls)
            if counted is None:
                _require_batches(epoch, initial_epoch)
                break
            logs, first = counted, 0
            if held_out is not None and _is_due(epoch + 1, validation_freq):
                found = self._evaluate(held_out, calls)
                logs = dict(sorted((logs | {f"val_{name}": value for name, value in found.items()}).items()))
            calls.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        return logs

    def _train_epoch(self, first: int, calls: CallbackList) -> dict[str, Any] | None:
        """A step for every batch, which are counted from ``first``; the last logs, None where no batches came."""
        # Where an epoch is resumed behind its last batch, its end is all that is left.
        logs = dict(self._resumed["logs"]) if first else None
        for step, batch in enumerate(self._data, first):
            if first and step == first:
                self._set_metrics(batch)
            calls.on_train_batch_begin(step, {})
            logs = logs_of(self._train_step(batch))
            calls.on_train_batch_end(step, logs)
            if self.stop_training:
                break
        return None if logs is None else dict(logs)

    def _resume(self, initial_epoch: int) -> tuple[int, int]:
        """The epoch to begin with, and the number of its batches that were seen already, by BackupAndRestore."""
        state = self._resumed
        if state is None:
            return initial_epoch, 0
        if state.get("position") is None:  # of Keras: it begins the epoch anew
            return state["epoch"], 0
        self._data.resume(state["position"], state["batch"])
        return state["epoch"], state["batch"]

    def _set_metrics(self, batch: Any) -> None:
        """Let the metrics go on counting where they were when an epoch was broken off."""
        self.test_step(as_data(batch))  # makes those that are not there before the first batch
        for variable, value in zip(self._metric_variables(), self._resumed["metrics"], strict=True):
            variable.assign(np.array(value, variable.dtype).reshape(variable.shape))

    def _metric_variables(self) -> list[Any]:
        """What all metrics have counted so far."""
        groups = [one.metrics() if isinstance(one, CompiledMetrics) else [one] for one in self.metrics]
        return [variable for group in groups for metric in group for variable in metric.variables]

    def _put_averages_in_place(self) -> None:
        if getattr(self.optimizer, "use_ema", False):
            self.optimizer.finalize_variable_values(self._settled_snapshot().variables)

    def _seed_of_fit(self) -> random.SeedGenerator:
        """Orders of the data that follow from the seed alone, whatever other threads draw meanwhile."""
        seed, (seeding, fits) = config.global_seed(), self._fits
        if seed is None:
            return random.SeedGenerator(on_cpu=True)
        fits = fits + 1 if seeding == config.seedings() else 0  # so that two calls of fit() have different orders
        self._fits = config.seedings(), fits
        return random.SeedGenerator(int(np.random.SeedSequence((seed, 0, fits)).generate_state(1)[0]), on_cpu=True)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on data, which is given as to ``fit``.

        Args:
            steps: use so many batches only.

        Returns:
            The loss, or a list [loss, metrics...] in the order of ``metrics_names``, or a dictionary with
            ``return_dict``.
        """
        self._require_compiled("evaluate")
        self._kept_metrics = None
        data = epochs_of(x, y, sample_weight, batch_size, steps)
        calls = self._callbacks(callbacks, verbose, 1, data.length)
        try:
            with self._at_home():
                logs = self._evaluate(data, calls)
        finally:
            _close(calls)
        return logs if return_dict else self._in_order(logs)

    def _evaluate(self, data: Epochs, calls: CallbackList) -> dict[str, Any]:
        self.stop_evaluating = False
        calls.on_test_begin({})
        self.reset_metrics()
        logs: Any = {}
        with late.checks():
            for step, batch in enumerate(data):
                calls.on_test_batch_begin(step, {})
                logs = logs_of(self._test_step(batch))
                calls.on_test_batch_end(step, logs)
                if self.stop_evaluating:
                    break
        if not logs:
            raise ValueError("the data to evaluate on gave no batches")
        logs = dict(logs)
        calls.on_test_end(logs)
        return logs

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto", steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:  # fmt: skip
        """The outputs for data as NumPy arrays; nothing is recorded, dropout is off.

        Args:
            x: arrays, or what makes batches, as for ``fit``; the targets of its batches are not used.
            steps: use so many batches only.
        """
        data = epochs_of(x, batch_size=batch_size, steps=steps)
        calls = self._callbacks(callbacks, verbose, 1, data.length)
        self.stop_predicting = False
        calls.on_predict_begin({})
        parts: list[Any] = []
        try:
            for step, batch in enumerate(data):
                calls.on_predict_batch_begin(step, {})
                with self._at_home():
                    outputs = self._predict_step(batch)
                parts.append(map_structure(lambda t: to_numpy(raw(t)), outputs))
                calls.on_predict_batch_end(step, {"outputs": parts[-1]})
                if self.stop_predicting:
                    break
            calls.on_predict_end({})
        finally:
            _close(calls)
        if not parts:
            raise ValueError("predict: x gave no batches")
        columns = [np.concatenate(column) for column in zip(*(list(flatten(part)) for part in parts), strict=True)]
        places = iter(columns)
        return map_structure(lambda _: next(places), parts[0])

    # ---- helpers ----

    def _away(self, step: Any, batch: tuple[Any, ...]) -> dict[str, Any]:
        """A single step where not all arrays are NumPy's."""
        with self._at_home():
            return as_numbers(dict(logs_of(step(batch))))

    def _at_home(self) -> Any:
        """A block in which arrays are made where the model is: batches are brought there, and metrics count there."""
        return _staying(self._home() or devices.current()) if foreign else _NOWHERE

    def _callbacks(
        self, callbacks: Any, verbose: Any, epochs: int, steps: int | None, history: bool = False
    ) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        if verbose not in ("auto", 0, 1, 2, True, False):
            raise ValueError(f"verbose must be 0, 1, 2 or 'auto', not {verbose!r}")
        verbose = 1 if verbose == "auto" else int(verbose)
        return CallbackList(callbacks, history, verbose != 0, self, verbose=verbose, epochs=epochs, steps=steps)


_NOWHERE: AbstractContextManager[None] = nullcontext()


@contextmanager
def _staying(device: devices.Device) -> Iterator[None]:
    with devices.scope(device), late.checks():
        yield


def _close(calls: CallbackList) -> None:
    """Give the terminal back, also when a loop was broken off."""
    if calls.progbar is not None:
        calls.progbar.close()


def _check_epochs(epochs: Any, initial_epoch: Any, validation_freq: Any) -> None:
    given = [("epochs", epochs, 1), ("initial_epoch", initial_epoch, 0)]
    if not isinstance(validation_freq, (list, tuple, set)):
        given.append(("validation_freq", validation_freq, 1))
    for name, value, least in given:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name} must be a whole number from {least} on, not {value!r}")
    if initial_epoch >= epochs:
        warnings.warn(f"initial_epoch={initial_epoch} is not below epochs={epochs}: nothing is trained", stacklevel=3)


def _is_due(epoch: int, validation_freq: Any) -> bool:
    """Whether to evaluate after this epoch, counted from 1."""
    if isinstance(validation_freq, (list, tuple, set)):
        return epoch in validation_freq
    return epoch % validation_freq == 0


def _split(x: Any, y: Any, sample_weight: Any, part: float) -> tuple[Any, Any, Any, Any]:
    """Arrays without their last part, and this part as validation_data."""
    if is_stream(x):
        raise ValueError(f"validation_split holds out a part of arrays; it cannot of a {type(x).__name__}")
    training, held_out = validation_part(*standardized(x, y, sample_weight), part)
    return *training, held_out


def _held_out(validation_data: Any, batch_size: int | None, steps: int | None) -> Epochs:
    """The epochs to evaluate on, of validation_data in any of its forms."""
    if is_stream(validation_data):
        return epochs_of(validation_data, steps=steps, prefix="validation ")
    if not isinstance(validation_data, (tuple, list)) or not 1 <= len(validation_data) <= 3:
        raise ValueError(
            "validation_data must be (x, y) or (x, y, sample_weight), (x,) for a model without targets, or something "
            "that makes such batches"
        )
    x, y, sample_weight = unpack(tuple(validation_data))
    return epochs_of(x, y, sample_weight, batch_size, steps, prefix="validation ")


def _require_batches(epoch: int, initial_epoch: int) -> None:
    """An epoch had no batches: an error where it was the first, else training ends, with a warning."""
    if epoch == initial_epoch:
        raise ValueError("x gave no batches: what makes batches must give at least one")
    warnings.warn(f"the input ran out of data; training ends before epoch {epoch + 1}", stacklevel=3)
