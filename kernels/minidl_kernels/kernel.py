"""A kernel: one contract, several implementations of it, and the rule by which one is chosen.

The contract is a function that checks its arguments and says what comes out; it computes nothing::

    @kernel(arrays=1)
    def relu(x):
        '''max(x, 0), elementwise. x: any shape.'''
        return Output(x.shape, x.dtype)

An implementation fills ``out``, which the kernel has allocated, or which the caller handed in::

    @relu.implementation("array", on=("numpy", "cupy"))
    def relu_array(x, *, out):
        namespace(x).maximum(x, 0, out=out)

Or, where it is one launch of a compiled task that depends on shapes and settings alone, it returns that launch instead
of making it; the kernel keeps it for later calls of the same shapes, and only puts their arrays in.

Which one runs: the one named by ``with relu.use("array"):`` (it must accept the call, or ValueError), else the one
preferred in the settings (``config.use_implementation``), else the first of the measured order for the array's library
that accepts. What was refused, and why, is kept in ``relu.refusals``; ``watching.py`` lists it call by call.
"""

import importlib
import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from . import config, memory, repeats, watching
from .arrays import FLOATS, foreign, library_name, namespace, promote
from .noted import Noted

__all__ = ["Implementation", "Kernel", "Output", "kernel", "kernels"]

ORDER = {"numpy": ("winograd", "cpu", "array", "reference"), "cupy": ("cuda_tf32", "cuda", "array")}
MOST_PLANS = 1000  # of a kernel; more than a program has shapes
kernels: dict[str, "Kernel"] = {}  # every kernel by name
insisted: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("insisted", default=())  # by all ``use`` blocks here


class Output(NamedTuple):
    """Shape and dtype of one output of a kernel."""

    shape: tuple[int, ...]
    dtype: Any


class Implementation(NamedTuple):
    """One way to compute a kernel."""

    name: str
    run: Callable[..., None]
    on: tuple[str, ...]
    accepts: Callable[..., str | None] | None
    from_size: int
    pays: Callable[..., bool | str] | None

    def refusal(self, library: str, arrays: tuple[Any, ...], settings: dict[str, Any]) -> str | None:
        """Why this implementation cannot take the call, or ``None`` where it can."""
        if library not in self.on:
            return f"runs on {' and '.join(self.on)} arrays, not on {library}'s"
        return self.accepts(*arrays, **settings) if self.accepts else None


class Plan(NamedTuple):
    """What follows from the shapes, dtypes and settings of a call."""

    outputs: Any
    run: Callable[..., None]
    settings: dict[str, Any]
    contiguous: bool  # ``run`` takes C-contiguous arrays only
    copied: bool  # so some of these must be copied
    implementation: str
    refused: tuple[tuple[str, str], ...]  # implementations before it, and why not
    makers: tuple[tuple[Any, Any, Any], ...]  # for each output what makes its array, its shape and its dtype
    launch: Any = None  # what ``run`` returned, to be made again with the arrays of later calls


class Kernel:
    """A contract with its implementations; calling it checks, chooses, allocates and computes.

    Args:
        contract: checks the arguments (ValueError, TypeError) and returns an ``Output``, a tuple of them, or ``None``
            for a kernel that works in place.
        arrays: how many leading arguments are arrays that must share one floating dtype.
        values: called with the name and all arguments at every call, where the contract depends on more than shapes
            and settings: on what the arrays hold, or, with ``lists``, on settings.
        lists: the arguments are lists of arrays, and what follows from a call does not depend on settings.
    """

    def __init__(
        self, contract: Callable[..., Any], arrays: int, values: Callable[..., None] | None = None, lists: bool = False
    ):
        self.values, self.lists = values, lists
        self.name, self.contract, self.arrays = contract.__name__, contract, arrays
        self.__doc__, self.__name__, self.__module__ = contract.__doc__, contract.__name__, contract.__module__
        parameters = inspect.signature(contract).parameters.values()
        self._settings = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self.implementations: dict[str, Implementation] = {}
        self.refusals: Counter[tuple[str, str]] = Counter()
        self._plans: dict[Any, Plan] = {}
        self._missing: dict[str, str] = {}  # implementations whose file could not be loaded, and why
        self._explicit: ContextVar[str | None] = ContextVar(f"use_{self.name}", default=None)
        kernels[self.name] = self

    def __repr__(self) -> str:
        return f"<kernel {self.name}: {', '.join(self.implementations) or 'nothing loaded yet'}>"

    def __call__(self, *arrays: Any, out: Any = None, **settings: Any) -> Any:
        call: Any
        plan: Any
        try:
            plan = self._plans[call := self._key(arrays, settings)]
        except KeyError:
            plan = None
        except (AttributeError, TypeError):  # a list for an array, or in a setting: the contract will say
            call = plan = None
        if plan is None:
            if Noted in foreign and repeats.any_noted(arrays, settings):
                return repeats.repeated(self, arrays, out, settings)
            arrays, plan = self._planned(arrays, settings, call)
        if self.values is not None:
            self.values(self.name, *arrays, **settings)
        if watching.watchers and (watcher := watching.current()) is not None:
            watcher.note(self.name, plan.implementation, arrays, self._settings | settings, plan.refused)
            if not watcher.computes:
                return out if plan.outputs is None or out is not None else _zeros(arrays[0], plan.outputs)
        if plan.outputs is None:
            plan.run(*arrays, **(self._settings | settings))
            return None
        if plan.copied:
            arrays = tuple([a if a.flags.c_contiguous else namespace(a).ascontiguousarray(a) for a in arrays])
        if out is not None:
            self._write_into(out, arrays, plan)
            return out
        if type(plan.outputs) is tuple:
            out = outs = tuple([new(shape, dtype) for new, shape, dtype in plan.makers])
        else:
            new, shape, dtype = plan.makers[0]
            outs = (out := new(shape, dtype),)
        if plan.launch is not None:
            plan.launch((*arrays, *outs))
            return out
        launch = plan.run(*arrays, out=out, **plan.settings)
        if launch is not None:
            launch(launch.arrays)
            if call in self._plans:
                self._plans[call] = plan._replace(launch=launch.again((*arrays, *outs)))
        return out

    def _key(self, arrays: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """What a plan depends on."""
        kinds: Any
        if self.lists:
            kinds = [
                (a.shape, a.dtype, a.flags.num if type(a) is np.ndarray else a.flags.c_contiguous, type(a))
                for several in arrays
                for a in several
            ]
            return (self._explicit.get(), config.changes, *map(len, arrays), *kinds)
        kinds = [(a.shape, a.dtype, a.flags.c_contiguous, type(a)) for a in arrays]
        return (self._explicit.get(), config.changes, *(settings.items() if settings else ()), *kinds)

    def actions(self, arrays: tuple[Any, ...], out: Any, settings: dict[str, Any]) -> list[Callable[[], Any]]:
        """What computes this call, which was made before, again into the same outputs."""
        try:
            plan = self._plans.get(self._key(arrays, settings))
        except TypeError:
            plan = None
        if plan is not None and out is None:
            return [partial(plan.run, *arrays, **(self._settings | settings))]
        if plan is not None and plan.launch is not None and not plan.copied:
            look = [] if self.values is None else [partial(self.values, self.name, *arrays, **settings)]
            return [*look, repeats.Call(plan.launch, (*arrays, *(out if type(out) is tuple else (out,))))]
        if plan is not None and self.values is None and not plan.copied:
            return [partial(_run_now, plan.run, arrays, out, plan.settings)]
        return [partial(self, *arrays, **({} if out is None else {"out": out}), **settings)]

    def _planned(self, arrays: tuple[Any, ...], settings: dict[str, Any], call: Any) -> tuple[tuple[Any, ...], Plan]:
        """Check a call and choose who computes it; kept for later calls with the same shapes, dtypes and settings."""
        given = arrays
        leading = arrays[: self.arrays]  # a single number of NumPy has a dtype, too, but no address
        if any(getattr(one, "dtype", None) is not FLOATS[0] or isinstance(one, np.generic) for one in leading):
            arrays = promote(self.name, arrays[: self.arrays]) + arrays[self.arrays :]
        outputs = self.contract(*arrays, **settings)
        settings = {**self._settings, **settings}
        chosen, refused = self._choose(arrays, settings, outputs)
        run = chosen.run
        dense = getattr(run, "contiguous", False)
        copied = dense and outputs is not None and not all(a.flags.c_contiguous for a in arrays)
        plan = Plan(outputs, run, settings, dense, copied, chosen.name, refused, _makers(arrays[0], outputs))
        if call is not None and all(a is b for a, b in zip(given, arrays, strict=True)):
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[call] = plan
        return arrays, plan

    def _write_into(self, out: Any, arrays: tuple[Any, ...], plan: Plan) -> None:
        """Run with buffers that the caller gave; where they must be contiguous and are not, through others."""
        pairs = [(out, plan.outputs)] if type(plan.outputs) is Output else list(zip(out, plan.outputs, strict=True))
        for array, expected in pairs:
            if array.shape != expected.shape or array.dtype != expected.dtype:
                raise ValueError(
                    f"{self.name}: out has shape {array.shape} and dtype {array.dtype}; "
                    f"expected {expected.shape} and {expected.dtype}"
                )
        if not plan.contiguous or all(array.flags.c_contiguous for array, _ in pairs):
            _run_now(plan.run, arrays, out, plan.settings)
            return
        targets = tuple([new(shape, dtype) for new, shape, dtype in plan.makers])
        _run_now(plan.run, arrays, targets if len(pairs) > 1 else targets[0], plan.settings)
        for (array, _), target in zip(pairs, targets, strict=True):
            array[...] = target

    def implementation(
        self,
        name: str,
        on: str | tuple[str, ...],
        accepts: Callable[..., str | None] | None = None,
        from_size: int = 0,
        pays: Callable[..., bool | str] | None = None,
    ) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Register an implementation under ``name``.

        Args:
            name: "reference", "array", "cpu", "winograd", "cuda", "cuda_tf32", or a name of your own (chosen through
                ``use``).
            on: the array libraries it runs on, "numpy" and/or "cupy".
            accepts: called with the arguments; returns ``None``, or a short reason to refuse them.
            from_size: the measured number of output elements from which it is the default.
            pays: called with the arguments; False where, by measurement, it is not the default, or a text that says why
                it is not.
        """

        def register(run: Callable[..., None]) -> Callable[..., None]:
            self._plans.clear()
            self.implementations[name] = Implementation(
                name, run, (on,) if isinstance(on, str) else tuple(on), accepts, from_size, pays
            )
            return run

        return register

    @contextmanager
    def use(self, name: str) -> Iterator[None]:
        """Insist on one implementation inside a ``with`` block (this thread only).

        Raises:
            ValueError: unknown name; or, at the call, when the implementation refuses the arguments.
        """
        self.get(name)
        token, all_before = self._explicit.set(name), insisted.set((*insisted.get(), (self.name, name)))
        try:
            yield
        finally:
            self._explicit.reset(token)
            insisted.reset(all_before)

    def get(self, name: str) -> Implementation:
        """The implementation called ``name``, loading its file if needed."""
        if not self._load(name):
            known = ", ".join(sorted(self.available()))
            reason = self._missing.get(name, "no such implementation")
            raise ValueError(f"{self.name} has no implementation {name!r} ({reason}); there are: {known}")
        return self.implementations[name]

    def available(self) -> list[str]:
        """Names of all implementations that can be loaded here."""
        names = dict.fromkeys(
            ("reference", "array", "cpu", "winograd", "winograd_4x4", "cuda", "cuda_tf32", *self.implementations)
        )
        return [name for name in names if self._load(name)]

    def _load(self, name: str) -> bool:
        if name in self.implementations:
            return True
        if name in self._missing:
            return False
        family = self.contract.__module__
        try:
            importlib.import_module(f"{family}.{name}")
        except ModuleNotFoundError as error:
            self._missing[name] = (
                "no such implementation"
                if error.name == f"{family}.{name}" or family == error.name
                else f"{error.name} is not installed"
            )
            return False
        if name not in self.implementations:
            self._missing[name] = f"{family}.{name} does not implement it"
        return name in self.implementations

    def _choose(
        self, arrays: tuple[Any, ...], settings: dict[str, Any], outputs: Any
    ) -> tuple[Implementation, tuple[tuple[str, str], ...]]:
        """Who computes a call, and who would come before but does not, with the reasons."""
        first = arrays[0][0] if isinstance(arrays[0], (list, tuple)) and arrays[0] else arrays[0]
        library = "numpy" if type(first) is np.ndarray else library_name(first)
        explicit = self._explicit.get()
        if explicit is not None:
            implementation = self.get(explicit)
            refusal = implementation.refusal(library, arrays, settings)
            if refusal:
                raise ValueError(f"{self.name}: implementation {explicit!r} was asked for, but it refuses: {refusal}")
            return implementation, ()
        preferred = config.chosen_implementation(self.name)
        size = None if outputs is None else math.prod((outputs if type(outputs) is Output else outputs[0]).shape)
        refused: list[tuple[str, str]] = []
        for name in dict.fromkeys(((preferred,) if preferred else ()) + ORDER[library]):
            if name not in self.implementations and not self._load(name):
                if self._missing[name].endswith("not installed"):
                    refused.append((name, self._missing[name]))
                continue
            implementation = self.implementations[name]
            if size is not None and size < implementation.from_size and name != preferred:
                refused.append((name, f"pays from {implementation.from_size:,} elements on"))
                continue
            refusal = implementation.refusal(library, arrays, settings)
            if refusal is None and implementation.pays and name != preferred:
                pays = implementation.pays(*arrays, **settings)
                refusal = pays if isinstance(pays, str) else None if pays else "would not pay"
            if refusal is None:
                return implementation, tuple(refused)
            self.refusals[name, refusal] += 1
            refused.append((name, refusal))
        raise ValueError(f"{self.name}: no implementation accepts this call: {dict(self.refusals)}")


def kernel(
    arrays: int = 0, values: Callable[..., None] | None = None, lists: bool = False
) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a kernel of a contract; arguments as of ``Kernel``."""
    return lambda contract: Kernel(contract, arrays, values, lists)


def _zeros(like: Any, outputs: Any) -> Any:
    if type(outputs) is Output:
        return namespace(like).zeros(outputs.shape, outputs.dtype)
    return tuple([_zeros(like, one) for one in outputs])


def _makers(like: Any, outputs: Any) -> tuple[tuple[Any, Any, Any], ...]:
    """For each output what makes its array, and of which shape and dtype."""
    found = []
    for one in () if outputs is None else (outputs,) if type(outputs) is Output else outputs:
        new = namespace(like).empty
        if type(like) is np.ndarray and math.prod(one.shape) * one.dtype.itemsize >= memory.LARGE:
            new = memory.empty
        found.append((new, one.shape, one.dtype))
    return tuple(found)


def _run_now(run: Callable[..., Any], arrays: tuple[Any, ...], out: Any, settings: dict[str, Any]) -> None:
    """Run an implementation, and the launch that it may return."""
    launch = run(*arrays, out=out, **settings)
    if launch is not None:
        launch(launch.arrays)
