"""Graph: the nodes and weights of an ONNX graph while it is written; names follow the layers."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["OPSET", "Graph", "library"]

# The first one with LayerNormalization. What is written in it, runtimes from 2022 on read.
OPSET = 17


def library() -> Any:
    """The package ``onnx``.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError("ONNX files are written with the package onnx: pip install 'minidl[onnx]'") from error
    return onnx


class Graph:
    """Nodes in the order in which they run, and weights; what a layer uses in several calls is kept once."""

    def __init__(self) -> None:
        self.onnx = library()
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.size = 0  # bytes of the weights
        self._path: list[str] = []
        self._taken: Counter[str] = Counter()
        self._known: dict[tuple[Any, ...], str] = {}

    @contextmanager
    def inside(self, layer: str) -> Iterator[None]:
        """In the ``with`` block, names begin with that of a layer."""
        self._path.append(layer)
        try:
            yield
        finally:
            self._path.pop()

    def name(self, kind: str) -> str:
        """A name that nothing has yet: "layer/kind", numbered from the second on."""
        name = "/".join([*self._path, kind])
        self._taken[name] += 1
        return name if self._taken[name] == 1 else self.name(f"{kind}_{self._taken[name] - 1}")

    def emit(self, kind: str, inputs: Sequence[str], outputs: int = 1, **attributes: Any) -> Any:
        """Add a node.

        Args:
            kind: the operator's name in ONNX.
            inputs: names of tensors; "" leaves an optional one out.
            attributes: those that are None are left out.

        Returns:
            The name of the output; a list of names, where ``outputs`` is not 1.
        """
        name = self.name(kind)
        made = [name, *[self.name(f"{kind}_output_{i}") for i in range(1, outputs)]]
        given = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), made, name=name, **given))
        return made[0] if outputs == 1 else made

    def maker(self, name: str, through: Sequence[str] = ()) -> str:
        """The kind of the node that makes a tensor, looking through nodes of some kinds; "" for inputs and weights."""
        for node in reversed(self.nodes):
            if name in node.output:
                if node.op_type not in through:
                    return str(node.op_type)
                name = node.input[0]
        return ""

    def constant(self, array: np.ndarray, label: str) -> str:
        """The name of a weight, or of numbers that a node wants as a tensor."""
        array = np.ascontiguousarray(array) if array.ndim else array
        place = tuple(self._path) if array.ndim else ()
        key = (place, label, array.dtype.str, array.shape, hashlib.blake2b(array.data).digest())
        if key not in self._known:
            name = self._known[key] = self.name(label)
            self.weights.append(self.onnx.numpy_helper.from_array(array, name))
            self.size += array.nbytes
        return self._known[key]

    def rename(self, old: str, new: str) -> None:
        """Give what a node makes another name."""
        for node in self.nodes:
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    if name == old:
                        names[i] = new
