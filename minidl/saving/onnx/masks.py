"""Masks, which values carry from layer to layer as tensors do (``minidl.layers.masks``)."""

from typing import Any

from minidl.graph.symbolic import flatten, map_structure
from minidl.layers import Layer

__all__ = ["hand_on", "mask_of", "put"]


def mask_of(structure: Any) -> Any:
    """The masks of values, in their structure; None where there are none at all."""
    found = map_structure(lambda one: getattr(one, "mask", None), structure)
    return None if all(one is None for one in flatten(found)) else found


def put(values: Any, masks: Any) -> None:
    """Let values carry masks, those that have none yet."""
    for value, mask in zip(flatten(values), flatten(masks), strict=False):
        if value.mask is None:
            value.mask = mask


def hand_on(layer: Layer, inputs: Any, outputs: Any, mask: Any) -> None:
    """Let the outputs of a layer carry what its ``compute_mask`` makes of the mask of the inputs."""
    from .operations import traced  # which imports the table

    if not layer.supports_masking or all(one.mask is not None for one in flatten(outputs)):
        return
    same = type(layer).compute_mask is Layer.compute_mask
    found = mask if same else traced(layer.compute_mask, inputs, mask)
    if found is not None:
        put(outputs, found)
