"""What the CUDA kernels need on real GPUs, as their compiler says; no GPU is needed, and none is measured.

    pip install nvidia-cuda-nvrtc
    python -m benchmarks.cuda_registers

writes ``results/cuda_registers.md``.
"""

import hashlib
import importlib
import re
from pathlib import Path

import minidl_kernels
from minidl_kernels.cuda import Program, nvrtc

ARCHITECTURES = ("sm_75", "sm_80", "sm_90")
RESULT = Path(__file__).parent / "results" / "cuda_registers.md"


def programs() -> list[Program]:
    """The programs of all families, by name."""
    folder = Path(minidl_kernels.__file__).parent
    for path in sorted(folder.glob("*/cuda*.py")):
        importlib.import_module(f"minidl_kernels.{path.parent.name}.{path.stem}")
    ours = {program.path: program for program in Program.programs if program.path.is_relative_to(folder)}
    return [ours[path] for path in sorted(ours)]


def digest() -> str:
    """The hash of the texts without comments; the committed table says of which texts it is."""
    text = "".join(re.sub(r"\s*//.*", "", program.text) for program in programs())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def table() -> str:
    """The committed table, in Markdown."""
    lines = [
        "# What the CUDA kernels need",
        "",
        f"As NVIDIA's NVRTC {nvrtc.version()} says for float32, of texts with the hash {digest()} (comments left out);",
        "written by `python -m benchmarks.cuda_registers` without a GPU. Nothing here is a speed. Registers are those",
        "of a thread, shared memory (bytes) is that of a block, spills are bytes that a thread writes and reads",
        "because its registers did not suffice. A dash: TF32 needs compute capability 8.0.",
        "",
        "| kernel | " + " | ".join(f"registers {name}" for name in ARCHITECTURES) + " | shared memory | spills |",
        "|---|" + "---:|" * (len(ARCHITECTURES) + 2),
    ]
    for program in programs():
        able = [name for name in ARCHITECTURES if int(name[3:]) >= program.least]
        needs = {name: nvrtc.compile_text(program.text, "float", name) for name in able}
        for kernel in program.kernels:
            each = [of_one[kernel] for of_one in needs.values()]
            of_each = {name: of_one[kernel].registers for name, of_one in needs.items()}
            registers = " | ".join(str(of_each.get(name, "-")) for name in ARCHITECTURES)
            shared, spills = max(one.shared for one in each), max(one.spills for one in each)
            lines.append(f"| `{program.path.parent.name}/{kernel}` | {registers} | {shared} | {spills} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    RESULT.write_text(table(), "utf-8")
    print(RESULT.read_text("utf-8"))
