"""Layers, with the names, defaults and numerics of Keras 3."""

from minidl import registry

from .activation import LeakyReLU, ReLU, Softmax
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
from .input_spec import InputSpec
from .layer import Layer
from .merging import Add, Concatenate, add, concatenate
from .normalization import BatchNormalization
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AvgPool1D,
    AvgPool2D,
    MaxPool1D,
    MaxPool2D,
    MaxPooling1D,
    MaxPooling2D,
)
from .transposed_convolution import Conv1DTranspose, Conv2DTranspose, Convolution1DTranspose, Convolution2DTranspose
from .upsampling import UpSampling1D, UpSampling2D

__all__ = [
    "Activation", "Add", "AveragePooling2D", "AvgPool2D", "BatchNormalization", "Concatenate", "Conv2D",
    "Convolution2D", "Dense",
    "Dropout", "Flatten", "GlobalAveragePooling2D", "Input", "InputLayer", "InputSpec", "Layer", "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D", "ReLU", "Reshape", "Softmax", "add", "concatenate", "deserialize", "serialize",
    "Conv1D", "Conv1DTranspose", "Conv2DTranspose", "Convolution1D", "Convolution1DTranspose", "Convolution2DTranspose",
    "Cropping1D", "Cropping2D", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "SeparableConvolution1D", "SeparableConvolution2D", "UpSampling1D", "UpSampling2D", "ZeroPadding1D",
    "ZeroPadding2D", "AveragePooling1D", "AvgPool1D", "GlobalAveragePooling1D", "GlobalAvgPool1D", "GlobalAvgPool2D",
    "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "MaxPool1D", "MaxPooling1D",
]  # fmt: skip

serialize, deserialize = registry.serialize, registry.deserialize

registry.publish("keras.layers", globals())
