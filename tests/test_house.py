"""The house stands: floors, the budget of a step, the size of the engine, a quick import, docstrings, clean texts.

All of it is read from the tracked sources (``git ls-files``); what the checkers find is itself tested at the end, on
sources that break each rule.
"""

import ast
import inspect
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minidl_kernels.arrays import foreign

ROOT = Path(__file__).resolve().parents[1]

# Imports go down, or stay on their floor. `minidl` itself is the facade on top.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("minidl_kernels",),
    (
        "minidl.config", "minidl.registry", "minidl.tree", "minidl.atomic", "minidl.noticed", "minidl.opening",
        "minidl.markup",
        "minidl.engine",
    ),
    ("minidl.ops", "minidl.random", "minidl.checking"),
    ("minidl.graph", "minidl.initializers", "minidl.regularizers", "minidl.constraints", "minidl.activations"),
    ("minidl.layers", "minidl.losses", "minidl.metrics", "minidl.optimizers", "minidl.data", "minidl.datasets"),
    (
        "minidl.models", "minidl.callbacks", "minidl.saving", "minidl.applications", "minidl.preprocessing",
        "minidl.sklearn", "minidl.parallel", "minidl.summary",
    ),
    (
        "minidl.xray", "minidl.visualize", "minidl.demonstrations", "minidl.testing", "minidl.coursework",
        "minidl.notebook", "minidl.utils", "minidl.backend",
        "minidl.cli", "minidl.__main__", "minidl",
    ),
)  # fmt: skip

MOST_FILES, MOST_CALLS = 20, 400  # of one training step
MOST_ENGINE_LINES, MOST_MODULE_LINES, MOST_KERNEL_LINES = 450, 350, 300  # lines of code
# What prints: commands, and what prints in Keras (progress, "Found 20 files", ...). The rest logs, or returns a text.
PRINT = (
    "minidl.callbacks", "minidl.cli", "minidl.config", "minidl.data.image_dataset", "minidl.datasets.make_subset",
    "minidl.preprocessing.image.iterators", "minidl.saving.onnx.export",
)  # fmt: skip
LOADED_LATER = (
    "cupy", "h5py", "jax", "jinja2", "keras", "llvmlite", "matplotlib", "minidl_kernels.parallel", "numba", "onnx",
    "pandas", "PIL", "rich", "scipy", "tensorflow", "torch",
)  # fmt: skip


# ---- the sources ----


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def module_name(path: Path, root: Path = ROOT) -> str | None:
    """The dotted name of a source of ours; None for other files."""
    parts = path.relative_to(root).with_suffix("").parts
    parts = parts[1:] if parts[0] == "kernels" else parts
    if path.suffix != ".py" or parts[0] not in ("minidl", "minidl_kernels"):
        return None
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def our_modules() -> dict[str, Path]:
    return {name: path for path in tracked_files() if (name := module_name(path))}


# ---- the checkers: each takes sources and returns what is wrong, as lines of text ----


def floor_of(module: str) -> int | None:
    """The floor of the longest prefix of the name that stands on one; the facade covers only itself."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length])
        if prefix == "minidl" and length < len(parts):
            return None
        for floor, names in enumerate(FLOORS):
            if prefix in names:
                return floor
    return None


def imports_of(module: str, source: str, is_package: bool, known: set[str]) -> Iterator[tuple[int, str]]:
    """(line, imported module of ours), function-level imports and ``import_module("...")`` included."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base]
            if base == "minidl":  # `from minidl import layers` asks for a module, `from minidl import op` the facade
                inside = [f"minidl.{alias.name}" for alias in node.names]
                names = [name if name in known or floor_of(name) is not None else base for name in inside]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        for name in names:
            if name.split(".")[0] in ("minidl", "minidl_kernels"):
                yield node.lineno, name


def upward_imports(sources: dict[str, tuple[str, bool]]) -> list[str]:
    """Modules on no floor, and imports that go up; ``sources`` is name -> (text, whether it is a package)."""
    wrong = []
    for module, (text, is_package) in sources.items():
        floor = floor_of(module)
        if floor is None:
            wrong.append(f"{module} stands on no floor")
            continue
        for line, imported in imports_of(module, text, is_package, set(sources)):
            above = floor_of(imported)
            if above is None:
                wrong.append(f"{module}:{line} imports {imported}, which stands on no floor")
            elif above > floor:
                wrong.append(f"{module}:{line} (floor {floor}) imports {imported} (floor {above})")
    return wrong


def lines_of_code(source: str) -> int:
    """Lines without blanks, comments and docstrings."""
    hidden: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node
        ):
            hidden.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), start=1)
    return sum(1 for i, line in lines if i not in hidden and line.strip() and not line.strip().startswith("#"))


def undocumented(module: str, source: str) -> list[str]:
    """The module, and its public classes and functions, that have no docstring.

    Implementations of a kernel (``@kernel.implementation(...)``) and rules of an op are documented by what they serve.
    """
    tree = ast.parse(source)
    wrong = [] if ast.get_docstring(tree) else [f"{module} has no docstring"]
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            serves = any(".implementation(" in ast.unparse(decorator) for decorator in node.decorator_list)
            if not serves and not ast.get_docstring(node):
                wrong.append(f"{module}:{node.lineno} {node.name} has no docstring")
    return wrong


def prints(module: str, source: str) -> list[str]:
    """Calls of print, but in modules that are run as commands, and loggers of another name than "minidl"."""
    wrong = []
    for node in ast.walk(ast.parse(source)):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if called == "print" and not module.endswith(".__main__"):
            wrong.append(f"{module}:{node.lineno} prints")
        if called.endswith("getLogger") and [ast.unparse(a) for a in node.args] != ["'minidl'"]:
            wrong.append(f"{module}:{node.lineno} logs, but not under the name minidl")
    return wrong


UNFINISHED = re.compile(r"\b([T]ODO|[F]IXME|[X]XX)\b")  # brackets, or this line would be found itself
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|tmp/w)(?![\w.-])")


def bad_text(name: str, text: str) -> list[str]:
    """Unfinished places, and paths of the machine that something was written on."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, what in ((UNFINISHED, "unfinished"), (MACHINE_PATH, "path of one machine")):
            if match := pattern.search(line):
                found.append(f"{name}:{number} {what}: {match.group()}")
    return found


def calls_of_ours(run: Any) -> Counter[str]:
    """How many Python functions of ours ``run()`` enters, by file.

    Comprehensions are no functions (newer Pythons run them in place), and a generator is entered once.
    """
    folders = (str(ROOT / "minidl"), str(ROOT / "kernels"))
    counted: Counter[str] = Counter()
    generators = set()

    def count(frame: Any, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(folders) and not code.co_name.startswith("<"):
            if frame not in generators:
                counted[code.co_filename] += 1
            if code.co_flags & inspect.CO_GENERATOR:
                generators.add(frame)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return counted


# ---- the house ----


def test_imports_go_down():
    sources = {name: (path.read_text("utf-8"), path.name == "__init__.py") for name, path in our_modules().items()}
    assert len(sources) > 50
    assert upward_imports(sources) == []


def test_engine_is_small():
    engine = {name: path for name, path in our_modules().items() if name.startswith("minidl.engine")}
    sizes = {name: lines_of_code(path.read_text("utf-8")) for name, path in engine.items()}
    assert len(sizes) >= 5
    assert sum(sizes.values()) <= MOST_ENGINE_LINES, sizes


def test_modules_are_small():
    sizes = {name: lines_of_code(path.read_text("utf-8")) for name, path in our_modules().items()}
    assert {name: size for name, size in sizes.items() if size > MOST_MODULE_LINES} == {}


def test_files_of_kernels_are_smaller_still():
    def size(path: Path) -> int:
        text = path.read_text("utf-8")
        return lines_of_code(text) if path.suffix == ".py" else sum(1 for line in text.splitlines() if line.strip())

    sources = [path for path in tracked_files() if path.is_relative_to(ROOT / "kernels") and path.suffix != ".md"]
    assert len(sources) > 50
    assert {path.name: size(path) for path in sources if size(path) > MOST_KERNEL_LINES} == {}


def test_the_library_logs_and_does_not_print():
    wrong = [line for name, path in our_modules().items() for line in prints(name, path.read_text("utf-8"))]
    assert [line for line in wrong if not line.startswith(PRINT)] == []


def test_what_is_public_is_documented():
    assert [line for name, path in our_modules().items() for line in undocumented(name, path.read_text("utf-8"))] == []


def test_texts_are_finished_and_name_no_machine():
    wrong = []
    for path in tracked_files():
        try:
            wrong += bad_text(str(path.relative_to(ROOT)), path.read_text("utf-8"))
        except UnicodeDecodeError:
            continue  # a picture or an archive
    assert wrong == []


def test_import_loads_little():
    code = "import sys, minidl; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=_environment(), capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    modules = loaded.stdout.split()
    assert "minidl_kernels" in modules
    compiled = [m for m in modules if m.startswith("minidl_kernels.") and m.endswith((".cpu", ".cuda"))]
    assert compiled + [name for name in LOADED_LATER if name in modules] == []


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "kernels")))}


def two_dense_step() -> Any:
    """One training step of a model of two Dense layers, after the first ones."""
    from minidl import layers, models

    model = models.Sequential(
        [layers.Input((20,)), layers.Dense(16, activation="relu"), layers.Dense(10, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = np.random.default_rng(0)
    x, y = data.standard_normal((32, 20), dtype=np.float32), data.integers(0, 10, 32)
    for _ in range(3):
        model.train_on_batch(x, y)
    return lambda: model.train_on_batch(x, y)


def test_a_step_is_short(monkeypatch):
    monkeypatch.setattr("minidl.layers.masks.made", False)  # a model with masks looks for them
    for kind in list(foreign):  # other tests may have made arrays of another library
        monkeypatch.delitem(foreign, kind)
    counted = calls_of_ours(two_dense_step())
    # Above the kernels: what Keras counts 47 files and 2,268 calls for has torch's in their place, which do not count.
    counted = Counter({file: calls for file, calls in counted.items() if file.startswith(str(ROOT / "minidl"))})
    shown = "\n".join(f"{calls:5} {Path(file).relative_to(ROOT)}" for file, calls in counted.most_common())
    assert sum(counted.values()) <= MOST_CALLS and len(counted) <= MOST_FILES, (
        f"{sum(counted.values())} calls in {len(counted)} files\n{shown}"
    )


# ---- the checkers see what they should ----


@pytest.mark.parametrize(
    ("module", "text", "wrong"),
    [
        ("minidl.engine.op", "from minidl.ops import add", "minidl.ops (floor 2)"),
        (
            "minidl.engine.op",
            "def f():\n    from minidl import layers",
            "minidl.engine.op:2 (floor 1) imports minidl.layers",
        ),
        ("minidl.engine.op", "from .. import layers", "imports minidl.layers (floor 4)"),
        ("minidl.engine.op", "from ..models.model import Model", "imports minidl.models.model (floor 5)"),
        ("minidl.layers.core", "from minidl import Tensor", "imports minidl (floor 6)"),
        ("minidl.layers.core", "import minidl", "imports minidl (floor 6)"),
        (
            "minidl.layers.core",
            "import importlib\nimportlib.import_module('minidl.cli')",
            "imports minidl.cli (floor 6)",
        ),
        ("minidl.ops.add", "import minidl.extras", "minidl.extras, which stands on no floor"),
        ("minidl_kernels.conv.cpu", "import minidl.config", "imports minidl.config (floor 1)"),
        ("minidl.extras", "", "minidl.extras stands on no floor"),
    ],
)
def test_the_checker_sees_upward_imports(module, text, wrong):
    (found,) = upward_imports({module: (text, False)})
    assert wrong in found


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("minidl.layers.core", "from minidl import config, ops\nfrom minidl.engine.tensor import Tensor\nimport numpy"),
        ("minidl.layers.core", "from . import weights\nfrom .layer import Layer\nfrom ..ops import add"),
        ("minidl.ops.add", "import minidl_kernels as kernels\nfrom minidl_kernels.arrays import namespace"),
        ("minidl_kernels.conv.cpu", "from ..parallel import task\nfrom . import conv2d"),
        ("minidl.utils", "from minidl import Tensor"),
    ],
)
def test_the_checker_lets_downward_imports_pass(module, text):
    assert upward_imports({module: (text, module == "minidl.utils")}) == []


def test_the_checker_sees_an_import_added_to_a_source_of_ours(tmp_path):
    original = our_modules()["minidl.engine.walk"]
    copy = tmp_path / "minidl" / "engine" / "walk.py"
    copy.parent.mkdir(parents=True)
    copy.write_text(original.read_text("utf-8"), "utf-8")
    name = module_name(copy, tmp_path)
    assert upward_imports({name: (copy.read_text("utf-8"), False)}) == []
    copy.write_text(original.read_text("utf-8") + "\n\ndef late():\n    from minidl.layers import Dense\n", "utf-8")
    assert len(upward_imports({name: (copy.read_text("utf-8"), False)})) == 1


def test_lines_of_code_leave_out_comments_and_docstrings():
    assert (
        lines_of_code('"""Module.\n\nMore.\n"""\n\n# why\nx = 1\n\ndef f():\n    """One."""\n    return """a\nb"""\n')
        == 4
    )


def test_the_checker_sees_missing_docstrings():
    text = '"""A module."""\ndef f():\n    pass\nclass C:\n    "doc"\ndef _g():\n    pass\n'
    assert undocumented("m", text) == ["m:2 f has no docstring"]
    assert undocumented("m", "x = 1") == ["m has no docstring"]
    served = '"""A module."""\n@relu.implementation("mine", on="numpy")\ndef relu_mine(x, *, out):\n    out[...] = x\n'
    assert undocumented("m", served) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("def f():\n    print(1)", ["m:2 prints"]),
        ("import logging\nlogging.getLogger(__name__)", ["m:2 logs, but not under the name minidl"]),
        ("import logging\nlogging.getLogger('minidl').info('print(1)')\nx.print()\n(f or print)(1)", []),
    ],
)
def test_the_checker_sees_prints_and_other_loggers(text, wrong):
    assert prints("m", text) == wrong
    assert prints("m.__main__", "print(1)") == []


@pytest.mark.parametrize("folder", ["work", "root", "tmp/w"])
@pytest.mark.parametrize("line", ["open('/{}/data')", "see /{}", "# /{}: a comment"])
def test_the_checker_sees_paths_of_a_machine(folder, line):
    assert len(bad_text("f", f"fine\n{line.format(folder)}")) == 1


@pytest.mark.parametrize("word", ["todo", "fixme", "xxx"])
def test_the_checker_sees_unfinished_places(word):
    assert len(bad_text("f", f"fine\n# {word.upper()}: later")) == 1


@pytest.mark.parametrize("text", ["work/data", "https://example.org/work/1", "/tmp/words", "method", "/rooted"])
def test_the_checker_lets_good_texts_pass(text):
    assert bad_text("f", text) == []


def test_calls_of_ours_are_counted():
    from minidl import ops

    counted = calls_of_ours(lambda: ops.add(np.ones(2), np.ones(2)))
    assert counted[str(ROOT / "minidl" / "ops" / "arithmetic.py")] >= 1
    assert all(Path(file).is_relative_to(ROOT) for file in counted)
