"""What an optimizer does to its weights: updates in place, of all weights of a model in one call.

The numbers are those of Keras 3. They are computed in float64 and rounded to the dtype of the weights once. In place of
the learning rate CUDA's implementations take an array () that holds it, of that dtype, which need not be read.
"""

from collections.abc import Sequence
from typing import Any

from ..arrays import FLOATS, Array, is_array
from ..kernel import kernel

__all__ = ["adam", "adam_rate", "rmsprop", "sgd", "sgd_momentum"]


def _check_lists(name: str, ws: Sequence[Array], gs: Sequence[Array], **slots: Sequence[Array]) -> None:
    """Equal lengths, shapes and dtypes; what is written (w and its slots) contiguous and writeable."""
    lists = {"ws": ws, "gs": gs, **slots}
    for argument, arrays in lists.items():
        if not isinstance(arrays, (list, tuple)):
            raise TypeError(f"{name}: {argument} must be a list of arrays, not a {type(arrays).__name__}")
        if len(arrays) != len(ws):
            raise ValueError(f"{name}: {argument} has {len(arrays)} arrays, ws has {len(ws)}; they must be equal")
    for i, w in enumerate(ws):
        if not is_array(w) or w.dtype not in FLOATS:
            came = f"dtype {w.dtype}" if is_array(w) else f"type {type(w).__name__}"
            raise TypeError(f"{name}: ws[{i}] has {came}; expected an array of float32 or float64")
        shape, dtype = w.shape, w.dtype
        for argument, arrays in lists.items():
            array = arrays[i]
            if array.shape != shape or (array.dtype is not dtype and array.dtype != dtype):
                raise ValueError(
                    f"{name}: {argument}[{i}] has shape {array.shape} and dtype {array.dtype}; "
                    f"expected {w.shape} and {w.dtype}, as ws[{i}]"
                )
            if arrays is not gs and not ((flags := array.flags).c_contiguous and getattr(flags, "writeable", True)):
                # (CuPy's arrays are always writeable, and their flags do not say so.)
                raise ValueError(
                    f"{name}: {argument}[{i}] of shape {array.shape} is not C-contiguous and writeable; "
                    f"it is changed in place, so pass np.ascontiguousarray(...) and keep that array"
                )


def _check_fraction(name: str, argument: str, value: float, top: bool = False) -> None:
    if not (0 <= value < 1 or (top and value == 1)):
        raise ValueError(f"{name}: {argument} must be from 0 to 1{'' if top else ' (exclusive)'}, not {value!r}")


def _check_sgd_momentum(name: str, *lists: Any, momentum: float, **settings: Any) -> None:
    _check_fraction(name, "momentum", momentum, top=True)


def _check_adam(
    name: str, *lists: Any, beta_1: float, beta_2: float, epsilon: float, step: int | None, **settings: Any
) -> None:
    _check_fraction(name, "beta_1", beta_1)
    _check_fraction(name, "beta_2", beta_2)
    if not epsilon >= 0:
        raise ValueError(f"{name}: epsilon must be at least 0, not {epsilon!r}")
    if step is not None and not step >= 1:
        raise ValueError(f"{name}: step counts from 1, it cannot be {step!r}")


def _check_rmsprop(name: str, *lists: Any, rho: float, epsilon: float, **settings: Any) -> None:
    _check_fraction(name, "rho", rho, top=True)
    if not epsilon >= 0:
        raise ValueError(f"{name}: epsilon must be at least 0, not {epsilon!r}")


@kernel(lists=True)
def sgd(ws: Sequence[Array], gs: Sequence[Array], *, learning_rate: float) -> None:
    """w -= learning_rate * g, in place.

    Args:
        ws: the weights, a list of arrays of any shapes, C-contiguous.
        gs: their gradients.
        learning_rate: a number.

    Raises:
        TypeError, ValueError: lists, shapes or dtypes that do not match, or weights that cannot be changed in place.
    """
    _check_lists("sgd", ws, gs)


@kernel(lists=True, values=_check_sgd_momentum)
def sgd_momentum(
    ws: Sequence[Array],
    gs: Sequence[Array],
    ms: Sequence[Array],
    *,
    learning_rate: float,
    momentum: float,
    nesterov: bool = False,
) -> None:
    """m = momentum * m - learning_rate * g; w += m, in place.

    With ``nesterov`` the second step is w += momentum * m - learning_rate * g, with the m just computed.

    Args:
        ws: the weights, a list of arrays of any shapes, C-contiguous.
        gs: their gradients.
        ms: their momentums, zeros before the first step, C-contiguous.
        learning_rate: a number.
        momentum: from 0 to 1.
        nesterov: look ahead (Nesterov 1983).
    """
    _check_lists("sgd_momentum", ws, gs, ms=ms)


@kernel(lists=True, values=_check_adam)
def adam(
    ws: Sequence[Array],
    gs: Sequence[Array],
    ms: Sequence[Array],
    vs: Sequence[Array],
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int | None,
) -> None:
    """Adam (Kingma and Ba 2014) in its "epsilon hat" form, as Keras has it, in place.

    m += (g - m) * (1 - beta_1); v += (g^2 - v) * (1 - beta_2); w -= m * rate / (sqrt(v) + epsilon) with
    rate = learning_rate * sqrt(1 - beta_2^step) / (1 - beta_1^step). So epsilon is added to the uncorrected root, which
    is not where the textbooks have it.

    Args:
        ws: the weights, a list of arrays of any shapes, C-contiguous.
        gs: their gradients.
        ms, vs: first and second moments, zeros before the first step, C-contiguous.
        learning_rate: a number.
        beta_1, beta_2: in [0, 1).
        epsilon: at least 0.
        step: 1 for the first step; None: learning_rate is what ``adam_rate`` gave.
    """
    _check_lists("adam", ws, gs, ms=ms, vs=vs)


@kernel(lists=True, values=_check_rmsprop)
def rmsprop(
    ws: Sequence[Array],
    gs: Sequence[Array],
    vs: Sequence[Array],
    *,
    learning_rate: float,
    rho: float,
    epsilon: float,
) -> None:
    """RMSprop (Hinton 2012) as Keras has it: v = rho * v + (1 - rho) * g^2; w -= learning_rate * g / sqrt(v + epsilon).

    So epsilon is inside the root, other than in Adam.

    Args:
        ws: the weights, a list of arrays of any shapes, C-contiguous.
        gs: their gradients.
        vs: the averages of their squares, zeros before the first step, C-contiguous.
        learning_rate: a number.
        rho: from 0 to 1.
        epsilon: at least 0.
    """
    _check_lists("rmsprop", ws, gs, vs=vs)


def adam_rate(learning_rate: Any, beta_1: float, beta_2: float, step: int | None) -> Any:
    """learning_rate with the corrections for moments that started at zero; itself where ``step`` is None."""
    if step is None:
        return learning_rate
    return float(learning_rate) * (1 - float(beta_2) ** step) ** 0.5 / (1 - float(beta_1) ** step)
