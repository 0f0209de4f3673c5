"""Elementwise activations, each with the gradient kernel that its rule calls.

The gradients take the forward pass' output, not its input: the input need not be kept. (Only a leaky ReLU's output does
not tell the sign of its input, where the slope is 0.)
"""

from ..arrays import Array
from ..kernel import Output, kernel

__all__ = [
    "bias_relu", "leaky_relu", "leaky_relu_grad", "relu", "relu_bias_grad", "relu_grad", "sigmoid", "sigmoid_grad",
    "tanh", "tanh_grad",
]  # fmt: skip


def _same_shape(name: str, g: Array, y: Array) -> Output:
    if g.shape != y.shape:
        raise ValueError(f"{name}: g has shape {g.shape}, y has {y.shape}; they must be equal")
    return Output(g.shape, g.dtype)


@kernel(arrays=1)
def relu(x: Array) -> Output:
    """max(x, 0), elementwise; NaN stays NaN.

    Args:
        x: any shape.
    """
    return Output(x.shape, x.dtype)


@kernel(arrays=2)
def relu_grad(g: Array, y: Array) -> Output:
    """g where y > 0, else 0 (so relu'(0) = 0, as in Keras).

    Args:
        g: upstream gradient, any shape.
        y: what ``relu`` returned, of g's shape.
    """
    return _same_shape("relu_grad", g, y)


@kernel(arrays=2)
def relu_bias_grad(g: Array, y: Array) -> tuple[Output, Output]:
    """``relu_grad``, and its sum over all axes but the last: the gradient of a bias before the ReLU, in one pass.

    Args:
        g: upstream gradient, (..., C), at least one axis.
        y: max(x + b, 0) of the forward pass, of g's shape.

    Returns:
        (..., C) and (C,). The same bits at every call.
    """
    if g.ndim < 1:
        raise ValueError("relu_bias_grad: g is a single number; expected (..., C)")
    return _same_shape("relu_bias_grad", g, y), Output(g.shape[-1:], g.dtype)


@kernel(arrays=1)
def leaky_relu(x: Array, *, negative_slope: float) -> Output:
    """x where x >= 0, else negative_slope * x; NaN stays NaN.

    Args:
        x: any shape.
        negative_slope: any number.
    """
    return Output(x.shape, x.dtype)


@kernel(arrays=2)
def leaky_relu_grad(g: Array, x: Array, *, negative_slope: float) -> Output:
    """g where x >= 0, else negative_slope * g.

    Args:
        g: upstream gradient, any shape.
        x: what ``leaky_relu`` got, of g's shape.
        negative_slope: that of the forward pass.
    """
    if g.shape != x.shape:
        raise ValueError(f"leaky_relu_grad: g has shape {g.shape}, x has {x.shape}; they must be equal")
    return Output(g.shape, g.dtype)


@kernel(arrays=1)
def sigmoid(x: Array) -> Output:
    """1 / (1 + exp(-x)), elementwise, without overflow for any x; NaN stays NaN.

    Args:
        x: any shape.
    """
    return Output(x.shape, x.dtype)


@kernel(arrays=2)
def sigmoid_grad(g: Array, y: Array) -> Output:
    """g * y * (1 - y): the derivative of the sigmoid by its output.

    Args:
        g: upstream gradient, any shape.
        y: what ``sigmoid`` returned, of g's shape.
    """
    return _same_shape("sigmoid_grad", g, y)


@kernel(arrays=1)
def tanh(x: Array) -> Output:
    """The hyperbolic tangent, elementwise; NaN stays NaN.

    Args:
        x: any shape.
    """
    return Output(x.shape, x.dtype)


@kernel(arrays=2)
def tanh_grad(g: Array, y: Array) -> Output:
    """g * (1 - y^2): the derivative of tanh by its output.

    Args:
        g: upstream gradient, any shape.
        y: what ``tanh`` returned, of g's shape.
    """
    return _same_shape("tanh_grad", g, y)


@kernel(arrays=2)
def bias_relu(x: Array, b: Array) -> Output:
    """max(x + b, 0) in one pass; NaN stays NaN.

    Args:
        x: (..., C), at least one axis.
        b: (C,).
    """
    if x.ndim < 1 or b.shape != x.shape[-1:]:
        raise ValueError(f"bias_relu: x has shape {x.shape}, b has {b.shape}; expected (..., C) and (C,)")
    return Output(x.shape, x.dtype)
