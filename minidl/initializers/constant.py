"""Initializers without chance: the base class, constants, the unit matrix and the waves of a Fourier transform."""

import math
from typing import Any

import numpy as np

from minidl import config, registry
from minidl.engine.tensor import raw
from minidl_kernels.arrays import to_numpy

__all__ = ["STFT", "Constant", "Identity", "Initializer", "Ones", "Zeros"]


class Initializer:
    """Base class: ``__call__(shape, dtype)`` returns the start values, an array or a Tensor."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        raise NotImplementedError("an initializer defines __call__(shape, dtype)")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        """An initializer of a configuration."""
        return cls(**config)

    def clone(self) -> "Initializer":
        """A new initializer of the same configuration; one without a seed draws other numbers."""
        return self.from_config(self.get_config())


class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape, dtype=None):
        return np.zeros(shape, dtype or config.floatx())


class Ones(Initializer):
    """Ones."""

    def __call__(self, shape, dtype=None):
        return np.ones(shape, dtype or config.floatx())


class Constant(Initializer):
    """One value everywhere; an array is repeated along the axes it lacks."""

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return np.broadcast_to(np.asarray(to_numpy(raw(self.value)), dtype or config.floatx()), shape).copy()

    def get_config(self):
        return {"value": registry.serialize(self.value)}


class Identity(Initializer):
    """``gain`` times the unit matrix, of any two sizes.

    Raises:
        ValueError: at the call, a shape without exactly two axes.
    """

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(f"Identity: a shape of two axes is expected, not {tuple(shape)}")
        return (self.gain * np.eye(*shape)).astype(dtype or config.floatx())

    def get_config(self):
        return {} if self.gain == 1 else {"gain": self.gain}  # Keras does not write it, but reads it


class STFT(Initializer):
    """Kernels of a short-time Fourier transform, for a convolution over time.

    The value at (t, 0, f) is window(t) cos(-2 pi t f / n) / scale, or sin for the imaginary part; n is
    2 (number of frequencies - 1).

    Args:
        side: "real" or "imag".
        window: the name of a window of scipy.signal, an array of the frame's length, or None.
        scaling: "density" (divided by the root of the sum of the window's squares), "spectrum" (by the sum of its
            sizes) or None.
        periodic: whether a named window is symmetric (as Keras hands it to scipy as ``fftbins``).
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ):
        if side not in ("real", "imag"):
            raise ValueError(f"STFT: side must be 'real' or 'imag', not {side!r}")
        if scaling not in ("density", "spectrum", None):
            raise ValueError(f"STFT: scaling must be 'density', 'spectrum' or None, not {scaling!r}")
        if isinstance(window, str):
            _window(window, 1, periodic)
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape, dtype=None):
        """The kernel; shape is (frame length, channels, frequencies)."""
        if len(shape) != 3:
            raise ValueError(f"STFT: a shape (frame length, channels, frequencies) is expected, not {tuple(shape)}")
        length, _, frequencies = shape
        angles = -2 * math.pi * np.arange(length)[:, None, None] * np.arange(frequencies) / (2 * (frequencies - 1))
        kernel = np.cos(angles) if self.side == "real" else np.sin(angles)
        if self.window is not None:
            window = self.window if not isinstance(self.window, str) else _window(self.window, length, self.periodic)
            window = np.asarray(raw(window), np.float64)
            if window.shape != (length,):
                raise ValueError(f"STFT: the window has shape {window.shape}, but ({length},) is expected")
            sizes = {"density": math.sqrt((window**2).sum()), "spectrum": abs(window).sum(), None: 1.0}
            kernel = kernel * window[:, None, None] / sizes[self.scaling]
        return kernel.astype(dtype or config.floatx())

    def get_config(self):
        return {
            "side": self.side,
            "window": registry.serialize(self.window),
            "scaling": self.scaling,
            "periodic": self.periodic,
        }


def _window(name: str, length: int, periodic: bool) -> np.ndarray:
    from scipy.signal import get_window

    return np.asarray(get_window(name, length, fftbins=periodic))
