"""Writing whole files stands on the lowest floor, ``minidl.atomic``; here is where saving looks for it."""

from minidl.atomic import replacing, write_text

__all__ = ["replacing", "write_text"]
