"""Why the steps of a model cannot be recorded, and what they depend on beside batches and variables."""

import inspect
import traceback
from operator import itemgetter
from pathlib import Path
from typing import Any

from minidl.engine.op import Op
from minidl.engine.tensor import Tensor
from minidl.layers import Layer
from minidl.losses import Loss
from minidl.noticed import Noticed
from minidl.optimizers import Optimizer
from minidl_kernels import graphs

__all__ = ["Parts", "of_parts", "of_predictions", "of_setting", "reason_of", "traced", "trained_by"]

NOT_OURS = ("cupy", "cupyx", "cupy_backends", "minidl_kernels")  # what does not say where a step went wrong
# Python that we do not know may do another thing in every step, and a recorded step would not notice.
HINT = "jit_compile=True records it, if it does the same in every step"
_call_op = Op.__call__


class Parts:
    """The attributes of some objects, and what lies in dictionaries among them, to see whether one was changed.

    Args:
        objects: those that a step reads.
        user: another one of which it reads what the user has set: attributes without an underscore before their names.
    """

    def __init__(self, objects: list[Any], user: Any = None):
        inner = [value for one in objects for value in vars(one).values() if type(value) is dict]
        noticed = [vars(one) for one in objects if isinstance(one, Noticed)]
        others = [vars(one) for one in objects if not isinstance(one, Noticed)]
        self._latest = Noticed.latest
        self._noticed, self._others = _Held(noticed), _Held([*others, *inner], None if user is None else vars(user))

    @classmethod
    def of(cls, model: Any, objects: list[Any]) -> "Parts":
        """Also what a ``train_step`` of the model's own finds among its attributes."""
        if not _has_own_step(model):
            return cls(objects)
        return cls([*objects, *(one for one in vars(model).values() if isinstance(one, (Loss, Optimizer)))], model)

    def settle(self) -> None:
        """What a step has changed since does not count from now on."""
        self._latest = Noticed.latest
        self._noticed.settle()
        self._others.settle()

    def changed(self) -> bool:
        """Whether one of them is another object now; an attribute that is gone counts as well."""
        if (latest := Noticed.latest) != self._latest:
            if self._noticed.changed():
                return True
            self._latest = latest  # it was of something else
        return self._others.changed()


class _Held:
    """What lies in some dictionaries."""

    def __init__(self, dictionaries: list[dict[str, Any]], of_user: dict[str, Any] | None = None):
        self._all = [(one, dict(one)) for one in dictionaries]
        if of_user:
            self._all.append((of_user, {name: value for name, value in of_user.items() if name[0] != "_"}))
        self._kept: list[tuple[dict[str, Any], Any, tuple[Any, ...]]] = []
        self._tensors: list[tuple[dict[str, Any], str, Tensor]] = []  # others may be equal, and not the same

    def settle(self) -> None:
        for now, before in self._all:
            same = [(name, value) for name, value in before.items() if now.get(name) is value]
            self._tensors += [(now, name, value) for name, value in same if isinstance(value, Tensor)]
            names = [name for name, value in same if not isinstance(value, Tensor)]
            if names:
                get = itemgetter(*names, names[0])  # of one name it would give no tuple
                self._kept.append((now, get, get(now)))

    def changed(self) -> bool:
        try:
            for now, name, tensor in self._tensors:
                if now[name] is not tensor:
                    return True
            for now, get, values in self._kept:
                if get(now) != values:
                    return True
        except (KeyError, ValueError):  # ValueError: of arrays, NumPy does not say whether they are equal
            return True
        return False


def traced() -> bool:
    """Whether somebody looks at the ops, which must run then."""
    return Op.__call__ is not _call_op


def of_setting(model: Any) -> str | None:
    """Why no step of a compiled model will be recorded, as far as compile() tells."""
    if model.run_eagerly:
        return "run_eagerly=True"
    if model.jit_compile is False:
        return "jit_compile=False"
    if _has_own_step(model):
        return None if model.jit_compile is True else f"train_step() is one of the model's own; {HINT}"
    if model.optimizer is None or not _ours(type(model.optimizer)):
        return f"the optimizer is a {type(model.optimizer).__name__}"
    return None


def _has_own_step(model: Any) -> bool:
    return "train_step" in vars(model) or type(model).train_step.__module__ != f"{__package__}.trainer"


def trained_by(model: Any) -> list[Any]:
    """The variables that a step trains; with a ``train_step`` of the model's own all that could be."""
    return list(model.trainable_variables if _has_own_step(model) else model._settled_snapshot().variables)


def of_parts(model: Any) -> str | None:
    """The same as far as a step shows that was made."""
    for metric in model._known_metrics():
        for one in metric.metrics() if hasattr(metric, "metrics") else [metric]:
            if one._counts_on_cpu:
                return f"the metric {one.name!r} counts on the CPU"
    variables = trained_by(model)
    if len({variable.dtype for variable in variables}) != 1:
        return "weights of several dtypes are trained" if variables else "no weights are trained"
    if model.jit_compile is True:
        return None
    for name in ("compute_loss", "compute_metrics"):
        if getattr(type(model), name).__module__ != f"{__package__}.trainer":
            return f"{name}() is one of the model's own; {HINT}"
    if found := _of_layers(model):
        return f"{found}; {HINT}"
    made = [model._compiled_loss, model._compiled_metrics, [(v.regularizer, v.constraint) for v in variables]]
    if found := _others([*made, model._known_metrics()]):
        return f"{found} is not one of minidl's; {HINT}"
    return None


def of_predictions(model: Any) -> str | None:
    """Why no prediction of a model will be recorded, as far as a first one shows that was made."""
    if model.run_eagerly or model.jit_compile is False:
        return "run_eagerly=True" if model.run_eagerly else "jit_compile=False"
    if "predict_step" in vars(model) or type(model).predict_step.__module__ != f"{__package__}.trainer":
        return "predict_step() is one of the model's own"
    return _of_layers(model)


def _of_layers(model: Any) -> str | None:
    for layer in model._flatten_layers():
        found = None if _ours(type(layer)) else type(layer).__name__
        if found := found or _others(list(vars(layer).values())):
            return f"{found} in {layer.name!r} is not one of minidl's"
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


def reason_of(error: Exception) -> str:
    """What went wrong, and in which line above the kernels and CuPy."""
    text = str(error).split("\n")[0]
    told = text if isinstance(error, graphs.Refused) else f"{type(error).__name__}: {text}"
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        name = frame.f_globals.get("__name__", "")
        if name != f"{__package__}.captured" and name.partition(".")[0] not in NOT_OURS:
            return f"{told} ({'/'.join(Path(frame.f_code.co_filename).parts[-2:])}, line {line})"
    return told
