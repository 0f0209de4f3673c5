"""The ways a course writes a layer, as one: ``forward(arrays) -> (y, cache)``, ``backward(g, cache) -> gradients``.

* ``Pair``: two functions, ``forward(x, *params) -> (y, cache)`` and ``backward(g, cache) -> gradients``.
* ``Instance``: an object with ``forward`` and ``backward``, which keeps its cache on itself and its gradients in
  attributes (``W`` and ``dW``), dictionaries or lists (``params`` and ``grads``).
* ``Valued``: one function that returns ``(loss, gradients)``.
* ``Taped``: a function of Tensors, an op, a layer or a model of minidl.
"""

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.random import mtrand

from ..subject import Subject

__all__ = ["Checked", "Instance", "Pair", "Taped", "Valued", "adapt"]

RESET = ("zero_grad", "zero_grads", "zero_gradients", "cleargrads", "clear_grads", "reset_grads", "reset_gradients")
TARGETS = {
    "t",
    "y",
    "target",
    "targets",
    "label",
    "labels",
    "y_true",
    "ytrue",
    "true",
    "truth",
    "actual",
    "expected",
    "gt",
}
DATA = {"x", "xs", "data", "inputs", "input", "images", "features"}
PHASES = ("training", "train", "train_flg", "is_training", "is_train", "train_mode")


def is_float(value: Any) -> bool:
    """Whether ``value`` is an array of floating numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


class Checked:
    """What all adapters share.

    Attributes:
        names: of the leaves, that is, of all floating inputs and parameters.
        args: the inputs as given, floating ones as float64.
        leaf_args: which of the inputs the first leaves are.
        upstream: whether backward takes an upstream gradient (a loss may have none: then it is 1).
        sources: the user's functions, for the line to read again.
        accumulates: gradients are added up on purpose (the object has a method that clears them).
    """

    upstream = True
    accumulates = False
    single = False  # only one array came back

    def __init__(self, name: str, args: list[Any], arguments: dict[str, Any], seed: int):
        self.name, self.arguments, self.seed = name, arguments, seed
        self.generator = np.random.MT19937(seed)
        values = [np.asarray(a) if isinstance(a, (list, float, np.ndarray, np.generic)) else a for a in args]
        self.args = [v.astype("float64") if is_float(v) else v for v in values]
        self.leaf_args = [i for i, v in enumerate(self.args) if is_float(v)]
        self.names = [f"input {i}" for i in self.leaf_args]
        self.sources: list[Callable[..., Any]] = []

    @property
    def values(self) -> list[np.ndarray]:
        """The point at which the gradients are checked."""
        return [self.args[i].copy() for i in self.leaf_args]

    def filled(self, arrays: list[np.ndarray]) -> list[Any]:
        """All inputs, with ``arrays`` for the floating ones, as copies: what is written into is not ours."""
        given = dict(zip(self.leaf_args, arrays, strict=False))
        every = [given.get(i, a) for i, a in enumerate(self.args)]
        return [a.copy() if isinstance(a, np.ndarray) else a for a in every]

    def unasked(self, leaf: int) -> bool:
        """Whether nobody expects a gradient there: a target, or an input where one array is all that comes back."""
        return leaf < len(self.leaf_args) and leaf > 0 and (self.single or self.names[leaf].lower() in TARGETS)

    def arranged(self, found: Any) -> list[Any]:
        """The gradients of the inputs among what a backward returned."""
        self.single = isinstance(found, np.ndarray)
        count = len(self.leaf_args)
        return arrange(found, self.names[:count], [self.args[i].shape for i in self.leaf_args])

    def forward(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        raise NotImplementedError

    def backward(self, g: np.ndarray, cache: Any) -> list[Any]:
        raise NotImplementedError

    def clear(self) -> None:
        """Set gradients that add up to 0, where there is a method that does."""

    def evaluate(self, arrays: list[np.ndarray]) -> np.ndarray:
        """The output alone, leaving no trace in what is checked."""
        return self.forward(arrays)[0]

    def seeded(self, call: Callable[..., Any], *args: Any, **arguments: Any) -> Any:
        """``call`` with NumPy's global generator at the same state every time; another one stands in for it."""
        given = mtrand.get_bit_generator()
        mtrand.set_bit_generator(self.generator)
        try:
            np.random.seed(self.seed)
            return call(*args, **arguments)
        finally:
            mtrand.set_bit_generator(given)


class Pair(Checked):
    """``forward(x, *params) -> (y, cache)`` and ``backward(g, cache) -> gradients``."""

    def __init__(self, forward: Any, backward: Any, args: list[Any], arguments: dict[str, Any], seed: int):
        super().__init__(getattr(forward, "__name__", "forward"), args, arguments, seed)
        self.f, self.b = forward, backward
        given = parameters(forward)
        self.names = [given[i] if i < len(given) else f"input {i}" for i in self.leaf_args]
        self.sources = [backward]
        self.upstream = len(parameters(backward)) != 1

    def forward(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        found = self.seeded(self.f, *self.filled(arrays), **self.arguments)
        if not isinstance(found, tuple) or len(found) < 2:
            raise TypeError(f"{self.name} must return (y, cache), not {type(found).__name__}")
        y, cache = (found[0], found[1]) if len(found) == 2 else (found[0], found[1:])
        return np.array(y, "float64"), cache

    def backward(self, g: np.ndarray, cache: Any) -> list[Any]:
        given = (g.copy() if g.ndim else float(g),) if self.upstream else ()
        return self.arranged(self.seeded(self.b, *given, cache))


class Valued(Checked):
    """A function that returns ``(loss, gradients)``, as in courses where a loss has no upstream gradient."""

    upstream = False

    def unasked(self, leaf: int) -> bool:
        """Beside targets, the data: a loss of weights gives no gradient of what it was computed from."""
        return super().unasked(leaf) or self.names[leaf].lower() in DATA

    def __init__(self, f: Any, args: list[Any], arguments: dict[str, Any], seed: int):
        super().__init__(getattr(f, "__name__", "loss"), args, arguments, seed)
        self.f, self.sources = f, [f]
        given = parameters(f)
        self.names = [given[i] if i < len(given) else f"input {i}" for i in self.leaf_args]

    def forward(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        found = self.seeded(self.f, *self.filled(arrays), **self.arguments)
        if not isinstance(found, tuple) or len(found) < 2 or not isinstance(found[0], (float, np.generic, np.ndarray)):
            raise TypeError(f"{self.name} must return (loss, gradients), not {type(found).__name__}")
        return np.array(found[0], "float64"), found[1] if len(found) == 2 else found[1:]

    def backward(self, g: np.ndarray, cache: Any) -> list[Any]:
        return self.arranged(cache)


class Taped(Checked):
    """Functions of minidl's Tensors; their gradients come from the walk. Use inside ``subject.in_float64()``."""

    def __init__(self, f: Any, args: list[Any], arguments: dict[str, Any], seed: int):
        super().__init__(str(getattr(f, "name", None) or getattr(f, "__name__", "f")), args, arguments, seed)
        self.subject = Subject(f, args, arguments, None)
        self.sources = [getattr(f, "call", f)]
        self.shape: tuple[int, ...] | None = None

    def entered(self) -> None:
        """After ``in_float64`` was entered: the leaves are known now."""
        self.names = list(self.subject.leaves)

    @property
    def values(self) -> list[np.ndarray]:
        return [np.array(a, "float64") for a in self.subject.values]

    def forward(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        if self.shape is None:
            ys = self.subject.outputs([a.copy() for a in arrays])
            self.shape = ys[0].shape if len(ys) == 1 else (sum(y.size for y in ys),)
        return self.subject.evaluate_f([a.copy() for a in arrays]).reshape(self.shape), arrays

    def backward(self, g: np.ndarray, cache: Any) -> list[Any]:
        return self.subject.gradients([a.copy() for a in cache], g.reshape(-1))


class Instance(Checked):
    """An object with ``forward`` and ``backward``; a copy of it is checked, so that it stays as it was."""

    def __init__(self, layer: Any, args: list[Any], arguments: dict[str, Any], seed: int):
        super().__init__(type(layer).__name__, args, arguments, seed)
        self.layer = layer
        self.judged, self.twin = copy.deepcopy(layer), copy.deepcopy(layer)
        self.generators = [(g, g.bit_generator.state) for one in (self.judged, self.twin) for g in _generators(one)]
        self.call = method(self.judged, ("forward", "call", "__call__"))
        self.sources = [part.backward for _, part in parts(self.judged)]
        self.accumulates = any(hasattr(self.judged, name) for name in RESET)
        taken = list(inspect.signature(self.judged.backward).parameters.values())
        # A loss whose backward is written `backward(self, dout=1)` means to be the end of the chain.
        self.upstream = bool(taken) and taken[0].default is inspect.Parameter.empty
        given = parameters(self.call)
        inputs = [given[i] if i < len(given) else f"input {i}" for i in self.leaf_args]
        self._trial()
        self.slots, self.twins = (self._slots(layer) for layer in (self.judged, self.twin))
        self.names = inputs + [name for name, _, _ in self.slots]

    def fresh(self, arrays: list[np.ndarray]) -> "Instance":
        """The same, with a layer that has seen nothing yet but ``arrays``."""
        return Instance(self.layer, self.filled(arrays), self.arguments, self.seed)

    def _slots(self, layer: Any) -> "list[Slot]":
        """Its parameters: a forward leaves them where they are, whereas it makes caches anew."""
        before = [p for _, part in parts(layer) for _, p, _, _ in _candidates(part)]
        self._run(layer, self.filled([self.args[i] for i in self.leaf_args]))
        return pair_up(layer, {id(p) for p in before})

    def _trial(self) -> None:
        """One forward and backward, which makes lazy weights and the attributes of the gradients."""
        for layer in (self.judged, self.twin):
            y, _ = self._run(layer, self.filled([self.args[i] for i in self.leaf_args]))
            with np.errstate(all="ignore"):
                self._backward(layer, np.zeros(y.shape))
        self.clear()

    @property
    def values(self) -> list[np.ndarray]:
        return [*(self.args[i].copy() for i in self.leaf_args), *(p.copy() for _, p, _ in self.slots)]

    def _run(self, layer: Any, args: list[Any]) -> tuple[np.ndarray, Any]:
        for generator, state in self.generators:
            generator.bit_generator.state = state
        call = method(layer, ("forward", "call", "__call__"))
        y = self.seeded(call, *args, **self.arguments)
        y = getattr(layer, "output", y) if y is None else y
        return np.array(y[0] if isinstance(y, tuple) else y, "float64"), None

    def _set(self, slots: list[tuple[str, np.ndarray, Any]], arrays: list[np.ndarray]) -> None:
        for (_, parameter, _), value in zip(slots, arrays[len(self.leaf_args) :], strict=True):
            parameter[...] = value

    def forward(self, arrays: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        self._set(self.slots, arrays)
        return self._run(self.judged, self.filled(arrays))

    def evaluate(self, arrays: list[np.ndarray]) -> np.ndarray:
        self._set(self.twins, arrays)
        return self._run(self.twin, self.filled(arrays))[0]

    def _backward(self, layer: Any, g: np.ndarray) -> Any:
        return layer.backward(*([g.copy() if g.ndim else float(g)] if self.upstream else []))

    def clear(self) -> None:
        for name in RESET:
            if hasattr(self.judged, name):
                getattr(self.judged, name)()

    def backward(self, g: np.ndarray, cache: Any) -> list[Any]:
        found = self._backward(self.judged, g)
        if found is None:
            names = ("dinputs", "dx", "dX", "grad_input", "input_grad", "dinput")
            found = next((getattr(self.judged, n) for n in names if hasattr(self.judged, n)), None)
        grads = self.arranged(found)
        return [*grads, *(np.array(read(), "float64") if read() is not None else None for _, _, read in self.slots)]


def method(layer: Any, names: tuple[str, ...]) -> Callable[..., Any]:
    """The first of the methods that the object has."""
    for name in names:
        if hasattr(layer, name):
            found: Callable[..., Any] = getattr(layer, name)
            return found
    raise TypeError(f"{type(layer).__name__} has a backward but none of: {', '.join(names)}")


def parameters(f: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters."""
    if inspect.isfunction(f) and not vars(f):  # many times faster than its signature
        return list(f.__code__.co_varnames[: f.__code__.co_argcount])
    try:
        every = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in every if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def parts(layer: Any, prefix: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """(path, object) of a layer and the layers inside it."""
    seen = set() if seen is None else seen
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield prefix, layer
    for name, value in getattr(layer, "__dict__", {}).items():
        pairs: list[tuple[str, Any]] = [(name, value)]
        if isinstance(value, (list, tuple)):
            pairs = [(f"{name}[{i}]", one) for i, one in enumerate(value)]
        elif isinstance(value, dict):
            pairs = [(str(key), one) for key, one in value.items()]
        for path, one in pairs:
            if hasattr(one, "backward") and hasattr(one, "__dict__"):
                yield from parts(one, f"{prefix}{path}.", seen)


def _generators(layer: Any) -> list[np.random.Generator]:
    return [v for _, part in parts(layer) for v in vars(part).values() if isinstance(v, np.random.Generator)]


Slot = tuple[str, np.ndarray, Callable[[], Any]]


def pair_up(layer: Any, lasting: set[int]) -> list[Slot]:
    """(name, parameter, how to read its gradient), the parameters as float64 arrays in place of what was there."""
    found: list[Slot] = []
    taken: set[int] = set()
    for prefix, part in parts(layer):
        for name, parameter, put, read in _candidates(part):
            if id(parameter) in taken or id(parameter) not in lasting:
                continue
            if parameter.dtype != np.float64 or not parameter.flags.writeable:
                parameter = parameter.astype("float64")
                put(parameter)
            taken.add(id(parameter))
            found.append((prefix + name, parameter, read or (lambda: None)))
    return found


def _candidates(part: Any) -> Iterator[tuple[str, np.ndarray, Callable[[Any], None], Callable[[], Any] | None]]:
    own = vars(part)
    params, grads = (own.get(n) for n in ("params", "grads"))
    grads = own.get("gradients") if grads is None else grads
    if isinstance(params, dict):
        for key, value in params.items():
            if is_float(value):
                yield str(key), value, _putter(params, key), _reader(part, grads, key)
    elif isinstance(params, (list, tuple)) and isinstance(grads, (list, tuple)):
        for i, value in enumerate(params):
            if is_float(value):
                name = next((k for k, v in own.items() if v is value), f"params[{i}]")
                put = _putter(params, i) if isinstance(params, list) else _putter(own, name)
                yield name, value, put, lambda i=i: _grads(part)[i]  # type: ignore[misc]
    for key, value in list(own.items()):
        if is_float(value):
            read = _reader(part, grads, key)
            if read is not None:
                yield key, value, _putter(own, key), read


def _grads(part: Any) -> Any:
    return vars(part).get("grads", vars(part).get("gradients"))


def _putter(container: Any, key: Any) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        container[key] = value

    return put


def _reader(part: Any, grads: Any, key: str) -> Callable[[], Any] | None:
    if isinstance(grads, dict):
        for name in (key, f"d{key}", f"d_{key}", f"grad_{key}"):
            if name in grads:
                return lambda: _grads(part).get(name)
    for name in (f"d{key}", f"d_{key}", f"grad_{key}", f"{key}_grad", f"g{key}", f"grad{key}", f"{key}grad"):
        if name in vars(part):
            return lambda: getattr(part, name)
    return None


def arrange(found: Any, names: list[str], shapes: list[tuple[int, ...]]) -> list[Any]:
    """The gradients that a backward returned, one for each input, None where there is none."""
    if isinstance(found, dict):
        wanted = [(name, f"d{name}", f"d_{name}", f"grad_{name}", f"{name}_grad") for name in names]
        return [next((_array(found[k]) for k in keys if k in found), None) for keys in wanted]
    every = list(found) if isinstance(found, (tuple, list)) else [found]
    every = [_array(one) for one in every if one is not None]
    if len(every) >= len(names):
        return every[: len(names)]
    # Fewer gradients than inputs (targets and masks have none): each goes to the next input of its shape.
    arranged: list[Any] = []
    for shape in shapes:
        arranged.append(every.pop(0) if every and (every[0].shape == shape or len(every) == 1) else None)
    return arranged


def _array(value: Any) -> Any:
    return np.array(value, "float64")


def adapt(f: Any, backward: Any, args: list[Any], arguments: dict[str, Any], seed: int) -> Checked:
    """The adapter that fits."""
    if backward is not None:
        return Pair(f, backward, args, arguments, seed)
    if not callable(f) and not hasattr(f, "forward"):
        raise TypeError(f"expected a function, a layer or a model, not {type(f).__name__}")
    if hasattr(f, "backward"):
        return Instance(f, args, arguments, seed)
    try:
        valued = Valued(f, args, arguments, seed)
        y, grads = valued.forward(valued.values)
        valued.backward(np.ones(()), grads)
        if y.size == 1:
            return valued
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        pass
    return Taped(f, args, arguments, seed)
