"""Training steps on a GPU that are recorded once for each shape of a batch, and launched as a whole afterwards.

What is recorded is ``train_step`` itself, run once while the GPU takes notes and does not compute
(``minidl_kernels.graphs``); so there is no second account of a step. Where that cannot be, steps run as always, and the
reason is kept.
"""

import inspect
import math
import traceback
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import minidl_kernels as kernels
from minidl import config
from minidl.callbacks.waiting import Waiting
from minidl.checking.subject import state_of
from minidl.data.arrays import as_data
from minidl.engine.op import Op
from minidl.engine.tensor import Tensor, raw
from minidl.graph.symbolic import flatten, map_structure
from minidl.layers import Layer
from minidl_kernels import config as kernel_config
from minidl_kernels import devices, graphs, late, watching
from minidl_kernels.arrays import library_of, namespace, to_numpy
from minidl_kernels.kernel import insisted

__all__ = ["CapturedSteps"]

MOST_SHAPES = 8  # graphs of a model: each keeps memory
MOST_PRODUCTS = 10**9  # multiply-adds of a step; an estimate: cuBLAS may save 0.1 ms there, and a graph that much
MOST_KNOWN = 50  # shapes that are counted; sequences may have any number of lengths
CHECKS = 8  # kernels that check labels, by name and number of classes
PRODUCTS = ("matmul", "dense", "dense_weight_grad")  # what is asked of cuBLAS elsewhere: CuPy does not record its calls


class CapturedSteps:
    """The training steps of a compiled model on a device.

    The first step with batches of a shape compiles kernels, the second makes memory, the third is recorded.
    """

    def __init__(self, model: Any):
        self.model, self.device, self._snapshot = model, devices.current(), model._snapshot
        self.shapes: dict[Any, _Shape] = {}
        self.never: str | None = _setting(model)
        self._looked = self.never is not None  # at the parts, which are there after the first step
        self._told = False
        self._layers: list[Layer] = []
        self._recorder: graphs.Recorder | None = None
        self._labels: _Labels | None = None

    def fits(self) -> bool:
        """Whether the model is where it was, and as it was compiled."""
        return self.device == devices.current() and self._snapshot is self.model._snapshot

    def __call__(self, batch: tuple[Any, ...]) -> Any:
        """One step; what ``train_step`` returns, or its numbers, which are read when somebody looks."""
        if self.never is not None or self._watched():
            self._tell(self.never)
            return self.model.train_step(as_data(batch))
        shape = self._shape_of(batch)
        if shape.recorded is None and shape.reason is None and shape.seen > 1:
            self._record(shape, batch)
            if shape.recorded is not None:
                return shape.recorded.launch()
        if shape.recorded is not None:
            return shape.recorded(batch)
        with products(shape.reason is None):
            if shape.seen == 1 and shape.reason is None:
                with self.recorder.aside(), watching.watch() as seen:
                    logs = self.model.train_step(as_data(batch))
                shape.reason = None if self.model.jit_compile is True else _too_much(seen.calls)
            else:
                logs = self.model.train_step(as_data(batch))
        shape.seen += 1
        if not self._looked:
            self.never, self._looked = _parts(self.model), True
            self._layers = self.model._flatten_layers()
        return logs

    def _shape_of(self, batch: tuple[Any, ...]) -> "_Shape":
        shape = self.shapes.get(key := _key(batch))
        if shape is None:
            shape = _Shape(batch)
            if len(self.shapes) < MOST_KNOWN:
                self.shapes[key] = shape
        return shape

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(None), ()  # a copy of the model records its own

    @property
    def recorder(self) -> graphs.Recorder:
        """The stream and the memory of all graphs of the model."""
        if self._recorder is None:
            self._recorder = graphs.Recorder(self.device.library.namespace)  # type: ignore[union-attr]
        return self._recorder

    def lines(self) -> Iterator[str]:
        """What is recorded, and what is not and why."""
        if self.never is not None:
            yield f"not recorded as a CUDA graph: {self.never}"
        elif not self.shapes:
            yield "recorded as a CUDA graph in the third step with batches of a shape"
        for shape in self.shapes.values() if self.never is None else ():
            if shape.recorded is not None:
                yield f"{shape.name}: recorded as a CUDA graph"
            else:
                yield f"{shape.name}: not recorded as a CUDA graph: {shape.reason or f'{shape.seen} of 2 steps before'}"

    def _watched(self) -> bool:
        """Whether somebody wants to see the calls of this step."""
        watched = any("call" in vars(layer) for layer in self._layers)
        return watched or (watching.watchers > 0 and watching.current() is not None)

    def _record(self, shape: "_Shape", batch: tuple[Any, ...]) -> None:
        if sum(one.recorded is not None for one in self.shapes.values()) >= MOST_SHAPES:
            shape.reason = f"there are graphs for {MOST_SHAPES} shapes already"
            return
        try:
            self._labels = self._labels or _Labels(self.recorder.xp)
            with products():
                shape.recorded = _Recorded(self.model, self.recorder, self._labels, batch)
        except Exception as error:  # whatever it is, the step as always will run, or tell
            shape.reason = _reason(error)
            self._tell(shape.reason)

    def _tell(self, reason: str | None) -> None:
        """Warn, once, where recording was asked for."""
        if reason is not None and self.model.jit_compile is True and not self._told:
            self._told = True
            warnings.warn(f"jit_compile=True, but steps are not recorded as a CUDA graph: {reason}", stacklevel=2)


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
    """A recorded step: the arrays that batches are copied into, and how its numbers are read."""

    def __init__(self, model: Any, recorder: graphs.Recorder, labels: _Labels, batch: tuple[Any, ...]):
        self.counter, self.labels = model.optimizer._iterations, labels
        batch = map_structure(lambda leaf: None if leaf is None else _own(leaf), batch)
        self.inputs, data = _leaves(batch), as_data(batch)
        self.names: list[str]
        steps = self.counter.data, self.counter.version
        try:
            dtype = model._settled_snapshot().variables[0].dtype
            self.graph, self.packed = recorder.record(lambda: self._step(model, data), dtype)
        finally:
            self.counter.data, self.counter.version = steps

    def _step(self, model: Any, data: Any) -> Any:
        """The step; its numbers in a row."""
        for variable in _variables(model):
            graphs.used(variable)
        with late.collected() as noted:
            logs = model.train_step(data)
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

    def __call__(self, batch: tuple[Any, ...]) -> Waiting:
        for place, leaf in zip(self.inputs, _leaves(batch), strict=True):
            place[...] = devices.brought(leaf)
        return self.launch()

    def launch(self) -> Waiting:
        """One step with the batch that is there; its numbers, which are read when somebody looks."""
        self.graph.launch()
        self.counter.data, self.counter.version = self.counter.data + 1, self.counter.version + 1
        numbers = _Numbers(self.packed.copy())  # the next launch writes there
        count = len(self.names)
        late.defer(id(self.labels), lambda: self.labels.check(numbers.read()[count:].view("uint64")))
        return Waiting(dict.fromkeys(self.names), lambda found: numbers.by_name(sorted(found), self.names))


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
    return [leaf for part in batch for leaf in flatten(part) if leaf is not None]


def _own(leaf: Any) -> Any:
    """An array on the device that nobody else has."""
    there = devices.brought(leaf)
    return there.copy() if there is leaf else there


def _key(batch: tuple[Any, ...]) -> Any:
    """What a recorded step depends on: the structure of a batch, and settings."""
    return tuple(map(_signature, batch)), insisted.get(), config.floatx(), config.epsilon()


def _signature(part: Any) -> Any:
    if isinstance(part, dict):
        return tuple((name, _signature(one)) for name, one in part.items())
    if isinstance(part, (list, tuple)):
        return tuple(map(_signature, part))
    return None if part is None else (part.shape, part.dtype)


def _flat(logs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in logs.items():
        yield from _flat(value) if isinstance(value, dict) else ((name, value),)


def _variables(model: Any) -> list[Any]:
    """All that a step may change, but for the counter of steps."""
    return [*state_of(model, model._flatten_layers()), *model.optimizer.slots, *model._metric_variables()]


# ---- reasons ----


def _setting(model: Any) -> str | None:
    """Why no step of a compiled model will be recorded, as far as compile() tells."""
    if model.run_eagerly:
        return "run_eagerly=True"
    if model.jit_compile is False:
        return "jit_compile=False"
    if "train_step" in vars(model) or type(model).train_step.__module__ != f"{__package__}.trainer":
        return "train_step() is one of the model's own"
    if model.optimizer is None or not _ours(type(model.optimizer)):
        return f"the optimizer is a {type(model.optimizer).__name__}"
    return None


def _parts(model: Any) -> str | None:
    """The same as far as a step shows that was made."""
    for metric in model._known_metrics():
        for one in metric.metrics() if hasattr(metric, "metrics") else [metric]:
            if one._counts_on_cpu:
                return f"the metric {one.name!r} counts on the CPU"
    variables = model._settled_snapshot().variables
    if len({variable.dtype for variable in variables}) != 1:
        return "weights of several dtypes are trained" if variables else "no weights are trained"
    if model.jit_compile is True:
        return None
    # Python that we do not know may do another thing in every step, and a recorded step would not notice.
    hint = "jit_compile=True records it, if it does the same in every step"
    for name in ("compute_loss", "compute_metrics"):
        if getattr(type(model), name).__module__ != f"{__package__}.trainer":
            return f"{name}() is one of the model's own; {hint}"
    for layer in model._flatten_layers():
        found = None if _ours(type(layer)) else type(layer).__name__
        if found := found or _others(list(vars(layer).values())):
            return f"{found} in {layer.name!r} is not one of minidl's; {hint}"
    made = [model._compiled_loss, model._compiled_metrics, [(v.regularizer, v.constraint) for v in variables]]
    if found := _others([*made, model._known_metrics()]):
        return f"{found} is not one of minidl's; {hint}"
    return None


def _too_much(calls: list[watching.Call]) -> str | None:
    """Why a step with these kernels is better left to cuBLAS: its products are large, and launches cost little."""
    work = 0
    for call in (one for one in calls if one.kernel in PRODUCTS):
        left, right = call.shapes[:2]
        work += math.prod(left) * right[-2 if call.settings.get("transpose_b") else -1]
    if work > MOST_PRODUCTS:
        return f"its {work:.1e} multiplications of matrices are left to cuBLAS, which CuPy does not record"
    return None


def _ours(what: Any) -> bool:
    return str(what.__module__).startswith("minidl.")


def _others(value: Any, depth: int = 4) -> str | None:
    """The name of the first function, or class of what is called, that is not minidl's; also inside of ours."""
    inner: Any = ()
    if isinstance(value, (list, tuple, dict)):
        inner = value.values() if isinstance(value, dict) else value
    elif callable(value) and not isinstance(value, (type, Layer, Tensor)):
        whole = inspect.isroutine(value) or isinstance(value, Op)
        what = value if whole else type(value)
        if not _ours(what):
            return str(getattr(what, "__name__", what))
        inner, depth = () if whole or not depth else getattr(value, "__dict__", {}).values(), depth - 1
    return next((found for one in inner if (found := _others(one, depth))), None)


def _reason(error: Exception) -> str:
    """What went wrong, and in which line above the kernels and CuPy."""
    text = str(error).split("\n")[0]
    told = text if isinstance(error, graphs.Refused) else f"{type(error).__name__}: {text}"
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        name = frame.f_globals.get("__name__", "")
        if name != __name__ and name.partition(".")[0] not in ("cupy", "cupyx", "cupy_backends", "minidl_kernels"):
            return f"{told} ({'/'.join(Path(frame.f_code.co_filename).parts[-2:])}, line {line})"
    return told
