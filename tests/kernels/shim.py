"""Runs CUDA implementations on the processor, and compares them with the definitions."""

import copy
from functools import cache
from typing import Any

import numpy as np

import minidl_kernels
from minidl_kernels.arrays import promote
from minidl_kernels.cuda import Program, shim
from minidl_kernels.kernel import Kernel, Output, kernels
from tests.kernels.cases import Call
from tests.kernels.cuda_cases import all_cases
from tests.kernels.tf32 import in_tf32

OURS = {name: one for name, one in kernels.items() if one.__module__.startswith("minidl_kernels.")}
assert minidl_kernels.kernels is kernels


def cuda_implementations(one: Kernel) -> list[str]:
    one.available()  # loads the files
    return [name for name in one.implementations if name.startswith("cuda")]


def flat(found: Any) -> list[Any]:
    return [y for part in (found if isinstance(found, tuple) else (found,)) for y in ([part], part)[type(part) is list]]


def expected(one: Kernel, call: Call) -> list[np.ndarray]:
    """What the plain loops say, in place or not."""
    arrays, settings = copy.deepcopy(call)
    with one.use("reference"), np.errstate(all="ignore"):
        found = one(*arrays, **settings)
    return flat(arrays if found is None else found)


def expected_of(one: Kernel, implementation: str, call: Call) -> list[np.ndarray]:
    """What the plain loops say of the numbers that an implementation takes: TF32 rounds the factors of a product."""
    if not implementation.endswith("tf32"):
        return expected(one, call)
    found = expected(one, (in_tf32(call[0]), call[1]))
    return found[:1] + expected(one, call)[1:] if len(found) > 1 else found  # what is added up is not rounded


@cache
def _cases(name: str, kind: str, dtype: str) -> list[tuple[Call, list[np.ndarray]]]:
    """The cases of a kernel with what they should give: the plain loops take long, and mutations ask many times."""
    return [(call, expected_of(OURS[name], kind, call)) for call in all_cases(name, dtype)]


def all_implementations() -> list[tuple[str, str, str]]:
    """(kernel, implementation, dtype) of all that CUDA implements."""
    return [
        (name, implementation, dtype)
        for name, one in OURS.items()
        for implementation in cuda_implementations(one)
        for dtype in ("float32", "float64")
        if dtype == "float32" or not implementation.endswith("tf32")
    ]


def through_shim(one: Kernel, implementation: str, call: Call) -> list[np.ndarray]:
    """What the CUDA text makes of a call; ``out`` is full of rubbish before."""
    arrays, settings = copy.deepcopy(call)
    if one.arrays:
        arrays = promote(one.name, arrays[: one.arrays]) + arrays[one.arrays :]
    outputs = one.contract(*arrays, **settings)
    settings = {**one._settings, **settings}
    chosen = one.get(implementation)
    assert chosen.refusal("cupy", arrays, settings) is None
    if outputs is None:
        chosen.run(*arrays, **settings)
        return flat(tuple(arrays))
    arrays = tuple(np.ascontiguousarray(a) for a in arrays)
    for array in arrays:
        array.flags.writeable = False
    one_out = isinstance(outputs, Output)
    outs = tuple(np.empty(o.shape, o.dtype) for o in ((outputs,) if one_out else outputs))
    for array in outs:
        array.reshape(-1).view(np.uint8)[...] = 0xA5
    chosen.run(*arrays, out=outs[0] if one_out else outs, **settings)
    return flat(outs)


def disagreement(
    name: str, implementation: str, dtype: str, orders: tuple[str, ...] = shim.ORDERS, cases: int | None = None
) -> str | None:
    """The first case (of the first ``cases``) and order in which an implementation disagrees with the plain loops."""
    one = OURS[name]
    kind = "tf32" if implementation.endswith("tf32") else ""
    for number, (call, wanted) in enumerate(_cases(name, kind, dtype)[:cases]):
        for order in orders:
            where = f"{name} {implementation} {dtype}, case {number}, {order}"
            with shim.running(order):
                try:
                    found = through_shim(one, implementation, call)
                except shim.ShimError as error:
                    return f"{where}: {error}"
            for y, e in zip(found, wanted, strict=True):
                tolerance = 2e-5 if e.dtype == "float32" else 1e-12 if e.dtype == "float64" else 0
                finite = np.abs(e[np.isfinite(e)]) if e.dtype.kind == "f" else e[:0]
                largest = max(1.0, finite.max(initial=0))
                if not np.allclose(y, e, rtol=tolerance, atol=tolerance * largest, equal_nan=True):
                    return f"{where}: {y} is not {e}"
    return None


def harm_of_wrong_labels() -> str | None:
    """What a label that is no class does on a GPU, where nobody looks before; it should give a loss of NaN."""
    logits = np.log(np.array([[1, 2, 3, 4], [2, 2, 4, 2], [1, 4, 4, 1], [4, 3, 2, 1]], "float32") / 10)
    labels = np.array([0, 4, -1, 3])
    wanted = -np.log([0.1, np.nan, np.nan, 0.1])
    for name, first, settings in (
        ("softmax_cross_entropy", logits, {}),
        ("probability_cross_entropy", np.exp(logits), {"epsilon": 1e-7}),
    ):
        try:
            losses = through_shim(OURS[name], "cuda", ((first, labels), settings))[0]
        except shim.ShimError as error:
            return f"{name}: {error}"
        if not np.allclose(losses, wanted, rtol=1e-5, equal_nan=True):
            return f"{name}: {losses} is not {wanted}"
    return None


def programs() -> list[Program]:
    """All CUDA texts, by loading what uses them."""
    for one in OURS.values():
        cuda_implementations(one)
    return sorted(Program.programs, key=lambda program: str(program.path))
