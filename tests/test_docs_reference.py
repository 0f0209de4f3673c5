"""What builds the reference: no public package is forgotten, and formulas of docstrings stay as they are."""

import importlib.util
import types
from pathlib import Path

import pytest

import minidl
from minidl import ops

EXTENSIONS = Path(__file__).parents[1] / "docs" / "extensions"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXTENSIONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_package_has_a_place():
    shown = set(load("public_names").MODULES)
    packages = {name for name in minidl.__all__ if isinstance(getattr(minidl, name), types.ModuleType)}
    elsewhere = {"backend", "preprocessing"}  # older names of what is shown; two packages with pages of their own
    assert packages - shown == elsewhere
    pages = "".join(page.read_text("utf-8") for page in (EXTENSIONS.parent / "api").glob("*.md"))
    assert [name for name in shown if f"automodule:: minidl.{name}\n" not in pages] == []


def test_public_names():
    public = load("public_names").public
    assert {"matmul", "relu", "conv", "softmax"} <= set(public(ops))
    assert not {"np", "Any", "arithmetic"} & set(public(ops))
    assert public(minidl.testing) == minidl.testing.__all__


@pytest.mark.parametrize(
    "line, expected",
    [
        ("mean(|a - b|)", r"mean(\|a - b\|)"),
        ("a*b*c and ``a*b``", r"a\*b\*c and ``a*b``"),
        ("names with val_ before", r"names with val\_ before"),
        ("a_b stays", "a_b stays"),
        ("* a bullet", "* a bullet"),
        (":param x: |x|", r":param x: \|x\|"),
        (r"\*args", r"\*args"),
    ],
)
def test_marks_are_escaped(line, expected):
    pytest.importorskip("sphinx")
    assert load("plain_docstrings").escaped([line]) == [expected]


def test_code_is_left_alone():
    pytest.importorskip("sphinx")
    lines = ["Write::", "", "    a*b*c | d", "", "then |x|"]
    assert load("plain_docstrings").escaped(lines) == [*lines[:-1], r"then \|x\|"]


def test_several_names_get_a_field_each():
    pytest.importorskip("sphinx")
    found = load("plain_docstrings").one_by_one([":ivar a, b: one", "    more", ":ivar c: two"])
    assert found == [":ivar a: one", "    more", ":ivar b: one", "    more", ":ivar c: two"]
