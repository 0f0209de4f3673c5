"""What a model has learned to look for, and what its layers make of a picture: kernels and feature maps as arrays.

``kernel_tiles`` and ``map_tiles`` draw them.
"""

from typing import Any

import numpy as np

from minidl.engine.op import no_grad

from .watch import Watch, find_layer, one_picture

__all__ = ["feature_maps", "kernels"]


def kernels(layer: Any, shape: tuple[int, int, int] | None = None) -> np.ndarray:
    """The kernels of a convolution, or the weights of Dense units that look at a picture.

    Args:
        layer: a built layer with a kernel of shape (h, w, channels, n) or (inputs, n).
        shape: (h, w, channels) of the picture that a Dense layer gets flattened.

    Returns:
        (h, w, channels, n), a copy.

    Raises:
        ValueError: the layer is not built or has no such kernel, or the shape does not fit.
    """
    kernel = getattr(layer, "kernel", None) if getattr(layer, "built", False) else None
    if kernel is None:
        what = "has no kernel" if getattr(layer, "built", True) else "is not built yet: call the model on data first"
        raise ValueError(
            f"layer {getattr(layer, 'name', layer)!r} {what}; kernels() takes a built Conv2D or Dense layer"
        )
    values = kernel.numpy()
    if values.ndim == 2 and shape is not None:
        if len(shape) != 3 or int(np.prod(shape)) != len(values):
            raise ValueError(f"shape must be (h, w, channels) of {len(values)} numbers together, not {tuple(shape)}")
        values = values.reshape(*shape, -1)
    if values.ndim != 4:
        hint = "; pass shape=(h, w, channels), that of the picture before it was flattened" if values.ndim == 2 else ""
        raise ValueError(f"the kernel of {layer.name!r} has shape {values.shape}, not (h, w, channels, n){hint}")
    return values


def feature_maps(model: Any, x: Any, layer: Any) -> np.ndarray:
    """What a layer makes of a picture when the model predicts.

    Args:
        x: one picture, with or without the batch axis.
        layer: a layer, its name (at any depth) or its index.

    Returns:
        The layer's output without the batch axis: (h, w, n) of a convolution or pooling layer, (n,) of a Dense layer.

    Raises:
        ValueError: no such layer; more than one picture; a layer that the model does not call.
    """
    layer, batch = find_layer(model, layer), one_picture(model, x)
    with no_grad(), Watch([layer]) as seen:
        model(batch, training=False)
    if layer not in seen.values:
        raise ValueError(f"{model.name!r} does not call layer {layer.name!r} on the way to its outputs")
    return seen.values[layer].numpy()[0]
