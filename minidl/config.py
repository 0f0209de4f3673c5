"""Settings of the engine: the default float type, the fuzz factor, and the global seed. Names are Keras' where it has
them; it has none for devices, and none for TF32 (``enable_tf32``)."""

import logging
import secrets
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np

from minidl_kernels import devices
from minidl_kernels.config import enable_tf32, is_tf32_enabled

__all__ = [
    "device", "get_device", "set_device",
    "enable_tf32", "is_tf32_enabled",
    "backend", "disable_interactive_logging", "enable_interactive_logging", "epsilon", "floatx", "global_seed",
    "image_data_format", "is_interactive_logging_enabled", "next_seed", "set_epsilon", "set_floatx",
    "set_global_seed", "set_image_data_format",
]  # fmt: skip

__version__ = "0.1.0"  # here, so that the build can read it without importing the engine
current = SimpleNamespace(floatx="float32", epsilon=1e-7)  # read where a call would be one too many
_interactive = True
_seed_lock = threading.Lock()
_seed: int | None = None
_seeds_drawn = 0
_seedings = 0


def floatx() -> str:
    """The default float type, "float32" unless ``set_floatx`` changed it."""
    return current.floatx


def set_floatx(dtype: str) -> None:
    """Set the default float type to "float32" or "float64"."""
    if dtype not in ("float32", "float64"):
        raise ValueError(f"floatx must be 'float32' or 'float64', not {dtype!r}")
    current.floatx = dtype


def epsilon() -> float:
    """The fuzz factor that keeps logarithms and divisions finite, 1e-7."""
    return current.epsilon


def set_epsilon(value: float) -> None:
    """Set the fuzz factor."""
    current.epsilon = float(value)


def backend() -> str:
    """The name of the engine: "minidl"."""
    return "minidl"


def image_data_format() -> str:
    """The order of the axes of pictures: "channels_last"."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Accepted for "channels_last" only.

    Raises:
        ValueError: another order.
    """
    if data_format != "channels_last":
        raise ValueError(
            f'minidl keeps pictures as (n, rows, columns, channels): "channels_last", not {data_format!r}; '
            f"move the axis with np.moveaxis(x, 1, -1)"
        )


def device(name: str) -> Any:
    """Inside the ``with`` block, in this thread, new tensors and weights are made on a device.

    Args:
        name: "cpu"; "gpu" or "gpu:0" (also "cuda:0"), "gpu:1", ...: an NVIDIA GPU, by CuPy.

    An op runs where its arrays lie; numbers and arrays of NumPy are taken to where the others are. A model stays where
    its weights were made, until ``model.to(name)``.

    Raises:
        ValueError: another name, or the number of a GPU that is not there.
        ImportError: CuPy is missing; says what to install.
        RuntimeError: CuPy finds no GPU.
    """
    return devices.scope(devices.find(name))


def set_device(name: str) -> None:
    """Make new tensors and weights on a device wherever no ``device`` block says otherwise; names as there."""
    devices.set_default(devices.find(name))


def get_device() -> str:
    """The name of the device on which new tensors and weights are made, "cpu" from the start."""
    return str(devices.current())


def enable_interactive_logging() -> None:
    """Show progress on the standard output, as it is from the start."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Give lines of progress to the logger "minidl", at level INFO, in place of the standard output."""
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress goes to the standard output."""
    return _interactive


def show(text: str, end: str = "\n") -> None:
    """A message to the user, to where the two functions above send it."""
    if _interactive:
        print(text, end=end, flush=True)
    elif text.strip():
        logging.getLogger("minidl").info(text.strip())


def global_seed() -> int | None:
    """The seed set by ``utils.set_random_seed``, or ``None``."""
    return _seed


def set_global_seed(seed: int) -> None:
    """Make every seed that is drawn from here on follow from ``seed``."""
    global _seed, _seeds_drawn, _seedings
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to 2**32 - 1, not {seed!r}")
    with _seed_lock:
        _seed, _seeds_drawn, _seedings = int(seed), 0, _seedings + 1


def next_seed() -> int:
    """A fresh seed of 32 bits: from the global seed and a counter where that is set, else from the system."""
    global _seeds_drawn
    if _seed is None:
        return secrets.randbits(32)
    with _seed_lock:
        _seeds_drawn += 1
        return int(np.random.SeedSequence((_seed, _seeds_drawn)).generate_state(1)[0])


def seedings() -> int:
    """How often ``set_global_seed`` was called."""
    return _seedings
