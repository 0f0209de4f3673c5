"""Ops called on symbolic tensors: the table of those that can be exported, by name."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minidl import config
from minidl.engine.tensor import raw
from minidl.graph import Function, KerasTensor, infer
from minidl.graph.symbolic import flatten, map_structure
from minidl_kernels.arrays import is_array, to_numpy

from .activations import clipped, compared, glu, log_softmax, operator, relu, sigmoid, softmax, sparsemax, tanh, where
from .indexing import getitem
from .merging import concatenated, in_one_dtype
from .operators import alike, arg, binary, comparing, floats, logical, reducing, testing, unary
from .shaping import padded
from .value import Value, elementwise, node

__all__ = ["OPS", "traced", "write_op"]


def matrix_product(x1: Any, x2: Any, transpose_1: bool, transpose_2: bool) -> Value:
    """MatMul."""
    x1, x2 = in_one_dtype([x1, x2])
    turned = []
    for x, turn in ((x1, transpose_1), (x2, transpose_2)):
        order = range(x.rank)
        turned.append(x.transpose(*order[:-2], order[-1], order[-2]) if turn else x)
    return node("MatMul", *turned)


def dense(x: Value, kernel: Value, bias: Value, activation: str | None) -> Value:
    """MatMul and Add."""
    y = node("MatMul", x, kernel, shape=(*x.shape[:-1], kernel.shape[-1])) + bias
    return relu(y) if activation == "relu" else y


def filled(number: float) -> Callable[..., Value]:
    """One number everywhere, in the shape of a value."""

    def fill(x: Value, dtype: Any) -> Value:
        kind = np.dtype(dtype or x.dtype)
        number_of = x.graph.onnx.numpy_helper.from_array(np.array([number], kind))
        made = x.graph.emit("ConstantOfShape", [x.graph.emit("Shape", [x.plain])], value=number_of)
        return Value(x.graph, x.shape, kind, made)

    return fill


def full_like(x: Value, fill_value: Any, dtype: Any) -> Value:
    """ConstantOfShape."""
    return filled(fill_value)(x, dtype)


def cumsum(x: Value, axis: int | None, dtype: Any) -> Value:
    """CumSum."""
    if axis is None:
        x, axis = x.reshape((-1,), (None,)), 0
    return node("CumSum", x.cast(dtype or x.dtype), x.graph.constant(np.array(axis % x.rank), "axis"))


def expand_dims(x: Value, axis: Any) -> Value:
    """Unsqueeze."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    places = {a % (x.rank + len(axes)) for a in axes}
    others = iter(x.shape)
    shape = [1 if i in places else next(others) for i in range(x.rank + len(axes))]
    return node("Unsqueeze", x, x.integers(*sorted(places)), shape=shape)


def squeeze(x: Value, axis: Any) -> Value:
    """Squeeze."""
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else [axis] if isinstance(axis, int) else axis
    return node("Squeeze", x, x.integers(*axes))


def pad(x: Value, pad_width: Any, mode: str, constant_values: float) -> Value:
    """Pad."""
    widths = np.broadcast_to(np.asarray(pad_width), (x.rank, 2)).tolist()
    return padded(x, [tuple(width) for width in widths], constant_values)


def tile(x: Value, repeats: Any) -> Value:
    """Tile."""
    times = [repeats] if isinstance(repeats, int) else list(repeats)
    missing = len(times) - x.rank
    if missing > 0:
        x = expand_dims(x, range(missing))
    return node("Tile", x, x.integers(*[1] * -min(missing, 0), *times))


def saturated(x: Value, dtype: Any) -> Value:
    """Round, Clip and Cast."""
    limits = np.iinfo(dtype)
    return clipped(elementwise("Round", x), limits.min, limits.max).cast(dtype)


def rounded(x: Value, decimals: int) -> Value:
    """Round; it knows whole numbers only."""
    return elementwise("Round", x) if decimals == 0 else elementwise("Round", x * 10.0**decimals) / 10.0**decimals


def one_hot(x: Value, num_classes: int, axis: int, dtype: Any) -> Value:
    """Equal to each number; a label out of range gives zeros."""
    y = compared("Equal", expand_dims(x, -1), np.arange(num_classes)).cast(dtype or config.floatx())
    places = [i for i in range(y.rank - 1)]
    places.insert(axis % y.rank, y.rank - 1)
    return y.transpose(*places)


def clip(x: Value, low: Any, high: Any) -> Value:
    """Clip; Max and Min where the limits are arrays."""
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        return clipped(*alike(x, low, high))
    x = x if low is None else elementwise("Max", *alike(x, low))
    return x if high is None else elementwise("Min", *alike(x, high))


def power(x1: Any, x2: Any) -> Value:
    """Mul for squares, else Pow."""
    return x1 * x1 if isinstance(x2, int) and x2 == 2 else binary("Pow")(x1, x2)


OPS: dict[str, Callable[..., Value]] = {
    **{name: binary(kind) for name, kind in {
        "add": "Add", "subtract": "Sub", "multiply": "Mul", "maximum": "Max", "minimum": "Min",
    }.items()},
    **{name: comparing(kind) for name, kind in {
        "equal": "Equal", "greater": "Greater", "greater_equal": "GreaterOrEqual", "less": "Less",
        "less_equal": "LessOrEqual",
    }.items()},
    **{name: logical(kind) for name, kind in {
        "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "logical_not": "Not",
    }.items()},
    **{name: unary(kind) for name, kind in {
        "arccos": "Acos", "arccosh": "Acosh", "arcsin": "Asin", "arcsinh": "Asinh", "arctan": "Atan",
        "arctanh": "Atanh", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "erf": "Erf", "exp": "Exp",
        "floor": "Floor", "log": "Log", "sin": "Sin", "sinh": "Sinh", "softplus": "Softplus", "sqrt": "Sqrt",
        "tan": "Tan",
    }.items()},
    **{name: reducing(kind) for name, kind in {
        "sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd",
    }.items()},
    "abs": operator("Abs"),
    "all": testing("ReduceMin"),
    "any": testing("ReduceMax"),
    "argmax": arg("ArgMax"),
    "argmin": arg("ArgMin"),
    "bias_relu": lambda x, bias: relu(x + bias),
    "broadcast_to": lambda x, shape: node("Expand", x, x.integers(*shape)),
    "cast": lambda x, dtype: x.cast(dtype),
    "clip": clip,
    "concatenate": lambda xs, axis: concatenated(in_one_dtype(xs), axis),
    "contraction": lambda x1, x2, equation: node("Einsum", *in_one_dtype([x1, x2]), equation=equation),
    "cumsum": cumsum,
    "dense": dense,
    "divide": lambda x1, x2: elementwise("Div", *alike(*[floats(x) if isinstance(x, Value) else x for x in (x1, x2)])),
    "expand_dims": expand_dims,
    "expm1": lambda x: unary("Exp")(x) - 1.0,
    "full_like": full_like,
    "getitem": getitem,
    "glu": glu,
    "leaky_relu": lambda x, negative_slope: operator("LeakyRelu", alpha=float(negative_slope))(floats(x)),
    "log1p": lambda x: unary("Log")(floats(x) + 1.0),
    "log_softmax_last": log_softmax,
    "matrix_product": matrix_product,
    "mean": reducing("ReduceMean", floating=True),
    "negative": operator("Neg"),
    "not_equal": comparing("Equal", negated=True),
    "one_hot": one_hot,
    "ones_like": filled(1),
    "pad": pad,
    "power": power,
    "relu": relu,
    "reshape": lambda x, newshape: x.reshape([newshape] if isinstance(newshape, int) else newshape, ()),
    "round": rounded,
    "saturated": saturated,
    "scale_shift": lambda x, scale, shift: x * scale + shift,
    "sigmoid": lambda x: sigmoid(floats(x)),
    "sign": operator("Sign"),
    "softmax_last": softmax,
    "sparsemax_last": sparsemax,
    "square": lambda x: x * x,
    "squeeze": squeeze,
    "stop_gradient": lambda x: x,
    "tanh": lambda x: tanh(floats(x)),
    "tile": tile,
    "transpose": lambda x, axes: x.transpose(*[a % x.rank for a in axes or range(x.rank)[::-1]]),
    "where": lambda condition, x1, x2: where(condition.cast(bool), *alike(x1, x2)),
    "zeros_like": filled(0),
}  # fmt: skip


def write_op(op: Any, *args: Any, **kwargs: Any) -> Value:
    """Write the nodes of one call of an op, or of a function of ops that is one step of the graph.

    Raises:
        ValueError: the op, or this call of it, cannot be exported.
    """
    if op.name not in OPS:
        raise ValueError(
            f"the op {op.name!r} cannot be exported to ONNX; a model may call these on symbolic tensors: "
            f"{', '.join(sorted(OPS))}"
        )
    bound = inspect.signature(op).bind(*args, **kwargs)
    bound.apply_defaults()
    beside = next(one for one in flatten(bound.args) if isinstance(one, Value))

    def value_of(leaf: Any) -> Any:
        array = raw(leaf)
        if is_array(array) and (array is not leaf or op.name != "getitem"):  # there an array is an index
            return Value(beside.graph, array.shape, array.dtype, array=to_numpy(array))
        return leaf.item() if isinstance(leaf, np.generic) else leaf

    def symbol_of(leaf: Any) -> Any:
        return KerasTensor(leaf.shape, leaf.dtype) if isinstance(leaf, Value) else leaf

    spec = infer(op, map_structure(symbol_of, bound.args), {})
    with beside.graph.inside(op.name):
        y = OPS[op.name](*map_structure(value_of, bound.args)).cast(spec.dtype).copy()
    y.shape = tuple(spec.shape)
    return y


def traced(function: Callable[..., Any], *args: Any) -> Any:
    """What a function of ops makes of values, op by op; None where it returns that."""
    symbols = map_structure(lambda one: KerasTensor(one.shape, one.dtype) if isinstance(one, Value) else one, args)
    y = function(*symbols)
    if y is None:
        return None
    values = [one for one in flatten(args) if isinstance(one, Value)]
    graph = Function([one for one in flatten(symbols) if isinstance(one, KerasTensor)], y)
    return graph(values, stand_in=lambda op: partial(write_op, op))
