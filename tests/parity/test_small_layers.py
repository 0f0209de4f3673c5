"""Layers that reorder, repeat or squash, against Keras."""

import numpy as np
import pytest

import minidl
from tests.parity.layer_checks import check_configuration, check_description, check_files, check_values
from tests.parity.oracle import both, close, generator

pytestmark = pytest.mark.oracle

COUNTS = np.arange(24, dtype="int32").reshape(4, 2, 3)

CASES = {
    "permute": (lambda k: k.layers.Permute((2, 1)), (4, 3, 5)),
    "permute pictures": (lambda k: k.layers.Permute((3, 1, 2)), (2, 3, 4, 5)),
    "permute nothing": (lambda k: k.layers.Permute((1,)), (4, 3)),
    "permute whole numbers": (lambda k: k.layers.Permute((2, 1)), COUNTS),
    "repeat": (lambda k: k.layers.RepeatVector(3), (4, 5)),
    "repeat once": (lambda k: k.layers.RepeatVector(1), (4, 5)),
    "identity": (lambda k: k.layers.Identity(), (4, 3, 5)),
    "identity of whole numbers": (lambda k: k.layers.Identity(), COUNTS),
    "elu": (lambda k: k.layers.ELU(), (6, 7)),
    "elu alpha": (lambda k: k.layers.ELU(alpha=0.3), (6, 7)),
    "prelu": (lambda k: k.layers.PReLU(), (6, 7)),
    "prelu of pictures": (lambda k: k.layers.PReLU(), (2, 3, 4, 5)),
    "prelu shared": (lambda k: k.layers.PReLU(shared_axes=[1, 2]), (2, 3, 4, 5)),
    "prelu shared by one": (lambda k: k.layers.PReLU(shared_axes=2), (2, 3, 4)),
    "prelu of zeros": (lambda k: k.layers.PReLU(), np.array([[0.0, -1.0, 2.0, -0.0]], "float32")),
    "softmax one axis in a list": (lambda k: k.layers.Softmax(axis=[1]), (3, 4, 5)),
    "softmax two axes": (lambda k: k.layers.Softmax(axis=(-2, -1)), (3, 4, 5)),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name):
    check_values(CASES[name], name)


@pytest.mark.parametrize("name", CASES)
def test_description(name):
    check_description(CASES[name], name)


@pytest.mark.parametrize("name", CASES)
def test_files(name, tmp_path):
    check_files(CASES[name], name, tmp_path)


CONFIGURATIONS = {
    "prelu": lambda k: k.layers.PReLU(
        alpha_initializer=k.initializers.Constant(0.25), alpha_regularizer="l2",
        shared_axes=(1, 2), name="slopes", trainable=False,
    ),
    "elu": lambda k: k.layers.ELU(alpha=0.5, dtype="float64"),
    "permute": lambda k: k.layers.Permute([2, 1], name="turned"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations(name):
    check_configuration(*both(CONFIGURATIONS[name]))


@pytest.mark.parametrize(
    "shape, axis", [((4, 5, 6), -1), ((5, 6), -1), ((1, 6), -1), ((4, 1, 6), 1), ((4, 5, 1), (1, 2)), ((4, 5, 6), [1])]
)
@pytest.mark.parametrize("kind", ["bool", "float32"])
def test_softmax_with_a_mask(shape, axis, kind):
    mask = generator(f"{shape} {axis}").uniform(size=shape) > 0.4
    mask[..., :1] = True
    mask = mask if kind == "bool" else mask.astype(kind) * 0.9
    check_values((lambda k: k.layers.Softmax(axis=axis), (4, 5, 6)), "masked", mask=mask)


def test_softmax_where_nothing_is_left():
    theirs, ours = both(lambda k: k.layers.Softmax())
    x, mask = np.ones((2, 3), "float32"), np.array([[True, False, True], [False, False, False]])
    close(ours(x, mask=mask), theirs(x, mask=mask), "output")


def test_identity_of_a_structure():
    inputs = {"a": minidl.Input((3,)), "b": [minidl.Input((2, 2), dtype="int32")]}
    outputs = minidl.layers.Identity()(inputs)
    assert (outputs["a"].shape, outputs["b"][0].shape) == ((None, 3), (None, 2, 2))
    assert str(outputs["b"][0].dtype) == "int32"
