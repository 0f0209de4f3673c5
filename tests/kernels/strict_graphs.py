"""Streams, memory and CUDA graphs of the strict library: while a stream captures, launches are noted and not run.

What CUDA or CuPy refuse in a capture raises here: reads, copies from the CPU, waiting, memory that is not there yet,
calls of cuBLAS, and whatever looks at values to know a shape. After an error of CUDA's a capture is worth nothing.

More than a GPU would: what a capture computed is rubbish until the graph is launched, and again before each launch, so
a step that uses what an earlier launch left is found out. To work beside a stream that was not waited for is an error.
"""

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np

_thread = threading.local()
ON_CUBLAS = set("matmul dot tensordot einsum inner outer vdot kron __matmul__ __rmatmul__".split())
OF_VALUES = set("nonzero flatnonzero argwhere unique extract compress".split())  # their shapes depend on values


class CudaError(RuntimeError):
    """What ``cupy.cuda.runtime.CUDARuntimeError`` is."""


class Stream:
    """``cupy.cuda.Stream``; there is the default one of a thread, and those that are made."""

    def __init__(self, null: bool = False, non_blocking: bool = False):
        self.non_blocking, self.null = non_blocking, null
        self.capture: Capture | None = None
        self.busy = False

    def __enter__(self) -> "Stream":
        _thread.streams = [*_streams(), self]
        return self

    def __exit__(self, *exception: object) -> None:
        _thread.streams = _streams()[:-1]

    def synchronize(self) -> None:
        if self.capture is not None:
            self.capture.spoil("cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing")
        self.busy = False

    def is_capturing(self) -> bool:
        return self.capture is not None

    def begin_capture(self, mode: Any = None) -> None:
        if self.null:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        assert self.non_blocking, "work on the default stream would be an error"
        self.capture = Capture(self)

    def end_capture(self) -> "Graph":
        capture, self.capture = self.capture, None
        assert capture is not None
        capture.rubbish()
        if capture.spoiled:
            raise CudaError("cudaErrorStreamCaptureInvalidated")
        return Graph(capture)


def _streams() -> list[Stream]:
    found = getattr(_thread, "streams", None)
    if found is None:
        found = _thread.streams = [Stream(null=True)]
    return found


def current_stream() -> Stream:
    return _streams()[-1]


class MemoryPool:
    """``cupy.cuda.MemoryPool``: knows on which streams it has given memory."""

    def __init__(self) -> None:
        self.warm: set[int] = set()

    def malloc(self, size: int) -> None:
        raise AssertionError("is called by the library only")

    def total_bytes(self) -> int:
        return 1 << 20 if self.warm else 0


class using_allocator:
    def __init__(self, allocator: Any = None):
        self.allocator = allocator

    def __enter__(self) -> None:
        _thread.allocators = [*getattr(_thread, "allocators", [None]), self.allocator]

    def __exit__(self, *exception: object) -> None:
        _thread.allocators = _thread.allocators[:-1]


def _pool() -> MemoryPool | None:
    allocator = getattr(_thread, "allocators", [None])[-1]
    return None if allocator is None else allocator.__self__


class Capture:
    """What is noted of work on a stream."""

    def __init__(self, stream: Stream):
        self.stream, self.spoiled, self.sends = stream, False, False
        self.actions: list[Any] = []
        self.made: list[np.ndarray] = []

    def spoil(self, why: str) -> None:
        self.spoiled = True
        raise CudaError(why)

    def rubbish(self) -> None:
        for array in self.made:
            array.reshape(-1).view(np.uint8)[...] = 0xA5

    def owns(self, array: np.ndarray) -> bool:
        return any(np.may_share_memory(array, one) for one in self.made)

    def written(self, action: Any, target: np.ndarray) -> None:
        """Note work in place; what was there before the capture stays as it is."""
        self.actions.append(action)
        if self.owns(target):
            action()

    def computed(self, name: str, function: Any, arguments: Any, options: Any) -> Any:
        """Note a computation. Its result has values, so that shapes can be found, until the capture ends."""
        if name in ON_CUBLAS:
            raise NotImplementedError("calling cuBLAS API during stream capture is currently unsupported")
        leaves = list(_leaves((arguments, options)))
        masks = name in ("__getitem__", "__setitem__") and any(a.dtype == bool for a in leaves[1:])
        if name in OF_VALUES or masks or (name == "where" and len(arguments) == 1):
            raise RuntimeError(f"{name}: the stream is capturing")
        if name in ("__getitem__", "__setitem__", "take") and _has_list(arguments[1:]):
            self.spoil("cudaErrorStreamCaptureUnsupported: a list of places is sent to the device")
        result = function(*arguments, **options)
        parts = [np.asarray(part) for part in _parts(result)]
        fresh = [not any(np.may_share_memory(part, leaf) for leaf in leaves) for part in parts]
        for part, is_fresh in zip(parts, fresh, strict=True):
            if is_fresh and part.size:
                self.own(part)

        def again() -> None:
            for part, is_fresh, value in zip(parts, fresh, _parts(function(*arguments, **options)), strict=True):
                if is_fresh:
                    part[...] = value

        if name in ("concatenate", "stack") and len(arguments[0]) > 8:
            self.sends = True  # CuPy sends pointers
        if any(fresh):
            self.actions.append(again)
        return parts if isinstance(result, tuple | list) else parts[0]

    def own(self, array: np.ndarray) -> None:
        pool = _pool()
        if pool is None or id(self.stream) not in pool.warm:
            self.spoil("cudaErrorStreamCaptureUnsupported: cudaMalloc")
        self.made.append(array)


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def _leaves(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple | list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)


def _has_list(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, tuple) and any(map(_has_list, value)))


class Graph:
    """``cupy.cuda.Graph``."""

    launches = 0

    def __init__(self, capture: Capture):
        self._capture = capture

    def debug_dot_str(self, flags: Any = None) -> str:
        return "MEMCPY (HtoD,72)" if self._capture.sends else "KERNEL"

    def launch(self, stream: Stream | None = None) -> None:
        assert stream is None and current_stream().capture is None
        Graph.launches += 1
        works()
        self._capture.rubbish()
        with np.errstate(all="ignore"):
            for action in self._capture.actions:
                action()


def capturing() -> Capture | None:
    """What the stream of this thread captures."""
    return current_stream().capture


def works() -> None:
    """Note work on the stream of this thread; results of another stream must have been waited for."""
    stream, known = current_stream(), vars(_thread).setdefault("known", {})
    for other in known.values():
        assert other is stream or not other.busy, "work on another stream was not waited for"
    known[id(stream)] = stream
    stream.busy = True
    if (pool := _pool()) is not None:
        pool.warm.add(id(stream))


def reset() -> None:
    """Nothing is under way."""
    _thread.__dict__.clear()


def sent(what: str) -> None:
    """Called where values come from the CPU."""
    if (capture := capturing()) is not None:
        capture.spoil(f"cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing ({what})")


def read(what: str) -> None:
    """Called where the CPU reads values: it waits for the stream."""
    sent(what)
    current_stream().busy = False


def waited() -> None:
    """Called where the CPU waits for all that the device was told."""
    assert capturing() is None
    for stream in vars(_thread).get("known", {}).values():
        stream.busy = False


cuda = SimpleNamespace(
    Stream=Stream, MemoryPool=MemoryPool, using_allocator=using_allocator, get_current_stream=current_stream
)
