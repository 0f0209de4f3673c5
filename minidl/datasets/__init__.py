"""Data to learn from: Fashion-MNIST, and pictures of one's own in folders."""

from ..data.images import image_folder
from . import fashion_mnist

__all__ = ["fashion_mnist", "image_folder"]
