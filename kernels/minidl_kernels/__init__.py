"""The kernels: arrays in, arrays out. They know nothing of tensors, layers or Keras.

Every kernel is one contract with several implementations; see ``kernel.py``.
"""

from . import config
from .activation import (
    bias_relu,
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_bias_grad,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    tanh,
    tanh_grad,
)  # fmt: skip
from .conv import conv2d, conv2d_input_grad, conv2d_kernel_grad
from .depthwise import depthwise_conv2d, depthwise_conv2d_input_grad, depthwise_conv2d_kernel_grad
from .elementwise import ADD_FROM, add, elementwise, elementwise_grad
from .kernel import Kernel, Output, kernel, kernels
from .loss import (
    log_softmax,
    log_softmax_grad,
    probability_cross_entropy,
    probability_cross_entropy_grad,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
    softmax_grad,
)  # fmt: skip
from .matmul import column_sum, dense, dense_weight_grad, matmul
from .norm import batch_norm, batch_norm_grad, batch_norm_relu, batch_norm_relu_grad, scale_shift
from .pool import average_pool, average_pool_grad, max_pool, max_pool_gather, max_pool_scatter
from .random import dropout, random_bits
from .update import adam, rmsprop, sgd, sgd_momentum
from .watching import watch

__all__ = [
    "ADD_FROM", "Kernel", "Output", "adam", "add", "average_pool", "average_pool_grad", "batch_norm", "batch_norm_grad",
    "batch_norm_relu", "batch_norm_relu_grad",
    "bias_relu", "column_sum", "leaky_relu", "leaky_relu_grad",
    "config", "conv2d", "conv2d_input_grad", "conv2d_kernel_grad", "dense", "dense_weight_grad", "dropout", "kernel",
    "kernels", "log_softmax",
    "elementwise", "elementwise_grad",
    "depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_kernel_grad",
    "log_softmax_grad", "matmul", "max_pool", "max_pool_gather", "max_pool_scatter", "probability_cross_entropy",
    "probability_cross_entropy_grad", "random_bits", "relu", "relu_bias_grad", "relu_grad",
    "rmsprop",
    "scale_shift", "sgd", "sgd_momentum", "sigmoid", "sigmoid_grad", "softmax", "softmax_cross_entropy",
    "softmax_cross_entropy_grad", "softmax_grad", "tanh", "tanh_grad", "watch",
]  # fmt: skip
