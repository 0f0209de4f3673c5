"""Records in a file: TFRecord, which TensorBoard reads.

A record is its length (8 bytes), a checksum of these, the content, and a checksum of that. A reader that comes to a
record that is not whole yet waits for the rest, so a file can be read while it grows, and after its writer was killed.

https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import os
import struct
from pathlib import Path

__all__ = ["RecordFile", "crc32c", "record"]


def _table() -> list[int]:
    """The remainders of all bytes, for the polynomial of Castagnoli (reversed: 0x82F63B78), not that of zlib.crc32."""
    remainders = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0x82F63B78 if byte & 1 else byte >> 1
        remainders.append(byte)
    return remainders


_REMAINDERS = _table()


def crc32c(content: bytes) -> int:
    """The CRC-32C of bytes (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _REMAINDERS[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _checksum(content: bytes) -> bytes:
    # Masked: the CRC of bytes that end with their own CRC is a constant, so a CRC is never stored as it is.
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(content: bytes) -> bytes:
    """One record of a file."""
    length = struct.pack("<Q", len(content))
    return length + _checksum(length) + content + _checksum(content)


class RecordFile:
    """A new file that records are appended to, each in one piece: what was written survives the death of the process.

    Args:
        path: where; there must be no such file yet.
    """

    def __init__(self, path: Path):
        self.path = path
        self._file = open(path, "xb", buffering=0)  # noqa: SIM115 - it is open as long as this object

    def append(self, content: bytes) -> None:
        """Write one record."""
        data = memoryview(record(content))
        while data:
            data = data[self._file.write(data) :]

    def flush(self) -> None:
        """Bring what was written onto the disk, which lets it survive a power cut too."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()
