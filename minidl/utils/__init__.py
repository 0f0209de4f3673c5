"""Helpers that Keras keeps in ``keras.utils``."""

import random as python_random
from typing import Any

import numpy as np

from minidl import config, ops, registry
from minidl.config import disable_interactive_logging, enable_interactive_logging, is_interactive_logging_enabled
from minidl.data.arrays import pack as pack_x_y_sample_weight
from minidl.data.arrays import unpack
from minidl.data.dataset import split_dataset
from minidl.data.image_dataset import image_dataset_from_directory
from minidl.data.pictures import array_to_img, img_to_array, load_img, save_img
from minidl.data.py_dataset import PyDataset
from minidl.data.sequences import pad_sequences, timeseries_dataset_from_array
from minidl.engine.tensor import Tensor, raw
from minidl.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from minidl.registry import custom_object_scope as CustomObjectScope
from minidl.registry import deserialize as deserialize_keras_object
from minidl.registry import serialize as serialize_keras_object
from minidl_kernels.arrays import to_numpy

from .config_object import Config
from .dtypes import standardize_dtype
from .files import get_file
from .graphs import get_source_inputs, is_keras_tensor
from .progbar import Progbar

__all__ = [
    "clear_session", "custom_object_scope", "get_registered_name", "get_registered_object",
    "plot_model", "register_keras_serializable",
    "set_random_seed", "to_categorical",
    "array_to_img", "image_dataset_from_directory", "img_to_array", "load_img", "normalize", "save_img",
    "split_dataset",
    "Config", "CustomObjectScope", "Progbar", "deserialize_keras_object", "disable_interactive_logging",
    "enable_interactive_logging", "get_custom_objects", "get_file", "get_source_inputs",
    "is_interactive_logging_enabled", "is_keras_tensor", "pad_sequences", "serialize_keras_object",
    "standardize_dtype", "timeseries_dataset_from_array",
    "PyDataset", "Sequence", "pack_x_y_sample_weight", "unpack_x_y_sample_weight",
]  # fmt: skip


Sequence = PyDataset  # its name in TensorFlow's Keras


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch that is x, (x, y) or (x, y, sample_weight); what is missing is None."""
    return unpack(tuple(data) if isinstance(data, list) else data)


def set_random_seed(seed: int) -> None:
    """Make start values, shuffling and dropout repeat bit for bit; seeds Python's and NumPy's generators too."""
    config.set_global_seed(seed)
    python_random.seed(seed)
    np.random.seed(seed)


def clear_session(free_memory: bool = True) -> None:
    """Start the numbering of layer names anew. ``free_memory`` is accepted as in Keras: nothing is kept here."""
    registry.reset_names()


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows of whole-number labels.

    Args:
        x: labels of any shape; a last axis of 1 is dropped.
        num_classes: default: the largest label + 1.

    Raises:
        ValueError: a label that is negative or not below ``num_classes``.
    """
    labels = np.asarray(to_numpy(raw(x))).astype("int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = int(labels.max()) + 1 if num_classes is None else num_classes
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        hint = (
            "no label may be negative" if labels.min() < 0 else f"write num_classes={labels.max() + 1}, or leave it out"
        )
        raise ValueError(f"labels must lie from 0 to {classes - 1}; got {labels.min()} to {labels.max()}: {hint}")
    return np.eye(classes, dtype=config.floatx())[labels]


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """x divided by the norms of its rows; rows of zeros stay as they are.

    Args:
        axis: along which the norm is taken.
        order: 2 for the Euclidean norm, 1 for the sum of the magnitudes, ...
    """
    if isinstance(x, Tensor):
        return ops.normalize(x, axis=axis, order=order)
    array = to_numpy(x)
    norm = np.linalg.norm(array, order, axis, keepdims=True)
    return array / np.where(norm == 0, 1, norm)


def plot_model(
    model: Any, to_file: Any = "model.png", show_shapes: bool = False, show_dtype: bool = False,
    show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False, dpi: int = 200,
    show_layer_activations: bool = False, show_trainable: bool = False,
) -> Any:  # fmt: skip
    """Draw a model into a .png or .svg file, without an outside program.

    Args:
        to_file: where to; None draws only.
        rankdir: "TB" draws from top to bottom, "LR" from left to right.
        expand_nested: show what is inside models that are layers.
        dpi: pixels of a PNG per inch.

    Returns:
        The drawing, which a notebook shows.

    Raises:
        ValueError: the model is not built, or the file has another ending.
    """
    from minidl.visualize import draw_model

    drawing = draw_model(
        model, show_shapes=show_shapes, show_dtype=show_dtype, show_layer_names=show_layer_names, rankdir=rankdir,
        expand_nested=expand_nested, show_layer_activations=show_layer_activations, show_trainable=show_trainable,
    )  # fmt: skip
    if to_file is not None:
        drawing.save(to_file, dpi)
    return drawing
