"""``keras.applications.vgg19``."""

from .imagenet import decode_predictions, preprocessor
from .vgg import VGG19

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("caffe")
