"""Pictures in folders, one folder a class, as arrays."""

import io
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from minidl_kernels import config

__all__ = ["image_folder"]

_PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_LAYOUT = "expected DIRECTORY/CLASS/PICTURE: one folder for each class, with its pictures inside"
_CHUNK = 16  # pictures a thread takes at once
_THREADED = 6000  # bytes a picture; below, Python's own work on the headers rules, and threads only wait for each other


def image_folder(
    directory: str | os.PathLike[str], image_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """All pictures under ``directory``, which holds one folder for each class.

    Grey pictures and those with a palette become RGB; transparency is dropped, and the orientation note of a camera is
    not followed, as in Keras' ``image_dataset_from_directory``. A picture of another size is resized by Pillow's
    bilinear filter: when it shrinks, all pixels count (as in ``keras.ops.image.resize`` with ``antialias=True``).
    Hidden files and folders (a name that starts with a dot) are passed over; other files that are no pictures are
    skipped with a warning.

    Args:
        directory: the folder. Pictures are .bmp, .gif (the first frame), .jpeg, .jpg, .png, .tif, .tiff, .webp; they
            may lie in folders inside that of the class.
        image_size: (height, width) of the result.

    Returns:
        ``(x, y, class_names)``: x uint8 (n, height, width, 3); y int64 (n,), indices into class_names; class_names, the
        names of the folders, sorted. The order is by class, then by path: shuffle before splitting.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no folder of a class, a class without pictures, or a broken picture (the message names it).
    """
    height, width = _checked_size(image_size)
    root = Path(directory)
    if not root.is_dir():
        raise FileNotFoundError(f"directory: there is no folder {root}")
    class_names, files, y = _find(root)
    x = np.empty((len(files), height, width, 3), np.uint8)

    def decode(start: int) -> None:
        for i in range(start, min(start + _CHUNK, len(files))):
            x[i] = _decode(files[i], height, width)

    with ThreadPoolExecutor(config.threads() if _mean_size(files) >= _THREADED else 1) as pool:
        for _ in pool.map(decode, range(0, len(files), _CHUNK)):
            pass
    return x, y, class_names


def _checked_size(image_size: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(image_size, Sequence) or len(image_size) != 2:
        raise TypeError(f"image_size must be (height, width), not {image_size!r}")
    for size in image_size:
        if not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(f"image_size must be two positive whole numbers (height, width), not {image_size!r}")
    return int(image_size[0]), int(image_size[1])


def _find(root: Path) -> tuple[list[str], list[str], np.ndarray]:
    """The names of the classes, the paths of all pictures, and the label of each."""
    entries = sorted(entry for entry in os.listdir(root) if not entry.startswith("."))
    class_names = [entry for entry in entries if (root / entry).is_dir()]
    skipped = [str(root / entry) for entry in entries if entry not in class_names]
    if not class_names:
        raise ValueError(f"{root} holds no folders; {_LAYOUT}")
    files: list[str] = []
    counts = []
    for name in class_names:
        found = _files_under(root / name)
        pictures = [file for file in found if os.path.splitext(file)[1].lower() in _PICTURES]
        if not pictures:
            raise ValueError(f"class {name!r} has no pictures in {root / name}; {_LAYOUT}")
        skipped += sorted(set(found).difference(pictures))
        files += pictures
        counts.append(len(pictures))
    if skipped:
        listed = ", ".join(skipped[:10]) + (f" and {len(skipped) - 10} more" if len(skipped) > 10 else "")
        warnings.warn(f"skipped {len(skipped)} files that are not pictures of a class: {listed}", stacklevel=3)
    return class_names, files, np.repeat(np.arange(len(counts)), counts).astype(np.int64)


def _files_under(folder: Path) -> list[str]:
    """All files in ``folder`` and the folders in it, sorted, without hidden ones."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(place, name) for name in files if not name.startswith(".")]
    return sorted(found)


def _mean_size(files: list[str]) -> float:
    """Bytes a file, from a hundred of them or so."""
    sample = files[:: len(files) // 100 + 1]
    return sum(map(os.path.getsize, sample)) / len(sample)


def _decode(file: str, height: int, width: int) -> np.ndarray:
    from PIL import Image

    try:
        with open(file, "rb") as stream:
            content = io.BytesIO(stream.read())  # Pillow reads the header in dozens of small steps
        with Image.open(content) as image:
            if image.mode.startswith("I") or image.mode == "F":
                raise ValueError(f"its mode is {image.mode!r}; only 8 bits a channel can be read, save it so first")
            image.load()
            image.info.pop("transparency", None)  # Pillow would warn that it is dropped
            picture = image if image.mode == "RGB" else image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # SyntaxError: a broken PNG
        raise ValueError(f"cannot read the picture {file}: {error}") from error
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture)
