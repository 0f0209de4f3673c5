"""Layers, with the names, defaults and numerics of Keras 3."""

from minidl import registry

from .activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from .convolution import Conv2D, Convolution2D
from .core import Activation, Dense, Dropout, Flatten, Input, InputLayer, Reshape
from .einsum_dense import EinsumDense
from .embedding import Embedding
from .input_spec import InputSpec
from .lambda_layer import Lambda
from .layer import Layer
from .left_out import LEFT_OUT, refuse
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
from .noise import (
    ActivityRegularization,
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from .normalization import BatchNormalization
from .per_sample import GroupNormalization, LayerNormalization, RMSNormalization, UnitNormalization
from .permuting import Identity, Permute, RepeatVector
from .pooling import AveragePooling2D, AvgPool2D, GlobalAveragePooling2D, MaxPool2D, MaxPooling2D
from .wrapper import TimeDistributed, Wrapper

__all__ = [
    "Activation", "Add", "AveragePooling2D", "AvgPool2D", "BatchNormalization", "Concatenate", "Conv2D",
    "Convolution2D", "Dense",
    "Dropout", "Flatten", "GlobalAveragePooling2D", "Input", "InputLayer", "InputSpec", "Layer", "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D", "ReLU", "Reshape", "Softmax", "add", "concatenate", "deserialize", "serialize",
]  # fmt: skip
__all__ += [
    "ActivityRegularization", "AlphaDropout", "Average", "Dot", "ELU", "EinsumDense", "Embedding", "GaussianDropout",
    "GaussianNoise", "GroupNormalization", "Identity", "Lambda", "LayerNormalization", "Maximum", "Minimum", "Multiply",
    "PReLU", "Permute", "RMSNormalization", "RepeatVector", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "Subtract", "TimeDistributed", "UnitNormalization", "Wrapper", "average", "dot", "maximum", "minimum", "multiply",
    "subtract",
]  # fmt: skip

serialize, deserialize = registry.serialize, registry.deserialize

registry.publish("keras.layers", globals())


def __getattr__(name: str) -> object:
    raise refuse(__name__, name, LEFT_OUT)
