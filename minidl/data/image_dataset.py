"""Pictures in folders as a data set of batches: ``keras.utils.image_dataset_from_directory``."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from minidl import config, ops, random
from minidl.engine.tensor import Tensor
from minidl_kernels import config as kernels_config

from .dataset import Dataset
from .pictures import channels_last, img_to_array, load_img

__all__ = ["image_dataset_from_directory"]

_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
_COLORS = ("rgb", "rgba", "grayscale")
_LABEL_MODES = ("int", "categorical", "binary", None)
_SUBSETS = ("training", "validation", "both")


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: list[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """The pictures under ``directory`` as batches (x, y); they are read from their files in every pass.

    Args:
        directory: holds one folder for each class, or (without labels, or with a list of them) pictures. Pictures are
            .bmp, .gif (the first frame), .jpeg, .jpg and .png; they may lie in folders below.
        labels: "inferred" from the folders, None for none (batches are x alone), or one whole number for each picture,
            in the sorted order of the paths.
        label_mode: "int" (int32), "categorical" (one hot, float32), "binary" (float32, of shape (n, 1)) or None.
        class_names: folders in the order of their numbers; default: all, sorted.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: None: pictures one by one.
        image_size: (rows, columns), or one number for both.
        shuffle: in a new order in every pass; otherwise sorted.
        seed: for the same orders in every run, and for the split (then it is Keras' split).
        validation_split, subset: the part of the pictures, after mixing, that "validation" takes (from the end);
            "training" takes the rest, and "both" gives a list of the two.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        follow_links: enter folders that are links.
        crop_to_aspect_ratio, pad_to_aspect_ratio: cut pictures to the proportions of image_size, or add black bars,
            before resizing.
        format: changes nothing; in Keras it names the library that makes the data set.
        verbose: print what was found.

    Returns:
        A Dataset with ``class_names`` and ``file_paths``: x is float32 (n, rows, columns, channels), 0 to 255.

    Raises:
        ValueError: an argument that is none of these, or no pictures.
        PIL.UnidentifiedImageError: later, in a pass: a file that is no picture.
        FileNotFoundError: there is no such folder.
    """
    channels_last(data_format)
    _one_of("label_mode", label_mode, _LABEL_MODES)
    _one_of("color_mode", color_mode, _COLORS)
    _one_of("interpolation", interpolation.lower(), _INTERPOLATIONS)
    size = _size(image_size)
    _check_split(validation_split, subset, shuffle, seed)
    if labels is None or label_mode is None:
        labels = label_mode = None
    seed = int(np.random.randint(1_000_000)) if seed is None else seed
    files, numbers, names = _index(os.fspath(directory), labels, class_names, follow_links)
    if label_mode == "binary" and len(names or ()) != 2:
        raise ValueError(f"label_mode='binary' is for two classes; found {names}")
    if verbose:
        print(f"Found {len(files)} files" + (f" belonging to {len(names)} classes." if names is not None else "."))
    if shuffle:
        files, numbers = _mixed(files, numbers, seed)
    read = _reader(
        color_mode, size, interpolation.lower(), crop_to_aspect_ratio=crop_to_aspect_ratio,
        pad_to_aspect_ratio=pad_to_aspect_ratio,
    )  # fmt: skip
    made = []
    for name, part in _parts(len(files), validation_split, subset).items():
        paths = files[part]
        if not paths:
            raise _no_pictures(directory, subset)
        if verbose and subset is not None:
            print(f"Using {len(paths)} files for {name}.")
        y = None if label_mode is None else _targets(numbers[part], label_mode, len(names or ()))
        again = shuffle and (name == "training" or subset != "both")  # in a new order in every pass
        made.append(_pictures(paths, y, read, batch_size, random.SeedGenerator(seed) if again else None))
        made[-1].class_names, made[-1].file_paths = names, paths
    return made if subset == "both" else made[0]


def _mixed(files: list[str], numbers: np.ndarray, seed: int) -> tuple[list[str], np.ndarray]:
    """Files and their labels in the order of the seed, which is Keras': so the split is the same here and there."""
    order = np.arange(len(files))
    np.random.RandomState(seed).shuffle(order)
    return [files[i] for i in order], numbers[order]


def _no_pictures(directory: Any, subset: str | None) -> ValueError:
    where = f"{directory} for subset={subset!r}" if subset else f"{directory}"
    return ValueError(
        f"no pictures in {where}; formats are {', '.join(_FORMATS)}, and with labels every class has a folder of its "
        f"own in there"
    )


def _size(image_size: Any) -> tuple[int, int]:
    sizes = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not isinstance(sizes, (list, tuple)) or len(sizes) != 2:
        raise ValueError(f"image_size must be two numbers (rows, columns), not {image_size!r}")
    return sizes[0], sizes[1]


def _reader(color_mode: str, size: tuple[int, int], interpolation: str, **shape: Any) -> Any:
    """A function that gives the picture in a file as an array of this size."""

    def read(path: str) -> Any:
        with load_img(path, color_mode) as image:
            pixels = img_to_array(image, dtype="float32")
        return ops.image.resize(pixels, size, interpolation, **shape)

    return read


def _parts(n: int, validation_split: float | None, subset: str | None) -> dict[str, slice]:
    """The parts of n pictures that are wanted, by name."""
    if subset is None:
        return {"all": slice(None)}
    first = n - int((validation_split or 0) * n)
    parts = {"training": slice(0, first), "validation": slice(first, None)}
    return parts if subset == "both" else {subset: parts[subset]}


def _one_of(name: str, value: Any, known: tuple[Any, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {known}, not {value!r}")


def _check_split(validation_split: float | None, subset: str | None, shuffle: bool, seed: int | None) -> None:
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"validation_split must lie between 0 and 1, not {validation_split!r}")
    if bool(validation_split) != bool(subset):
        raise ValueError(f"validation_split and subset go together; got {validation_split!r} and {subset!r}")
    if subset is not None:
        _one_of("subset", subset, _SUBSETS)
    if validation_split and shuffle and seed is None:
        raise ValueError("validation_split with shuffle=True needs a seed, or the two subsets would overlap")


def _index(
    directory: str, labels: Any, class_names: Any, follow_links: bool
) -> tuple[list[str], np.ndarray, list[str] | None]:
    """(paths, the label of each, names of the classes)."""
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"directory: there is no folder {directory}")
    if labels == "inferred":
        found = sorted(n for n in os.listdir(directory) if os.path.isdir(os.path.join(directory, n)) and n[0] != ".")
        if class_names is not None and not set(class_names) <= set(found):
            raise ValueError(f"class_names must be folders of {directory}, {found}; got {class_names}")
        names = found if class_names is None else list(class_names)
        several = [list(_files(os.path.join(directory, name), follow_links)) for name in names]
        numbers = np.repeat(np.arange(len(names), dtype="int32"), [len(files) for files in several])
        return [file for files in several for file in files], numbers, names
    if labels is not None and not isinstance(labels, (list, tuple)):
        raise ValueError(f"labels must be 'inferred', None or a list of whole numbers, not {labels!r}")
    if class_names is not None:
        raise ValueError("class_names is for labels='inferred'")
    files = list(_files(directory, follow_links))
    if labels is None:
        return files, np.zeros(len(files), "int32"), None
    if len(labels) != len(files):
        raise ValueError(f"labels must hold one number for each of the {len(files)} files, not {len(labels)}")
    return files, np.asarray(labels, "int32"), [str(label) for label in sorted(set(labels))]


def _files(folder: str, follow_links: bool) -> Iterator[str]:
    for place, _, files in sorted(os.walk(folder, followlinks=follow_links), key=lambda one: one[0]):
        for name in sorted(files):
            if name.lower().endswith(_FORMATS):
                yield os.path.join(place, name)


def _targets(numbers: np.ndarray, label_mode: str, classes: int) -> np.ndarray:
    if label_mode == "int":
        return numbers
    if label_mode == "binary":
        return numbers.astype(config.floatx())[:, None]
    return np.eye(classes, dtype=config.floatx())[numbers]


def _pictures(
    files: list[str], y: np.ndarray | None, read: Callable[[str], np.ndarray], batch_size: int | None, seed: Any
) -> Dataset:
    """Batches of pictures that are read in threads; in a new order in every pass, where there is a seed."""
    if batch_size is not None and (isinstance(batch_size, bool) or batch_size < 1):
        raise ValueError(f"batch_size must be a positive whole number or None, not {batch_size!r}")

    def make() -> Iterator[Any]:
        order = np.arange(len(files)) if seed is None else random.permutation(len(files), seed)
        with ThreadPoolExecutor(kernels_config.threads()) as pool:
            for start in range(0, len(files), batch_size or 1):
                rows = order[start : start + (batch_size or 1)]
                x = np.stack(list(pool.map(read, [files[i] for i in rows])))
                parts = [x] if y is None else [x, y[rows]]
                tensors = tuple(Tensor.of(part if batch_size else np.asarray(part[0])) for part in parts)
                yield tensors[0] if y is None else tensors

    return Dataset(make, -(-len(files) // (batch_size or 1)))
