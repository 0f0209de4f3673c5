"""Where in a picture a model looks: by covering parts of it, and by gradients at its feature maps."""

from typing import Any

import numpy as np

from minidl.engine.op import no_grad
from minidl.engine.tensor import Tensor
from minidl.engine.walk import gradients
from minidl.layers import Layer, pooling

from .watch import Watch, before_softmax, find_layer, one_picture

__all__ = ["enlarge", "grad_cam", "occlusion"]


def occlusion(
    model: Any, x: Any, class_index: int | None = None, *, patch: int = 4, stride: int = 2, fill: float | None = None,
    batch_size: int = 64,
) -> np.ndarray:  # fmt: skip
    """How much an output falls when a part of the picture is covered (Zeiler and Fergus 2014, section 4.2).

    A square is put on the picture at every position of a grid, the last ones at its far borders. Each pixel gets the
    mean, over the squares that cover it, of the output for the whole picture minus that for the covered one.

    Args:
        x: one picture (h, w) or (h, w, channels), with or without the batch axis.
        class_index: which output; default: the largest one.
        patch: the side of the square, in pixels; at most h and w.
        stride: how far apart the squares are, in pixels; at most ``patch``, so that every pixel is covered.
        fill: the value of the square; default: the mean of the picture, for each channel.
        batch_size: covered pictures that are predicted together.

    Returns:
        (h, w): positive where the model saw what speaks for the class, negative where what speaks against it.

    Raises:
        ValueError: a patch, stride or class_index that does not fit; outputs that are not one row a picture.
    """
    picture = one_picture(model, x)[0]
    if picture.ndim not in (2, 3):
        raise ValueError(f"x must be a picture (h, w) or (h, w, channels), not of shape {picture.shape}")
    height, width = picture.shape[:2]
    if not 1 <= patch <= min(height, width):
        raise ValueError(
            f"patch must be from 1 to {min(height, width)} for a picture of {height} x {width}, not {patch}"
        )
    if not 1 <= stride <= patch:
        raise ValueError(f"stride must be from 1 to patch ({patch}), or pixels would be left out, not {stride}")
    whole = _rows(model, picture[None])[0]
    index = _class(class_index, whole)
    value = picture.mean(axis=(0, 1)) if fill is None else fill
    tops, lefts = _starts(height, patch, stride), _starts(width, patch, stride)
    places = [(top, left) for top in tops for left in lefts]
    fallen, times = np.zeros((height, width)), np.zeros((height, width))
    for first in range(0, len(places), batch_size):
        some = places[first : first + batch_size]
        covered = np.repeat(picture[None], len(some), axis=0)
        for one, (top, left) in zip(covered, some, strict=True):
            one[top : top + patch, left : left + patch] = value
        drops = whole[index].astype(np.float64) - _rows(model, covered)[:, index]
        for drop, (top, left) in zip(drops, some, strict=True):
            fallen[top : top + patch, left : left + patch] += drop
            times[top : top + patch, left : left + patch] += 1
    return fallen / times


def grad_cam(model: Any, x: Any, layer: Any = None, class_index: int | None = None) -> np.ndarray:
    """Grad-CAM (Selvaraju et al. 2017): which places of a layer's feature maps speak for a class.

    L = relu(sum_k a_k A_k), where A_k are the feature maps and a_k is the mean over the places of d score / d A_k, the
    score being what goes into the softmax (or sigmoid) at the end of the model.

    Args:
        x: one picture, with or without the batch axis.
        layer: a layer (or its name or index) that gives (h', w', n), channels last; default: the last one that does
            and does not pool.
        class_index: which output; default: the largest one.

    Returns:
        (h', w'), from 0 up, in the units of the score; ``enlarge`` brings it to the size of the picture.

    Raises:
        ValueError: no such layer, or one without maps; a score that does not depend on it.
    """
    batch = one_picture(model, x)
    chosen = _last_maps(model, batch) if layer is None else find_layer(model, layer)
    with Watch([chosen], leaves=True) as seen:
        outputs = model(batch, training=False)
    maps = seen.values.get(chosen)
    if maps is None or maps.data.ndim != 4:
        got = "nothing" if maps is None else f"an output of shape {tuple(maps.shape[1:])}"
        raise ValueError(f"Grad-CAM needs a layer with maps (h, w, n); {chosen.name!r} gave {got}")
    (gradient,) = score_gradients(outputs, class_index, [maps])
    if gradient is None:
        raise ValueError(
            f"the score of the class does not depend on layer {chosen.name!r} through differentiable steps"
        )
    weights = gradient.numpy()[0].astype(np.float64).mean(axis=(0, 1))
    return np.maximum(maps.numpy()[0] @ weights, 0.0)


def enlarge(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A map (h, w) at another size (height, width), bilinear between the centres of its pixels."""
    values = np.asarray(values, np.float64)
    if values.ndim != 2:
        raise ValueError(f"values must be of shape (h, w), not {values.shape}")
    for axis, extent in enumerate(shape[:2]):
        at = np.clip((np.arange(extent) + 0.5) * values.shape[axis] / extent - 0.5, 0, values.shape[axis] - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, values.shape[axis] - 1)
        part = np.expand_dims(at - low, 1 - axis)
        values = np.take(values, low, axis) * (1 - part) + np.take(values, high, axis) * part
    return values


def score_gradients(outputs: Any, class_index: int | None, targets: list[Tensor]) -> list[Any]:
    """Gradients of a class' score, which is what goes into the final softmax, for each target."""
    if not isinstance(outputs, Tensor) or outputs.data.ndim != 2:
        raise ValueError("the model must have one output of shape (batch, classes)")
    upstream = np.zeros(outputs.shape, outputs.dtype)
    upstream[:, _class(class_index, outputs.numpy()[0])] = 1
    return gradients([before_softmax(outputs)], [upstream], targets, create_graph=False)


def _rows(model: Any, pictures: np.ndarray) -> np.ndarray:
    with no_grad():
        outputs = model(pictures, training=False)
    if not isinstance(outputs, Tensor) or outputs.data.ndim != 2:
        raise ValueError("the model must have one output of shape (batch, classes)")
    return outputs.numpy()


def _class(index: int | None, row: np.ndarray) -> int:
    if index is None:
        return int(np.argmax(row))
    if not 0 <= index < len(row):
        raise ValueError(f"class_index must be from 0 to {len(row) - 1}, not {index}")
    return int(index)


def _starts(extent: int, patch: int, stride: int) -> list[int]:
    """Where squares begin along an axis; the last ends at its end."""
    starts = list(range(0, extent - patch + 1, stride))
    return starts if starts[-1] == extent - patch else [*starts, extent - patch]


def _last_maps(model: Any, batch: np.ndarray) -> Layer:
    """The last layer to be called that gives maps and does not pool."""
    inner = [one for one in model._flatten_layers() if not one._sublayers()]
    with no_grad(), Watch(inner) as seen:
        model(batch, training=False)
    maps = [one for one, y in seen.values.items() if y.data.ndim == 4 and not type(one).__module__ == pooling.__name__]
    if not maps:
        raise ValueError(f"{model.name!r} has no layer with feature maps (h, w, n)")
    return maps[-1]
