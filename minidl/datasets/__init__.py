"""Data to learn from: MNIST, Fashion-MNIST, CIFAR-10, and pictures of one's own in folders."""

from ..data.images import image_folder
from . import cifar10, fashion_mnist, mnist

__all__ = ["cifar10", "fashion_mnist", "image_folder", "mnist"]
