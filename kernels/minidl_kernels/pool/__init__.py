"""Pooling of pictures (NHWC): the maximum or the mean of every window.

Max pooling is a closed family: its gradient scatters to the winners, the gradient of that gathers from them, and so on.
Windows may overlap (strides smaller than pool_size) and leave gaps (strides larger).
"""

from typing import Any

from ..arrays import Array
from ..conv.geometry import output_size
from ..kernel import Output, kernel

__all__ = ["average_pool", "average_pool_grad", "max_pool", "max_pool_gather", "max_pool_scatter"]


def _output_shape(name: str, argument: str, shape: Any, pool_size: Any, strides: Any, padding: Any) -> tuple[int, ...]:
    """Check the settings for pictures of ``shape``; the shape after pooling."""
    if len(shape) != 4:
        raise ValueError(f"{name}: {argument} has shape {tuple(shape)}; expected (N, H, W, C)")
    for setting, pair in (("pool_size", pool_size), ("strides", strides)):
        if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(k, int) and k > 0 for k in pair):
            raise ValueError(f"{name}: {setting} must be a tuple of two positive whole numbers, not {pair!r}")
    if padding not in ("valid", "same"):
        raise ValueError(f'{name}: padding must be "valid" or "same", not {padding!r}')
    n, height, width, channels = shape
    if padding == "valid" and (pool_size[0] > height or pool_size[1] > width):
        raise ValueError(
            f"{name}: a window of {pool_size[0]}x{pool_size[1]} does not fit into a picture of {height}x{width} "
            f'with padding="valid"; take a smaller pool_size or padding="same"'
        )
    rows = output_size(height, pool_size[0], strides[0], padding)
    return n, rows, output_size(width, pool_size[1], strides[1], padding), channels


def _expect(name: str, argument: str, array: Array, expected: tuple[int, ...], why: str) -> None:
    if array.shape != expected:
        raise ValueError(f"{name}: {argument} has shape {array.shape}; expected {expected}, {why}")


@kernel(arrays=1)
def max_pool(x: Array, *, pool_size: tuple[int, int], strides: tuple[int, int], padding: str = "valid") -> Output:
    """The maximum of every window, for each channel.

    A window with a NaN gives NaN.

    Args:
        x: (N, H, W, C).
        pool_size: (ph, pw), cells of a window.
        strides: (sh, sw), cells from one window to the next.
        padding: "valid", or "same": H' = ceil(H / sh); cells outside of the picture count as -inf.

    Returns:
        (N, H', W', C).

    Raises:
        ValueError: other shapes or settings, or a window larger than the picture with "valid".
    """
    return Output(_output_shape("max_pool", "x", x.shape, pool_size, strides, padding), x.dtype)


@kernel(arrays=2)
def max_pool_scatter(
    g: Array, x: Array, *, pool_size: tuple[int, int], strides: tuple[int, int], padding: str = "valid"
) -> Output:
    """The gradient of ``max_pool``: every g goes to the winner of its window, what meets in one cell is added up.

    The winner is the first maximum in row-major order, or the first NaN if there is one; it is a cell of the picture,
    never of the padding.

    Args:
        g: upstream gradient, (N, H', W', C).
        x: (N, H, W, C), what was pooled; only says who won.
        pool_size, strides, padding: those of the forward pass.

    Returns:
        (N, H, W, C).
    """
    pooled = _output_shape("max_pool_scatter", "x", x.shape, pool_size, strides, padding)
    _expect("max_pool_scatter", "g", g, pooled, f"what max_pool makes of x of shape {x.shape}")
    return Output(x.shape, x.dtype)


@kernel(arrays=2)
def max_pool_gather(
    v: Array, x: Array, *, pool_size: tuple[int, int], strides: tuple[int, int], padding: str = "valid"
) -> Output:
    """What stands in v where the winners of x's windows are; ``max_pool_scatter``'s own gradient.

    Args:
        v: (N, H, W, C), the values to pick from.
        x: (N, H, W, C), what was pooled; only says who won (see ``max_pool_scatter``).
        pool_size, strides, padding: those of the forward pass.

    Returns:
        (N, H', W', C).
    """
    pooled = _output_shape("max_pool_gather", "x", x.shape, pool_size, strides, padding)
    _expect("max_pool_gather", "v", v, x.shape, "the shape of x")
    return Output(pooled, x.dtype)


@kernel(arrays=1)
def average_pool(x: Array, *, pool_size: tuple[int, int], strides: tuple[int, int], padding: str = "valid") -> Output:
    """The mean of every window, for each channel; cells outside of the picture do not count.

    Args:
        x: (N, H, W, C).
        pool_size: (ph, pw), cells of a window.
        strides: (sh, sw), cells from one window to the next.
        padding: "valid", or "same": H' = ceil(H / sh).

    Returns:
        (N, H', W', C).

    Raises:
        ValueError: other shapes or settings, or a window larger than the picture with "valid".
    """
    return Output(_output_shape("average_pool", "x", x.shape, pool_size, strides, padding), x.dtype)


@kernel(arrays=1)
def average_pool_grad(
    g: Array,
    *,
    input_shape: tuple[int, ...],
    pool_size: tuple[int, int],
    strides: tuple[int, int],
    padding: str = "valid",
) -> Output:
    """The gradient of ``average_pool``: every g is shared out equally among the cells of its window.

    Args:
        g: upstream gradient, (N, H', W', C).
        input_shape: (N, H, W, C), the shape of what was pooled: several sizes lead to the same size of g.
        pool_size, strides, padding: those of the forward pass.

    Returns:
        ``input_shape``.
    """
    pooled = _output_shape("average_pool_grad", "input_shape", input_shape, pool_size, strides, padding)
    _expect("average_pool_grad", "g", g, pooled, f"what average_pool makes of input_shape {tuple(input_shape)}")
    return Output(tuple(input_shape), g.dtype)
