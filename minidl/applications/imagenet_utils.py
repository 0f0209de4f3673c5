"""``keras.applications.imagenet_utils``."""

from .imagenet import decode_predictions, preprocess_input

__all__ = ["decode_predictions", "preprocess_input"]
