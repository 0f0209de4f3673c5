"""What of a trained model goes into its report, as plain arrays, numbers and words."""

import platform
from typing import Any

import numpy as np

from minidl import visualize
from minidl.visualize.words import Words

__all__ = ["feature_maps", "first_kernels", "layer_rows", "versions", "where_it_looks"]


def layer_rows(model: Any) -> list[tuple[str, str, str, int]]:
    """(name, kind, output shape, number of parameters) of each layer."""
    return [
        (layer.name, type(layer).__name__, " × ".join(map(str, layer.output.shape[1:])), layer.count_params())
        for layer in model.layers
    ]


def first_kernels(model: Any, shape: Any) -> np.ndarray | None:
    """The weights of the first layer that has any, as kernels (h, w, c, n), for pictures of ``shape`` (h, w, c).

    The columns of a Dense layer on the flattened picture are as large as the picture.
    """
    layer = next(layer for layer in model.layers if layer.weights)
    found = visualize.kernels(layer, shape)
    return found if found.shape[2] in (1, 3) else None


def feature_maps(model: Any, picture: np.ndarray) -> dict[str, np.ndarray]:
    """What the first convolution and the first pooling make of a picture (1, h, w, c): name -> (h', w', n)."""
    from minidl.layers import Conv2D, MaxPooling2D

    chosen = [next((one for one in model.layers if isinstance(one, kind)), None) for kind in (Conv2D, MaxPooling2D)]
    return {layer.name: visualize.feature_maps(model, picture, layer) for layer in chosen if layer is not None}


def where_it_looks(model: Any, picture: np.ndarray) -> dict[Any, np.ndarray]:
    """Maps over a picture (1, h, w, c) that say what speaks for the model's answer: Grad-CAM needs convolutions."""
    from minidl.layers import Conv2D

    convolves = any(isinstance(one, Conv2D) for one in model.layers)
    side = max(1, min(picture.shape[1:3]) // 6)
    found: dict[Any, np.ndarray] = {"Grad-CAM": visualize.grad_cam(model, picture)} if convolves else {}
    covered = visualize.occlusion(model, picture, patch=side, stride=max(1, side // 2))
    return {**found, Words("occlusion", "가려 보기(occlusion)"): covered}


def versions() -> dict[Any, str]:
    """What the training ran on."""
    from importlib.metadata import version

    from minidl.config import __version__
    from minidl_kernels import config

    return {
        "minidl": __version__, "Python": platform.python_version(), "NumPy": np.__version__, "Numba": version("numba"),
        Words("system", "시스템"): f"{platform.system()}, {platform.machine()}",
        Words("threads", "스레드"): str(config.threads()),
    }  # fmt: skip
