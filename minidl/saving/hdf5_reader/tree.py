"""Groups and datasets, under the names and with the methods that h5py gives them.

HDF5 File Format Specification version 3.0, section IV "Disk Format: Level 2 - Data Objects": which messages make a
group, and which a dataset. Everything that is wrong comes out as a FormatError with the path inside the file.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from minidl.saving.errors import FormatError

from . import headers
from .attributes import Attributes
from .dataspaces import LARGEST, elements, shape_of
from .datatypes import Datatype, datatype_of
from .filters import Filter, filters_of
from .headers import Message, first, messages_of
from .layouts import CHUNKED, COMPACT, Layout, chunks_of, fill_value, layout_of
from .links import members_of
from .storage import Block, Damage, Storage
from .superblock import find_root
from .texts import Texts

__all__ = ["Dataset", "Group", "open_hdf5"]

DEEPEST = 256
PIECE = 1 << 20  # bytes that are read at once where they have to be cast


def open_hdf5(
    file: BinaryIO, filepath: Any, start: int = 0, size: int | None = None, packed: int | None = None
) -> "Group":
    """The root group of a file, which must stay open.

    Args:
        file: open for reading in binary mode.
        filepath: what error messages call it.
        start, size: the part of the file that is one in HDF5; default: all.
        packed: bytes of the file that this one was unpacked from, if it was.

    Raises:
        FormatError: it is no such file, or damaged.
    """
    tree = _Tree(Storage(file, start, size, packed), filepath)
    with tree.naming("/"):
        return Group(tree, "/", find_root(tree.storage))


class _Tree:
    """What all objects of a file share."""

    def __init__(self, storage: Storage, filepath: Any):
        self.storage, self.filepath = storage, filepath
        self.texts = Texts(storage)
        self.paths: dict[int, str] = {}  # of the objects that were opened, by the address of the header

    @contextmanager
    def naming(self, place: str) -> Iterator[None]:
        """Turn damage into a FormatError that names file, place and byte."""
        try:
            yield
        except Damage as damage:
            raise FormatError(
                f"{self.filepath}: cannot be read as HDF5: {place}: {damage.what} (byte {damage.at})"
            ) from None

    def object(self, path: str, address: int) -> "Group | Dataset":
        """The object at an address, which may be reached by one path only: so no tree is endless."""
        if self.paths.setdefault(address, path) != path:
            raise Damage(address, f"it is the same object as {self.paths[address]}")
        messages = messages_of(self.storage, address)
        if first(messages, headers.LAYOUT) is not None:
            return Dataset(self, path, messages)
        return Group(self, path, address, messages)


class _Object:
    """What groups and datasets have in common.

    Attributes:
        name: the path inside the file.
    """

    def __init__(self, tree: _Tree, name: str, messages: list[Message]):
        self._tree, self.name, self._messages = tree, name, messages
        self._attributes: Attributes | None = None

    @property
    def attrs(self) -> Mapping[str, Any]:
        """The attributes by name."""
        if self._attributes is None:
            with self._tree.naming(self.name):
                self._attributes = Attributes(self._messages, self._tree.texts, self._at)
        return self._attributes

    def _at(self, what: str) -> Any:
        return self._tree.naming(f"{self.name}, {what}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class Group(_Object):
    """A group; its members by name, in the order of the names."""

    def __init__(self, tree: _Tree, name: str, address: int, messages: list[Message] | None = None):
        if messages is None:
            tree.paths[address] = name
            messages = messages_of(tree.storage, address)
        super().__init__(tree, name, messages)
        if not any(first(messages, kind) for kind in (headers.SYMBOL_TABLE, headers.LINK_INFO, headers.LINK)):
            raise Damage(address, "it is neither a group nor a dataset")
        if name.count("/") > DEEPEST:
            raise Damage(address, f"groups inside groups, more than {DEEPEST}")
        self._addresses: dict[str, int | None] | None = None
        self._members: dict[str, Group | Dataset] = {}

    def _links(self) -> dict[str, int | None]:
        if self._addresses is None:
            with self._tree.naming(self.name):
                self._addresses = members_of(self._tree.storage, self._messages)
        return self._addresses

    def __contains__(self, name: str) -> bool:
        return name in self._links()

    def __iter__(self) -> Iterator[str]:
        return iter(self._links())

    def __len__(self) -> int:
        return len(self._links())

    def __getitem__(self, name: str) -> "Group | Dataset":
        """A member.

        Raises:
            FormatError: there is none, it is a link to somewhere else, or it cannot be read.
        """
        if name not in self._members:
            path = f"{self.name.rstrip('/')}/{name}"
            with self._tree.naming(path):
                links = self._links()
                if name not in links:
                    raise FormatError(f"{self._tree.filepath}: {self.name} lacks {name!r}")
                address = links[name]
                if address is None:
                    raise FormatError(f"{self._tree.filepath}: {path} is a link to somewhere else")
                self._members[name] = self._tree.object(path, address)
        return self._members[name]

    @property
    def most_data(self) -> int:
        """Bytes that all arrays of the file may take, however small they claim to be in it."""
        return self._tree.storage.most_data

    def datasets(self) -> "Iterator[Dataset]":
        """All datasets in this group and below; links to somewhere else are passed over."""
        stack: list[Group | Dataset] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, Dataset):
                yield item
            else:
                stack.extend(item[name] for name, address in reversed(item._links().items()) if address is not None)


class Dataset(_Object):
    """An array in a file, not yet read.

    Attributes:
        shape: of one without a value: (0,).
        dtype: what ``read`` gives; as in h5py, but bfloat16 is widened to float32.
    """

    def __init__(self, tree: _Tree, name: str, messages: list[Message]):
        super().__init__(tree, name, messages)
        if first(messages, headers.EXTERNAL_FILES) is not None:
            raise FormatError(f"{tree.filepath}: {name} is not an array in this file, but in another")
        space, type_, layout = (first(messages, kind) for kind in (headers.DATASPACE, headers.DATATYPE, headers.LAYOUT))
        if space is None or type_ is None or layout is None:
            raise Damage(messages[0].at, "a dataset lacks its shape or its datatype")
        shape = shape_of(space.body())
        self.shape: tuple[int, ...] = (0,) if shape is None else shape
        self._type: Datatype = datatype_of(type_.body())
        if self._type.kind == "opaque" and self._type.size == 2 and self.attrs.get("dtype") == "bfloat16":
            self._type = Datatype(np.dtype("<u2"), 2, "bfloat16")  # as Keras writes it
        if elements(tuple(max(n, 1) for n in self.shape)) * self._type.size > LARGEST:
            raise Damage(space.at, f"the shape {self.shape} is impossible")
        self._at_byte = layout.at
        self._layout: Layout = layout_of(layout, self._type.size, len(self.shape))
        self._steps: list[Filter] = filters_of(first(messages, headers.FILTERS)) if self._layout.kind == CHUNKED else []
        self._fill = fill_value(first(messages, headers.FILL_VALUE), self._type.size)
        self._checked = self._charged = False

    @property
    def dtype(self) -> np.dtype:
        return self._type.shown

    @property
    def stored_bytes(self) -> int:
        """Bytes of the elements as they are stored, before compression."""
        return elements(self.shape) * self._type.size

    def check(self) -> None:
        """See that ``read`` will be able to give all elements; nothing of them is kept.

        Raises:
            FormatError: it will not.
        """
        if not self._checked:
            with self._tree.naming(self.name):
                self._check()
            self._checked = True

    def read(self) -> np.ndarray:
        """The elements.

        Raises:
            FormatError: they are damaged, or more than a file of this size may hold; then nothing was allocated.
        """
        self.check()
        with self._tree.naming(self.name):
            return self._read()

    def read_into(self, target: np.ndarray) -> None:
        """Fill a C-contiguous array of numbers, of this shape, with the elements, cast to its dtype.

        They are read where they go, or piece by piece: there is no second copy of all of them.
        """
        self.check()
        storage, layout, type_ = self._tree.storage, self._layout, self._type
        if layout.address is None or type_.kind != "number" or not self.shape:
            target[...] = self.read()
            return
        if layout.kind == CHUNKED:
            with self._tree.naming(self.name):
                target[...] = 0 if self._fill is None else np.frombuffer(self._fill, type_.dtype)[0]
                for place, part in self._chunks(charged=True):
                    target[place] = np.ascontiguousarray(part).view(type_.dtype)[..., 0]
            return
        with self._tree.naming(self.name):
            if type_.dtype == target.dtype:
                storage.read_into(layout.address, target)
                return
            flat, step = target.reshape(-1), max(PIECE // type_.size, 1)
            for first_ in range(0, flat.size, step):
                raw = np.empty(min(step, flat.size - first_), type_.dtype)
                storage.read_into(layout.address, raw, first_ * type_.size)
                flat[first_ : first_ + step] = raw

    def _check(self) -> None:
        storage, layout = self._tree.storage, self._layout
        if not self._charged:
            storage.charge(self._at_byte, self.stored_bytes)
            self._charged = True
        if layout.kind == CHUNKED:
            for _ in self._chunks(charged=False):
                pass
        elif layout.address is not None:
            if layout.size < self.stored_bytes:
                raise Damage(
                    self._at_byte, f"the shape {self.shape} needs {self.stored_bytes} bytes, but it has {layout.size}"
                )
            if layout.kind != COMPACT:
                storage.must_hold(layout.address, self.stored_bytes)

    def _chunks(self, charged: bool) -> Any:
        return chunks_of(self._tree.storage, self._layout, self.shape, self._type.size, self._steps, charged)

    def _read(self) -> np.ndarray:
        storage, layout, type_ = self._tree.storage, self._layout, self._type
        if type_.kind == "texts":
            raw: Any = np.empty((*self.shape, type_.size), np.uint8)
        else:
            raw = np.empty(self.shape, type_.dtype)
        if layout.kind == CHUNKED:
            self._fill_with(raw)
            planes = raw.reshape(*self.shape, -1) if type_.kind == "texts" else raw[..., None].view(np.uint8)
            for place, part in self._chunks(charged=True):
                planes[place] = part
        elif layout.address is None:
            self._fill_with(raw)
        else:
            storage.read_into(layout.address, raw)
        return self._handed_out(raw)

    def _fill_with(self, raw: np.ndarray) -> None:
        if self._fill is None or raw.dtype == np.uint8 and self._type.kind == "texts":
            raw.reshape(-1).view(np.uint8)[:] = 0
        else:
            raw[...] = np.frombuffer(self._fill, raw.dtype)[0]

    def _handed_out(self, raw: np.ndarray) -> np.ndarray:
        if self._type.kind == "texts":
            block = Block(self._tree.storage, self._at_byte, raw.tobytes())
            return self._tree.texts.read(block, elements(self.shape)).reshape(self.shape)
        if self._type.kind == "bfloat16":
            return (raw.astype(np.uint32) << 16).view(np.float32)
        return raw.astype(self.dtype, copy=False)
