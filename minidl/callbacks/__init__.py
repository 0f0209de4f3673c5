"""Callbacks: what is called at the borders of training, epochs and batches."""

from .callback import Callback, CallbackList, History, LambdaCallback
from .progress import ProgressBar

__all__ = ["Callback", "CallbackList", "History", "LambdaCallback", "ProgressBar"]
