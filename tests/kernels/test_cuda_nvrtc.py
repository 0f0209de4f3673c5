"""The CUDA kernels compile for real GPUs, with NVIDIA's compiler and without a GPU."""

import os

import pytest

from minidl_kernels.cuda import nvrtc
from tests.kernels.shim import programs

pytestmark = pytest.mark.oracle
try:
    nvrtc.library()
except nvrtc.NvrtcError as error:
    if os.environ.get("MINIDL_REQUIRE_ORACLE", "") not in ("", "0"):
        raise
    pytest.skip(str(error), allow_module_level=True)

PROGRAMS = programs()


@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_90"])
@pytest.mark.parametrize("real", ["float", "double"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.path.stem)
def test_compiles_without_spills(program, real, architecture):
    if int(architecture[3:]) < program.least:
        with pytest.raises(nvrtc.NvrtcError, match=f"compute capability {program.least / 10}"):
            nvrtc.compile_text(program.text, real, architecture)
        return
    needs = nvrtc.compile_text(program.text, real, architecture)
    assert set(needs) == set(program.kernels)
    assert {name: one.spills for name, one in needs.items() if one.spills} == {}
    # A block of 256 threads in the 65,536 registers of a multiprocessor.
    assert all(one.registers <= 255 and one.shared <= 48 * 1024 for one in needs.values())


def test_the_version_is_read():
    assert int(nvrtc.version().split(".")[0]) >= 12


def test_a_text_that_does_not_compile_is_told():
    with pytest.raises(nvrtc.NvrtcError, match='identifier "y" is undefined'):
        nvrtc.compile_text('extern "C" __global__ void f(real* x) { x[0] = y; }', "float", "sm_80")


def test_registers_and_shared_memory_are_read():
    text = 'extern "C" __global__ void f(real* x) { __shared__ real s[32]; s[threadIdx.x] = x[threadIdx.x]; '
    text += "__syncthreads(); x[threadIdx.x] = s[31 - threadIdx.x]; }"
    needs = nvrtc.compile_text(text, "double", "sm_80")
    assert needs["f"].shared == 256 and needs["f"].spills == 0 and 4 <= needs["f"].registers <= 32
