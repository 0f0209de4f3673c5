"""Tests that need a C++ compiler, which runs the CUDA kernels on the processor."""

import pytest

from minidl_kernels.cuda import shim
from tests.conftest import required


def _missing() -> str:
    try:
        shim.compiler()
    except shim.ShimError as error:
        return str(error)
    return ""


# Where MINIDL_REQUIRE_COMPILER=1 says that nothing may be missing, they run, and fail with what is missing.
needs_compiler = pytest.mark.skipif(bool(_missing()) and not required("MINIDL_REQUIRE_COMPILER"), reason=_missing())
