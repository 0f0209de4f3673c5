"""``keras.preprocessing``: pictures from folders, and the older way to augment them."""

from minidl.data.image_dataset import image_dataset_from_directory
from minidl.preprocessing import image

__all__ = ["image", "image_dataset_from_directory"]
