"""Arrays as batches."""

import warnings
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import numpy as np

from minidl import config, random
from minidl.engine.tensor import Tensor, raw
from minidl.graph.symbolic import flatten, map_structure
from minidl_kernels import devices
from minidl_kernels.arrays import foreign, is_array, namespace, to_numpy

__all__ = [
    "Batches", "as_data", "batch_length", "class_weights", "pack", "standardize", "standardized", "unpack",
    "validation_part",
]  # fmt: skip


_WHOLE = {np.dtype(code).num for code in np.typecodes["AllInteger"] + "?"}
_TAKEN = {floatx: _WHOLE | {np.dtype(floatx).num} for floatx in ("float32", "float64")}  # what stays as it is


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of what a batch holds, a tuple or x alone; what is missing is None."""
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"a batch is x, (x, y) or (x, y, sample_weight), not a tuple of {len(data)}")
    return data if len(data) == 3 else (*data, None, None)[:3]


def standardize(value: Any, name: str) -> Any:
    """Arrays of what the user gave: Tensors are unwrapped, lists of numbers become arrays, floats become floatx.

    A list of arrays stays a list (several inputs), a list of numbers or of equal rows of numbers is one array.
    """

    def one(leaf: Any) -> Any:
        array = raw(leaf)
        if not is_array(array):
            try:
                array = np.asarray(array)
            except ValueError as error:
                raise ValueError(f"{name} is a list of rows of different lengths; arrays are rectangular") from error
        if array.dtype.kind not in "fiub":
            raise TypeError(
                f"{name} has dtype {array.dtype}; numbers are expected: floats, integers or booleans"
                f"{_way_out(array, name)}"
            )
        if array.dtype == np.float16:
            raise TypeError(
                f"{name} has dtype float16; float32 and float64 are supported: write {name}.astype('float32')"
            )
        if array.ndim == 0:
            raise ValueError(f"{name} is a single number; its first axis must be the samples")
        return array.astype(config.current.floatx, copy=False) if array.dtype.kind == "f" else array

    if value is None or (type(value) is np.ndarray and value.dtype.num in _TAKEN[config.current.floatx] and value.ndim):
        return value
    if isinstance(value, dict):
        return {key: standardize(part, f"{name}[{key!r}]") for key, part in value.items()}
    if isinstance(value, (list, tuple)) and any(getattr(part, "ndim", 0) for part in value):  # numbers of NumPy: 0
        return [None if part is None else one(part) for part in value]
    return one(value)


def _way_out(array: np.ndarray, name: str) -> str:
    """What to write where an array holds no numbers."""
    if array.size == 1 and callable(array.item()):
        return f"; {name} is a function: call it, {name}()"
    if array.dtype.kind not in "OUS":
        return ""
    if any(one is None for one in array.flat):
        return "; it holds None: leave these samples out, or put a number there"
    if array.dtype.kind != "O" or any(isinstance(one, str) for one in array.flat):
        return f"; texts want numbers: classes, {name} = np.unique({name}, return_inverse=True)"
    return f"; write {name}.astype('float32')"


def pack(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """x, (x, y) or (x, y, sample_weight), without what is None; a list or tuple of inputs alone becomes (x,)."""
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def batch_length(x: Any) -> int:
    """How many samples a batch holds."""
    return int((x if isinstance(x, Tensor) else flatten(x)[0]).shape[0])


def standardized(x: Any, y: Any, sample_weight: Any, prefix: str = "") -> tuple[Any, Any, Any]:
    """All three parts as arrays; ``prefix`` stands before their names in errors."""
    if x is None:
        raise ValueError(f"{prefix}x is missing")
    return (
        standardize(x, f"{prefix}x"),
        standardize(y, f"{prefix}y"),
        standardize(sample_weight, f"{prefix}sample_weight"),
    )


def class_weights(y: Any, class_weight: dict[Any, float], sample_weight: Any = None) -> np.ndarray:
    """A weight for each sample, by its class; a class that is not named has weight 1.

    Args:
        y: labels (n,) or (n, 1), rounded; or one-hot rows, of which the largest counts.
        class_weight: factors by whole-number class.

    Raises:
        ValueError: targets of several outputs, sample weights besides, or keys that are no whole numbers.
        TypeError: not a dictionary.
    """
    if not isinstance(class_weight, dict):
        raise TypeError(
            f"class_weight is a dictionary of factors by class, such as {{0: 1.0, 1: 5.0}}, not {class_weight!r}"
        )
    wrong = [key for key in class_weight if not isinstance(key, (int, float, np.number)) or int(key) != key]
    if wrong:
        raise ValueError(f"class_weight has the key {wrong[0]!r}; its keys are the classes in y, whole numbers")
    if sample_weight is not None:
        raise ValueError("class_weight and sample_weight cannot be given at the same time")
    if isinstance(y, (list, tuple)) and len(y) == 1:
        y = y[0]
    if y is None or isinstance(y, (list, tuple, dict)):
        raise ValueError("class_weight needs the targets y of a model with a single output; give sample_weight instead")
    labels = np.asarray(to_numpy(raw(y)))
    if labels.ndim > 1:
        classes = labels.shape[-1]
        if classes > 1 and max(class_weight, default=0) >= classes:
            raise ValueError(
                f"class_weight has the key {max(class_weight)}, but y has {classes} columns: its keys are 0 to "
                f"{classes - 1}"
            )
        labels = labels[..., 0] if classes == 1 else labels.argmax(axis=-1)
    if labels.ndim != 1:
        raise ValueError(f"class_weight needs one class for each sample; y has shape {tuple(raw(y).shape)}")
    found, places = np.unique(np.round(labels).astype(np.int64), return_inverse=True)
    factors = np.array([class_weight.get(int(one), 1.0) for one in found], config.floatx())
    return factors[places]


def as_data(batch: tuple[Any, ...]) -> Any:
    """A batch as users' train_step takes it: x alone, (x, y) or (x, y, sample_weight), as Tensors."""
    parts: Any = batch
    while len(parts) > 1 and parts[-1] is None:
        parts = parts[:-1]
    if foreign:  # one transfer a batch: to where the model is
        parts = [map_structure(lambda a: None if a is None else devices.brought(a), part) for part in parts]
    data = tuple([Tensor.of(part) if type(part) is np.ndarray else map_structure(_tensor, part) for part in parts])
    return data[0] if len(data) == 1 and not isinstance(data[0], (list, tuple)) else data


def _tensor(array: Any) -> Any:
    return None if array is None else Tensor.of(array)


def check_lengths(**parts: Any) -> int:
    """How many samples there are.

    Raises:
        ValueError: the arrays have different numbers of them; names each.
    """
    lengths = {}
    for name, part in parts.items():
        if type(part) is np.ndarray and part.ndim:
            lengths[name] = part.shape[0]
            continue
        for i, array in enumerate(flatten(part) if isinstance(part, (list, tuple, dict)) else (part,)):
            if array is not None:
                lengths[name if not isinstance(part, (list, dict)) else f"{name}[{i}]"] = len(array)
    if not lengths:
        raise ValueError("x is missing")
    several = {*lengths.values()}
    if len(several) != 1:
        raise ValueError(
            f"all arrays need the same number of samples; got {', '.join(f'{k}: {v}' for k, v in lengths.items())}"
        )
    return several.pop()


def warn_of_nan(**parts: Any) -> None:
    """Warn, naming the row, where data holds NaN or infinity."""
    for name, part in parts.items():
        for array in flatten(part):
            if array is None or array.dtype.kind != "f" or not array.size:
                continue
            xp = namespace(array)
            with np.errstate(all="ignore"):  # large numbers may overflow in the sum
                total = array.sum()
            if not xp.isfinite(total):  # the sum is one fast pass without a mask; only a suspicious array is searched
                bad = ~xp.isfinite(array).reshape(len(array), -1).all(axis=1)
                if bad.any():
                    warnings.warn(
                        f"{name} holds NaN or infinity in {int(bad.sum())} of {len(array)} rows, first in row "
                        f"{int(bad.argmax())}; "
                        f"the loss will become NaN",
                        stacklevel=4,
                    )


def validation_part(x: Any, y: Any, sample_weight: Any, fraction: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """(training, validation) parts; the validation part is the LAST fraction, before any shuffling (Keras).

    Raises:
        ValueError: the fraction is not between 0 and 1, or leaves one part empty.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"validation_split must lie between 0 and 1, not {fraction!r}")
    n = check_lengths(x=x, y=y, sample_weight=sample_weight)
    split = int(np.floor(n * (1 - fraction)))
    if split in (0, n):
        raise ValueError(f"validation_split={fraction} of {n} samples leaves one part without any")

    def part(which: slice) -> tuple[Any, ...]:
        return tuple(map_structure(lambda a: None if a is None else a[which], v) for v in (x, y, sample_weight))

    return part(slice(0, split)), part(slice(split, n))


def _rows_of(rows: Any) -> Any:
    """Takes these samples of an array, wherever it lies."""
    if not foreign or isinstance(rows, slice):
        return itemgetter(rows)
    return lambda array: array[devices.beside(rows, array)]


class Batches:
    """Iterates over (x, y, sample_weight) in batches; the last one may be short.

    Args:
        x, y, sample_weight: arrays, or structures of them, standardized.
        batch_size: samples a batch.
        shuffle: a new order in every pass.
        seed: a SeedGenerator for the orders; default: a fresh one.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: Any = None,
    ):
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive whole number, not {batch_size!r}")
        self.n = check_lengths(x=x, y=y, sample_weight=sample_weight)
        if not self.n:
            raise ValueError("x holds no samples")
        self.parts = (x, y, sample_weight)
        self.batch_size, self.shuffle, self.seed = int(batch_size), shuffle, seed

    once = False  # it can start anew

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    num_batches = property(__len__)

    def on_epoch_begin(self) -> None: ...

    def on_epoch_end(self) -> None: ...

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        order = random.permutation(self.n, self.seed) if self.shuffle else None
        for start in range(0, self.n, self.batch_size):
            rows: Any = slice(start, min(start + self.batch_size, self.n))
            if order is not None:
                rows = order[rows]
            yield tuple(None if part is None else map_structure(_rows_of(rows), part) for part in self.parts)
