"""The micro-kernel for processors that this one is not: its text, compiled by LLVM, read as assembly."""

import os
import platform
import re
import subprocess
import sys

import llvmlite.binding as llvm
import pytest
from llvmlite import ir

from minidl_kernels import microkernel
from minidl_kernels.denormals import emit_control

ARGUMENTS = 12  # of a tile, without its size


def tile_for(triple, features, lanes, rows, vectors, monkeypatch):
    """The assembly of a tile of so many rows and vectors of so many lanes."""
    monkeypatch.setattr(microkernel, "LANES", lanes)
    monkeypatch.setattr(microkernel, "VECTOR", ir.VectorType(ir.FloatType(), lanes))
    module = ir.Module()
    module.triple = triple
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [microkernel.INT] * ARGUMENTS), "tile")
    builder = ir.IRBuilder(function.append_basic_block())
    microkernel._emit_tile(builder, rows, vectors, *function.args)
    builder.ret_void()
    return compiled(module, triple, features)


def compiled(module, triple, features):
    """Its assembly."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(features=features, opt=3)
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(parsed, passes)
    return machine.emit_assembly(parsed)


def innermost(assembly, multiply_add):
    """The loops that hold multiply-adds and no other loop, the shortest first: from a label to a jump back to it."""
    lines = [line.strip() for line in assembly.splitlines() if line.strip() and line.strip()[0] not in "#/"]
    places = {line.split(":")[0]: number for number, line in enumerate(lines) if re.match(r"[.\w]+:", line)}
    loops = []
    for number, line in enumerate(lines):
        target = re.search(r"(\.LBB\w+)$", line)
        if target and places.get(target[1], number) < number:
            body = lines[places[target[1]] + 1 : number + 1]
            if any(multiply_add in one for one in body) and not any(one.split(":")[0] in places for one in body):
                loops.append(body)
    return sorted(loops, key=len)


TARGETS = [
    ("aarch64-unknown-linux-gnu", "+neon", 4, 5, 4, "fmla", r"v\d+\.4s", "sp"),
    ("aarch64-unknown-linux-gnu", "+neon", 4, 8, 2, "fmla", r"v\d+\.4s", "sp"),
    ("x86_64-unknown-linux-gnu", "+avx2,+fma", 8, 6, 2, "vfmadd", r"%ymm\d+", "rsp"),
    ("x86_64-unknown-linux-gnu", "+avx512f,+fma", 16, 6, 4, "vfmadd", r"%zmm\d+", "rsp"),
    ("x86_64-unknown-linux-gnu", "+avx512f,+fma", 16, 14, 2, "vfmadd", r"%zmm\d+", "rsp"),
]


@pytest.mark.parametrize("triple, features, lanes, rows, vectors, multiply_add, register, stack", TARGETS)
def test_the_inner_loop_is_multiply_adds_in_registers(
    triple, features, lanes, rows, vectors, multiply_add, register, stack, monkeypatch
):
    body, unrolled = innermost(tile_for(triple, features, lanes, rows, vectors, monkeypatch), multiply_add)
    found = [line for line in body if multiply_add in line]
    assert len(found) == rows * vectors and all(re.search(register, line) for line in found)
    spilled = [line for line in body + unrolled if re.search(rf"\b{stack}\b", line)]
    assert spilled == []  # the sums stay in registers
    # Multiply-adds, A's numbers, B's vectors, an address for three rows; and a few to count and to step on.
    assert len(body) <= rows * vectors + rows + vectors + rows // 3 + 12
    if triple.startswith("x86"):  # there a fixed distance is added to an address for nothing, so nothing else is left
        assert len(unrolled) <= microkernel.UNROLL * (rows * vectors + rows + vectors + 1) + rows // 3 + 4


def test_a_tile_of_too_many_rows_would_be_noticed(monkeypatch):
    body = innermost(tile_for("x86_64-unknown-linux-gnu", "+avx2,+fma", 8, 9, 2, monkeypatch), "vfmadd")[0]
    assert any("%rsp" in line and "%ymm" in line for line in body)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="about processors of the x86 family")
def test_a_narrower_target_gets_narrower_code(tmp_path):
    # A processor of AVX-512 that is told to be one of AVX2 (as in a cluster of both) must not run into wide registers.
    script = (
        "from minidl_kernels.microkernel import LANES, heart; heart.address;"
        "print(LANES); print(heart._compiled._library.get_asm_str())"
    )
    environment = {
        **os.environ, "MINIDL_CACHE": str(tmp_path), "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+avx,+avx2,+fma,+bmi,+bmi2,+popcnt,-avx512f",
    }  # fmt: skip
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    lanes, _, assembly = done.stdout.partition("\n")
    assert lanes == "8" and "zmm" not in assembly and assembly.count("vfmadd") >= 12


@pytest.mark.parametrize(
    "triple, found",
    [
        ("x86_64-unknown-linux-gnu", ["stmxcsr", "ldmxcsr", "32832"]),  # 0x8040
        ("aarch64-unknown-linux-gnu", ["mrs", "FPCR", "msr"]),
        ("arm64-apple-darwin", ["mrs", "FPCR", "msr"]),
        ("riscv64-unknown-linux-gnu", []),
    ],
)
def test_denormals_are_switched_off_where_a_processor_can(triple, found):
    module = ir.Module()
    module.triple = triple
    function = ir.Function(module, ir.FunctionType(microkernel.INT, []), "flush")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(emit_control(builder, triple))
    assembly = compiled(module, triple, "")
    assert all(one in assembly for one in found)
