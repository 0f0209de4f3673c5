"""Pictures as the published networks were trained on, and the names of their classes."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minidl import config
from minidl.engine.tensor import raw
from minidl_kernels.arrays import to_numpy
from minidl_kernels.config import cache_folder

__all__ = ["decode_predictions", "preprocess_input", "preprocessor"]

_MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet's pixels, 0 to 255
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # the same in RGB from 0 to 1


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> np.ndarray:
    """Pictures with values 0 to 255 as a network wants them; a new array (Keras changes a float array in place).

    Args:
        x: (n, rows, columns, 3) or one picture, RGB.
        data_format: None or "channels_last".
        mode: "caffe" (BGR, ImageNet's mean taken off), "tf" (from -1 to 1) or "torch" (from 0 to 1, then ImageNet's
            mean and deviation).

    Raises:
        ValueError: another mode, another order of axes, or not 3 channels where the mode needs them.
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ValueError(f'mode must be "caffe", "tf" or "torch", not {mode!r}')
    if data_format not in (None, "channels_last"):
        raise ValueError(f'data_format must be "channels_last", not {data_format!r}; move the axis with np.moveaxis')
    array = np.asarray(to_numpy(raw(x)))
    array = array.astype(array.dtype if array.dtype.kind == "f" else config.floatx(), copy=True)
    if mode == "tf":
        return array / array.dtype.type(127.5) - array.dtype.type(1)
    if array.ndim < 3 or array.shape[-1] != 3:
        raise ValueError(f"mode {mode!r} is for pictures of 3 channels; x has shape {array.shape}")
    if mode == "torch":
        scaled: np.ndarray = array / array.dtype.type(255) - np.array(_MEAN, array.dtype)
        return scaled / np.array(_DEVIATION, array.dtype)
    centred: np.ndarray = array[..., ::-1] - np.array(_MEAN_BGR, array.dtype)
    return centred


def preprocessor(mode: str) -> Callable[..., np.ndarray]:
    """``preprocess_input`` of a network: that of ``imagenet`` with the mode it was trained with."""

    def preprocess_input_of_this_network(x: Any, data_format: str | None = None) -> np.ndarray:
        return preprocess_input(x, data_format, mode)

    preprocess_input_of_this_network.__doc__ = f"imagenet.preprocess_input(x, mode={mode!r})."
    preprocess_input_of_this_network.__name__ = "preprocess_input"
    return preprocess_input_of_this_network


def decode_predictions(
    preds: Any, top: int = 5, class_index: str | os.PathLike[str] | None = None
) -> list[list[tuple[str, str, float]]]:
    """The most probable classes of every picture: (WordNet id, name, probability), the best first.

    Args:
        preds: (n, 1000).
        top: how many.
        class_index: a file imagenet_class_index.json, as Keras publishes it: {"0": ["n01440764", "tench"], ...};
            default: minidl's cache, then ~/.keras/models.

    Raises:
        ValueError: not (n, 1000).
        FileNotFoundError: no file of classes.
    """
    array = np.asarray(to_numpy(raw(preds)))
    if array.ndim != 2 or array.shape[1] != 1000:
        raise ValueError(f"decode_predictions takes probabilities of shape (n, 1000), not {array.shape}")
    places = (
        [Path(class_index)]
        if class_index is not None
        else [
            folder / "imagenet_class_index.json"
            for folder in (cache_folder() / "models", Path.home() / ".keras/models")
        ]
    )
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise FileNotFoundError(
            f"there is no file {' or '.join(map(str, places))}; pass class_index=PATH of Keras' "
            f"imagenet_class_index.json (minidl does not download it)"
        )
    names = json.loads(found.read_text("utf-8"))
    return [[(*names[str(k)], float(row[k])) for k in np.argsort(row)[::-1][:top]] for row in array]
