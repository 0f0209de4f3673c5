"""What the published networks share: the shape of the input, the classifier on top, and the weights."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minidl.graph.symbolic import KerasTensor
from minidl.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from minidl.models import Functional, Model
from minidl_kernels.config import cache_folder

__all__ = ["build", "head"]

Shape = tuple[int | None, ...]


def build(
    name: str,
    body: Callable[[KerasTensor], KerasTensor],
    *,
    include_top: bool,
    weights: Any,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    default_size: int,
    min_size: int,
    top: Callable[[KerasTensor, int, Any], KerasTensor],
    file_name: str,
    no_top: str = "_notop",
    pool_names: tuple[str | None, str | None] = (None, None),
) -> Model:
    """Check the arguments of a network, make it and load its weights.

    Args:
        name: of the model.
        body: the network without its top.
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation: as in Keras.
        default_size, min_size: rows and columns of the pictures.
        top: what stands on the body to classify: (x, classes, activation) -> x.
        file_name, no_top: of Keras' weights for ImageNet, without its end; and what is added without the top.
        pool_names: of the layers of ``pooling`` "avg" and "max".

    Raises:
        ValueError: arguments that do not fit together.
        FileNotFoundError: no file of weights.
    """
    if pooling not in (None, "avg", "max"):
        raise ValueError(f'pooling must be None, "avg" or "max", not {pooling!r}')
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(f'weights="imagenet" has 1000 classes, not classes={classes}; pass weights=None, or no top')
    if include_top and weights is not None and classifier_activation not in (None, "softmax"):
        raise ValueError(
            f'with weights, classifier_activation must be None or "softmax", not {classifier_activation!r}'
        )
    file = None if weights is None else _weights_file(weights, f"{file_name}{'' if include_top else no_top}.h5")
    shape = _input_shape(input_shape, input_tensor, default_size, min_size, include_top, weights == "imagenet")
    start = Input(shape) if input_tensor is None else input_tensor
    if not isinstance(start, KerasTensor):
        raise ValueError(f"input_tensor must be a symbolic tensor (from Input), not {type(start).__name__}")
    x = body(start)
    if include_top:
        x = top(x, classes, classifier_activation)
    elif pooling is not None:
        kind: Any = GlobalAveragePooling2D if pooling == "avg" else GlobalMaxPooling2D
        x = kind(name=pool_names[0 if pooling == "avg" else 1])(x)
    model = Functional(_sources(start), x, name=name)
    if file is not None:
        model.load_weights(file)
    return model


def head(x: KerasTensor, classes: int, activation: Any, name: str | None = "avg_pool") -> KerasTensor:
    """The usual top: the mean of every channel, then a Dense layer called "predictions"."""
    return Dense(classes, activation=activation, name="predictions")(GlobalAveragePooling2D(name=name)(x))


def _sources(tensor: KerasTensor) -> Any:
    """The inputs that a symbolic tensor is made of: itself, or the model's real beginning where it is no input."""
    pending, found = [tensor], {}
    while pending:
        one = pending.pop()
        if one.call is None or not one.call.inputs():
            found[id(one)] = one
        else:
            pending.extend(one.call.inputs())
    inputs = list(found.values())
    return inputs[0] if len(inputs) == 1 else inputs


def _input_shape(shape: Any, tensor: Any, default: int, least: int, static: bool, imagenet: bool) -> Shape:
    """(rows, columns, channels), checked by Keras' rules."""
    if shape is None and tensor is not None:
        shape = tuple(tensor.shape[1:])
    if shape is None:
        return (default, default, 3) if static else (None, None, 3)
    shape = tuple(shape)
    if len(shape) != 3:
        raise ValueError(f"input_shape must be (rows, columns, channels), not {shape}")
    if imagenet and shape[-1] != 3:
        raise ValueError(f'weights="imagenet" is for pictures of 3 channels, not input_shape={shape}')
    if imagenet and static and shape != (default, default, 3):
        raise ValueError(
            f'with its top and weights="imagenet", input_shape must be {(default, default, 3)}, not {shape}'
        )
    if any(extent is not None and extent < least for extent in shape[:2]):
        raise ValueError(f"the pictures must have at least {least}x{least} pixels; got input_shape={shape}")
    if static and None in shape:
        raise ValueError(f"with include_top=True all extents of input_shape must be known, not {shape}")
    if shape[-1] not in (1, 3):
        warnings.warn(f"pictures have 1 or 3 channels as a rule; input_shape={shape}", stacklevel=4)
    return shape


def _weights_file(weights: Any, name: str) -> Path:
    if weights != "imagenet":
        path = Path(os.fspath(weights))
        if not path.is_file():
            raise FileNotFoundError(f"weights must be None, 'imagenet' or a file of weights; there is no file {path}")
        return path
    folders = [cache_folder() / "models", Path.home() / ".keras" / "models"]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"weights='imagenet' is the file {name}, which Keras publishes; minidl does not download it. Put it into "
        f"{folders[0]} (or {folders[1]}, where Keras keeps it), or pass weights=None for random weights"
    )
