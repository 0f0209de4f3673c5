"""Layers, with the names, defaults and numerics of Keras 3."""

from minidl import registry

from .activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from .borders import Cropping1D, Cropping2D, ZeroPadding1D, ZeroPadding2D
from .convolution import Conv1D, Conv2D, Convolution1D, Convolution2D
from .core import Activation, Dense, Dropout, Flatten, Input, InputLayer, Reshape
from .depthwise_convolution import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConvolution1D,
    SeparableConvolution2D,
)
from .einsum_dense import EinsumDense
from .embedding import Embedding
from .encoding import CategoryEncoding, Discretization
from .global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
)
from .image_layer import CenterCrop, RandomCrop, Resizing
from .input_spec import InputSpec
from .lambda_layer import Lambda
from .layer import Layer
from .left_out import LEFT_OUT, refuse
from .masking import Masking
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
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AvgPool1D,
    AvgPool2D,
    MaxPool1D,
    MaxPool2D,
    MaxPooling1D,
    MaxPooling2D,
)  # fmt: skip
from .preprocessing import Normalization, Rescaling
from .random_colors import RandomBrightness, RandomContrast
from .random_geometry import RandomFlip, RandomRotation, RandomTranslation, RandomZoom
from .transposed_convolution import (
    Conv1DTranspose,
    Conv2DTranspose,
    Convolution1DTranspose,
    Convolution2DTranspose,
)  # fmt: skip
from .upsampling import UpSampling1D, UpSampling2D
from .wrapper import TimeDistributed, Wrapper

__all__ = [
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D",
    "AvgPool1D", "AvgPool2D", "BatchNormalization",
    "CategoryEncoding", "CenterCrop", "Concatenate", "Conv1D", "Conv1DTranspose",
    "Conv2D", "Conv2DTranspose", "Convolution1D", "Convolution1DTranspose", "Convolution2D", "Convolution2DTranspose",
    "Cropping1D", "Cropping2D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D",
    "Discretization", "Dot", "Dropout", "ELU", "EinsumDense",
    "Embedding", "Flatten", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GroupNormalization", "Identity", "Input", "InputLayer", "InputSpec", "Lambda", "Layer",
    "LayerNormalization", "LeakyReLU", "Masking", "MaxPool1D", "MaxPool2D", "MaxPooling1D", "MaxPooling2D",
    "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "Permute", "RMSNormalization", "RandomBrightness",
    "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "ReLU",
    "RepeatVector", "Rescaling", "Reshape", "Resizing", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "Subtract",
    "TimeDistributed", "UnitNormalization", "UpSampling1D", "UpSampling2D", "Wrapper", "ZeroPadding1D",
    "ZeroPadding2D", "add", "average", "concatenate", "deserialize", "dot", "maximum", "minimum", "multiply",
    "serialize", "subtract",
]  # fmt: skip

serialize = registry.serialize
deserialize = registry.deserializer("keras.layers")

registry.publish("keras.layers", globals())


def __getattr__(name: str) -> object:
    raise refuse(__name__, name, LEFT_OUT)
