"""Docstrings are plain text with ``literals`` in it: their |x|, a*b and x_ are formulas, not marks of reStructuredText.

Unescaped, a formula with two stars in it would lose them without any warning.
"""

import re
from typing import Any

from sphinx.domains.python import PyObject
from sphinx.ext.napoleon import GoogleDocstring

LITERAL = re.compile(r"(``.*?``|^\s*\* |^\s*:\w[^:]*:|\\.)")  # and bullets, fields, what is escaped already


FIELD = re.compile(r"^:(ivar|param) ([^:]*,[^:]*):(.*)$")


def one_by_one(lines: list[str]) -> list[str]:
    """A field that describes several names, "beta, gamma: ...", as a field for each."""
    found: list[str] = []
    for i, line in enumerate(lines):
        field = FIELD.match(line)
        if not field:
            found.append(line)
            continue
        rest = []
        for more in lines[i + 1 :]:
            if more.strip() and not more.startswith(" "):
                break
            rest.append(more)
        names = [name.strip() for name in field[2].split(",") if name.strip()]
        for name in names[:-1]:
            found += [f":{field[1]} {name}:{field[3]}", *rest]
        found.append(f":{field[1]} {names[-1]}:{field[3]}")  # what follows comes by itself
    return found


def escaped(lines: list[str]) -> list[str]:
    """The lines with what reStructuredText would take for a mark escaped; literal blocks stay as they are."""
    found, block, last = [], None, ""
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        if block is None and line.strip():
            if last.rstrip().endswith("::") and not last.lstrip().startswith(".. "):
                depth = len(last) - len(last.lstrip())
                block = depth if indent > depth else None
        if line.strip():
            last = line
        found.append(line if block is not None or line.lstrip().startswith("..") else _escaped(line))
    return found


def _escaped(line: str) -> str:
    parts = LITERAL.split(line)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"(?<=\w)_(?=\W|$)|[|*]", lambda mark: "\\" + mark[0], parts[i])
    return "".join(parts)


def process(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    lines[:] = escaped(one_by_one(lines))


def setup(app: Any) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process, priority=900)  # after napoleon
    for field in PyObject.doc_field_types:
        if field.name == "variable":  # the name of an attribute is no reference to one of that name somewhere else
            field.rolename = ""
    # The docstring of a property is a sentence, also where it has a colon; what stands before that is no type.
    GoogleDocstring._parse_attribute_docstring = lambda self: self._consume_to_end()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
