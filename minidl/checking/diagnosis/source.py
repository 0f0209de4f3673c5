"""The line of the user's backward that computes a gradient."""

import ast
import inspect
import os
import sys
import textwrap
from collections.abc import Callable
from typing import Any

__all__ = ["line_of"]

Line = tuple[str, int, str]


def line_of(functions: list[Callable[..., Any]], wrong: list[str], names: list[str]) -> Line | None:
    """(file, line number, code) of the last assignment to the first wrong gradient; None where no source is at hand.

    Args:
        functions: in which to look.
        wrong: names of the leaves whose gradients are wrong; ``names``: of all leaves, in the order of the result.
    """
    for function in functions:
        for leaf in wrong:
            found = _line(function, leaf.split(".")[-1], names.index(leaf) if leaf in names else 0)
            if found:
                return found
    return None


def _line(function: Callable[..., Any], leaf: str, position: int) -> Line | None:
    try:
        lines, start = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        file = _named(inspect.getsourcefile(function) or "?")
    except (OSError, TypeError, SyntaxError):
        return None
    forms = {f"d{leaf}", f"d_{leaf}", f"grad_{leaf}", f"{leaf}_grad", f"g{leaf}", f"d{leaf.lower()}"}
    nodes = list(ast.walk(tree))
    returns = [node for node in nodes if isinstance(node, ast.Return) and node.value is not None]
    last: ast.AST | None = returns[-1] if returns else None
    if returns:
        value = returns[-1].value
        if isinstance(value, ast.Tuple) and position < len(value.elts):
            value = value.elts[position]
        elif isinstance(value, ast.Dict):
            keys = [k.value if isinstance(k, ast.Constant) else None for k in value.keys]
            value = next((v for k, v in zip(keys, value.values, strict=True) if k == leaf or k in forms), value)
        if isinstance(value, ast.Name):
            forms.add(value.id)
    assigned = [node for node in nodes if _assigns(node, forms, leaf)]
    if assigned:
        last = max(assigned, key=lambda node: int(getattr(node, "lineno", 0)))
    if last is None:
        return None
    number = int(getattr(last, "lineno", 1))
    return file, start + number - 1, lines[number - 1].strip()


def _named(path: str) -> str:
    """The name of the file; of a cell of a notebook, whose file no reader has seen, In[3]."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    cell = shell.compile.format_code_name(path) if shell is not None else None
    return cell[1] if cell else os.path.basename(path)


def _assigns(node: Any, forms: set[str], leaf: str) -> bool:
    if not isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    flat = [t for target in targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
    for target in flat:
        while isinstance(target, ast.Subscript):
            if isinstance(target.slice, ast.Constant) and target.slice.value in (leaf, *forms):
                return True
            target = target.value
        name = target.id if isinstance(target, ast.Name) else getattr(target, "attr", None)
        if name in forms:
            return True
    return False
