"""Layers of Keras that are left out on purpose, and what there is instead."""

import sys
from dis import opname

__all__ = ["LEFT_OUT", "refuse"]

_RECURRENT = (
    "minidl has no recurrent layers: it is made for dense and convolutional nets, and a loop over time would want a "
    "kernel of its own. For sequences there are Embedding, convolutions, TimeDistributed and Flatten; a Layer of your "
    "own may loop in call()"
)
_ATTENTION = (
    "minidl has no attention layers; they can be written as a Layer of EinsumDense, ops.einsum (or ops.matmul) and "
    "Softmax(), which takes a mask"
)
_TEXT = (
    "minidl has no layers for text and strings, since its tensors hold numbers; turn words into whole numbers before, "
    "and give those to Embedding"
)
_SIGNALS = "minidl has no layers for audio; compute spectrograms with NumPy or SciPy before, in the data"
_3D = "minidl has layers for sequences and pictures, and none for volumes, which would want kernels of their own"
_ADAPTIVE = (
    "minidl's pooling has windows of one size; take a pooling layer whose pool_size divides the picture, or a global "
    "pooling layer"
)
_AUGMENTATION = (
    "minidl has RandomFlip, RandomRotation, RandomTranslation, RandomZoom, RandomCrop, RandomBrightness and "
    "RandomContrast; others can be written as a Layer of ops.image and random"
)
_FOREIGN = "minidl runs on its own engine; it does not wrap modules of other frameworks"
_GONE = "it is gone in Keras 3 as well"

LEFT_OUT = {
    **dict.fromkeys(
        [
            "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "CuDNNGRU", "CuDNNLSTM", "GRU", "GRUCell",
            "LSTM", "LSTMCell", "RNN", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells",
        ],
        _RECURRENT,
    ),
    **dict.fromkeys(
        ["AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention", "ReversibleEmbedding"],
        _ATTENTION,
    ),
    **dict.fromkeys(["FeatureSpace", "HashedCrossing", "StringLookup", "TextVectorization"], _TEXT),
    **dict.fromkeys(["MelSpectrogram", "STFTSpectrogram"], _SIGNALS),
    **dict.fromkeys(
        [
            "AveragePooling3D", "AvgPool3D", "Conv3D", "Conv3DTranspose", "Convolution3D", "Convolution3DTranspose",
            "Cropping3D", "GlobalAveragePooling3D", "GlobalAvgPool3D", "GlobalMaxPool3D", "GlobalMaxPooling3D",
            "MaxPool3D", "MaxPooling3D", "UpSampling3D", "ZeroPadding3D",
        ],
        _3D,
    ),
    **dict.fromkeys(
        [
            "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
            "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
        ],
        _ADAPTIVE,
    ),
    **dict.fromkeys(
        [
            "AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization",
            "MaxNumBoundingBoxes", "MixUp", "RandAugment", "RandomColorDegeneration", "RandomColorJitter",
            "RandomElasticTransform", "RandomErasing", "RandomGaussianBlur", "RandomGrayscale", "RandomHue",
            "RandomInvert", "RandomPerspective", "RandomPosterization", "RandomSaturation", "RandomSharpness",
            "RandomShear", "Solarization",
        ],
        _AUGMENTATION,
    ),
    "Hashing": "its numbers follow from a hash function of TensorFlow's; number the values before (np.unique)",
    "IntegerLookup": "np.unique(x, return_inverse=True) numbers the values of a column before; Embedding takes these",
    "Pipeline": "a Sequential model of the layers does the same",
    **dict.fromkeys(["FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"], _FOREIGN),
    "SpectralNormalization": (
        "whether training overwrites the kernel differs between Keras' backends; a kernel_constraint of your own can "
        "divide a kernel by its largest singular value after every update"
    ),
    "ThresholdedReLU": f"{_GONE}; write ReLU(threshold=theta)",
    "LocallyConnected1D": _GONE,
    "LocallyConnected2D": _GONE,
    "DenseFeatures": _GONE,
}  # fmt: skip


def refuse(module: str, name: str, left_out: dict[str, str]) -> Exception:
    """The error for a name that a module does not have, for the module's ``__getattr__`` to raise.

    An AttributeError; but where an ``import`` statement asks, which would put a text of its own in the place of that,
    an ImportError.
    """
    if name not in left_out:
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    message = f"{module}.{name} is left out on purpose: {left_out[name]}"
    asking = sys._getframe(2)
    if opname[asking.f_code.co_code[asking.f_lasti]] == "IMPORT_FROM":
        return ImportError(message)
    return AttributeError(message)
