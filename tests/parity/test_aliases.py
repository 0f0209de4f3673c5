"""Names that are one thing in Keras are one thing here: each module's aliases, and what the facade hands on."""

import importlib
import itertools
import types

import numpy as np
import pytest

import minidl
from tests.parity import coverage

pytestmark = pytest.mark.oracle

# Where Keras has two functions of one meaning, or two meanings under one name, there is nothing to compare.
MODULES = [
    "", "activations", "applications", "backend", "callbacks", "config", "constraints", "initializers", "layers",
    "losses", "metrics", "models", "optimizers", "optimizers.schedules", "preprocessing", "preprocessing.image",
    "preprocessing.sequence", "random", "regularizers", "saving", "tree", "utils",
]  # fmt: skip


def groups(root, module, names):
    """Sets of names that stand for the same object."""
    found = {}
    for name in names:
        found.setdefault(id(getattr(importlib.import_module(f"{root}.{module}".rstrip(".")), name)), set()).add(name)
    return sorted(map(sorted, found.values()))


@pytest.mark.parametrize("module", MODULES)
def test_aliases(keras, module):
    names = [name for name in coverage.names_of(module) if coverage.is_there(module, name)]
    theirs, ours = (groups(root, module, names) for root in ("keras", "minidl"))
    apart = [
        (a, b) for group in theirs for a, b in itertools.combinations(group, 2)
        if not any({a, b} <= set(one) for one in ours)
    ]  # fmt: skip
    assert apart == []


@pytest.mark.parametrize(
    "one, other",
    [
        ("abs", "absolute"), ("divide", "true_divide"), ("max", "amax"), ("min", "amin"), ("silu", "swish"),
        ("bitwise_invert", "bitwise_not"), ("left_shift", "bitwise_left_shift"), ("hard_silu", "hard_swish"),
        ("right_shift", "bitwise_right_shift"),
    ],
)  # fmt: skip
def test_functions_of_one_meaning(keras, one, other):
    whole = "shift" in one or "bit" in one
    x = [5, -3, 12] if whole else [[1.5, -2.0], [0.5, 3.0]]
    more = ([2, 1, 1],) if "shift" in one else ([[2.0, 4.0], [8.0, 0.5]],) if "divide" in one else ()
    results = []
    for ops in (minidl.ops, keras.ops):
        given = [ops.convert_to_tensor(v, "int32" if whole else "float32") for v in (x, *more)]
        results += [ops.convert_to_numpy(getattr(ops, name)(*given)) for name in (one, other)]
    for found in results[1:]:
        np.testing.assert_allclose(found, results[0], rtol=1e-6)


@pytest.mark.parametrize(
    "name, module",
    [
        ("Initializer", "initializers"), ("Input", "layers"), ("InputSpec", "layers"), ("Layer", "layers"),
        ("Loss", "losses"), ("Metric", "metrics"), ("Model", "models"), ("Optimizer", "optimizers"),
        ("Regularizer", "regularizers"), ("Sequential", "models"),
    ],
)  # fmt: skip
def test_the_facade_hands_on(keras, name, module):
    assert getattr(minidl, name) is getattr(getattr(minidl, module), name)
    assert getattr(keras, name) is getattr(getattr(keras, module), name)


def test_modules_are_modules(keras):
    for module in coverage.table():
        assert isinstance(coverage.walked("minidl", module), types.ModuleType), module


def base_classes(k):
    class Doubled(k.initializers.Initializer):
        def __call__(self, shape, dtype=None, **kwargs):
            return k.ops.full(shape, 2.0)

    class Size(k.regularizers.Regularizer):
        def __call__(self, x):
            return k.ops.sum(k.ops.abs(x))

    class Worst(k.Loss):
        def call(self, y_true, y_pred):
            return k.ops.max(k.ops.abs(y_true - y_pred), axis=-1)

    class Count(k.Metric):
        def __init__(self):
            super().__init__(name="count")
            self.n = self.add_variable((), "zeros", name="n")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.n.assign(self.n + y_true.shape[0])

        def result(self):
            return self.n.value

    class Signs(k.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, k.ops.sign(gradient) * learning_rate)

    model = k.Sequential([k.Input((3,)), k.layers.Dense(2, kernel_initializer=Doubled(), kernel_regularizer=Size())])
    model.compile(Signs(learning_rate=0.125), Worst(), metrics=[Count()])
    x, y = [[1.0, 2.0, -1.0], [0.5, 0.0, 0.25]], [[0.0, 1.0], [3.0, -4.0]]
    arrays = [k.ops.convert_to_numpy(k.ops.convert_to_tensor(v)) for v in (x, y)]
    logs = [model.train_on_batch(*arrays, return_dict=True) for _ in range(3)]
    return [float(one[name]) for one in logs for name in ("loss", "count")], model.get_weights()


def test_base_classes_of_the_facade(keras):
    (ours, weights), (theirs, expected) = base_classes(minidl), base_classes(keras)
    assert ours == pytest.approx(theirs, rel=1e-6)
    for one, other in zip(weights, expected, strict=True):
        assert one.tolist() == other.tolist()
