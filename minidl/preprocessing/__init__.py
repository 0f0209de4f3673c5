"""``keras.preprocessing``: pictures from folders, sequences, and the older way to augment pictures."""

from minidl.data.image_dataset import image_dataset_from_directory
from minidl.data.sequences import timeseries_dataset_from_array
from minidl.preprocessing import image, sequence

__all__ = ["image", "image_dataset_from_directory", "sequence", "timeseries_dataset_from_array"]
