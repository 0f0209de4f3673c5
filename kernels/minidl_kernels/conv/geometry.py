"""Where a sliding window starts and ends: output sizes and padding, the same for convolution and pooling."""

__all__ = ["Pair", "Shape", "output_size", "padding_pairs", "same_padding"]

Pair = tuple[int, int]
Shape = tuple[int, ...]


def same_padding(n: int, k: int, s: int) -> tuple[int, int]:
    """Cells of padding before and after, along one axis, for ``padding="same"``.

    The output then has ceil(n / s) cells. Where the total is odd, the odd cell comes after (as in Keras and TensorFlow;
    PyTorch pads both sides alike).

    Args:
        n: cells of the input.
        k: cells of the window.
        s: stride.
    """
    total = max((-(-n // s) - 1) * s + k - n, 0) if n else 0
    return total // 2, total - total // 2


def output_size(n: int, k: int, s: int, padding: str) -> int:
    """Output cells along one axis of ``n`` cells, for a window of ``k`` cells and stride ``s``.

    Raises:
        ValueError: an unknown padding, sizes below 1, or (with "valid") a window larger than the input.
    """
    if k < 1 or s < 1:
        raise ValueError(f"window and stride must be at least 1, not {k} and {s}")
    if padding == "same":
        return -(-n // s)
    if padding != "valid":
        raise ValueError(f'padding must be "valid" or "same", not {padding!r}')
    if k > n:
        raise ValueError(f'a window of {k} does not fit into {n} cells with padding="valid"')
    return (n - k) // s + 1


def padding_pairs(size: Shape, window: Shape, strides: Pair, padding: str) -> tuple[Pair, Pair]:
    """((top, bottom), (left, right)) cells of padding for a picture of ``size`` (height, width)."""
    if padding == "valid":
        return (0, 0), (0, 0)
    vertical, horizontal = (same_padding(n, k, s) for n, k, s in zip(size, window, strides, strict=True))
    return vertical, horizontal
