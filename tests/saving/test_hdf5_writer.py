"""The writer of HDF5 files: h5py reads from them what was put in, and they take no second copy in memory."""

import io
import tracemalloc
import zlib

import h5py
import numpy as np
import pytest

from minidl.saving import pieces
from minidl.saving.hdf5_writer import Image


def some_arrays():
    rng = np.random.default_rng(0)
    dtypes = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")
    arrays = {dtype: (rng.normal(size=(3, 5)) * 50).astype(dtype) for dtype in dtypes if dtype[0] != "u"}
    arrays |= {dtype: rng.integers(0, 200, (2, 1, 7)).astype(dtype) for dtype in dtypes if dtype[0] == "u"}
    arrays |= {"long": rng.normal(size=100_000).astype("f4"), "turned": rng.normal(size=(5, 7)).T}
    return {**arrays, "a/b/deep": np.arange(3), "no axes": np.array(2.5, "f4"), "empty": np.zeros((0, 3), "f4")}


def image_of(arrays):
    with Image() as (image, tree):
        for path, array in arrays.items():
            image.put(tree, path, array)
        tree.attrs["text"] = "ü" * 100
    return image


def content_of(image):
    file = io.BytesIO()
    image.write(file)
    return file.getvalue()


@pytest.mark.parametrize("piece", [64, pieces.PIECE])
def test_h5py_reads_what_was_put_in(piece, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", piece)
    arrays = some_arrays()
    image = image_of(arrays)
    content = content_of(image)
    assert len(content) == image.size and zlib.crc32(content) == image.checksum()
    with h5py.File(io.BytesIO(content)) as tree:
        assert tree.attrs["text"] == "ü" * 100
        for path, array in arrays.items():
            assert tree[path].dtype == array.dtype and tree[path].shape == array.shape
            np.testing.assert_array_equal(tree[path][()], array)


def test_a_tree_with_more_groups_than_the_library_keeps_in_mind():
    """It reads back what it wrote before."""
    arrays = {f"layers/dense_{i}/vars/{k}": np.full((k + 1,), i, "f4") for i in range(3000) for k in range(2)}
    with h5py.File(io.BytesIO(content_of(image_of(arrays)))) as tree:
        assert len(tree["layers"]) == 3000
        for path, array in arrays.items():
            np.testing.assert_array_equal(tree[path][()], array)


def test_numbers_are_not_copied():
    array = np.ones(10_000_000, "f4")

    class Nowhere:
        def write(self, piece):
            assert len(piece) <= pieces.PIECE

    tracemalloc.start()
    image = image_of({"a": array})
    image.write(Nowhere())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_what_goes_wrong_inside_is_passed_on():
    with pytest.raises(KeyError, match="mine"), Image():
        raise KeyError("mine")
