"""``keras.preprocessing``: pictures from folders, and the older way to augment them."""

from minidl.preprocessing import image

__all__ = ["image"]
