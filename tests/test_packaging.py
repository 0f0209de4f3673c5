"""pyproject.toml says what the code needs: no more, no less."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import minidl
from minidl.config import __version__

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = sorted([*(ROOT / "minidl").rglob("*.py"), *(ROOT / "kernels" / "minidl_kernels").rglob("*.py")])
DISTRIBUTION = {"PIL": "pillow", "yaml": "pyyaml", "cupyx": "cupy", "llvmlite": "numba", "markupsafe": "jinja2"}


def names(requirements):
    """The names of the distributions in a list of requirements, in lower case."""
    return {re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower() for requirement in requirements}


def imported():
    """Every distribution that minidl imports anywhere, with a file that does."""
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            for module in modules:
                top = module.split(".")[0]
                if top not in sys.stdlib_module_names and not top.startswith("minidl"):
                    found[DISTRIBUTION.get(top, top)] = path.relative_to(ROOT)
    return found


def test_every_import_is_declared():
    declared = names(PYPROJECT["project"]["dependencies"])
    for extra, requirements in PYPROJECT["project"]["optional-dependencies"].items():
        if extra not in ("dev", "docs", "oracle"):
            declared |= {"cupy" if name.startswith("cupy-") else name for name in names(requirements)}
    undeclared = {name: path for name, path in imported().items() if name not in declared}
    assert not undeclared


def test_every_dependency_is_imported():
    assert names(PYPROJECT["project"]["dependencies"]) <= set(imported())


def test_version_is_the_package_s():
    assert minidl.__version__ == __version__
    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert __version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_embedded_data_has_its_licence_beside_it():
    embedded = ROOT / "minidl" / "datasets" / "embedded"
    data = {path.stem for path in embedded.iterdir() if not path.name.startswith("LICENSE")}
    assert data == {path.suffix[1:] for path in embedded.glob("LICENSE.*")}
