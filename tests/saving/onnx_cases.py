"""One row for each setting of a layer that changes its ONNX graph: the layer, and the shapes of its inputs."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minidl import activations, layers as L


class Case(NamedTuple):
    """A layer, the shape of one sample of each input, and how the numbers are drawn."""

    make: Callable[[], Any]
    shapes: Any  # of one input a tuple, of several a list of tuples
    dtype: str = "float32"
    limit: int = 9  # whole numbers are below


def _all_of(name: str, shape: Any, *settings: dict[str, Any], args: tuple[Any, ...] = (), **more: Any) -> dict[str, Case]:
    cls = getattr(L, name)
    return {
        f"{name}({', '.join(f'{k}={v!r}' for k, v in one.items())}) on {shape}": Case(
            lambda one=one: cls(*args, **one), shape, **more
        )
        for one in settings
    }


CONV = [
    {}, {"padding": "same"}, {"strides": 2, "padding": "same"}, {"strides": 3}, {"dilation_rate": 2, "padding": "same"},
    {"dilation_rate": 3, "padding": "valid"}, {"use_bias": False, "activation": "relu"},
]  # fmt: skip
FIRST = {"data_format": "channels_first"}
PICTURE, SEQUENCE = (9, 10, 4), (11, 4)
EVEN = [{"kernel_size": 4, "padding": "same", "strides": s} for s in (1, 2, 3)]
TRANSPOSED = [
    {"strides": s, "padding": p, "kernel_size": k} for s in (1, 2, 3) for p in ("valid", "same") for k in (1, 2, 3, 4)
]
MORE = [
    {"strides": 3, "padding": p, "kernel_size": k, "output_padding": o}
    for p in ("valid", "same") for k in (2, 3, 5) for o in (0, 2)
]  # fmt: skip
POOLS = [
    {}, {"padding": "same"}, {"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 3, "strides": 1},
    {"pool_size": 2, "strides": 3, "padding": "same"}, {"pool_size": 3, "strides": 2, "padding": "same", **FIRST},
]  # fmt: skip
SCALED = [{}, {"center": False}, {"scale": False}, {"center": False, "scale": False}, {"epsilon": 0.5}]

CASES: dict[str, Case] = {
    **_all_of("Dense", (5,), {"units": 3}, {"units": 3, "use_bias": False}, {"units": 3, "activation": "softmax"}),
    **_all_of("Dense", (4, 5), {"units": 3}, {"units": 3, "use_bias": False, "activation": "gelu"}),
    **_all_of("Dense", (2, 3, 4, 5), {"units": 2, "activation": "relu"}),
    **_all_of("EinsumDense", (5,), {"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "c"}),
    **_all_of("EinsumDense", (4, 5), {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de"}),
    **_all_of("EinsumDense", (4, 5), {"equation": "...x,xy->...y", "output_shape": 3, "activation": "relu"}),
    **_all_of("EinsumDense", (4, 5), {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"}),
    **_all_of("Embedding", (6,), {"input_dim": 9, "output_dim": 3}, dtype="int32"),
    **_all_of("Embedding", (6, 2), {"input_dim": 9, "output_dim": 3}, dtype="float32", limit=-9),
    **_all_of("Conv1D", SEQUENCE, *CONV, *EVEN[1:], {"padding": "causal", "dilation_rate": 2}, {"groups": 2},
              {"padding": "causal", "strides": 2}, args=(6, 3)) ,
    **_all_of("Conv2D", PICTURE, *CONV, {"groups": 2}, {"groups": 4, "padding": "same"}, args=(8, (3, 2))),
}  # fmt: skip
