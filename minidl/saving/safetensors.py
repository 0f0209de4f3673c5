"""``.safetensors``: arrays by name, in one file that holds nothing else and can run nothing.

The layout, as https://github.com/huggingface/safetensors defines it: the length of the header (8 bytes, little-endian),
the header (JSON: for each array its dtype, shape and data_offsets; ``__metadata__`` maps texts to texts), and the
numbers, one array after the other without gaps.
"""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from minidl.atomic import replacing
from minidl_kernels.arrays import to_numpy

from .errors import FormatError, damage_is_named
from .pieces import bytes_of, pieces_of

__all__ = ["Entry", "load_file", "read_array", "read_header", "save_file", "write_arrays"]

# The names of dtypes in a header, and how the numbers lie in the file.
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
BF16 = "BF16"  # the upper half of a float32; NumPy has no such dtype
METADATA = "__metadata__"
LONGEST_HEADER = 100_000_000  # bytes; the package that defined the format refuses longer ones, too
ALIGNMENT = 8


class Entry(NamedTuple):
    """One array of a file, not yet read: what the header says of it, checked."""

    name: str
    kind: str  # a name of DTYPES, or BF16
    shape: tuple[int, ...]
    start: int  # from the beginning of the file

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that it is read as: BF16 becomes float32, which holds all of its values."""
        return np.dtype("<f4" if self.kind == BF16 else DTYPES[self.kind])


def save_file(tensors: Mapping[str, Any], filename: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays into a ``.safetensors`` file; there is always a whole file, the old one or the new one.

    Args:
        tensors: name -> array, tensor or variable; float64, float32, float16, whole numbers of 8 to 64 bits, or bool.
        filename: a path.
        metadata: name -> text.

    Raises:
        TypeError: a dtype that the format does not have, or names or metadata that are no texts.
        ValueError: an array is called ``__metadata__``.
    """
    arrays = {name: to_numpy(getattr(value, "data", value)) for name, value in tensors.items()}
    plan = _Plan(arrays, metadata)
    with replacing(filename) as file:
        plan.write(file)


def load_file(filename: Any) -> dict[str, np.ndarray]:
    """All arrays of a ``.safetensors`` file by name; BF16 becomes float32.

    Raises:
        FileNotFoundError: no such file.
        FormatError: it is damaged, and where.
    """
    with open(filename, "rb") as file:
        entries, _ = read_header(file, filename)
        return {name: read_array(file, entry, filename) for name, entry in entries.items()}


def write_arrays(file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to an open file, one after the other: nothing is copied together in memory first."""
    _Plan(arrays, metadata).write(file)


class _Plan:
    """The header, and the arrays in the order in which they follow it."""

    def __init__(self, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None):
        header: dict[str, Any] = {}
        if metadata:
            for key, value in metadata.items():
                if not isinstance(key, str) or not isinstance(value, str):
                    raise TypeError(f"metadata must map texts to texts, not {key!r} to {value!r}")
            header[METADATA] = dict(metadata)
        # Larger numbers first: so every array begins at a multiple of its item size, as readers that map files expect.
        self.arrays = sorted(arrays.items(), key=lambda item: -np.asarray(item[1]).dtype.itemsize)
        stop = 0
        for name, array in self.arrays:
            start, stop = stop, stop + array.nbytes
            header[name] = {"dtype": _kind(name, array), "shape": list(array.shape), "data_offsets": [start, stop]}
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        self.header = text + b" " * (-len(text) % ALIGNMENT)
        if len(self.header) > LONGEST_HEADER:
            raise ValueError(f"the names and metadata take {len(self.header)} bytes, more than {LONGEST_HEADER}")

    def write(self, file: BinaryIO) -> None:
        file.write(struct.pack("<Q", len(self.header)))
        file.write(self.header)
        for _, array in self.arrays:
            for piece in pieces_of(bytes_of(array.astype(array.dtype.newbyteorder("<"), copy=False))):
                file.write(piece)


def _kind(name: Any, array: np.ndarray) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the names of arrays must be texts, not {name!r}")
    if name == METADATA:
        raise ValueError(f"no array can be called {METADATA!r}, which names the metadata of a file")
    sort, size = array.dtype.kind, array.dtype.itemsize
    kind = "BOOL" if sort == "b" else f"{sort.upper()}{8 * size}"
    if sort not in "fiub" or kind not in DTYPES:
        raise TypeError(f"{name}: a .safetensors file has no dtype {array.dtype}; it has {', '.join(DTYPES)}")
    return kind


def read_header(file: BinaryIO, filepath: Any) -> tuple[dict[str, Entry], dict[str, str]]:
    """The arrays of a file by name, and its metadata; all that can be checked without the numbers is checked.

    Args:
        file: open for reading in binary mode.
        filepath: what error messages call it.

    Raises:
        FormatError: the file is cut off, its header is no such header, or arrays overlap or leave gaps.
    """
    with damage_is_named(filepath, "is not a .safetensors file, or is damaged"):
        size = file.seek(0, 2)
        file.seek(0)
        first = file.read(8)
        if len(first) < 8:
            raise ValueError(f"it has {size} bytes; the length of the header alone takes 8")
        (length,) = struct.unpack("<Q", first)
        if length > LONGEST_HEADER or length > size - 8:
            raise ValueError(f"the header should have {length} bytes, but {max(size - 8, 0)} follow")
        text = file.read(length)
        if len(text) != length or text[:1] != b"{":
            raise ValueError("the header does not begin with '{'")
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse)
        metadata = _metadata(header.pop(METADATA, None))
        entries = [_entry(name, described, 8 + length) for name, described in header.items()]
        _check_offsets(entries, 8 + length, size)
    return {entry.name: entry for entry in entries}, metadata


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the header has {key!r} twice")
        found[key] = value
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"the header has the number {constant}")


def _metadata(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"{METADATA} must map texts to texts")
    return value


def _entry(name: str, described: Any, base: int) -> Entry:
    if not isinstance(described, dict) or described.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name}: an array is described by dtype, shape and data_offsets, not {_short(described)}")
    kind, shape, offsets = described["dtype"], described["shape"], described["data_offsets"]
    if not isinstance(kind, str) or (kind != BF16 and kind not in DTYPES):
        raise ValueError(f"{name}: dtype {_short(kind)} is none of {', '.join([*DTYPES, BF16])}")
    # NumPy has 64 axes and 2^63 bytes at most, also where one of the axes is empty
    if not _are_sizes(shape) or len(shape) > 64 or math.prod(max(n, 1) for n in shape) >= 2**60:
        raise ValueError(f"{name}: shape {_short(shape)} is no list of whole numbers that an array can have")
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{name}: data_offsets {_short(offsets)} are no two whole numbers from 0 on")
    bytes_of_one = 2 if kind == BF16 else np.dtype(DTYPES[kind]).itemsize
    needed, (start, stop) = math.prod(shape) * bytes_of_one, offsets
    if stop - start != needed:
        raise ValueError(f"{name}: shape {shape} of {kind} takes {needed} bytes, but data_offsets {offsets}")
    return Entry(name, kind, tuple(shape), base + start)


def _are_sizes(value: Any) -> bool:
    # bool is a kind of int in Python; 2^63 is what NumPy's sizes and the file systems' end at
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**63 for one in value)


def _check_offsets(entries: list[Entry], base: int, size: int) -> None:
    """Every byte behind the header belongs to one array."""
    end, before = base, "the header"
    for entry in sorted(entries, key=lambda entry: (entry.start, _size(entry))):
        if entry.start != end:
            what = "overlaps with" if entry.start < end else f"leaves {entry.start - end} bytes unused behind"
            raise ValueError(f"{entry.name} {what} {before}")
        end, before = entry.start + _size(entry), entry.name
    if end != size:
        raise ValueError(
            f"the arrays end at byte {end}, but the file at byte {size}{': it was cut off' if end > size else ''}"
        )


def _size(entry: Entry) -> int:
    return math.prod(entry.shape) * (2 if entry.kind == BF16 else entry.dtype.itemsize)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def read_array(file: BinaryIO, entry: Entry, filepath: Any) -> np.ndarray:
    """The numbers of one array, read straight into it.

    Raises:
        FormatError: the file has become shorter since its header was read.
    """
    stored = np.empty(entry.shape, np.uint16 if entry.kind == BF16 else entry.dtype)
    file.seek(entry.start)
    # one call may read less than it was asked for (2 GiB at most on Linux)
    rest = stored.reshape(-1).view(np.uint8).data if stored.size else memoryview(b"")
    while len(rest):
        count = file.readinto(rest)  # type: ignore[attr-defined]
        if not count:
            raise FormatError(f"{Path(filepath)}: {entry.name} was cut off while it was read")
        rest = rest[count:]
    if entry.kind == BF16:
        return (stored.astype("<u4") << 16).view("<f4")
    if entry.kind == "BOOL":
        return stored.view(np.uint8) != 0  # NumPy computes wrongly with booleans other than 0 and 1
    return stored
