"""VGG16 and VGG19 (Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556): 3x3 convolutions, five pools."""

from typing import Any

from minidl.graph.symbolic import KerasTensor
from minidl.layers import Conv2D, Dense, Flatten, MaxPooling2D
from minidl.models import Model

from .build import build

__all__ = ["VGG16", "VGG19"]

FILTERS = (64, 128, 256, 512, 512)


def _vgg(kind: str, depths: tuple[int, ...], **settings: Any) -> Model:
    def body(x: KerasTensor) -> KerasTensor:
        for block, (filters, depth) in enumerate(zip(FILTERS, depths, strict=True), start=1):
            for number in range(1, depth + 1):
                x = Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{number}")(x)
            x = MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        return x

    def top(x: KerasTensor, classes: int, activation: Any) -> KerasTensor:
        x = Flatten(name="flatten")(x)
        x = Dense(4096, activation="relu", name="fc1")(x)
        x = Dense(4096, activation="relu", name="fc2")(x)
        return Dense(classes, activation=activation, name="predictions")(x)

    file_name = f"{kind}_weights_tf_dim_ordering_tf_kernels"
    model_name = settings.pop("name")
    return build(model_name, body, top=top, default_size=224, min_size=32, file_name=file_name, **settings)


def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Model:
    """VGG16 with Keras' layer names: 138,357,544 parameters, 14,714,688 without its top.

    Arguments as of ``ResNet50``; the top has three Dense layers.
    """
    return _vgg("vgg16", (2, 2, 3, 3, 3), **locals())


def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Model:
    """VGG19 with Keras' layer names: 143,667,240 parameters; arguments as of ``VGG16``."""
    return _vgg("vgg19", (2, 2, 4, 4, 4), **locals())
