"""Batches of augmented pictures, from arrays and from folders, without end.

An iterator has a length (batches an epoch), batches by number (``iterator[i]``), and ``next(iterator)``, which begins
anew after the last one. Orders and augmentation come from ``numpy.random``; with a seed, each batch sets its seed.
"""

import os
import threading
import warnings
from collections.abc import Iterator as Iteration
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl import config
from minidl.data.pictures import img_to_array, load_img, save_img
from minidl.data.py_dataset import PyDataset
from minidl.engine.tensor import raw
from minidl_kernels.arrays import to_numpy

if TYPE_CHECKING:
    from .generator import ImageDataGenerator

__all__ = ["DirectoryIterator", "Iterator", "NumpyArrayIterator"]

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_SUBSETS = ("training", "validation")


class Iterator(PyDataset):
    """Base of iterators over pictures: a PyDataset for ``fit``, and an iterator without end for ``next``.

    Args:
        n: how many pictures there are.
        batch_size: pictures a batch; the last one of an epoch may be short.
        shuffle: a new order in every epoch.
        seed: the numbers of batch i are those of seed + i.
        kwargs: for PyDataset.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive whole number, not {batch_size!r}")
        self.n, self.batch_size, self.shuffle, self.seed = n, int(batch_size), shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: Any = None
        self.index_generator = self._flow_index()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _begin_batch(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if not 0 <= idx < len(self):
            raise ValueError(f"batch {idx} was asked for, but there are {len(self)}, from 0 on")
        self._begin_batch()
        self.total_batches_seen += 1
        if self.index_array is None:
            self._set_index_array()
        return self._get_batches_of_transformed_samples(
            self.index_array[self.batch_size * idx : self.batch_size * (idx + 1)]
        )

    def on_epoch_end(self) -> None:
        """A new order, where shuffling was asked for."""
        self._set_index_array()

    def reset(self) -> None:
        """Begin with the first batch again."""
        self.batch_index = 0

    def _flow_index(self) -> Iteration[np.ndarray]:
        self.reset()
        while True:
            self._begin_batch()
            if self.batch_index == 0:
                self._set_index_array()
            start = (self.batch_index * self.batch_size) % self.n if self.n else 0
            self.batch_index = self.batch_index + 1 if self.n > start + self.batch_size else 0
            self.total_batches_seen += 1
            yield self.index_array[start : start + self.batch_size]

    def __iter__(self) -> "Iterator":
        return self

    def __next__(self) -> Any:
        with self.lock:
            index_array = next(self.index_generator)
        return self._get_batches_of_transformed_samples(index_array)

    next = __next__

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method _get_batches_of_transformed_samples(indices)")

    def _save(self, batch: np.ndarray, index_array: np.ndarray, to: Any, largest: int) -> None:
        """Write the pictures of a batch to the folder ``to`` = (folder, prefix, format), if there is one."""
        folder, prefix, ending = to
        if folder:
            for picture, index in zip(batch, index_array, strict=True):
                name = f"{prefix}_{index}_{np.random.randint(largest)}.{ending}"
                save_img(os.path.join(folder, name), picture)


class NumpyArrayIterator(Iterator):
    """Batches of pictures in an array; made by ``ImageDataGenerator.flow``.

    Gives x, (x, y) or (x, y, sample_weight), where x is a list if other arrays came with the pictures.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: "ImageDataGenerator",
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ):
        others: list[Any] = []
        if isinstance(x, (tuple, list)) and len(x) == 2:
            x, others = x[0], x[1] if isinstance(x[1], list) else [x[1]]
        self.dtype = dtype or config.floatx()
        self.x = _array(x).astype(self.dtype)
        self.x_misc = [_array(other) for other in others]
        self.y = None if y is None else _array(y)
        self.sample_weight = None if sample_weight is None else _array(sample_weight)
        if self.x.ndim != 4:
            raise ValueError(f"x must be pictures, (n, rows, columns, channels), not of shape {self.x.shape}")
        for name, part in (("y", self.y), ("sample_weight", self.sample_weight), *(("x[1]", o) for o in self.x_misc)):
            if part is not None and len(part) != len(self.x):
                raise ValueError(f"x holds {len(self.x)} pictures, but {name} has length {len(part)}")
        if subset is not None:
            self._take_part(subset, image_data_generator._validation_split, ignore_class_split)
        if self.x.shape[3] not in (1, 3, 4):
            warnings.warn(
                f"pictures have 1, 3 or 4 channels on the last axis; x has shape {self.x.shape}", stacklevel=3
            )
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _take_part(self, subset: str, fraction: float, ignore_class_split: bool) -> None:
        if subset not in _SUBSETS:
            raise ValueError(f"subset must be one of {_SUBSETS}, not {subset!r}")
        end = int(len(self.x) * fraction)
        y = self.y
        if y is not None and not ignore_class_split and not np.array_equal(np.unique(y[:end]), np.unique(y[end:])):
            raise ValueError(
                f"the first {end} of {len(y)} samples, which validation_split={fraction} takes, have other classes "
                f"than the rest: shuffle x and y first, or pass ignore_class_split=True"
            )
        part = slice(0, end) if subset == "validation" else slice(end, None)
        self.x, self.x_misc = self.x[part], [other[part] for other in self.x_misc]
        self.y = None if y is None else y[part]
        if self.sample_weight is not None:
            self.sample_weight = self.sample_weight[part]

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        batch_x = np.zeros((len(index_array), *self.x.shape[1:]), self.dtype)
        for i, j in enumerate(index_array):
            parameters = self.image_data_generator.get_random_transform(self.x[j].shape)
            x = self.image_data_generator.apply_transform(self.x[j].copy(), parameters)
            batch_x[i] = self.image_data_generator.standardize(x)
        self._save(batch_x, index_array, (self.save_to_dir, self.save_prefix, self.save_format), 10_000)
        x_part: Any = [batch_x, *(other[index_array] for other in self.x_misc)] if self.x_misc else batch_x
        rest = [part[index_array] for part in (self.y, self.sample_weight) if part is not None]
        return x_part if self.y is None else (x_part, *rest)


def _array(value: Any) -> np.ndarray:
    return np.asarray(to_numpy(raw(value)))


class DirectoryIterator(Iterator):
    """Batches of pictures in folders, one folder a class; made by ``ImageDataGenerator.flow_from_directory``.

    Attributes:
        samples, num_classes: how many pictures and classes there are.
        class_indices: number of each class by name.
        classes: the class of each picture, int32 (samples,).
        filenames, filepaths: the pictures, in the order of ``classes``.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory: Any,
        image_data_generator: "ImageDataGenerator",
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ):
        if color_mode not in _CHANNELS:
            raise ValueError(f"color_mode must be one of {tuple(_CHANNELS)}, not {color_mode!r}")
        if class_mode not in self.allowed_class_modes:
            raise ValueError(f"class_mode must be one of {self.allowed_class_modes}, not {class_mode!r}")
        if subset is not None and subset not in _SUBSETS:
            raise ValueError(f"subset must be one of {_SUBSETS}, not {subset!r}")
        self.directory = os.fspath(directory)
        self.image_data_generator, self.class_mode, self.subset = image_data_generator, class_mode, subset
        rows, columns = target_size
        self.target_size, self.color_mode = (rows, columns), color_mode
        self.image_shape = (*self.target_size, _CHANNELS[color_mode])
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        self.dtype = dtype or config.floatx()
        names = list(classes) if classes else _folders(self.directory)
        self.num_classes = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        fraction = image_data_generator._validation_split
        split = {None: (0.0, 1.0), "validation": (0.0, fraction), "training": (fraction, 1.0)}[subset]
        self.filenames, numbers = [], []
        for name in names:
            found = list(_pictures(os.path.join(self.directory, name), self.white_list_formats, follow_links))
            found = found[int(split[0] * len(found)) : int(split[1] * len(found))]
            self.filenames += [os.path.join(name, file) for file in found]
            numbers += [self.class_indices[name]] * len(found)
        self.samples, self.classes = len(numbers), np.array(numbers, "int32")
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    @property
    def labels(self) -> np.ndarray:
        """The class of each picture."""
        return self.classes

    sample_weight = None

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        batch_x = np.zeros((len(index_array), *self.image_shape), self.dtype)
        made_by = self.image_data_generator
        for i, j in enumerate(index_array):
            with load_img(
                self.filepaths[j], self.color_mode, self.target_size, self.interpolation, self.keep_aspect_ratio
            ) as image:
                x = img_to_array(image, dtype=self.dtype)
            x = made_by.apply_transform(x, made_by.get_random_transform(x.shape))
            batch_x[i] = made_by.standardize(x)
        self._save(batch_x, index_array, (self.save_to_dir, self.save_prefix, self.save_format), 10_000_000)
        if self.class_mode is None:
            return batch_x
        if self.class_mode == "input":
            return batch_x, batch_x.copy()
        labels = self.classes[index_array]
        if self.class_mode == "categorical":
            return batch_x, np.eye(self.num_classes, dtype=self.dtype)[labels]
        return batch_x, labels.astype(self.dtype)


def _folders(directory: str) -> list[str]:
    return sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))


def _pictures(folder: str, endings: tuple[str, ...], follow_links: bool) -> Iteration[str]:
    """Paths below a folder, those of each folder together, sorted."""
    for place, _, files in sorted(os.walk(folder, followlinks=follow_links), key=lambda one: one[0]):
        for name in sorted(files):
            if name.lower().endswith(endings):
                yield os.path.relpath(os.path.join(place, name), folder)
