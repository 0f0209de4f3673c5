"""``keras.backend``, written K in books: older names for what ``minidl.ops``, ``random`` and ``config`` do.

Arguments and defaults are those of tf.keras' backend. New code is better off with ``minidl.ops``.
"""

from typing import Any

import numpy as np

from minidl import config, models, ops, random, registry
from minidl.engine.tensor import Tensor, as_array, raw
from minidl.engine.variable import Variable
from minidl.graph.symbolic import flatten as leaves
from minidl.utils import clear_session
from minidl.utils.dtypes import is_float_dtype, is_int_dtype, result_type, standardize_dtype
from minidl.utils.graphs import is_keras_tensor
from minidl_kernels.arrays import to_numpy

epsilon, floatx, set_epsilon, set_floatx = config.epsilon, config.floatx, config.set_epsilon, config.set_floatx
backend, image_data_format = config.backend, config.image_data_format
set_image_data_format = config.set_image_data_format

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "backend", "batch_flatten", "batch_get_value",
    "batch_set_value", "binary_crossentropy", "cast", "categorical_crossentropy", "clear_session", "clip",
    "concatenate", "constant", "cos", "dot", "dropout", "dtype", "elu", "epsilon", "equal", "eval", "exp",
    "expand_dims", "eye", "flatten", "floatx", "function", "gather", "get_uid", "get_value", "gradients",
    "greater", "greater_equal", "hard_sigmoid", "image_data_format", "int_shape", "is_keras_tensor",
    "l2_normalize", "less", "less_equal", "log", "logsumexp", "max", "maximum", "mean", "min", "minimum",
    "ndim", "not_equal", "one_hot", "ones", "ones_like", "permute_dimensions", "pow", "prod",
    "random_bernoulli", "random_normal", "random_uniform", "relu", "relu6", "repeat_elements", "reshape",
    "set_epsilon", "set_floatx", "set_image_data_format", "set_value", "shape", "sigmoid", "sign", "sin",
    "softmax", "softplus", "softsign", "sparse_categorical_crossentropy", "sqrt", "square", "squeeze", "stack",
    "std", "stop_gradient", "sum", "switch", "tanh", "tile", "transpose", "truncated_normal", "var", "variable",
    "zeros", "zeros_like",
    "is_float_dtype", "is_int_dtype", "result_type", "standardize_dtype",
]  # fmt: skip

abs, square, sqrt, exp, log, sign, sin, cos = (
    ops.abs, ops.square, ops.sqrt, ops.exp, ops.log, ops.sign, ops.sin, ops.cos
)  # fmt: skip
sum, mean, std, var, max, min, prod, any, all = (
    ops.sum, ops.mean, ops.std, ops.var, ops.max, ops.min, ops.prod, ops.any, ops.all
)  # fmt: skip
maximum, minimum, pow, clip = ops.maximum, ops.minimum, ops.power, ops.clip
equal, not_equal, greater, greater_equal = ops.equal, ops.not_equal, ops.greater, ops.greater_equal
less, less_equal, logsumexp = ops.less, ops.less_equal, ops.logsumexp
relu6, sigmoid, tanh, softplus, softsign = ops.relu6, ops.sigmoid, ops.tanh, ops.softplus, ops.softsign
elu, hard_sigmoid, softmax = ops.elu, ops.hard_sigmoid, ops.softmax
cast, reshape, transpose, squeeze, tile = ops.cast, ops.reshape, ops.transpose, ops.squeeze, ops.tile
zeros_like, ones_like, arange, eye = ops.zeros_like, ops.ones_like, ops.arange, ops.eye
stack, stop_gradient, switch, one_hot = ops.stack, ops.stop_gradient, ops.where, ops.one_hot
binary_crossentropy = ops.binary_crossentropy
categorical_crossentropy, sparse_categorical_crossentropy = (
    ops.categorical_crossentropy, ops.sparse_categorical_crossentropy
)  # fmt: skip


# ---- values ----


def get_value(x: Any) -> np.ndarray:
    """The values of a variable or tensor as a NumPy array."""
    return np.array(to_numpy(raw(x)))


eval = get_value


def set_value(x: Variable, value: Any) -> None:
    """Assign to a variable."""
    if not isinstance(x, Variable):
        raise TypeError(f"set_value assigns to a Variable, not to a {type(x).__name__}")
    x.assign(value)


def batch_get_value(tensors: Any) -> list[np.ndarray]:
    """``get_value`` of each."""
    return [get_value(x) for x in tensors]


def batch_set_value(tuples: Any) -> None:
    """``set_value`` of each (variable, value)."""
    for x, value in tuples:
        set_value(x, value)


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A trainable variable."""
    made = Variable(value, dtype=dtype, name=name)
    made.constraint = constraint
    return made


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor of a value, repeated to ``shape``."""
    made = ops.convert_to_tensor(value, dtype or config.floatx())
    return made if shape is None else ops.broadcast_to(made, tuple(shape))


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of zeros."""
    return Variable(np.zeros(shape, dtype or config.floatx()), name=name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of ones."""
    return Variable(np.ones(shape, dtype or config.floatx()), name=name)


def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers."""
    return random.normal(_extents(shape), mean, stddev, dtype, seed)


def random_uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers spread evenly over [minval, maxval)."""
    return random.uniform(_extents(shape), minval, maxval, dtype, seed)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers, none further than two ``stddev`` from ``mean``."""
    return random.truncated_normal(_extents(shape), mean, stddev, dtype, seed)


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Ones with probability ``p``, else zeros."""
    drawn = random.uniform(_extents(shape), seed=seed)
    return ops.cast(ops.less(drawn, p), dtype or config.floatx())


def _extents(shape: Any) -> tuple[int, ...]:
    """A shape of whole numbers, of what ``K.shape`` gives too."""
    return tuple(int(extent) for extent in (shape.numpy() if isinstance(shape, Tensor) else shape))


# ---- shapes ----


def shape(x: Any) -> tuple[int, ...]:
    """The shape of a tensor."""
    return tuple(x.shape)


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape of a tensor; None is an extent that the data will decide."""
    return tuple(x.shape)


def ndim(x: Any) -> int:
    """How many axes a tensor has."""
    return len(x.shape)


def dtype(x: Any) -> str:
    """The name of a tensor's dtype."""
    return str(x.dtype)


def expand_dims(x: Any, axis: int = -1) -> Any:
    """x with a new axis of 1."""
    return ops.expand_dims(x, axis)


def flatten(x: Any) -> Any:
    """All elements in one row."""
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Any:
    """(n, ...) as (n, everything else)."""
    return ops.reshape(x, (x.shape[0] if x.shape[0] is not None else -1, int(np.prod(x.shape[1:]))))


def permute_dimensions(x: Any, pattern: Any) -> Any:
    """The axes in another order."""
    return ops.transpose(x, tuple(pattern))


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Tensors one after the other along an axis."""
    return ops.concatenate(tensors, axis)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Every entry of an axis ``rep`` times."""
    return ops.repeat(x, rep, axis=axis)


def gather(reference: Any, indices: Any) -> Any:
    """Entries of the first axis."""
    return ops.take(reference, indices, axis=0)


# ---- arithmetic ----


def argmax(x: Any, axis: int = -1) -> Any:
    """Where the largest is along an axis."""
    return ops.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """Where the smallest is along an axis."""
    return ops.argmin(x, axis)


def dot(x: Any, y: Any) -> Any:
    """The product over the last axis of x and the second last of y."""
    return ops.dot(x, y)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """x above ``threshold``, at most ``max_value``; alpha * (x - threshold) below."""
    y = ops.where(ops.greater_equal(x, threshold), x, alpha * (x - threshold))
    return y if max_value is None else ops.minimum(y, max_value)


def l2_normalize(x: Any, axis: int | None = None) -> Any:
    """x / sqrt(sum(x^2)), the sum taken as 1e-12 at least (TensorFlow)."""
    total = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(total, 1e-12))


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Each element is 0 with probability ``level``, else divided by 1 - level."""
    return random.dropout(x, level, noise_shape, seed)


def function(inputs: Any, outputs: Any) -> Any:
    """Arrays of ``inputs`` -> a list of arrays of ``outputs``, both symbolic."""
    model = models.Model(list(leaves(inputs)), list(leaves(outputs)))

    def run(values: Any) -> list[np.ndarray]:
        given = list(values) if isinstance(values, (list, tuple)) else [values]
        found = model([as_array(value) for value in given], training=False)
        return [get_value(one) for one in leaves(found)]

    return run


def gradients(loss: Any, variables: Any) -> Any:
    """Gone, as in Keras: there is no graph before it is run.

    Raises:
        RuntimeError: always; says what to write.
    """
    raise RuntimeError(
        "K.gradients worked on TensorFlow's graphs; write: with minidl.GradientTape() as tape: loss = ...; "
        "tape.gradient(loss, variables)"
    )


def get_uid(prefix: str = "") -> int:
    """A number that was not given for this prefix before, from 1 on."""
    name = registry.auto_name(prefix or "uid")
    last = name.rpartition("_")[2]
    return int(last) + 1 if last.isdigit() else 1
