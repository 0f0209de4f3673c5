"""Normalisation over the last axis (channels): batch norm for training, and the scale and shift of inference."""

from ..arrays import Array
from ..kernel import Output, kernel

__all__ = ["batch_norm", "batch_norm_grad", "batch_norm_relu", "batch_norm_relu_grad", "scale_shift"]


def _per_channel(name: str, x: Array, **vectors: Array) -> None:
    if x.ndim < 1:
        raise ValueError(f"{name}: x is a single number; expected (..., C)")
    for argument, vector in vectors.items():
        if vector.shape != x.shape[-1:]:
            raise ValueError(
                f"{name}: {argument} has shape {vector.shape}; expected {x.shape[-1:]}, one number for each channel "
                f"of x of shape {x.shape}"
            )


def _positive(name: str, epsilon: float) -> None:
    if not epsilon >= 0:
        raise ValueError(f"{name}: epsilon must be at least 0, not {epsilon!r}")


@kernel(arrays=3)
def batch_norm(x: Array, gamma: Array, beta: Array, *, epsilon: float) -> tuple[Output, Output, Output]:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta with the statistics of x (Ioffe and Szegedy 2015).

    mean and variance are taken over all axes but the last; the variance is the biased one, mean of (x - mean)^2, and
    as precise as that form of it.

    Args:
        x: (..., C).
        gamma, beta: (C,).
        epsilon: added to the variance.

    Returns:
        y of x's shape, mean (C,), variance (C,). Without any row (an empty batch) mean and variance are 0.
    """
    _per_channel("batch_norm", x, gamma=gamma, beta=beta)
    _positive("batch_norm", epsilon)
    channel = Output(x.shape[-1:], x.dtype)
    return Output(x.shape, x.dtype), channel, channel


@kernel(arrays=5)
def batch_norm_grad(
    g: Array, x: Array, gamma: Array, mean: Array, variance: Array, *, epsilon: float
) -> tuple[Output, Output, Output]:
    """The gradients of ``batch_norm``'s y, with mean and variance as functions of x.

    With n rows, r = 1 / sqrt(variance + epsilon) and xh = (x - mean) * r:
    dbeta = sum(g), dgamma = sum(g * xh), dx = gamma * r * (g - dbeta / n - xh * dgamma / n).

    Args:
        g: upstream gradient, x's shape.
        x: (..., C).
        gamma: (C,).
        mean, variance: (C,), as ``batch_norm`` returned them.
        epsilon: that of the forward pass.

    Returns:
        dx of x's shape, dgamma (C,), dbeta (C,); without any row dgamma and dbeta are 0.
    """
    _per_channel("batch_norm_grad", x, gamma=gamma, mean=mean, variance=variance)
    _positive("batch_norm_grad", epsilon)
    if g.shape != x.shape:
        raise ValueError(f"batch_norm_grad: g has shape {g.shape}, x has {x.shape}; they must be equal")
    channel = Output(x.shape[-1:], x.dtype)
    return Output(x.shape, x.dtype), channel, channel


def _not_negative(name: str, slope: float) -> None:
    if not slope >= 0:
        raise ValueError(f"{name}: negative_slope must be at least 0, not {slope!r}: the output tells the sign")


@kernel(arrays=3)
def batch_norm_relu(
    x: Array, gamma: Array, beta: Array, *, epsilon: float, negative_slope: float = 0.0
) -> tuple[Output, Output, Output]:
    """``relu`` of ``batch_norm``, or with a slope above 0 ``leaky_relu`` of it, in one pass after the statistics.

    Args:
        x, gamma, beta, epsilon: as of ``batch_norm``.
        negative_slope: 0 or more.

    Returns:
        y of x's shape, mean (C,), variance (C,), as ``batch_norm``.
    """
    _not_negative("batch_norm_relu", negative_slope)
    return batch_norm.contract(x, gamma, beta, epsilon=epsilon)


@kernel(arrays=6)
def batch_norm_relu_grad(
    g: Array, y: Array, x: Array, gamma: Array, mean: Array, variance: Array, *,
    epsilon: float, negative_slope: float = 0.0,
) -> tuple[Output, Output, Output]:  # fmt: skip
    """The gradients of ``batch_norm_relu``'s y: those of ``batch_norm`` for g where y is positive, else slope * g.

    At y = 0 a slope of 0 takes no gradient, as ``relu``, and another one all of it, as ``leaky_relu``.

    Args:
        g: upstream gradient, x's shape.
        y: what ``batch_norm_relu`` returned.
        x, gamma, mean, variance, epsilon: as of ``batch_norm_grad``.
        negative_slope: that of the forward pass.

    Returns:
        dx of x's shape, dgamma (C,), dbeta (C,); without any row dgamma and dbeta are 0.
    """
    _not_negative("batch_norm_relu_grad", negative_slope)
    if y.shape != x.shape:
        raise ValueError(f"batch_norm_relu_grad: y has shape {y.shape}, x has {x.shape}; they must be equal")
    return batch_norm_grad.contract(g, x, gamma, mean, variance, epsilon=epsilon)


@kernel(arrays=3)
def scale_shift(x: Array, scale: Array, shift: Array) -> Output:
    """x * scale + shift over the last axis: batch norm with given statistics, for instance.

    Args:
        x: (..., C).
        scale, shift: (C,).
    """
    _per_channel("scale_shift", x, scale=scale, shift=shift)
    return Output(x.shape, x.dtype)
