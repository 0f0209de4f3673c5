"""Layers, with the names, defaults and numerics of Keras 3."""

from minidl import registry

from .activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from .convolution import Conv2D, Convolution2D
from .core import Activation, Dense, Dropout, Flatten, Input, InputLayer, Reshape
from .einsum_dense import EinsumDense
from .embedding import Embedding
from .image_layer import CenterCrop, RandomCrop, Resizing
from .input_spec import InputSpec
from .layer import Layer
from .merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .normalization import BatchNormalization
from .permuting import Identity, Permute, RepeatVector
from .pooling import AveragePooling2D, AvgPool2D, GlobalAveragePooling2D, MaxPool2D, MaxPooling2D
from .preprocessing import Normalization, Rescaling
from .random_colors import RandomBrightness, RandomContrast
from .random_geometry import RandomFlip, RandomRotation, RandomTranslation, RandomZoom

__all__ = [
    "Activation", "Add", "Average", "AveragePooling2D", "AvgPool2D", "BatchNormalization", "CenterCrop",
    "Concatenate", "Conv2D", "Convolution2D", "Dense", "Dot", "Dropout", "ELU", "EinsumDense", "Embedding", "Flatten",
    "GlobalAveragePooling2D", "Identity", "Input", "InputLayer", "InputSpec", "Layer", "LeakyReLU", "MaxPool2D",
    "MaxPooling2D", "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "Permute", "RandomBrightness",
    "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "ReLU",
    "RepeatVector", "Rescaling", "Reshape", "Resizing", "Softmax", "Subtract", "add", "average", "concatenate",
    "deserialize", "dot", "maximum", "minimum", "multiply", "serialize", "subtract",
]  # fmt: skip

serialize, deserialize = registry.serialize, registry.deserialize

registry.publish("keras.layers", globals())
