"""Convolution of pictures: the layer's forward pass and its two gradients. Pictures are NHWC.

The three are a closed family: each one's gradients are the other two, so convolutions can be differentiated any number
of times (and a transposed convolution is the input gradient run forward).
"""

from ..arrays import Array
from ..kernel import Output, kernel
from .geometry import Pair, Shape, output_size

__all__ = ["conv2d", "conv2d_input_grad", "conv2d_kernel_grad"]


def _geometry(name: str, picture: Pair, window: Shape, strides: Pair, padding: str) -> Shape:
    """Check the settings; the output's (height, width)."""
    if padding not in ("valid", "same"):
        raise ValueError(f'{name}: padding must be "valid" or "same", not {padding!r}')
    if not isinstance(strides, tuple) or len(strides) != 2 or not all(isinstance(s, int) and s > 0 for s in strides):
        raise ValueError(f"{name}: strides must be a tuple of two positive whole numbers, not {strides!r}")
    if min(window) < 1:
        raise ValueError(f"{name}: the kernel has {window[0]}x{window[1]} cells; expected at least 1x1")
    if padding == "valid" and (window[0] > picture[0] or window[1] > picture[1]):
        raise ValueError(
            f"{name}: a kernel of {window[0]}x{window[1]} does not fit into a picture of {picture[0]}x{picture[1]} "
            f'with padding="valid"; take a smaller kernel or padding="same"'
        )
    return tuple(output_size(n, k, s, padding) for n, k, s in zip(picture, window, strides, strict=True))


def _check_axes(name: str, argument: str, shape: Shape, expected: str) -> None:
    if len(shape) != 4:
        raise ValueError(f"{name}: {argument} has shape {tuple(shape)}; expected {expected}")


@kernel(arrays=3)
def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    strides: Pair = (1, 1),
    padding: str = "valid",
    activation: str | None = None,
) -> Output:
    """Slide the kernels over the pictures (cross-correlation, as in every framework), then bias and activation.

    y[n, i, j, f] = sum over di, dj, c of x[n, i*sh + di - top, j*sw + dj - left, c] * w[di, dj, c, f] + b[f],
    with zeros outside of the picture. All in one pass over y.

    Args:
        x: (N, H, W, C).
        w: (kh, kw, C, F).
        b: (F,), or left out.
        strides: (sh, sw).
        padding: "valid", or "same": H' = ceil(H / sh), the odd cell of padding after.
        activation: ``None`` or ``"relu"``.

    Returns:
        (N, H', W', F).

    Raises:
        ValueError: other shapes, or a kernel larger than the picture with "valid".
    """
    if activation not in (None, "relu"):
        raise ValueError(f'conv2d: activation must be None or "relu", not {activation!r}')
    _check_axes("conv2d", "x", x.shape, "(N, H, W, C)")
    _check_axes("conv2d", "w", w.shape, "(kh, kw, C, F)")
    n, height, width, channels = x.shape
    if w.shape[2] != channels:
        raise ValueError(
            f"conv2d: x of shape {x.shape} has {channels} channels, w of shape {w.shape} is for {w.shape[2]}"
        )
    if b is not None and b.shape != w.shape[3:]:
        raise ValueError(f"conv2d: b has shape {b.shape}; expected {w.shape[3:]}, one number for each filter of w")
    return Output((n, *_geometry("conv2d", (height, width), w.shape[:2], strides, padding), w.shape[3]), x.dtype)


@kernel(arrays=2)
def conv2d_input_grad(
    g: Array, w: Array, *, input_shape: Shape, strides: Pair = (1, 1), padding: str = "valid"
) -> Output:
    """The gradient of ``conv2d`` with respect to x.

    Args:
        g: upstream gradient, (N, H', W', F).
        w: (kh, kw, C, F).
        input_shape: (N, H, W, C), the shape of x: several sizes of x lead to the same size of g.
        strides, padding: those of the forward pass.

    Returns:
        ``input_shape``.
    """
    _check_axes("conv2d_input_grad", "g", g.shape, "(N, H', W', F)")
    _check_axes("conv2d_input_grad", "w", w.shape, "(kh, kw, C, F)")
    _check_axes("conv2d_input_grad", "input_shape", input_shape, "(N, H, W, C)")
    n, height, width, channels = input_shape
    if w.shape[2] != channels:
        raise ValueError(
            f"conv2d_input_grad: input_shape {tuple(input_shape)} has {channels} channels, w of shape {w.shape} "
            f"is for {w.shape[2]}"
        )
    size = _geometry("conv2d_input_grad", (height, width), w.shape[:2], strides, padding)
    if g.shape != (n, *size, w.shape[3]):
        raise ValueError(
            f"conv2d_input_grad: g has shape {g.shape}; expected {(n, *size, w.shape[3])}, what conv2d returns for "
            f"input_shape {tuple(input_shape)} and w of shape {w.shape}"
        )
    return Output(tuple(input_shape), g.dtype)


@kernel(arrays=2)
def conv2d_kernel_grad(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair = (1, 1), padding: str = "valid"
) -> Output:
    """The gradient of ``conv2d`` with respect to w.

    Args:
        x: (N, H, W, C).
        g: upstream gradient, (N, H', W', F).
        kernel_shape: (kh, kw, C, F).
        strides, padding: those of the forward pass.

    Returns:
        ``kernel_shape``; zeros for an empty batch.
    """
    _check_axes("conv2d_kernel_grad", "x", x.shape, "(N, H, W, C)")
    _check_axes("conv2d_kernel_grad", "g", g.shape, "(N, H', W', F)")
    _check_axes("conv2d_kernel_grad", "kernel_shape", kernel_shape, "(kh, kw, C, F)")
    n, height, width, channels = x.shape
    if kernel_shape[2] != channels:
        raise ValueError(
            f"conv2d_kernel_grad: x of shape {x.shape} has {channels} channels, kernel_shape {tuple(kernel_shape)} "
            f"is for {kernel_shape[2]}"
        )
    size = _geometry("conv2d_kernel_grad", (height, width), tuple(kernel_shape[:2]), strides, padding)
    if g.shape != (n, *size, kernel_shape[3]):
        raise ValueError(
            f"conv2d_kernel_grad: g has shape {g.shape}; expected {(n, *size, kernel_shape[3])}, what conv2d returns "
            f"for x of shape {x.shape} and kernel_shape {tuple(kernel_shape)}"
        )
    return Output(tuple(kernel_shape), x.dtype)
