"""ONNX files: every layer, and whole nets, predict in ONNX's reference evaluator and in ONNX Runtime what they do here.

A layer that minidl.layers publishes has cases in onnx_cases.py, or stands below among the refused ones with the reason.
"""

import inspect
import itertools
import zlib
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

import minidl as keras
from minidl import activations, layers, ops
from minidl.saving.onnx.export import proto_of
from minidl.saving.onnx.table import LAYERS, REFUSED

from .onnx_cases import CASES, Case

TOLERANCE = 1e-5  # of the largest number

NOT_CASES = {  # every other layer has cases above
    "InputLayer": "an input of the graph, in every case",
    "Lambda": "refused: Python code",
    "Layer": "a base class",
    "TimeDistributed": "tests of its own: it goes around a layer",
    "Wrapper": "a base class",
}


def generator(text: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(text.encode()))


def with_random_weights(model: Any, case: str) -> Any:
    """All weights drawn; those that are variances, or divide, stay positive."""
    rng = generator(case)
    for variable in model.weights:
        if variable.dtype.kind == "f":
            numbers = rng.uniform(0.5, 1.5, variable.shape) if "variance" in variable.name else rng.normal(size=variable.shape)
            variable.assign(numbers.astype(variable.dtype.name))
    return model


def data_for(model: Any, case: str, n: int = 3, limit: int = 9, whole: bool = False) -> dict[str, np.ndarray]:
    """Numbers for every input, by name; extents that are open become 7, 8, ..."""
    rng, open_extents = generator(case + "data"), itertools.count(7)
    found = {}
    for tensor in model.inputs:
        shape = [n, *[next(open_extents) if extent is None else extent for extent in tensor.shape[1:]]]
        drawn = rng.normal(size=shape) if tensor.dtype.kind == "f" and not whole else rng.integers(0, limit, shape)
        found[tensor.name] = drawn.astype(tensor.dtype)
    return found


def outputs_of(proto: Any, data: dict[str, np.ndarray], runtime: bool = True) -> list[tuple[str, list[np.ndarray]]]:
    """What the two run times make of data."""
    onnx.checker.check_model(proto, full_check=True)
    given = dict(zip([one.name for one in proto.graph.input], data.values(), strict=True))
    found = [("reference", ReferenceEvaluator(proto).run(None, given))]
    if runtime:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found.append(("runtime", session.run(None, given)))
    return found


def check(model: Any, data: dict[str, np.ndarray], runtime: bool = True) -> Any:
    """The graph, which predicts what the model does."""
    proto = proto_of(model)
    values = list(data.values())
    predicted = model.predict(values if len(values) > 1 else values[0], verbose=0)
    leaves = keras.tree.flatten(predicted)
    for name, outputs in outputs_of(proto, data, runtime):
        assert len(outputs) == len(leaves)
        for expected, found in zip(leaves, outputs, strict=True):
            assert found.shape == expected.shape, name
            assert found.dtype == expected.dtype, name
            np.testing.assert_allclose(
                found, expected, rtol=0, atol=TOLERANCE * max(np.abs(expected).max(), 1e-3), err_msg=name
            )
    return proto


def model_of(case: Case) -> Any:
    shapes = case.shapes if isinstance(case.shapes, list) else [case.shapes]
    dtype = "float32" if case.dtype == "whole" else case.dtype
    inputs = [layers.Input(shape, dtype=dtype) for shape in shapes]
    return keras.Model(inputs, case.make()(inputs if isinstance(case.shapes, list) else inputs[0]))


def title(case: Case) -> str:
    settings = [*map(str, case.args), *[f"{key}={value}" for key, value in case.settings.items()]]
    return f"{case.name}-{case.shapes}-{case.dtype}-{'-'.join(settings)}".replace(" ", "")


@pytest.mark.parametrize("case", CASES, ids=title)
def test_layer(case):
    model = with_random_weights(model_of(case), title(case))
    check(model, data_for(model, title(case), limit=case.limit, whole=case.dtype == "whole"))


def test_every_layer_has_a_case_or_a_reason():
    published = {name: cls for name in layers.__all__ if inspect.isclass(cls := getattr(layers, name))}
    names = {cls.__name__ for cls in published.values() if issubclass(cls, layers.Layer)}
    covered = {case.name for case in CASES}
    assert covered.isdisjoint(NOT_CASES)
    assert names == covered | NOT_CASES.keys()
    written = {cls.__name__ for cls in LAYERS} - {"Sequential", "Functional"}
    assert written == covered | {"TimeDistributed"}
    assert REFUSED.keys() <= NOT_CASES.keys()
