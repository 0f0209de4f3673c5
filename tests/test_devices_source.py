"""Above the kernels, no function of NumPy is given what may be an array of another library."""

import ast
from collections.abc import Iterator

from tests.test_house import our_modules

# Types, constants, dtypes, and functions of shapes and plain numbers: they are given no arrays.
NO_ARRAYS = set(
    "ndarray generic number integer floating dtype bool_ float16 float32 float64 int8 int32 int64 uint8 uint32 uint64 "
    "iinfo finfo errstate random exceptions newaxis pi inf nan broadcast_shapes result_type array2string".split()
)  # fmt: skip


def numpy_uses(source: str) -> Iterator[tuple[str, str]]:
    """(function in which it stands, name) of every ``np.name``."""

    def look(node: ast.AST, inside: str) -> Iterator[tuple[str, str]]:
        for child in ast.iter_child_nodes(node):
            name = getattr(child, "name", inside) if isinstance(child, ast.FunctionDef | ast.ClassDef) else inside
            name = inside if isinstance(child, ast.ClassDef) else name
            if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id == "np":
                yield inside, child.attr
            yield from look(child, name)

    yield from look(ast.parse(source), "")


if __name__ == "__main__":
    for module, path in sorted(our_modules().items()):
        if module.startswith("minidl_kernels") or module.split(".")[1:2] in (
            ["checking"],
            ["cli"],
            ["datasets"],
            ["visualize"],
            ["saving"],
            ["preprocessing"],
            ["summary"],
            ["testing"],
            ["applications"],
            ["opening"],
            ["backend"],
            ["utils"],
            ["callbacks"],
        ):
            continue
        found = {}
        for where, name in numpy_uses(path.read_text()):
            if name not in NO_ARRAYS:
                found.setdefault(where, []).append(name)
        if found:
            print(module, found)
