"""``keras.ops.nn``: operations of neural nets. All of these are names of ``minidl.ops`` too."""

# ruff: noqa: I001 - one name a line would be pages

from .activation import (
    elu, gelu, hard_sigmoid, leaky_relu, log_sigmoid, log_softmax, relu, relu6, selu, sigmoid, silu, softmax,
    softplus, softsign, swish,
)  # fmt: skip
from .arranging import depth_to_space, space_to_depth
from .ctc import ctc_loss
from .loss import (
    binary_crossentropy, categorical_crossentropy, multi_hot, one_hot, psnr, sparse_categorical_crossentropy,
)  # fmt: skip
from .normalization import batch_normalization
from .per_sample import layer_normalization, rms_normalization
from .piecewise import (
    celu, glu, hard_shrink, hard_silu, hard_swish, hard_tanh, soft_shrink, sparse_plus, sparse_sigmoid, sparsemax,
    squareplus, tanh_shrink, threshold,
)  # fmt: skip
from .pooling import average_pool, max_pool
from .reductions import moments
from .sliding import conv, conv_transpose, depthwise_conv, separable_conv
from .unit import normalize

__all__ = [
    "average_pool", "batch_normalization", "binary_crossentropy", "categorical_crossentropy", "celu", "conv",
    "conv_transpose", "ctc_loss", "depth_to_space", "depthwise_conv", "elu", "gelu", "glu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "layer_normalization", "leaky_relu", "log_sigmoid",
    "log_softmax", "max_pool", "moments", "multi_hot", "normalize", "one_hot", "psnr", "relu", "relu6",
    "rms_normalization", "selu", "separable_conv", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
    "softsign", "space_to_depth", "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "squareplus", "swish", "tanh_shrink", "threshold",
]  # fmt: skip
