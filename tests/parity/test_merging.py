"""Layers that join branches, against Keras."""

import numpy as np
import pytest

import minidl
from tests.parity.layer_checks import check_description, check_files, check_values
from tests.parity.oracle import close, generator, libraries

pytestmark = pytest.mark.oracle

ELEMENTWISE = ["Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"]
PAIRS = {
    "": [(4, 5), (4, 5)],
    " broadcast": [(4, 5, 6), (4, 1, 6)],
    " of fewer axes": [(4, 3), (4, 2, 3)],
    " of far fewer axes": [(2, 3, 4, 5), (2, 5)],
    " of pictures": [(2, 3, 4, 5), (2, 3, 4, 1)],
}


def tied(*shapes):
    return [np.round(generator(str(shapes)).normal(size=shape)).astype("float32") for shape in shapes]


CASES = {
    **{
        f"{kind}{what}": (lambda k, kind=kind: getattr(k.layers, kind)(), shapes)
        for kind in ELEMENTWISE
        for what, shapes in PAIRS.items()
    },
    **{
        f"{kind} of four": (lambda k, kind=kind: getattr(k.layers, kind)(), [(3, 2), (3, 2), (3, 1), (3, 2)])
        for kind in ELEMENTWISE
        if kind != "Subtract"
    },
    "maximum of ties": (lambda k: k.layers.Maximum(), tied((6, 7), (6, 7))),
    "minimum of ties": (lambda k: k.layers.Minimum(), tied((6, 7), (6, 7))),
    "add of one": (lambda k: k.layers.Add(), [(4, 5)]),
    "concatenate": (lambda k: k.layers.Concatenate(), [(4, 5), (4, 2), (4, 1)]),
    "concatenate pictures": (lambda k: k.layers.Concatenate(), [(2, 3, 4, 2), (2, 3, 4, 5)]),
    "concatenate axis": (lambda k: k.layers.Concatenate(axis=1), [(4, 5, 3), (4, 2, 3)]),
    "concatenate axis from the end": (lambda k: k.layers.Concatenate(axis=-2), [(4, 5, 3), (4, 2, 3)]),
    "dot of vectors": (lambda k: k.layers.Dot(axes=1), [(4, 5), (4, 5)]),
    "dot cosine": (lambda k: k.layers.Dot(axes=1, normalize=True), [(4, 5), (4, 5)]),
    "dot of matrices": (lambda k: k.layers.Dot(axes=2), [(3, 4, 5), (3, 2, 5)]),
    "dot of matrices normalized": (lambda k: k.layers.Dot(axes=(1, 2), normalize=True), [(3, 5, 4), (3, 2, 5)]),
    "dot of two axes": (lambda k: k.layers.Dot(axes=(1, 2)), [(2, 3, 5), (2, 10, 3)]),
    "dot axes from the end": (lambda k: k.layers.Dot(axes=-1), [(2, 3, 5), (2, 5)]),
    "dot of a vector and a stack": (lambda k: k.layers.Dot(axes=(1, 3)), [(2, 3), (2, 4, 5, 3)]),
    "dot of stacks": (lambda k: k.layers.Dot(axes=(2, 1)), [(2, 4, 3, 5), (2, 3, 6, 2)]),
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


@pytest.mark.parametrize("name", [*map(str.lower, ELEMENTWISE), "concatenate", "dot"])
def test_functions(name):
    keras, _ = libraries()
    x = [generator(name).normal(size=(3, 4)).astype("float32") for _ in range(2)]
    close(getattr(minidl.layers, name)(x), getattr(keras.layers, name)(x), name)
    named = getattr(minidl.layers, name)([minidl.Input((4,)), minidl.Input((4,))], name="joined")
    assert named.call.operation.name == "joined"


def test_functions_with_settings():
    keras, _ = libraries()
    x = [generator("settings").normal(size=(3, 4)).astype("float32") for _ in range(2)]
    for call in (
        lambda k: k.layers.concatenate(x, axis=0),
        lambda k: k.layers.dot(x, axes=1, normalize=True),
    ):
        close(call(minidl), call(keras), "output")
