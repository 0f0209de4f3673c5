"""The wire format of protocol buffers, as far as event files need it.

A message is a row of fields. A field is a key (its number * 8 + its kind, as a varint) and its content: a varint, eight
or four bytes, or a length and so many bytes. A message inside a message is bytes. Fields that have their default (0 or
empty) may be left out.

https://protobuf.dev/programming-guides/encoding/
"""

import struct

__all__ = ["field", "float64", "text", "varint", "whole"]

_VARINT, _EIGHT_BYTES, _BYTES = 0, 1, 2


def varint(value: int) -> bytes:
    """A whole number in groups of seven bits, the lowest first; the top bit says that another group follows."""
    value &= (1 << 64) - 1  # a negative int64 is written as its two's complement: ten bytes
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def field(number: int, content: bytes) -> bytes:
    """Bytes, or a message inside this one."""
    return varint(number << 3 | _BYTES) + varint(len(content)) + content


def text(number: int, content: str) -> bytes:
    """A text, as UTF-8."""
    return field(number, content.encode())


def whole(number: int, value: int) -> bytes:
    """An int32, int64, bool or enum."""
    return varint(number << 3 | _VARINT) + varint(value)


def float64(number: int, value: float) -> bytes:
    """A double."""
    return varint(number << 3 | _EIGHT_BYTES) + struct.pack("<d", value)
