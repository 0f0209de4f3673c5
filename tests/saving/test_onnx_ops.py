"""Ops called on symbolic tensors, in ONNX files."""

import numpy as np
import pytest

import minidl as keras
from minidl import layers, ops
from minidl.engine.op import registered
from minidl.saving.onnx.operations import OPS

from .test_onnx import check

X = np.linspace(-2, 2, 72, dtype="float32").reshape(3, 4, 6)
Y = np.cos(np.arange(72, dtype="float32")).reshape(3, 4, 6)
ROWS = np.array([2.0, 0.5, -1.0, 3.0, 1.5, 0.25], "float32")

# op -> functions of two symbolic tensors (3, 4, 6) whose graphs have it
FUNCTIONS = {
    "abs": lambda x, y: abs(x),
    "add": [lambda x, y: x + y, lambda x, y: 1 + x, lambda x, y: x + ROWS, lambda x, y: ops.argmax(y, axis=1) + 1.5],
    "all": lambda x, y: ops.all(ops.greater(y, -0.9), axis=1),
    "any": [lambda x, y: ops.any(ops.greater(y, 0.9), axis=-1), lambda x, y: ops.any(ops.relu(y - 0.9), axis=(1, 2))],
    "arccos": lambda x, y: ops.arccos(x / 2.1),
    "arccosh": lambda x, y: ops.arccosh(abs(x) + 1.1),
    "arcsin": lambda x, y: ops.arcsin(x / 2.1),
    "arcsinh": lambda x, y: ops.arcsinh(x),
    "arctan": lambda x, y: ops.arctan(x),
    "arctanh": lambda x, y: ops.arctanh(x / 2.1),
    "argmax": [lambda x, y: ops.argmax(y, axis=1), lambda x, y: ops.argmax(y, axis=-1)],
    "argmin": [lambda x, y: ops.argmin(y, axis=1), lambda x, y: x + ops.argmin(y)],
    "bias_relu": lambda x, y: ops.bias_relu(x, ROWS),
    "broadcast_to": lambda x, y: x + ops.broadcast_to(ops.sum(y), (4, 6)),
    "cast": [lambda x, y: ops.cast(x * 3, "int32"), lambda x, y: ops.cast(ops.greater(x, 0), "float32")],
    "ceil": lambda x, y: ops.ceil(x),
    "clip": [
        lambda x, y: ops.clip(x, -1, 0.5), lambda x, y: ops.clip(x, -ROWS**2, ROWS**2),
        lambda x, y: ops.clip(x, None, 0.5), lambda x, y: ops.clip(ops.cast(x, "int32"), 0, 1),
    ],
    "concatenate": [lambda x, y: ops.concatenate([x, y], axis=1), lambda x, y: ops.stack([x, y, y], axis=-1)],
    "contraction": [
        lambda x, y: ops.einsum("bij,bkj->bik", x, y), lambda x, y: ops.einsum("...j,j->...", x, ROWS),
    ],
    "cos": lambda x, y: ops.cos(x),
    "cosh": lambda x, y: ops.cosh(x),
    "cumsum": [lambda x, y: ops.cumsum(x, axis=1), lambda x, y: ops.cumsum(ops.argmax(y, axis=1), -1, "float32")],
    "dense": [
        lambda x, y: ops.dense(x, np.outer(ROWS, ROWS), ROWS),
        lambda x, y: ops.dense(x, np.outer(ROWS, ROWS), ROWS, "relu"),
    ],
    "divide": [lambda x, y: x / 3, lambda x, y: 2 / (abs(y) + 1), lambda x, y: ops.argmax(y, axis=1) / 2],
    "equal": lambda x, y: ops.equal(x, y),
    "erf": lambda x, y: ops.erf(x),
    "exp": lambda x, y: ops.exp(x),
    "expand_dims": [lambda x, y: ops.expand_dims(x, 1), lambda x, y: ops.expand_dims(x, (1, -1))],
    "expm1": lambda x, y: ops.expm1(x),
    "floor": lambda x, y: ops.floor(x),
    "full_like": lambda x, y: ops.full_like(x, 3),
    "getitem": [
        lambda x, y: x[:, 1:3], lambda x, y: x[..., 0], lambda x, y: x[:, -1], lambda x, y: x[:, ::-1, ::2],
        lambda x, y: x[:, None, 2], lambda x, y: x[..., None, 1:-1], lambda x, y: ops.take(x, [3, 0, 0], axis=1),
        lambda x, y: ops.take(x, np.array([[5, 0], [1, 1]]), axis=-1), lambda x, y: ops.flip(x, axis=1),
        lambda x, y: x[:, 4:0:-1], lambda x, y: ops.split(x, 2, axis=1)[1], lambda x, y: ops.repeat(x, 2, axis=1),
        lambda x, y: x[:, None, [1, 2], 1:3], lambda x, y: x[:, 0, 0],
    ],
    "glu": [lambda x, y: ops.glu(x), lambda x, y: ops.glu(x, axis=1)],
    "greater": lambda x, y: ops.greater(x, y),
    "greater_equal": lambda x, y: ops.greater_equal(x, 0),
    "less": lambda x, y: ops.less(x, y),
    "less_equal": lambda x, y: ops.less_equal(x, y),
    "log": lambda x, y: ops.log(abs(x) + 1),
    "leaky_relu": [lambda x, y: ops.leaky_relu(x), lambda x, y: ops.leaky_relu(x, 0.4)],
    "log1p": lambda x, y: ops.log1p(abs(x)),
    "log_softmax_last": [lambda x, y: ops.log_softmax(x), lambda x, y: ops.log_softmax(x, axis=1)],
    "logical_and": lambda x, y: ops.logical_and(ops.greater(x, 0), ops.greater(y, 0)),
    "logical_not": lambda x, y: ops.logical_not(ops.greater(x, 0)),
    "logical_or": lambda x, y: ops.logical_or(ops.greater(x, 0), ops.greater(y, 0)),
    "logical_xor": lambda x, y: ops.logical_xor(ops.greater(x, 0), ops.greater(y, 0)),
    "matrix_product": [
        lambda x, y: x @ ops.transpose(y, (0, 2, 1)), lambda x, y: ops.matmul(np.outer(ROWS[:4], ROWS[:4]), x),
        lambda x, y: ops.matmul(x, ROWS),
    ],
    "max": [lambda x, y: ops.max(y, axis=1), lambda x, y: ops.max(y, axis=(1, 2), keepdims=True)],
    "maximum": [lambda x, y: ops.maximum(x, y), lambda x, y: ops.maximum(x, 0)],
    "mean": [
        lambda x, y: ops.mean(x, axis=-1), lambda x, y: ops.mean(ops.argmax(y, axis=1), axis=-1),
        lambda x, y: ops.var(y, axis=1),
    ],
    "min": lambda x, y: ops.min(y, axis=[1, 2]),
    "minimum": lambda x, y: ops.minimum(x, y),
    "multiply": [lambda x, y: x * y, lambda x, y: 0.5 * x, lambda x, y: ROWS * x],
    "negative": lambda x, y: -x,
    "not_equal": lambda x, y: ops.not_equal(x, y),
    "one_hot": [
        lambda x, y: ops.one_hot(ops.argmax(y, axis=1), 3),
        lambda x, y: ops.one_hot(ops.argmax(y, axis=-1), 7, axis=1),
    ],
    "ones_like": lambda x, y: ops.ones_like(x),
    "pad": [
        lambda x, y: ops.pad(x, ((0, 0), (1, 2), (0, 3))),
        lambda x, y: ops.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=2),
    ],
    "power": [lambda x, y: x**2, lambda x, y: abs(x) ** 1.5, lambda x, y: 2.0**x],
    "prod": lambda x, y: ops.prod(x, axis=1),
    "relu": lambda x, y: ops.relu(x),
    "reshape": [lambda x, y: ops.reshape(x, (-1, 24)), lambda x, y: ops.ravel(x)],
    "round": lambda x, y: ops.round(x),
    "scale_shift": lambda x, y: ops.batch_normalization(x, ROWS, ROWS**2, -1, ROWS, ROWS),
    "sigmoid": lambda x, y: ops.sigmoid(x),
    "sign": lambda x, y: ops.sign(x),
    "sin": lambda x, y: ops.sin(x),
    "sinh": lambda x, y: ops.sinh(x),
    "softmax_last": [lambda x, y: ops.softmax(x), lambda x, y: ops.softmax(x, axis=1)],
    "softplus": lambda x, y: ops.softplus(x),
    "sparsemax_last": [lambda x, y: ops.sparsemax(y), lambda x, y: ops.sparsemax(y, axis=1)],
    "sqrt": [lambda x, y: ops.sqrt(abs(x)), lambda x, y: ops.rsqrt(abs(x) + 1)],
    "square": lambda x, y: ops.square(x),
    "squeeze": [lambda x, y: ops.squeeze(x[:, 1:2], 1), lambda x, y: ops.squeeze(x[:, :1, :1])],
    "stop_gradient": lambda x, y: ops.stop_gradient(x) + y,
    "subtract": [lambda x, y: x - y, lambda x, y: 1 - x],
    "sum": [
        lambda x, y: ops.sum(x, axis=(1, 2)), lambda x, y: ops.sum(x, axis=1, keepdims=True),
        lambda x, y: x - ops.sum(y),
        lambda x, y: ops.sum(ops.greater(x, y), axis=1),
    ],
    "tan": lambda x, y: ops.tan(x / 2),
    "tanh": lambda x, y: ops.tanh(x),
    "tile": [lambda x, y: ops.tile(x, (1, 2, 3)), lambda x, y: ops.tile(x, 2)],
    "transpose": [
        lambda x, y: ops.transpose(x, (0, 2, 1)), lambda x, y: ops.moveaxis(x, 1, -1), lambda x, y: ops.transpose(x),
    ],
    "where": [lambda x, y: ops.where(ops.greater(x, y), x, y), lambda x, y: ops.where(ops.less(x, 0), x, 1.5)],
    "zeros_like": lambda x, y: ops.zeros_like(x),
}  # fmt: skip
ONLY_IN_LAYERS = {"saturated"}  # a Resizing of whole numbers has it

CASES = [
    (name, function)
    for name, functions in FUNCTIONS.items()
    for function in (functions if isinstance(functions, list) else [functions])
]


@pytest.mark.parametrize(("name", "function"), CASES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(CASES)])
def test_op(name, function):
    x, y = layers.Input((4, 6), name="x"), layers.Input((4, 6), name="y")
    model = keras.Model([x, y], function(x, y))
    calls = model._function.calls
    assert name in [call.operation.name for call in calls]
    check(model, {"x": X, "y": Y})


def test_every_op_of_the_table_has_a_case():
    assert OPS.keys() == FUNCTIONS.keys() | ONLY_IN_LAYERS
    assert OPS.keys() <= registered.keys() | {"cumsum", "glu"}  # functions that are one step of a graph


def test_a_variable_in_the_graph_is_a_weight():
    scale = keras.Variable(ROWS, name="scale")
    x = layers.Input((4, 6))
    model = keras.Model(x, x * scale)
    check(model, {"x": X})


def test_other_ops_are_refused_by_name():
    x = layers.Input((4, 6))
    with pytest.raises(ValueError, match="the op 'arctan2' cannot be exported to ONNX"):
        keras.Model(x, ops.arctan2(x, 1.0)).export("never.onnx", format="onnx")
    with pytest.raises(ValueError, match="the op 'median' cannot be exported to ONNX"):
        keras.Model(x, ops.median(x, axis=1)).export("never.onnx", format="onnx")
    with pytest.raises(ValueError, match="truth values"):
        keras.Model(x, x[:, np.array([True, False, True, False])]).export("never.onnx", format="onnx")
