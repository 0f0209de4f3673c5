"""What of a trained model goes into its report, as plain arrays, numbers and words."""

import platform
from typing import Any

import numpy as np

__all__ = ["feature_maps", "first_kernels", "layer_rows", "versions"]


def layer_rows(model: Any) -> list[tuple[str, str, str, int]]:
    """(name, kind, output shape, number of parameters) of each layer."""
    return [
        (layer.name, type(layer).__name__, " × ".join(map(str, layer.output.shape[1:])), layer.count_params())
        for layer in model.layers
    ]


def first_kernels(model: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """The weights of the first layer that has any, as kernels (h, w, c, n), for pictures of ``shape`` (h, w, c).

    The columns of a Dense layer on the flattened picture are as large as the picture.
    """
    layer = next(layer for layer in model.layers if layer.weights)
    kernels = layer.weights[0].numpy()
    if kernels.ndim == 2:
        kernels = kernels.reshape(*shape, -1)
    return kernels if kernels.shape[2] in (1, 3) else None


def feature_maps(model: Any, picture: np.ndarray) -> dict[str, np.ndarray]:
    """What the first convolution and the first pooling make of a picture (1, h, w, c): name -> (h', w', n)."""
    from minidl.layers import Conv2D, MaxPooling2D
    from minidl.models import Model

    chosen = [next((one for one in model.layers if isinstance(one, kind)), None) for kind in (Conv2D, MaxPooling2D)]
    layers = [layer for layer in chosen if layer is not None]
    return {layer.name: Model(model.inputs, layer.output).predict(picture, verbose=0)[0] for layer in layers}


def versions() -> dict[str, str]:
    """What the training ran on."""
    from importlib.metadata import version

    from minidl.config import __version__
    from minidl_kernels import config

    return {
        "minidl": __version__, "Python": platform.python_version(), "NumPy": np.__version__, "Numba": version("numba"),
        "system": f"{platform.system()}, {platform.machine()}", "threads": str(config.threads()),
    }  # fmt: skip
