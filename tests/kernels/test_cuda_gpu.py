"""The CUDA kernels on a GPU, on the same cases as in the shim."""

import numpy as np
import pytest

from tests.kernels.cuda_cases import all_cases
from tests.kernels.shim import OURS, all_implementations, expected_of, flat

pytestmark = pytest.mark.gpu
cupy = pytest.importorskip("cupy")
if not cupy.cuda.is_available():
    pytest.skip("CuPy finds no GPU", allow_module_level=True)


def given(argument):
    if isinstance(argument, list):
        return [given(array) for array in argument]
    return cupy.asarray(argument) if isinstance(argument, np.ndarray) else argument


@pytest.mark.parametrize(("name", "implementation", "dtype"), all_implementations())
def test_agrees_with_the_reference(name, implementation, dtype):
    one = OURS[name]
    for arrays, settings in all_cases(name, dtype):
        if isinstance(arrays[0], list) and not arrays[0]:
            continue  # no array that could be on a GPU
        device = tuple(given(a) for a in arrays)
        with one.use(implementation):
            found = one(*device, **settings)
            again = found if found is None else one(*device, **settings)
        results = [cupy.asnumpy(y) for y in flat(device if found is None else found)]
        for y, e in zip(results, expected_of(one, implementation, (arrays, settings)), strict=True):
            finite = np.abs(e[np.isfinite(e)]) if e.dtype.kind == "f" else e[:0]
            tolerance = 2e-5 if e.dtype == "float32" else 1e-12
            np.testing.assert_allclose(y, e, rtol=tolerance, atol=tolerance * max(1.0, finite.max(initial=0)))
        if again is not None:  # the same bits at every call
            assert [y.tobytes() for y in results] == [cupy.asnumpy(y).tobytes() for y in flat(again)]
