"""HDF5 files whose numbers never stand in memory twice.

The HDF5 library lays the file out, on pages that hold only what describes the arrays; the numbers are poured into their
places as the file is written, from the beginning to the end, straight from the arrays.
"""

import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from .pieces import bytes_of, pieces_of

__all__ = ["Image"]

PAGE = 4096


class _Pages(io.RawIOBase):
    """A file in memory that holds the pages that were written to, and zeros elsewhere; as h5py wants files."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}
        self.size = self.place = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def truncate(self, size: int | None = None) -> int:
        self.size = self.place if size is None else size
        return self.size

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for page, first, last, done in self._pieces(self.place, len(view)):
            self.pages.setdefault(page, bytearray(PAGE))[first:last] = view[done : done + last - first]
        self.place += len(view)
        self.size = max(self.size, self.place)
        return len(view)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(min(len(view), self.size - self.place), 0)
        view[:count] = self.between(self.place, self.place + count)
        self.place += count
        return count

    def between(self, start: int, stop: int) -> bytes:
        """The bytes of a stretch."""
        found = bytearray(stop - start)
        for page, first, last, done in self._pieces(start, stop - start):
            if page in self.pages:
                found[done : done + last - first] = self.pages[page][first:last]
        return bytes(found)

    def _pieces(self, start: int, count: int) -> Iterator[tuple[int, int, int, int]]:
        """(page, first and last byte in it, bytes before)."""
        done = 0
        while done < count:
            page, first = divmod(start + done, PAGE)
            last = min(PAGE, first + count - done)
            yield page, first, last, done
            done += last - first


class Image:
    """An HDF5 file to be; made within ``with Image() as (image, tree)``, written afterwards.

    The arrays are not copied, so they must not change in between.
    """

    def __init__(self) -> None:
        self._pages = _Pages()
        self._arrays: list[tuple[int, np.ndarray]] = []

    def __enter__(self) -> tuple["Image", Any]:
        import h5py

        self._tree = h5py.File(self._pages, "w")
        return self, self._tree

    def __exit__(self, *error: Any) -> None:
        self._tree.close()
        del self._tree
        self._arrays.sort(key=lambda item: item[0])

    def put(self, group: Any, path: str, array: np.ndarray) -> None:
        """Make a place for an array, ``group[path] = array``; the numbers are fetched when the file is written."""
        import h5py

        if not array.ndim or not array.size:  # h5py ignores settings there
            group.create_dataset(path, data=array)
            return
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)  # so that the place is known now
        settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        dataset = group.create_dataset(path, array.shape, array.dtype, dcpl=settings)
        self._arrays.append((dataset.id.get_offset(), array))

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._pages.size

    def pieces(self) -> Iterator[Any]:
        """The bytes of the file from the first to the last, in objects that ``write`` takes."""
        place = 0
        for offset, array in self._arrays:
            yield from self._described(place, offset)
            yield from pieces_of(bytes_of(array))
            place = offset + array.nbytes
        yield from self._described(place, self.size)

    def _described(self, start: int, stop: int) -> Iterator[Any]:
        return pieces_of(self._pages.between(start, stop))

    def write(self, file: BinaryIO | Any) -> None:
        """Write it to an open file."""
        for piece in self.pieces():
            file.write(piece)

    def checksum(self) -> int:
        """The CRC-32 of the file."""
        found = 0
        for piece in self.pieces():
            found = zlib.crc32(piece, found)
        return found
