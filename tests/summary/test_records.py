"""Checksums, records and the wire format, against published values."""

import struct

import pytest

from minidl.summary import records, wire


# RFC 3720, appendix B.4
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
    ],
)
def test_the_checksum(content, expected):
    assert records.crc32c(content) == expected


def test_a_record_is_length_checksum_content_checksum():
    data = records.record(b"abc")
    assert struct.unpack("<Q", data[:8]) == (3,) and data[12:15] == b"abc" and len(data) == 19
    crc = records.crc32c(b"abc")
    rotated = (crc >> 15) | (crc << 17) & 0xFFFFFFFF
    assert struct.unpack("<I", data[15:]) == ((rotated + 0xA282EAD8) % 2**32,)


# https://protobuf.dev/programming-guides/encoding/
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wire.whole(1, 150), "08 96 01"),
        (wire.text(2, "testing"), "12 07 74 65 73 74 69 6e 67"),
        (wire.field(3, wire.whole(1, 150)), "1a 03 08 96 01"),
        (wire.varint(0), "00"),
        (wire.varint(300), "ac 02"),
        (wire.varint(-2), "fe ff ff ff ff ff ff ff ff 01"),
        (wire.float64(1, 1.0), "09 00 00 00 00 00 00 f0 3f"),
    ],
)
def test_the_wire_format(content, expected):
    assert content == bytes.fromhex(expected)


def test_a_file_is_never_written_over(tmp_path):
    file = records.RecordFile(tmp_path / "one")
    file.append(b"content")
    assert (tmp_path / "one").read_bytes() == records.record(b"content")  # before it is closed
    file.close()
    with pytest.raises(FileExistsError):
        records.RecordFile(tmp_path / "one")


def test_a_writer_writes_into_one_file_of_its_folder(tmp_path):
    from minidl import summary

    writer = summary.create_file_writer(tmp_path / "run")
    assert isinstance(writer, summary.FileWriter) and not (tmp_path / "run").exists()
    writer.scalar("loss", 0.5, step=3)
    writer.close()
    (file,) = (tmp_path / "run").iterdir()
    assert file.name.startswith("events.out.tfevents.") and file.name.endswith(".v2") and b"loss" in file.read_bytes()
