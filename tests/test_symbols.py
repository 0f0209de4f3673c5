"""Every public name is used by some test that asserts a value; which, is read from the sources of the tests.

Looked at is what such a test reaches by name: its own statements, and the helpers, tables, fixtures and imports that it
uses, also of other files. Errors alone do not count, nor helpers that are named as if they asserted and do not.

A use is ``module.name`` (also through an alias, or on the argument ``k`` that stands for Keras and minidl), an import
of the name, or the name as text in a table, where the file works with the module.
"""

import ast
import importlib
import itertools
import types
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import minidl
from tests.ops.cases import TWINS

TESTS = Path(__file__).resolve().parent
NO_VALUES = ("test_symbols.py", "test_signatures.py", "test_coverage.py", "coverage.py", "test_house.py")
BOTH = ("minidl", "keras", "k", "ours", "theirs")  # what the library itself is called in the tests
VARIABLES = ("module", "ours", "theirs")  # what a module is called that a parameter of the test chose
CHECKS = ("assert", "check", "close", "compare", "same", "agree")  # in names of helpers

MODULES = (
    "", "activations", "applications", "applications.imagenet_utils", "applications.inception_v3",
    "applications.mobilenet_v2", "applications.resnet", "applications.resnet50", "applications.vgg16",
    "applications.vgg19", "backend", "callbacks", "checking", "config", "constraints", "datasets", "datasets.cifar10",
    "datasets.fashion_mnist", "datasets.mnist", "initializers", "layers", "losses", "metrics", "models", "ops",
    "ops.image", "optimizers", "optimizers.legacy", "optimizers.schedules", "preprocessing", "preprocessing.image",
    "preprocessing.sequence", "random", "regularizers", "saving", "summary", "testing", "tree", "utils", "visualize",
    "xray",
)  # fmt: skip


def names_of(module: str) -> list[str]:
    """The public names of a module: its ``__all__``, or else what is its own; without the modules inside."""
    found = importlib.import_module(f"minidl.{module}".rstrip("."))
    names = getattr(found, "__all__", None)
    if names is None:
        names = [n for n, item in vars(found).items() if n[0] != "_" and _is_ours(item)]
    return [name for name in names if not isinstance(getattr(found, name), types.ModuleType)]


def _is_ours(item: object) -> bool:
    return callable(item) and getattr(item, "__module__", "").startswith("minidl")


class File:
    """A test file: what it defines or imports at its top, by name."""

    def __init__(self, source: str, folders: tuple[str, ...] = ()):
        self.folders = folders
        self.tree = ast.parse(source)
        self.aliases = dict(_aliases(self.tree))
        self.defined: dict[str, list[ast.stmt]] = {}
        for node in self.tree.body:
            for name in _bound(node):
                self.defined.setdefault(name, []).append(node)

    def tests(self) -> list[ast.stmt]:
        return [n for n in self.tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]


Place = tuple[File, ast.stmt]


class Suite:
    """Test files by dotted name, and what a test reaches in them: helpers, tables, fixtures, imports."""

    def __init__(self, files: dict[str, File]):
        self.files = files
        self._asserting: dict[int, bool] = {}

    def reached(self, file: File, start: ast.stmt) -> list[Place]:
        """The statement, and the top-level ones whose names occur in it, and so on."""
        found: dict[int, Place] = {}
        stack = [(file, start)]
        while stack:
            place = stack.pop()
            if id(place[1]) not in found:
                found[id(place[1])] = place
                stack += [one for name in _names_in(place[1]) for one in self._definitions(place[0], name)]
        return list(found.values())

    def _definitions(self, file: File, name: str) -> Iterator[Place]:
        for node in file.defined.get(name, ()):
            yield file, node
            if isinstance(node, ast.ImportFrom) and (other := self.files.get(node.module or "")):
                real = next(alias.name for alias in node.names if name in (alias.name, alias.asname))
                yield from self._definitions(other, real)
        for depth in range(len(file.folders) + 1):  # fixtures
            conftest = self.files.get(".".join(("tests", *file.folders[:depth], "conftest")))
            if conftest is not None and conftest is not file:
                yield from ((conftest, node) for node in conftest.defined.get(name, ()))

    def asserts(self, file: File, function: ast.stmt) -> bool:
        """Whether a function asserts a value, itself or in a helper that is named as if it did."""
        known = self._asserting.get(id(function))
        if known is None:
            self._asserting[id(function)] = False  # while it is looked for, by a helper that calls itself
            known = self._asserting[id(function)] = any(self._is_assertion(file, node) for node in ast.walk(function))
        return known

    def _is_assertion(self, file: File, node: ast.AST) -> bool:
        if isinstance(node, ast.Assert):
            return True
        if not isinstance(node, ast.Call):
            return False
        whole = ast.unparse(node.func)
        name = whole.split(".")[-1]
        if whole.startswith("np.testing.assert_"):
            return True
        helpers = self._definitions(file, whole.split(".")[0]) if any(word in name for word in CHECKS) else ()
        return any(self.asserts(*place) for place in helpers if not isinstance(place[1], (ast.Import, ast.ImportFrom)))

    def uses(self) -> "list[Uses]":
        """What each file's asserting tests use."""
        made = []
        for file in self.files.values():
            places = [self.reached(file, test) for test in file.tests() if self.asserts(file, test)]
            made.append(Uses(file, {id(node): (at, node) for at, node in itertools.chain(*places)}.values()))
        return made


class Uses:
    """What statements mention: (module's last name, name) pairs, words as text, and the modules they work with."""

    def __init__(self, file: File, places: Iterable[Place]):
        self.pairs: set[tuple[str, str]] = set()
        self.words: set[str] = set()
        self.modules: set[str] = set(file.folders)
        for at, statement in places:
            self.aliases = at.aliases
            for node in ast.walk(statement):
                self._read(node)

    def _read(self, node: ast.AST) -> None:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("minidl", "keras"):
            parts = node.module.split(".")
            for alias in node.names:
                self.pairs |= {(part, alias.name) for part in parts}
                self.modules |= {alias.name, *parts}
        elif isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", None)
            self.pairs.add((self.aliases.get(owner, owner), node.attr))
            if owner in VARIABLES:
                self.words.add(node.attr)
            self.modules.add(node.attr)
        elif isinstance(node, ast.Name):
            self.modules.add(self.aliases.get(node.id, node.id))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.words |= {node.value, node.value.split(" ")[0], node.value.split(".")[-1]}

    def mentions(self, module: str, name: str) -> bool:
        last = module.split(".")[-1]
        owners = BOTH if not last else (last,)
        if any((owner, name) in self.pairs for owner in owners):
            return True
        return name in self.words and bool((self.modules | self.words) & set(owners))


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name in the file, last name of the module of ours that it stands for)."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.asname:
                    yield alias.asname, alias.name.split(".")[-1]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value.attr


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a file gives a meaning, also by filling a table."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    else:
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                yield one.id
            filled = one.value if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store) else None
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
                filled = one.func.value  # TABLE.update(...)
            if isinstance(filled, ast.Name):
                yield filled.id


def _names_in(node: ast.stmt) -> set[str]:
    """The names that occur in a statement, parameters (which are fixtures) among them."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}


def suite() -> Suite:
    return Suite(
        {
            ".".join(("tests", *path.relative_to(TESTS).with_suffix("").parts)): File(
                path.read_text("utf-8"), path.relative_to(TESTS).parts[:-1]
            )
            for path in sorted(TESTS.rglob("*.py"))
            if path.name not in NO_VALUES
        }
    )


@pytest.fixture(scope="module")
def used() -> list[Uses]:
    return suite().uses()


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_used_in_a_test(module, used):
    names = [name for name in names_of(module) if name not in TWINS]  # all twins are in the tables of tests/ops
    unused = [name for name in names if not any(one.mentions(module, name) for one in used)]
    assert unused == []


def test_all_modules_of_the_facade_are_looked_at():
    inside = {n for n in minidl.__all__ if isinstance(getattr(minidl, n), types.ModuleType)}
    assert inside == {module for module in MODULES if module and "." not in module}
    assert {"relu", "matmul", "conv"} <= set(names_of("ops")) and "Dense" in names_of("layers")


SOURCE = """
from minidl import layers, backend as K
from minidl.losses import Huber, Dice
import numpy as np
TABLE = {"Flatten": 1, "Dropout with noise": 2}
UNUSED = {"Reshape": 3}
TABLE["Permute"] = 4
def test_nothing():
    layers.Embedding(2, 3)
def test_only_an_error():
    with pytest.raises(ValueError):
        layers.Permute()
def test_only_named_so():
    check_nothing(layers.Concatenate())
def test_a_file():
    layers.Add().close()
def check_nothing(layer):
    print(layer)
def test_something():
    assert layers.Dense(2).units == 2 and K.relu(-1) == 0 and np.mean([1]) == 1
    assert Huber(helper(K), TABLE)
def test_by_a_helper():
    check(layers.Softmax())
def check(layer):
    assert layer
def helper(k):
    return k.metrics.AUC()
def lonely(k):
    return k.metrics.Mean()
"""


@pytest.mark.parametrize(
    "module, name, expected",
    [
        ("layers", "Dense", True), ("layers", "Flatten", True), ("layers", "Dropout", True), ("losses", "Huber", True),
        ("backend", "relu", True), ("metrics", "AUC", True), ("layers", "Permute", True), ("layers", "Softmax", True),
        ("layers", "Embedding", False), ("ops", "relu", False), ("ops", "mean", False),
        ("optimizers", "Flatten", False), ("layers", "Reshape", False), ("layers", "Concatenate", False),
        ("layers", "Add", False), ("metrics", "Mean", False),
    ],
)  # fmt: skip
def test_uses_are_seen(module, name, expected):
    (used,) = Suite({"tests.sample": File(SOURCE)}).uses()
    assert used.mentions(module, name) == expected


def test_helpers_and_fixtures_of_other_files_are_followed():
    files = {
        "tests.conftest": File(
            "import pytest, minidl\n@pytest.fixture\ndef built():\n    return minidl.layers.Add()\n"
        ),
        "tests.sub.help": File("from minidl import losses\ndef assert_small(x):\n    assert losses.mse(x, x) < x\n"),
        "tests.sub.test_it": File(
            "from tests.sub.help import assert_small\ndef test_it(built):\n    assert_small(built)\n", ("sub",)
        ),
    }
    used = Suite(files).uses()[-1]
    assert used.mentions("layers", "Add") and used.mentions("losses", "mse") and not used.mentions("losses", "mae")
