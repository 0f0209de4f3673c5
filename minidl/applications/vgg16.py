"""``keras.applications.vgg16``."""

from .imagenet import decode_predictions, preprocessor
from .vgg import VGG16

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessor("caffe")
