"""What is shown on TensorBoard's pages, as Summary messages: numbers, histograms, pictures, texts, graphs of models.

Each is a tag, a tensor, and the name of the plugin whose page shows it.

https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/summary.proto
"""

import io
from typing import Any

import numpy as np

from minidl.engine.tensor import raw
from minidl_kernels.arrays import to_numpy

from .wire import field, text, whole

__all__ = ["array_of", "histogram_summary", "image_summary", "keras_summary", "scalar_summary", "text_summary"]

FLOAT, DOUBLE, STRING = 1, 2, 7  # DataType


def array_of(value: Any) -> np.ndarray:
    """A NumPy array of a tensor, a variable, an array or numbers."""
    return np.asarray(to_numpy(raw(value)))


def scalar_summary(tag: str, value: Any) -> bytes:
    """A number.

    Raises:
        ValueError: not a single number.
    """
    array = array_of(value)
    if array.size != 1 or array.dtype.kind not in "biuf":
        raise ValueError(f"scalar {tag!r} must be a single number, not {value!r}")
    return _summary(tag, "scalars", _tensor(array.astype("<f4").reshape(()), FLOAT))


def histogram_summary(tag: str, values: Any, buckets: int = 30) -> bytes:
    """How often values occur, as rows (left edge, right edge, count) of equally wide buckets.

    The values that are not finite are left out.

    Raises:
        ValueError: buckets is not a positive whole number, or the values are no numbers.
    """
    if isinstance(buckets, bool) or not isinstance(buckets, (int, np.integer)) or buckets < 1:
        raise ValueError(f"buckets must be a positive whole number, not {buckets!r}")
    array = array_of(values)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"histogram {tag!r} needs numbers, not dtype {array.dtype}")
    finite = array[np.isfinite(array)].astype(np.float64)
    rows = np.zeros((buckets, 3))
    if finite.size and finite.min() == finite.max():  # buckets without width; all stand in the last one
        rows[:, :2], rows[-1, 2] = finite[0], finite.size
    elif finite.size:
        rows[:, 2], edges = np.histogram(finite, buckets)
        rows[:, 0], rows[:, 1] = edges[:-1], edges[1:]
    return _summary(tag, "histograms", _tensor(rows.astype("<f8"), DOUBLE))


def image_summary(tag: str, images: Any, max_outputs: int = 3) -> bytes:
    """Pictures, as PNG.

    Args:
        images: (number, height, width, channels) with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels; floats
            from 0 to 1 (others are clipped), or uint8.
        max_outputs: so many of them at most.

    Raises:
        ValueError: another shape or dtype.
    """
    array = array_of(images)
    if array.ndim != 4 or array.shape[-1] not in (1, 2, 3, 4):
        raise ValueError(f"image {tag!r} needs shape (number, height, width, 1 to 4 channels), not {array.shape}")
    if array.dtype.kind == "f":
        array = np.clip(np.nan_to_num(array.astype(np.float64)) * 255.5, 0, 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise ValueError(f"image {tag!r} needs floats from 0 to 1, or uint8, not {array.dtype}")
    height, width = array.shape[1:3]
    strings = [str(width).encode(), str(height).encode(), *(_png(one) for one in array[:max_outputs])]
    return _summary(tag, "images", _strings(strings, (len(strings),)))


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    mode = ("L", "LA", "RGB", "RGBA")[pixels.shape[-1] - 1]
    shape = pixels.shape[:2] if mode == "L" else pixels.shape
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.reshape(shape))).save(file, "PNG")
    return file.getvalue()


def text_summary(tag: str, texts: Any) -> bytes:
    """A text in Markdown, or an array of texts, which is shown as a table."""
    array = np.asarray(texts)
    if array.dtype.kind not in "US":
        raise ValueError(f"text {tag!r} must be a text or an array of texts, not {texts!r}")
    strings = [one if isinstance(one, bytes) else str(one).encode() for one in array.ravel().tolist()]
    return _summary(tag, "text", _strings(strings, array.shape))


def keras_summary(tag: str, config: str) -> bytes:
    """A model for the page of graphs ("conceptual graph"): its configuration as JSON, as Keras' ``to_json`` has it."""
    return _summary(tag, "graph_keras_model", _strings([config.encode()], ()), b"1")


def _summary(tag: str, plugin: str, tensor: bytes, content: bytes = b"") -> bytes:
    """Summary { value { tag, tensor, metadata { plugin_data { plugin_name, content } } } }."""
    if not isinstance(tag, str) or not tag:
        raise ValueError(f"the name of a summary must be a text, not {tag!r}")
    metadata = field(1, text(1, plugin) + (field(2, content) if content else b""))
    return field(1, text(1, tag) + field(8, tensor) + field(9, metadata))


def _shape(shape: tuple[int, ...]) -> bytes:
    """TensorShapeProto { dim { size } ... }."""
    return b"".join(field(2, whole(1, size)) for size in shape)


def _tensor(array: np.ndarray, dtype: int) -> bytes:
    """TensorProto { dtype, tensor_shape, tensor_content }; the content is little-endian, row by row."""
    return whole(1, dtype) + field(2, _shape(array.shape)) + field(4, array.tobytes())


def _strings(values: list[bytes], shape: tuple[int, ...]) -> bytes:
    """TensorProto { dtype, tensor_shape, string_val ... }."""
    return whole(1, STRING) + field(2, _shape(shape)) + b"".join(field(8, value) for value in values)
