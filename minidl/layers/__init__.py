"""Layers, with the names, defaults and numerics of Keras 3."""

from minidl import registry

from .activation import LeakyReLU, ReLU, Softmax
from .convolution import Conv2D, Convolution2D
from .core import Activation, Dense, Dropout, Flatten, Input, InputLayer, Reshape
from .image_layer import CenterCrop, RandomCrop, Resizing
from .input_spec import InputSpec
from .layer import Layer
from .merging import Add, Concatenate, add, concatenate
from .normalization import BatchNormalization
from .pooling import AveragePooling2D, AvgPool2D, GlobalAveragePooling2D, MaxPool2D, MaxPooling2D
from .preprocessing import Normalization, Rescaling
from .random_colors import RandomBrightness, RandomContrast
from .random_geometry import RandomFlip, RandomRotation, RandomTranslation, RandomZoom

__all__ = [
    "Activation", "Add", "AveragePooling2D", "AvgPool2D", "BatchNormalization", "Concatenate", "Conv2D",
    "Convolution2D", "Dense",
    "Dropout", "Flatten", "GlobalAveragePooling2D", "Input", "InputLayer", "InputSpec", "Layer", "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D", "ReLU", "Reshape", "Softmax", "add", "concatenate", "deserialize", "serialize",
    "CenterCrop", "Normalization", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation",
    "RandomTranslation", "RandomZoom", "Rescaling", "Resizing",
]  # fmt: skip

serialize, deserialize = registry.serialize, registry.deserialize

registry.publish("keras.layers", globals())
