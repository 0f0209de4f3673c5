"""Write cupy_names.txt: the names of CuPy's main namespace, read from an installed CuPy without importing it (which
wants a GPU's driver).

    pip install cupy-cuda13x && python tests/kernels/cupy_names.py
"""

import ast
import importlib.metadata
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

TARGET = Path(__file__).with_suffix(".txt")


def top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under ``if`` and ``try`` included."""
    for node in body:
        yield node
        for part in ("body", "orelse", "handlers", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.ExceptHandler)):
                yield from top_level(getattr(node, part, []))


def defined_names(source: str) -> set[str]:
    """The public names that a module imports, defines and assigns."""
    found: set[str] = set()
    for node in top_level(ast.parse(source).body):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            package = (getattr(node, "module", None) or "").split(".")
            found |= set(package[1:2]) if package[0] == "cupy" else set()  # an import from a submodule leaves it there
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return {name for name in found if not name.startswith("_")}


def main() -> None:
    spec = importlib.util.find_spec("cupy")
    if spec is None or spec.origin is None:
        raise SystemExit("CuPy is not installed: pip install cupy-cuda13x")
    versions = importlib.metadata.packages_distributions()["cupy"]
    version = f"{versions[0]} {importlib.metadata.version(versions[0])}"
    names = sorted(defined_names(Path(spec.origin).read_text("utf-8")))
    header = f"# The main namespace of {version}; written by cupy_names.py."
    TARGET.write_text("\n".join([header, *names]) + "\n", "utf-8")
    print(f"{len(names)} names of {version} written to {TARGET.name}")


if __name__ == "__main__":
    main()
