"""Questions about symbolic tensors."""

from typing import Any

from minidl.graph import KerasTensor

__all__ = ["get_source_inputs", "is_keras_tensor"]


def is_keras_tensor(x: Any) -> bool:
    """Whether x is symbolic: of ``Input``, or made of such by layers and ops."""
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The inputs that a symbolic tensor is made of, each once, from the first argument on.

    Raises:
        TypeError: not symbolic.
    """
    if not is_keras_tensor(tensor):
        raise TypeError(f"tensor must be symbolic (of minidl.Input or a layer), not {type(tensor).__name__}")
    found: list[KerasTensor] = []
    seen: set[int] = set()
    stack = [tensor]
    while stack:  # no recursion: graphs may be deep
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        before = one.call.inputs() if one.call is not None else []
        if before:
            stack.extend(reversed(before))
        else:
            found.append(one)
    return found
