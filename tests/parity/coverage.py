"""Every public name of Keras, and whether minidl has it: ``python -m tests.parity.coverage`` writes ``coverage.md``.

Names are read from Keras' own public modules (``keras.src`` is none of them). A name that minidl lacks needs a reason
below; ``test_coverage.py`` holds the reasons and the file against what Keras and minidl have.
"""

import importlib
import os
import pkgutil
import types
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("coverage.md")
NOT_PUBLIC = ("src", "_tf_keras")

RECURRENT = "recurrent: minidl is made for dense and convolutional nets"
ATTENTION = "attention: it is composed of ops.einsum, ops.matmul and Softmax"
TEXT = "text and tokens: tensors hold numbers; words are made numbers before"
HASHES = "hash functions of TensorFlow, which alone runs these layers in Keras: np.unique numbers values before"
LOOKUPS = "tables of values, which TensorFlow alone runs in Keras: np.unique numbers them before"
TABLES = "encodings of columns: NumPy or scikit-learn make them before"
THREE = "3D: volumes want kernels of their own; there are those for pictures and sequences"
AUDIO = "audio: spectra are made in the data, with NumPy or SciPy"
COMPLEX = "complex numbers: tensors are real"
LINEAR = "factorisations: cholesky, det, inv, solve and norm are there"
PRECISION = "half precision and mixed precision: float32 and float64 only"
QUANTIZED = "quantization: float32 and float64 only"
DISTRIBUTED = "distributed: one process, as many threads as MINIDL_THREADS says"
FOREIGN = "other frameworks: minidl runs on its own engine"
EXPORT = "export to other run times: Model.export writes ONNX files"
BACKENDS = "for several backends and tracing: there is one engine, which runs at once"
BOXES = "bounding boxes: labels are classes and numbers"
AUGMENTATION = "augmentation: flips, turns, shifts, zooms, crops, brightness and contrast are there"
ADAPTIVE = "adaptive pooling: windows have one size"
NORMS = "backends differ: a kernel_constraint can divide by the largest singular value"
OPTIMIZERS = "optimizers of one training recipe: a subclass of Optimizer can be written"
NETWORKS = "networks of applications: VGG, ResNet, InceptionV3 and MobileNetV2 are there"
DATASETS = "data sets: MNIST, Fashion-MNIST and CIFAR-10 are there"
WINDOWS = "ops.image.extract_patches reads windows of pictures"
SPECIAL = "special functions: erf, erfc and erfinv are there"
PYTHON_LOOPS = "loops in Python: ops.vectorized_map and np.vectorize do it"
LEGACY = "optimizers of Keras 2 whose steps have changed since"
FIGURES = "figures with boxes and masks: minidl.visualize draws models, curves and pictures"
SKLEARN = "scikit-learn: wrappers are not built"
GRAPHVIZ = "outside programs: plot_model draws without Graphviz"
DEBUGGING = "tracebacks are Python's own, nothing is filtered"
SAFETY = "code in files is never run, so there is nothing to allow"
LIMITS = "limits of fit() from outside: epochs= and steps_per_epoch= say it"
SEARCH = "decoding and scans of sequences: see text and recurrent"
EINOPS = "patterns as text: reshape, transpose and einsum do it"
DISTILLATION = "distillation: a train_step of one's own does it"
OLD = "deprecated in Keras as well"

# reason -> module -> names. A reason for a name of "ops" counts for "ops.numpy", "ops.nn", ... too.
REASONS: dict[str, dict[str, str]] = {
    RECURRENT: {
        "layers": "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU GRUCell LSTM LSTMCell RNN SimpleRNN "
        "SimpleRNNCell StackedRNNCells",
    },
    ATTENTION: {
        "layers": "AdditiveAttention Attention GroupQueryAttention MultiHeadAttention ReversibleEmbedding",
        "ops": "dot_product_attention",
        "config": "disable_flash_attention enable_flash_attention is_flash_attention_enabled",
    },
    TEXT: {
        "layers": "StringLookup TextVectorization",
        "utils": "text_dataset_from_directory",
        "preprocessing": "text_dataset_from_directory",
    },
    HASHES: {"layers": "HashedCrossing Hashing"},
    LOOKUPS: {"layers": "IntegerLookup"},
    TABLES: {"utils": "FeatureSpace"},
    THREE: {
        "layers": "AveragePooling3D AvgPool3D Conv3D Conv3DTranspose Convolution3D Convolution3DTranspose Cropping3D "
        "GlobalAveragePooling3D GlobalAvgPool3D GlobalMaxPool3D GlobalMaxPooling3D MaxPool3D MaxPooling3D "
        "UpSampling3D ZeroPadding3D",
        "ops.image": "extract_patches_3d",
    },
    AUDIO: {
        "layers": "MelSpectrogram STFTSpectrogram",
        "ops": "extract_sequences istft stft",
        "utils": "audio_dataset_from_directory",
    },
    COMPLEX: {
        "ops": "angle conj conjugate eig fft fft2 ifft2 imag irfft isreal polar real rfft view view_as_complex "
        "view_as_real",
    },
    LINEAR: {"ops": "cholesky_inverse eigh jvp lstsq lu_factor matrix_rank pinv qr svd"},
    PRECISION: {
        "": "DTypePolicy FloatDTypePolicy",
        "config": "dtype_policy set_dtype_policy",
        "optimizers": "LossScaleOptimizer",
    },
    QUANTIZED: {"": "Quantizer"},
    FOREIGN: {"layers": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper", "config": "is_nnx_enabled set_backend"},
    EXPORT: {"callbacks": "OrbaxCheckpoint", "saving": "KerasFileEditor"},
    BACKENDS: {"": "Function Operation RematScope StatelessScope SymbolicScope remat"},
    BOXES: {"layers": "MaxNumBoundingBoxes"},
    AUGMENTATION: {
        "layers": "AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization MixUp Pipeline "
        "RandAugment RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomErasing RandomGaussianBlur "
        "RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomSaturation RandomSharpness "
        "RandomShear Solarization",
        "ops.image": "elastic_transform gaussian_blur hsv_to_rgb perspective_transform rgb_to_hsv scale_and_translate "
        "sobel_edges ssim",
    },
    ADAPTIVE: {
        "layers": "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D "
        "AdaptiveMaxPooling2D AdaptiveMaxPooling3D",
        "ops": "adaptive_average_pool adaptive_max_pool",
    },
    NORMS: {"layers": "SpectralNormalization"},
    OPTIMIZERS: {"optimizers": "MultiOptimizer Muon OptimizerMap ScheduleFreeAdamW"},
    NETWORKS: {
        "applications": "ConvNeXtBase ConvNeXtLarge ConvNeXtSmall ConvNeXtTiny ConvNeXtXLarge DenseNet121 DenseNet169 "
        "DenseNet201 EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 EfficientNetB5 "
        "EfficientNetB6 EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 "
        "EfficientNetV2L EfficientNetV2M EfficientNetV2S InceptionResNetV2 MobileNet MobileNetV3Large MobileNetV3Small "
        "NASNetLarge NASNetMobile ResNet101V2 ResNet152V2 ResNet50V2 Xception",
    },
    WINDOWS: {"ops": "fold unfold"},
    SPECIAL: {"ops": "i0"},
    PYTHON_LOOPS: {"ops": "vectorize"},
    LEGACY: {"optimizers.legacy": "Adagrad Ftrl Optimizer RMSprop"},
    GRAPHVIZ: {"utils": "model_to_dot"},
    DEBUGGING: {
        "config": "disable_traceback_filtering enable_traceback_filtering is_traceback_filtering_enabled",
    },
    SAFETY: {"config": "enable_unsafe_deserialization"},
    LIMITS: {"config": "max_epochs max_steps_per_epoch set_max_epochs set_max_steps_per_epoch"},
    SEARCH: {"ops": "ctc_decode"},
    EINOPS: {"ops": "rearrange"},
}

# Public modules that minidl lacks as a whole.
MODULES: dict[str, str] = {
    "distillation": DISTILLATION,
    "distribution": DISTRIBUTED,
    "dtype_policies": PRECISION,
    "export": EXPORT,
    "legacy": OLD,
    "legacy.saving": OLD,
    "mixed_precision": PRECISION,
    "quantizers": QUANTIZED,
    "utils.bounding_boxes": BOXES,
    "utils.legacy": OLD,
    "visualization": FIGURES,
    "wrappers": SKLEARN,
    **dict.fromkeys(
        (f"applications.{name}" for name in (
            "convnext", "densenet", "efficientnet", "efficientnet_v2", "inception_resnet_v2", "mobilenet",
            "mobilenet_v3", "nasnet", "resnet_v2", "xception",
        )),
        NETWORKS,
    ),
    **dict.fromkeys(
        (f"datasets.{name}" for name in ("boston_housing", "california_housing", "cifar100", "imdb", "reuters")),
        DATASETS,
    ),
}  # fmt: skip


def keras_modules() -> list[str]:
    """The public modules of Keras without "keras."; "" is keras itself."""
    import keras

    found, folders = [""], [("", list(keras.__path__))]
    while folders:  # not pkgutil.walk_packages, which would import keras.src, and so put one backend over another
        above, paths = folders.pop()
        for module in pkgutil.iter_modules(paths, above):
            if module.ispkg and module.name not in NOT_PUBLIC:
                found.append(module.name)
                folders.append((f"{module.name}.", [os.path.join(path, module.name.split(".")[-1]) for path in paths]))
    return sorted(found)


def walked(root: str, module: str) -> Any:
    """A module of a package by its dotted name, or None."""
    name = f"{root}.{module}" if module else root
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def names_of(module: str) -> list[str]:
    """The public names of a module of Keras, without its modules."""
    theirs = walked("keras", module)
    return sorted(
        name for name, item in vars(theirs).items()
        if not name.startswith("_") and not isinstance(item, types.ModuleType)
    )  # fmt: skip


def reasons() -> dict[tuple[str, str], str]:
    """(module, name) -> why it is missing."""
    return {
        (module, name): reason
        for reason, modules in REASONS.items()
        for module, names in modules.items()
        for name in names.split()
    }


def reason_of(module: str, name: str) -> str | None:
    """Why a name is missing: its own reason, or that of the module above."""
    known = reasons()
    return known.get((module, name)) or (known.get(("ops", name)) if module.startswith("ops.") else None)


def is_there(module: str, name: str) -> bool:
    """Whether minidl has a name."""
    ours = walked("minidl", module)
    return ours is not None and hasattr(ours, name)


def table() -> dict[str, dict[str, str | None]]:
    """Module -> name -> "done", the reason why it is missing, or None where nobody said."""
    return {
        module: {name: "done" if is_there(module, name) else reason_of(module, name) for name in names_of(module)}
        for module in keras_modules()
        if module not in MODULES and names_of(module)
    }


def page() -> str:
    """The text of the file."""
    import keras

    found = table()
    done = sum(state == "done" for names in found.values() for state in names.values())
    without = {module: names_of(module) for module in keras_modules() if module in MODULES}
    total = sum(map(len, found.values())) + sum(map(len, without.values()))
    major = ".".join(keras.__version__.split(".")[:2])
    lines = [
        "# What there is of Keras", "",
        f"All {total} public names of Keras {major}, module by module: {done} are there; each of the others says why "
        f"it is not.", "Written by `python -m tests.parity.coverage`, checked by `tests/parity/test_coverage.py`.", "",
        "| module | names | done |", "|---|---|---|",
    ]  # fmt: skip
    for module, names in found.items():
        lines.append(f"| {_shown(module)} | {len(names)} | {sum(s == 'done' for s in names.values())} |")
    lines += ["", "## Modules that are not there", "", "| module | names | why |", "|---|---|---|"]
    lines += [f"| {_shown(module)} | {len(names)} | {MODULES[module]} |" for module, names in without.items()]
    for module, names in found.items():
        lines += ["", f"## {_shown(module)}", "", "| name | |", "|---|---|"]
        lines += [f"| {name} | {state or '?'} |" for name, state in names.items()]
    return "\n".join(lines) + "\n"


def _shown(module: str) -> str:
    return f"keras.{module}".rstrip(".")


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
    print(f"wrote {FILE.name}")
