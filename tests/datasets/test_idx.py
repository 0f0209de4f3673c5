"""idx files: what is read, and what is said of a file that is not one."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minidl.datasets.idx import parse_idx, read_bytes
from tests.datasets.helpers import idx


@given(arrays.arrays(np.uint8, arrays.array_shapes(max_dims=3, min_side=0, max_side=5)))
def test_round_trip(array):
    read = parse_idx(idx(array), "file")
    assert read.dtype == np.uint8 and read.shape == array.shape and read.flags.writeable and read.flags.owndata
    np.testing.assert_array_equal(read, array)


@given(st.binary(max_size=40))
def test_any_bytes_give_an_array_or_a_value_error(content):
    try:
        parse_idx(content, "file")
    except ValueError as error:
        assert "file" in str(error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an idx file"),
        (b"<html>", "not an idx file"),
        (b"\0\0\x0d\1" + struct.pack(">I", 1) + b"\0" * 4, "type 0x0d; expected 0x08"),
        (b"\0\0\x08\3\0\0", "ends inside its header: 6 bytes, the header alone takes 16"),
        (idx(np.zeros((2, 3), np.uint8))[:-1], r"shape \(2, 3\), 6 bytes; 5 bytes follow"),
        (idx(np.zeros((2, 3), np.uint8)) + b"\0", r"shape \(2, 3\), 6 bytes; 7 bytes follow"),
        (b"\0\0\x08\4" + b"\xff" * 16, "bytes follow it"),  # 2**128 elements, more than an int64 counts
    ],
)
def test_message(content, message):
    with pytest.raises(ValueError, match=message):
        parse_idx(content, "file")


@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b"hello", lambda b: b[:20] + b"\xff" * 9 + b[29:]])
def test_damaged_gzip_names_the_file(tmp_path, damage):
    file = tmp_path / "labels.gz"
    file.write_bytes(damage(gzip.compress(bytes(range(256)) * 4)))
    with pytest.raises(ValueError, match=r"labels\.gz is not a whole gzip file"):
        read_bytes(file)
