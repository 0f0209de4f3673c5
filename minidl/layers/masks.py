"""Masks: booleans that tensors carry from layer to layer as ``_keras_mask``, true where there is something.

Nothing is looked for before the first layer that can make a mask exists: ``made`` says whether one does.
"""

import warnings
from typing import Any

from minidl.engine.tensor import Tensor
from minidl.graph.symbolic import flatten, map_structure

__all__ = ["copied", "given", "hand_on", "mask_of", "put", "start"]

made = False


def start() -> None:
    """Look for masks from here on."""
    global made
    made = True


def mask_of(value: Any) -> Any:
    """The masks of a structure of tensors, in this structure; None where there are none at all."""
    found = map_structure(lambda leaf: getattr(leaf, "_keras_mask", None), value)
    return None if all(one is None for one in flatten(found)) else found


def put(values: Any, masks: Any) -> None:
    """Let tensors carry masks, those that have none yet."""
    for tensor, mask in zip(flatten(values), flatten(masks), strict=False):
        if mask is not None and isinstance(tensor, Tensor) and getattr(tensor, "_keras_mask", None) is None:
            tensor._keras_mask = mask  # type: ignore[attr-defined]


def copied(source: Tensor, target: Tensor) -> Tensor:
    """``target`` with the mask of what it was made of."""
    put(target, getattr(source, "_keras_mask", None))
    return target


def given(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Add the masks that ``call`` takes to ``kwargs``; the mask of the inputs.

    As in Keras: ``mask`` where one argument alone holds tensors; with several, ``NAME_mask`` for the argument NAME.
    """
    names = layer._call_parameters
    named = [*zip(names, args, strict=False), *kwargs.items()]
    tensors = {name: value for name, value in named if any(isinstance(leaf, Tensor) for leaf in flatten(value))}
    for name, value in tensors.items():
        wanted = "mask" if len(tensors) == 1 else f"{name}_mask"
        if wanted in names[len(args) :] and kwargs.get(wanted) is None:
            found = mask_of(value)
            if found is not None:
                kwargs[wanted] = found
    explicit = kwargs.get("mask")
    return mask_of(args[0]) if explicit is None and args else explicit


def hand_on(layer: Any, args: tuple[Any, ...], outputs: Any, mask: Any) -> None:
    """Let the outputs carry what ``compute_mask`` gives for the mask of the inputs."""
    if layer.supports_masking:
        if args and any(getattr(leaf, "_keras_mask", None) is None for leaf in flatten(outputs)):
            found = layer.compute_mask(args[0], mask)
            if found is not None:
                put(outputs, found)
    elif mask is not None and layer._warns_of_lost_masks:
        warnings.warn(
            f"layer {layer.name!r} ({type(layer).__name__}) got inputs with a mask, but hands none on: what comes "
            f"after it takes all places for real ones; set supports_masking = True in a layer of your own whose "
            f"outputs have the places of its inputs",
            stacklevel=3,
        )
