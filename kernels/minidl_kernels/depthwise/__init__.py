"""Depthwise convolution of pictures (NHWC): every channel has kernels of its own, and no channel sees another.

As in ``conv``, the forward pass and its two gradients are a closed family: each one's gradients are the other two.
"""

from ..arrays import Array
from ..conv.geometry import Pair, Shape, output_size
from ..kernel import Output, kernel

__all__ = ["depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_kernel_grad"]


def _geometry(name: str, picture: Shape, window: Shape, strides: Pair, padding: str) -> Shape:
    """Check shapes and settings; (N, H', W', C * M)."""
    if len(picture) != 4 or len(window) != 4 or picture[3] != window[2]:
        raise ValueError(
            f"{name}: pictures of shape {tuple(picture)} and a kernel of shape {tuple(window)}; expected (N, H, W, C) "
            "and (kh, kw, C, M) with the same C"
        )
    if not isinstance(strides, tuple) or len(strides) != 2 or not all(isinstance(s, int) and s > 0 for s in strides):
        raise ValueError(f"{name}: strides must be a tuple of two positive whole numbers, not {strides!r}")
    try:
        size = [output_size(n, k, s, padding) for n, k, s in zip(picture[1:3], window[:2], strides, strict=True)]
    except ValueError as error:
        raise ValueError(f"{name}: {error}; the kernel is {window[0]}x{window[1]}") from None
    return (picture[0], *size, window[2] * window[3])


def _expect(name: str, g: Array, expected: Shape) -> None:
    if g.shape != expected:
        raise ValueError(f"{name}: g has shape {g.shape}; expected {expected}, the shape of depthwise_conv2d's output")


@kernel(arrays=2)
def depthwise_conv2d(x: Array, w: Array, *, strides: Pair = (1, 1), padding: str = "valid") -> Output:
    """Slide each channel's M kernels over that channel.

    y[n, i, j, c*M + m] = sum over di, dj of x[n, i*sh + di - top, j*sw + dj - left, c] * w[di, dj, c, m],
    with zeros outside of the picture.

    Args:
        x: (N, H, W, C).
        w: (kh, kw, C, M); M is the depth multiplier.
        strides: (sh, sw).
        padding: "valid", or "same": H' = ceil(H / sh), the odd cell of padding after.

    Returns:
        (N, H', W', C * M).

    Raises:
        ValueError: other shapes, or a kernel larger than the picture with "valid".
    """
    return Output(_geometry("depthwise_conv2d", x.shape, w.shape, strides, padding), x.dtype)


@kernel(arrays=2)
def depthwise_conv2d_input_grad(
    g: Array, w: Array, *, input_shape: Shape, strides: Pair = (1, 1), padding: str = "valid"
) -> Output:
    """The gradient of ``depthwise_conv2d`` with respect to x.

    Args:
        g: upstream gradient, (N, H', W', C * M).
        w: (kh, kw, C, M).
        input_shape: (N, H, W, C), the shape of x: several sizes of x lead to the same size of g.
        strides, padding: those of the forward pass.

    Returns:
        ``input_shape``.
    """
    name = "depthwise_conv2d_input_grad"
    _expect(name, g, _geometry(name, tuple(input_shape), w.shape, strides, padding))
    return Output(tuple(input_shape), g.dtype)


@kernel(arrays=2)
def depthwise_conv2d_kernel_grad(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair = (1, 1), padding: str = "valid"
) -> Output:
    """The gradient of ``depthwise_conv2d`` with respect to w.

    Args:
        x: (N, H, W, C).
        g: upstream gradient, (N, H', W', C * M).
        kernel_shape: (kh, kw, C, M).
        strides, padding: those of the forward pass.

    Returns:
        ``kernel_shape``; zeros for an empty batch.
    """
    name = "depthwise_conv2d_kernel_grad"
    _expect(name, g, _geometry(name, x.shape, tuple(kernel_shape), strides, padding))
    return Output(tuple(kernel_shape), x.dtype)
