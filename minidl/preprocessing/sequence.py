"""``keras.preprocessing.sequence``: sequences of several lengths brought to one."""

from minidl.data.sequences import pad_sequences

__all__ = ["pad_sequences"]
