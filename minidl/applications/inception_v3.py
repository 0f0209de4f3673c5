"""InceptionV3 (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567): blocks of parallel convolutions, joined."""

from collections.abc import Sequence
from typing import Any

from minidl.graph.symbolic import KerasTensor
from minidl.layers import Activation, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, MaxPooling2D
from minidl.models import Model

from .build import build, head
from .imagenet import decode_predictions, preprocessor

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("tf")

Convolution = tuple[int, int, int]  # filters, rows, columns


def _conv(
    x: KerasTensor, filters: int, rows: int, columns: int, padding: str = "same", strides: int = 1
) -> KerasTensor:
    x = Conv2D(filters, (rows, columns), strides=strides, padding=padding, use_bias=False)(x)
    x = BatchNormalization(scale=False)(x)
    return Activation("relu")(x)


def _branch(x: KerasTensor, steps: Sequence[Convolution], halve: bool = False) -> KerasTensor:
    """Convolutions in a row; with ``halve`` the last one has stride 2."""
    for place, (filters, rows, columns) in enumerate(steps):
        last = halve and place == len(steps) - 1
        x = _conv(x, filters, rows, columns, "valid" if last else "same", 2 if last else 1)
    return x


def _pooled(x: KerasTensor, filters: int) -> KerasTensor:
    return _conv(AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def _fives(x: KerasTensor, pooled: int, name: str) -> KerasTensor:
    """35x35: 1x1, 5x5, two 3x3, a pool."""
    branches = [
        _branch(x, [(64, 1, 1)]), _branch(x, [(48, 1, 1), (64, 5, 5)]),
        _branch(x, [(64, 1, 1), (96, 3, 3), (96, 3, 3)]), _pooled(x, pooled),
    ]  # fmt: skip
    return Concatenate(name=name)(branches)


def _sevens(x: KerasTensor, inner: int, name: str) -> KerasTensor:
    """17x17: 7x7 convolutions taken apart into 1x7 and 7x1."""
    branches = [
        _branch(x, [(192, 1, 1)]), _branch(x, [(inner, 1, 1), (inner, 1, 7), (192, 7, 1)]),
        _branch(x, [(inner, 1, 1), (inner, 7, 1), (inner, 1, 7), (inner, 7, 1), (192, 1, 7)]), _pooled(x, 192),
    ]  # fmt: skip
    return Concatenate(name=name)(branches)


def _wide(x: KerasTensor, number: int) -> KerasTensor:
    """8x8: branches that fork once more."""
    first = _branch(x, [(320, 1, 1)])
    second = _branch(x, [(384, 1, 1)])
    second = Concatenate(name=f"mixed9_{number}")([_conv(second, 384, 1, 3), _conv(second, 384, 3, 1)])
    third = _branch(x, [(448, 1, 1), (384, 3, 3)])
    third = Concatenate()([_conv(third, 384, 1, 3), _conv(third, 384, 3, 1)])
    return Concatenate(name=f"mixed{9 + number}")([first, second, third, _pooled(x, 192)])


def _body(x: KerasTensor) -> KerasTensor:
    x = _conv(x, 32, 3, 3, "valid", 2)
    x = _conv(x, 32, 3, 3, "valid")
    x = _conv(x, 64, 3, 3)
    x = MaxPooling2D(3, strides=2)(x)
    x = _conv(x, 80, 1, 1, "valid")
    x = _conv(x, 192, 3, 3, "valid")
    x = MaxPooling2D(3, strides=2)(x)
    for number, pooled in enumerate((32, 64, 64)):
        x = _fives(x, pooled, f"mixed{number}")
    halved = [_branch(x, [(384, 3, 3)], halve=True), _branch(x, [(64, 1, 1), (96, 3, 3), (96, 3, 3)], halve=True)]
    x = Concatenate(name="mixed3")([*halved, MaxPooling2D(3, strides=2)(x)])
    for number, inner in enumerate((128, 160, 160, 192), start=4):
        x = _sevens(x, inner, f"mixed{number}")
    halved = [
        _branch(x, [(192, 1, 1), (320, 3, 3)], halve=True),
        _branch(x, [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)], halve=True),
    ]
    x = Concatenate(name="mixed8")([*halved, MaxPooling2D(3, strides=2)(x)])
    for number in range(2):
        x = _wide(x, number)
    return x


def InceptionV3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_v3",
) -> Model:
    """InceptionV3 with Keras' layer names: 23,851,784 parameters, 21,802,784 without its top.

    Arguments as of ``ResNet50``; pictures have 75x75 pixels at least, and (299, 299, 3) where nothing is said.
    """
    return build(
        body=_body, default_size=299, min_size=75, top=head,
        file_name="inception_v3_weights_tf_dim_ordering_tf_kernels", **locals(),
    )  # fmt: skip
