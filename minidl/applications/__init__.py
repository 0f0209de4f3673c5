"""Published networks, with Keras' names of layers and numbers of parameters.

Their weights are not carried or downloaded: pass a file that Keras wrote, or put Keras' own into the cache.
"""

from . import imagenet_utils, inception_v3, mobilenet_v2, resnet, resnet50, vgg16, vgg19
from .inception_v3 import InceptionV3
from .mobilenet_v2 import MobileNetV2
from .resnet import ResNet50, ResNet101, ResNet152
from .vgg import VGG16, VGG19

__all__ = [
    "VGG16", "VGG19", "InceptionV3", "MobileNetV2", "ResNet50", "ResNet101", "ResNet152", "imagenet_utils",
    "inception_v3", "mobilenet_v2", "resnet", "resnet50", "vgg16", "vgg19",
]  # fmt: skip
