"""MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381): inverted residuals on depthwise convolutions."""

from typing import Any

from minidl.graph.symbolic import KerasTensor
from minidl.layers import Add, BatchNormalization, Conv2D, DepthwiseConv2D, ReLU, ZeroPadding2D
from minidl.models import Model

from .build import build, head
from .imagenet import decode_predictions, preprocessor

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("tf")

SIZES = (96, 128, 160, 192, 224)  # of pictures for which Keras publishes weights
# (filters, stride of the first block, how many blocks), all but the first block with an expansion of 6.
STAGES = ((16, 1, 1), (24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1))


def _eighths(filters: float) -> int:
    """The nearest multiple of 8, not more than a tenth below."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def _normalized(x: KerasTensor, name: str, relu: str | None) -> KerasTensor:
    x = BatchNormalization(epsilon=1e-3, momentum=0.999, name=name)(x)
    return x if relu is None else ReLU(6.0, name=relu)(x)


def _block(x: KerasTensor, filters: int, stride: int, number: int) -> KerasTensor:
    """Expand (1x1), filter each channel (3x3), project (1x1); added to the input where the shapes agree."""
    start, prefix = x, f"block_{number}_" if number else "expanded_conv_"
    channels = x.shape[-1]
    if number:
        x = Conv2D(6 * channels, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = _normalized(x, f"{prefix}expand_BN", f"{prefix}expand_relu")
    if stride == 2:
        # "same" puts the odd cell of padding after; the published weights were trained with it before.
        even = [0 if extent is None else 1 - extent % 2 for extent in x.shape[1:3]]
        even = [1, 1] if x.shape[1] is None else even
        x = ZeroPadding2D(((1 - even[0], 1), (1 - even[1], 1)), name=f"{prefix}pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = DepthwiseConv2D(3, strides=stride, use_bias=False, padding=padding, name=f"{prefix}depthwise")(x)
    x = _normalized(x, f"{prefix}depthwise_BN", f"{prefix}depthwise_relu")
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _normalized(x, f"{prefix}project_BN", None)
    return Add(name=f"{prefix}add")([start, x]) if channels == filters and stride == 1 else x


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNetV2 with Keras' layer names: 3,538,984 parameters, 2,257,984 without its top (alpha 1).

    Args:
        input_shape: (rows, columns, channels), at least 32x32; default (224, 224, 3).
        alpha: factor of the number of filters.
        include_top: the Dense layer on top.
        weights: None (random), a file of weights, or "imagenet": Keras' file, from the cache.
        input_tensor: a symbolic tensor to build on.
        pooling: without the top: None, "avg" or "max".
        classes: of the top.
        classifier_activation: of the top; None gives logits.
        name: default "mobilenetv2_ALPHA_ROWS".

    Raises:
        ValueError: arguments that do not fit together.
        FileNotFoundError: no file of weights.
    """
    if not isinstance(alpha, (int, float)) or not alpha > 0:
        raise ValueError(f"alpha must be a positive number, not {alpha!r}")
    shape = input_shape if input_shape is not None else None if input_tensor is None else tuple(input_tensor.shape[1:])
    rows = shape[0] if shape is not None and shape[0] == shape[1] and shape[0] in SIZES else 224
    given = shape[0] if shape is not None else 224 if include_top else None  # Keras names the model so

    def body(x: KerasTensor) -> KerasTensor:
        x = Conv2D(_eighths(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(x)
        x = _normalized(x, "bn_Conv1", "Conv1_relu")
        number = 0
        for filters, stride, blocks in STAGES:
            for place in range(blocks):
                x = _block(x, _eighths(int(filters * alpha)), stride if place == 0 else 1, number)
                number += 1
        x = Conv2D(_eighths(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
        return _normalized(x, "Conv_1_bn", "out_relu")

    return build(
        name or f"mobilenetv2_{alpha:0.2f}_{given}", body, include_top=include_top, weights=weights,
        input_tensor=input_tensor, input_shape=input_shape, pooling=pooling, classes=classes,
        classifier_activation=classifier_activation, default_size=rows, min_size=32,
        top=lambda x, count, activation: head(x, count, activation, name=None),
        file_name=f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}", no_top="_no_top",
    )  # fmt: skip
