"""Each barrier and each border of the CUDA kernels is needed, and the tests would notice if it were not there.

Every barrier is taken out in turn, and every `<`, `<=` and `>=` of the texts is moved by one; then some case must fail
in some order of the threads. What may stand in a text without being needed is listed, with the reason.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import minidl_kernels
from minidl_kernels.cuda import Program, shim
from tests.kernels.cuda_cases import all_cases
from tests.kernels.shim import (
    OURS,
    cuda_implementations,
    disagreement,
    harm_of_wrong_labels,
    programs,
    through_shim,
)  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # each mutation is compiled

PROGRAMS = programs()
BARRIER = re.compile(r"__sync(?:threads|warp)\(\)")
BORDER = re.compile(r" (<=?|>=) (?!<)")
MOVED = {"<": "<=", "<=": "<", ">=": ">"}
HARMLESS = {  # what is the same where both sides are equal
    "x[i] < 0 ? e : 1": "exp(0) is 1",
    "slab < to; slab += DEPTH": "one slab more, of zeros",
    "start < inner; start += SQUARE": "one square more, of zeros",
    "relu && sum < 0 ? 0 : sum": "0 either way",
    "x[i] <= 0 ? 0 : x[i]": "0 either way",
    "sum <= 0 ? 0 : sum": "0 either way",
    "x <= least ? least : x": "least either way",
    "share < epsilon ? epsilon": "epsilon either way",
    "__CUDA_ARCH__ < 800": "not of the shim; test_cuda_nvrtc.py compiles for 7.5 and 8.0",
    "x[i] >= 0 ? x[i] : slope * x[i]": "0 either way",
    "value < 0 ? slope * value : value": "0 either way",
    "where(x < -threshold, x + threshold": "0 either way",
    "last < count - 1 ? last + 1 : count": "count either way",
}


def line_of(text: str, position: int) -> str:
    return text[text.rfind("\n", 0, position) + 1 : text.index("\n", position)].strip()


def without_barriers(text: str) -> Iterator[tuple[str, str]]:
    """(the text without one barrier, the line it stood in)."""
    for found in BARRIER.finditer(text):
        yield text[: found.start()] + text[found.end() :], line_of(text, found.start())


def with_moved_borders(text: str) -> Iterator[tuple[str, str]]:
    """(the text with one border moved by one, its line), but for comments."""
    for found in BORDER.finditer(text):
        line = line_of(text, found.start())
        if "//" not in text[text.rfind("\n", 0, found.start()) : found.start()]:
            yield f"{text[: found.start()]} {MOVED[found[1]]} {text[found.end() :]}", line


@pytest.fixture(scope="module")
def launches() -> set[tuple[Program, str, tuple[str, str]]]:
    """What the cases launch: (program, name in its text, implementation that does it)."""
    found = set()
    original = Program.launch
    current = ("", "")

    def record(self, dtype, name, *arguments):
        found.add((self, name, current))
        return original(self, dtype, name, *arguments)

    Program.launch = record
    try:
        for name, one in OURS.items():
            for implementation in cuda_implementations(one):
                current = name, implementation
                for call in all_cases(name, "float32"):
                    through_shim(one, implementation, call)
    finally:
        Program.launch = original
    return found


@pytest.fixture(scope="module")
def users(launches) -> dict[Program, list[tuple[str, str]]]:
    """Which implementations launch which program."""
    return {program: sorted({by for one, _, by in launches if one is program}) for program in PROGRAMS}


def survivors(mutations, program: Program, users: list[tuple[str, str]], monkeypatch) -> list[str]:
    """The lines that can be changed without any case failing, but for those that are known to do no harm."""
    alive = []
    for text, line in mutations(program.text):
        if any(harmless in line for harmless in HARMLESS):
            continue
        monkeypatch.setattr(program, "text", text)
        noticed = "labels" in text and harm_of_wrong_labels() is not None
        for cases in (1, None):  # the first case of each first: most mutations fail in one of them
            noticed = noticed or any(disagreement(name, one, "float32", cases=cases) for name, one in users)
        if not noticed:
            alive.append(line)
        monkeypatch.undo()
    return alive


def test_every_kernel_of_every_file_is_launched(launches):
    launched = {(program.path, name) for program, name, _ in launches}
    assert {(program.path, name) for program in PROGRAMS for name in program.kernels} == launched
    assert {path for path, _ in launched} == set(Path(minidl_kernels.__file__).parent.rglob("*.cu"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.path.stem)
def test_every_barrier_is_needed(program, users, monkeypatch):
    assert survivors(without_barriers, program, users[program], monkeypatch) == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.path.stem)
def test_every_border_is_noticed(program, users, monkeypatch):
    assert survivors(with_moved_borders, program, users[program], monkeypatch) == []


def test_what_is_harmless_is_there():
    assert [line for line in HARMLESS if not any(line in program.text for program in PROGRAMS)] == []


def test_mutations_find_what_they_should():
    text = "a\n  if (i >= n) return;\n  s[i] = x;\n  __syncthreads();  // for i < n\n  y = s[n - i];\n"
    assert [line for _, line in without_barriers(text)] == ["__syncthreads();  // for i < n"]
    (only,) = with_moved_borders(text)
    assert only == (text.replace(">=", ">"), "if (i >= n) return;")
    assert shim.ORDERS == ("forward", "reverse", "mixed")
