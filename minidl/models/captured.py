"""Steps and predictions that are recorded once for each shape of a batch, and done as a whole afterwards.

What is recorded is ``train_step`` (or ``predict_step``) itself, run once while its work is noted: on a GPU as a CUDA
graph (``minidl_kernels.graphs``), on the CPU as a list of launches (``minidl_kernels.repeats``). So there is no second
account of a step; what is saved is the time that Python takes around the kernels. Where that cannot be, steps run as
always, and the reason is kept.
"""

import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

import minidl_kernels as kernels
from minidl import config
from minidl.callbacks.waiting import Waiting
from minidl.checking.subject import state_of
from minidl.data.arrays import as_data
from minidl.engine.tensor import Tensor, raw
from minidl.graph.symbolic import flatten, map_structure
from minidl_kernels import config as kernel_config
from minidl_kernels import devices, graphs, late, repeats, watching
from minidl_kernels.arrays import library_of, namespace, to_numpy
from minidl_kernels.kernel import insisted
from minidl_kernels.noted import Noted

from .recordable import Parts, of_parts, of_predictions, of_setting, reason_of, traced, trained_by

__all__ = ["CapturedPredictions", "CapturedSteps", "products"]

MOST_SHAPES = 8  # of a model that are recorded: each keeps memory
MOST_PRODUCTS = 10**9  # multiply-adds of a step on a GPU; an estimate: cuBLAS may save 0.1 ms there, as much as a graph
MOST_KNOWN = 50  # shapes that are counted; sequences may have any number of lengths
READ_FROM = 1 << 15  # bytes of a batch that are read where they lie: to copy fewer takes less time
CHECKS = 8  # kernels that check labels, by name and number of classes
PRODUCTS = ("matmul", "dense", "dense_weight_grad")  # what is asked of cuBLAS elsewhere: CuPy does not record its calls


class _Captured:
    """What is recorded of a model on a device.

    The first call with batches of a shape compiles kernels, the second makes memory, the third is recorded.
    """

    def __init__(self, model: Any, never: str | None):
        self.model, self.device, self.on_gpu = model, devices.current(), devices.current().library is not None
        self.shapes: dict[Any, _Shape] = {}
        self.never = never
        self._looked = never is not None  # at the parts, which are there after the first step
        self._told = False
        self._layers: list[dict[str, Any]] = []  # the attributes of each
        self._recorder: Any = None
        self._parts: Parts | None = None
        self._lock = threading.Lock()

    def fits(self) -> bool:
        """Whether the model is where it was."""
        return self.device == devices.current()

    def __call__(self, batch: tuple[Any, ...]) -> Any:
        """One step; what the step returns, or its numbers."""
        if self.never is not None or self._watched():
            self._tell(self.never)
            return self._always(batch)
        if not self._lock.acquire(blocking=False):  # another thread is at it, in the same memory
            return self._always(batch)
        try:
            return self._step(batch)
        finally:
            self._lock.release()

    def _step(self, batch: tuple[Any, ...]) -> Any:
        if self._parts is not None and self._parts.changed():
            self.shapes, self._recorder, self._parts, self._looked = {}, None, None, False
        shape = self._shape_of(batch)
        if shape.recorded is not None:
            return shape.recorded(batch)
        if shape.reason is None and shape.seen > 1:
            self._record(shape, batch)
            if shape.recorded is not None:
                return shape.recorded.launch()
        found = self._first(shape, batch)
        shape.seen += 1
        if not self._looked:
            self.never, self._looked = self._reason(), True
            self._layers = [vars(layer) for layer in self.model._flatten_layers()]
        return found

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(None), ()  # a copy of the model records its own

    def _always(self, batch: tuple[Any, ...]) -> Any:
        """The step itself."""
        raise NotImplementedError

    def _first(self, shape: "_Shape", batch: tuple[Any, ...]) -> Any:
        """A step before one is recorded."""
        return self._always(batch)

    def _reason(self) -> str | None:
        """Why nothing will be recorded, as far as parts show that are there after a step."""
        raise NotImplementedError

    def _recorded(self, batch: tuple[Any, ...]) -> Any:
        """A recorded step, to be called with batches of this shape."""
        raise NotImplementedError

    def _objects(self) -> list[Any]:
        """What a step reads beside variables and batches; of the model itself the settings come with ``compile``."""
        return [layer for layer in self.model._flatten_layers() if layer is not self.model]

    @property
    def recorder(self) -> Any:
        """The stream and the memory of all graphs of the model on a GPU; on the CPU what notes."""
        if self._recorder is None:
            library: Any = self.device.library
            self._recorder = graphs.Recorder(library.namespace) if self.on_gpu else repeats.Recorder()
        return self._recorder

    @property
    def bytes(self) -> int:
        """Of the results that recordings on the CPU keep."""
        return 0 if self.on_gpu or self._recorder is None else int(self._recorder.bytes)

    def lines(self) -> Iterator[str]:
        """What is recorded, and what is not and why."""
        how = "as a CUDA graph" if self.on_gpu else "as a list of launches"
        if self.never is not None:
            yield f"not recorded {how}: {self.never}"
        elif not self.shapes:
            yield f"recorded {how} in the third step with batches of a shape"
        for shape in self.shapes.values() if self.never is None else ():
            if shape.recorded is not None:
                yield f"{shape.name}: recorded {how}"
            else:
                yield f"{shape.name}: not recorded {how}: {shape.reason or f'{shape.seen} of 2 steps before'}"

    def _shape_of(self, batch: tuple[Any, ...]) -> "_Shape":
        shape = self.shapes.get(key := _key(batch))
        if shape is None:
            shape = _Shape(batch)
            if len(self.shapes) < MOST_KNOWN:
                self.shapes[key] = shape
        return shape

    def _watched(self) -> bool:
        """Whether somebody wants to see the calls of this step."""
        if watching.watchers > 0 and watching.current() is not None:
            return True
        for attributes in self._layers:
            if "call" in attributes:
                return True
        return traced()

    def _record(self, shape: "_Shape", batch: tuple[Any, ...]) -> None:
        if sum(one.recorded is not None for one in self.shapes.values()) >= MOST_SHAPES:
            shape.reason = f"there are recordings for {MOST_SHAPES} shapes already"
            return
        parts = self._parts or Parts.of(self.model, self._objects())
        try:
            shape.recorded = self._recorded(batch)
        except Exception as error:  # whatever it is, the step as always will run, or tell
            shape.reason = reason_of(error)
            self._tell(shape.reason)
            return
        if self._parts is None:
            self._parts = parts
            parts.settle()

    def _tell(self, reason: str | None) -> None:
        """Warn, once, where recording was asked for."""


class CapturedSteps(_Captured):
    """The training steps of a compiled model on a device."""

    def __init__(self, model: Any):
        super().__init__(model, of_setting(model))
        self._snapshot, self._optimizer = model._snapshot, model.optimizer
        self._labels: _Labels | None = None

    def fits(self) -> bool:
        """Whether the model is where it was, and as it was compiled."""
        model = self.model
        return super().fits() and self._snapshot is model._snapshot and self._optimizer is model.optimizer

    def _always(self, batch: tuple[Any, ...]) -> Any:
        return self.model.train_step(as_data(batch))

    def _first(self, shape: "_Shape", batch: tuple[Any, ...]) -> Any:
        if not self.on_gpu:
            return self._always(batch)
        with products(shape.reason is None):
            if shape.seen != 1 or shape.reason is not None:
                return self._always(batch)
            with self.recorder.aside(), watching.watch() as seen:
                logs = self._always(batch)
            shape.reason = None if self.model.jit_compile is True else _too_much(seen.calls)
            return logs

    def _reason(self) -> str | None:
        return of_parts(self.model)

    def _recorded(self, batch: tuple[Any, ...]) -> Any:
        if not self.on_gpu:
            return _OnCpu(self.model, self.recorder, batch)
        self._labels = self._labels or _Labels(self.recorder.xp)
        with products():
            return _OnGpu(self.model, self.recorder, self._labels, batch)

    def _objects(self) -> list[Any]:
        losses = [loss for loss, _ in getattr(self.model._compiled_loss, "_functions", ())]
        others = [one for one in (self.model.optimizer, *losses) if hasattr(one, "__dict__")]
        return [*super()._objects(), *others]

    def _tell(self, reason: str | None) -> None:
        if reason is not None and self.model.jit_compile is True and not self._told:
            self._told = True
            how = "a CUDA graph" if self.on_gpu else "a list of launches"
            warnings.warn(f"jit_compile=True, but steps are not recorded as {how}: {reason}", stacklevel=2)


class CapturedPredictions(_Captured):
    """The predictions of a model on the CPU."""

    def __init__(self, model: Any):
        super().__init__(model, None)

    def _always(self, batch: tuple[Any, ...]) -> Any:
        return self.model.predict_step(as_data(batch))

    def _reason(self) -> str | None:
        return of_predictions(self.model)

    def _recorded(self, batch: tuple[Any, ...]) -> Any:
        return _Outputs(self.model, self.recorder, batch)


class _Shape:
    """What is known of batches of one shape."""

    def __init__(self, batch: tuple[Any, ...]):
        self.name = "batches of " + ", ".join(str(tuple(leaf.shape)) for leaf in _leaves(batch))
        self.seen = 0
        self.reason: str | None = None
        self.recorded: _Recorded | None = None


class _Labels:
    """The worst labels that the recorded steps of a model saw, on the device."""

    def __init__(self, xp: Any):
        self.worst = xp.zeros(CHECKS, "uint64")
        self.checks: list[tuple[str, int]] = []  # kernels, and how many classes there are

    def add(self, noted: late.Noted) -> None:
        """Part of a recorded step."""
        one = noted.name, noted.classes
        if one not in self.checks:
            if len(self.checks) == CHECKS:
                raise graphs.Refused(f"more than {CHECKS} kernels check labels")
            self.checks.append(one)
        place = slice(self.checks.index(one), self.checks.index(one) + 1)
        self.worst[place] = namespace(self.worst).maximum(self.worst[place], noted.worst)

    def check(self, found: Any) -> None:
        """Raise a ValueError where one of these labels, which were read, is no class."""
        for (name, classes), label in zip(self.checks, found, strict=False):
            if int(label) >= classes:
                self.worst[...] = 0
            late.check_worst(name, classes, int(label))


class _Recorded:
    """A recorded step: the arrays that batches are copied into, or take the place of."""

    graph: graphs.Graph

    def __init__(self, batch: tuple[Any, ...]):
        self.own = map_structure(lambda leaf: None if leaf is None else _own(leaf), batch)
        self.inputs = _leaves(self.own)
        self._calls: list[list[repeats.Call]] = [[] for _ in self.inputs]

    def read_in_place(self, graph: graphs.Graph, found: Any) -> None:
        """Let calls read arrays of a batch where they lie, if nothing else reads them and no result is one of them."""
        for place, calls in zip(self.inputs, self._calls, strict=True):
            if place.nbytes >= READ_FROM:
                calls += graph.work.calls(place, flatten(found))

    def __call__(self, batch: tuple[Any, ...]) -> Any:
        borrowed = []
        for place, leaf, calls in zip(self.inputs, _leaves(batch), self._calls, strict=True):
            if calls and type(leaf) is np.ndarray and leaf.dtype == place.dtype and leaf.flags.carray:
                for call in calls:
                    call.put(place, leaf)
                borrowed += calls
            else:
                place[...] = leaf if type(place) is type(leaf) is np.ndarray else devices.brought(leaf)
        try:
            return self.launch()
        finally:
            for call in borrowed:
                call.put_back()

    def launch(self) -> Any:
        """One step with the batch that is there."""
        raise NotImplementedError


class _Step(_Recorded):
    """A training step."""

    def __init__(self, model: Any, recorder: Any, batch: tuple[Any, ...]):
        super().__init__(batch)
        self.graph, self.found = recorder.record(lambda: self._step(model), trained_by(model)[0].dtype)

    def _step(self, model: Any) -> Any:
        raise NotImplementedError


class _OnGpu(_Step):
    """A training step as a CUDA graph, and how its numbers are read."""

    names: list[str]

    def __init__(self, model: Any, recorder: graphs.Recorder, labels: _Labels, batch: tuple[Any, ...]):
        self.labels = labels
        super().__init__(model, recorder, batch)

    def _step(self, model: Any) -> Any:
        """The step; its numbers in a row."""
        for variable in _variables(model):
            graphs.used(variable)
        with late.collected() as noted:
            logs = model.train_step(as_data(self.own))
        numbers = {name: raw(value) for name, value in _flat(logs)}
        for one in noted.values():
            self.labels.add(one)
        packed = namespace(self.labels.worst).empty(len(numbers) + CHECKS, "float64")
        for place, (name, value) in enumerate(numbers.items()):
            if library_of(value) is None or value.size != 1:
                raise graphs.Refused(f"{name!r} is no number on the GPU")
            packed[place : place + 1] = value.reshape(1)
        packed[len(numbers) :] = self.labels.worst.view("float64")
        self.names = list(numbers)
        return packed

    def launch(self) -> Waiting:
        """One step; its numbers, which are read when somebody looks."""
        self.graph.launch()
        numbers = _Numbers(self.found.copy())  # the next launch writes there
        count = len(self.names)
        late.defer(id(self.labels), lambda: self.labels.check(numbers.read()[count:].view("uint64")))
        return Waiting(dict.fromkeys(self.names), lambda found: numbers.by_name(sorted(found), self.names))


class _OnCpu(_Step):
    """A training step as a list of launches."""

    def __init__(self, model: Any, recorder: repeats.Recorder, batch: tuple[Any, ...]):
        super().__init__(model, recorder, batch)
        self.read_in_place(self.graph, self.found)

    def _step(self, model: Any) -> dict[str, np.ndarray]:
        for variable in _variables(model):
            graphs.used(variable)
        found = {name: raw(value) for name, value in _flat(model.train_step(_noted(self.own)))}
        for name, value in found.items():
            if type(value) is not Noted or value.size != 1:
                raise graphs.Refused(f"{name!r} is no number")
        return {name: value.array for name, value in found.items()}

    def launch(self) -> dict[str, Any]:
        """One step; its numbers."""
        self.graph.launch()
        return {name: value.item() for name, value in self.found.items()}


class _Outputs(_Recorded):
    """A prediction as a list of launches."""

    def __init__(self, model: Any, recorder: repeats.Recorder, batch: tuple[Any, ...]):
        super().__init__(batch)
        self.graph, self.found = recorder.record(lambda: self._step(model), np.dtype(config.floatx()))
        self.read_in_place(self.graph, self.found)

    def _step(self, model: Any) -> Any:
        for variable in state_of(model, model._flatten_layers()):
            graphs.used(variable)
        return map_structure(_outcome, model.predict_step(_noted(self.own)))

    def launch(self) -> Any:
        """One prediction; its outputs, which nobody else has."""
        self.graph.launch()
        if type(self.found) is np.ndarray:
            return Tensor.of(self.found.copy())
        return map_structure(lambda one: Tensor.of(one.copy()), self.found)


def _noted(batch: tuple[Any, ...]) -> Any:
    """A batch as a step that is noted takes it."""
    return as_data(map_structure(lambda leaf: None if leaf is None else Noted(leaf), batch))


def _outcome(output: Any) -> np.ndarray:
    if type(found := raw(output)) is not Noted:
        raise graphs.Refused("an output is not computed")
    return found.array


class _Numbers:
    """The numbers of one step, read at once and once."""

    def __init__(self, packed: Any):
        self._packed = packed
        self._read: Any = None

    def read(self) -> Any:
        if self._read is None:
            self._read = to_numpy(self._packed)
        return self._read

    def by_name(self, names: list[str], order: list[str]) -> dict[str, float]:
        return {name: float(self.read()[order.index(name)]) for name in names}


@contextmanager
def products(ours: bool = True) -> Iterator[None]:
    """Inside the block, kernels of our own multiply matrices, unless others were asked for (TF32's are our own too)."""
    asked_for = dict(insisted.get())
    with ExitStack() as stack:
        for name in PRODUCTS if ours and not kernel_config.is_tf32_enabled() else ():
            if name not in asked_for and kernel_config.chosen_implementation(name) is None:
                stack.enter_context(kernels.kernels[name].use("cuda"))
        yield


# ---- batches ----


def _leaves(batch: Any) -> list[Any]:
    found: list[Any] = []
    for part in batch:
        if type(part) is np.ndarray:
            found.append(part)
        elif part is not None:
            found += [leaf for leaf in flatten(part) if leaf is not None]
    return found


def _own(leaf: Any) -> Any:
    """An array on the device that nobody else has."""
    there = devices.brought(leaf)
    return there.copy() if there is leaf else there


def _key(batch: tuple[Any, ...]) -> Any:
    """What a recorded step depends on: the structure of a batch, and settings."""
    return tuple(map(_signature, batch)), insisted.get(), kernel_config.changes, config.floatx(), config.epsilon()


def _signature(part: Any) -> Any:
    if type(part) is np.ndarray:
        return part.shape, part.dtype
    if isinstance(part, dict):
        return tuple((name, _signature(one)) for name, one in part.items())
    if isinstance(part, (list, tuple)):
        return tuple(map(_signature, part))
    return None if part is None else (part.shape, part.dtype)


def _flat(logs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in logs.items():
        yield from _flat(value) if isinstance(value, dict) else ((name, value),)


def _variables(model: Any) -> list[Any]:
    """All that a step may change, but for what it counts, and slots of optimizers, which say so themselves."""
    return [*state_of(model, model._flatten_layers()), *model._metric_variables()]


def _too_much(calls: list[watching.Call]) -> str | None:
    """Why a step with these kernels is better left to cuBLAS: its products are large, and launches cost little."""
    work = 0
    for call in (one for one in calls if one.kernel in PRODUCTS):
        left, right = call.shapes[:2]
        work += math.prod(left) * right[-2 if call.settings.get("transpose_b") else -1]
    if work > MOST_PRODUCTS:
        return f"its {work:.1e} multiplications of matrices are left to cuBLAS, which CuPy does not record"
    return None
