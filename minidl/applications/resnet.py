"""ResNet50, 101 and 152 (He et al. 2015, https://arxiv.org/abs/1512.03385): bottleneck blocks with shortcuts."""

from typing import Any

from minidl.graph.symbolic import KerasTensor
from minidl.layers import Activation, Add, BatchNormalization, Conv2D, MaxPooling2D, ZeroPadding2D
from minidl.models import Model

from .build import build, head
from .imagenet import decode_predictions, preprocessor

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("caffe")

EPSILON = 1.001e-5  # of every batch normalisation


def _block(x: KerasTensor, filters: int, stride: int, shortcut: bool, name: str) -> KerasTensor:
    """1x1, 3x3, 1x1 convolutions, added to the input (or to a 1x1 convolution of it)."""
    aside = x
    if shortcut:
        aside = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
        aside = BatchNormalization(epsilon=EPSILON, name=f"{name}_0_bn")(aside)
    x = Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = BatchNormalization(epsilon=EPSILON, name=f"{name}_1_bn")(x)
    x = Activation("relu", name=f"{name}_1_relu")(x)
    x = Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = BatchNormalization(epsilon=EPSILON, name=f"{name}_2_bn")(x)
    x = Activation("relu", name=f"{name}_2_relu")(x)
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = BatchNormalization(epsilon=EPSILON, name=f"{name}_3_bn")(x)
    x = Add(name=f"{name}_add")([aside, x])
    return Activation("relu", name=f"{name}_out")(x)


def _resnet(file: str, depths: tuple[int, ...], **settings: Any) -> Model:
    def body(x: KerasTensor) -> KerasTensor:
        x = ZeroPadding2D(3, name="conv1_pad")(x)
        x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
        x = BatchNormalization(epsilon=EPSILON, name="conv1_bn")(x)
        x = Activation("relu", name="conv1_relu")(x)
        x = ZeroPadding2D(1, name="pool1_pad")(x)
        x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
        for stage, (filters, depth) in enumerate(zip((64, 128, 256, 512), depths, strict=True), start=2):
            for number in range(1, depth + 1):
                stride = 2 if number == 1 and stage > 2 else 1
                x = _block(x, filters, stride, number == 1, f"conv{stage}_block{number}")
        return x

    file_name = f"{file}_weights_tf_dim_ordering_tf_kernels"
    return build(
        settings.pop("name"), body, top=head, default_size=224, min_size=32, file_name=file_name,
        pool_names=("avg_pool", "max_pool"), **settings,
    )  # fmt: skip


def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Model:
    """ResNet50 with Keras' layer names: 25,636,712 parameters, 23,587,712 without its top.

    Args:
        include_top: the Dense layer on top.
        weights: None (random), a file of weights, or "imagenet": Keras' file, from the cache.
        input_tensor: a symbolic tensor to build on.
        input_shape: (rows, columns, channels), at least 32x32; default (224, 224, 3).
        pooling: without the top: None, "avg" or "max".
        classes: of the top.
        classifier_activation: of the top; None gives logits.
        name: of the model.

    Raises:
        ValueError: arguments that do not fit together.
        FileNotFoundError: no file of weights.
    """
    return _resnet("resnet50", (3, 4, 6, 3), **locals())


def ResNet101(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet101",
) -> Model:
    """ResNet101 with Keras' layer names: 44,707,176 parameters; arguments as of ``ResNet50``."""
    return _resnet("resnet101", (3, 4, 23, 3), **locals())


def ResNet152(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet152",
) -> Model:
    """ResNet152 with Keras' layer names: 60,419,944 parameters; arguments as of ``ResNet50``."""
    return _resnet("resnet152", (3, 8, 36, 3), **locals())
