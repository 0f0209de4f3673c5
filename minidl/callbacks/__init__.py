"""Callbacks: what is called at the borders of training, epochs and batches."""

from .callback import Callback
from .callback_list import CallbackList
from .history import History
from .lambda_callback import LambdaCallback
from .progress import ProgbarLogger

__all__ = [
    "Callback",
    "CallbackList",
    "History",
    "LambdaCallback",
    "ProgbarLogger",
]
