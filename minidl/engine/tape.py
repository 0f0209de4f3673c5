"""GradientTape, as TensorFlow's Keras code uses it, on the same walk."""

from contextlib import ExitStack
from contextvars import ContextVar
from typing import Any

from minidl_kernels.arrays import namespace

from .op import setting, trainable_are
from .tensor import Tensor
from .walk import gradients

__all__ = ["GradientTape"]

_open_tapes: ContextVar[int] = ContextVar("open_tapes", default=0)


class GradientTape:
    """Differentiates what was computed in its ``with`` block.

    A gradient taken while another tape is open is itself recorded, so nested tapes give higher orders.

    Args:
        persistent: allow several calls of ``gradient``.
        watch_accessed_variables: watch trainable variables; False: only what ``watch`` names.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self._persistent, self._used = persistent, False
        self._watch_all = watch_accessed_variables
        self._watched: dict[int, Tensor] = {}
        self._block = ExitStack()

    def __enter__(self) -> "GradientTape":
        self._block.enter_context(setting(_open_tapes, _open_tapes.get() + 1))
        if not self._watch_all:
            self._block.enter_context(trainable_are(self._watched))
        return self

    def __exit__(self, *exception: object) -> None:
        self._block.close()
        for tensor in self._watched.values():
            tensor.requires_grad = False

    def watch(self, tensor: Any) -> None:
        """Let gradients flow to a tensor (or a list of them) that is not a trainable variable, to the block's end."""
        for one in tensor if isinstance(tensor, (list, tuple)) else [tensor]:
            if not isinstance(one, Tensor) or one.dtype.kind != "f":
                raise TypeError(f"watch takes floating Tensors, not {one!r}; write ops.convert_to_tensor(x) first")
            if not one.requires_grad:
                one.requires_grad = True
                self._watched[id(one)] = one

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """Gradient of ``target`` (a Tensor or a list, summed) with respect to ``sources`` (a Tensor, list or dict).

        Args:
            output_gradients: the upstream gradient of each target; ones where left out.
            unconnected_gradients: "none" or "zero": what stands for a source that the target does not depend on.

        Raises:
            RuntimeError: a second call on a tape that is not persistent.
        """
        if self._used and not self._persistent:
            raise RuntimeError("this tape was already used; write GradientTape(persistent=True) for several gradients")
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients must be 'none' or 'zero', not {unconnected_gradients!r}")
        targets, flat = _listed(target), _listed(sources)
        upstreams = [None] * len(targets) if output_gradients is None else _listed(output_gradients)
        if len(upstreams) != len(targets):
            raise ValueError(f"output_gradients holds {len(upstreams)} gradients for {len(targets)} targets")
        self._used = True
        result = gradients(targets, upstreams, flat, _open_tapes.get() > 0)
        if unconnected_gradients == "zero":
            pairs = zip(result, flat, strict=True)
            result = [Tensor.of(namespace(v.data).zeros_like(v.data)) if g is None else g for g, v in pairs]
        if isinstance(sources, dict):
            return dict(zip(sources, result, strict=True))
        return result if isinstance(sources, (list, tuple)) else result[0]


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]
