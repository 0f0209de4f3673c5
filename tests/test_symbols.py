"""Every public name is used in some test that asserts something; which, is read from the sources of the tests.

A use is ``module.name`` (also through an alias, or on the argument ``k`` that stands for Keras and minidl), an import
of the name, or the name as text in the table of a file that works with the module.
"""

import ast
import importlib
import itertools
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import minidl
from tests.ops.cases import TWINS

TESTS = Path(__file__).resolve().parent
NO_VALUES = ("test_symbols.py", "test_signatures.py", "test_coverage.py", "coverage.py", "test_house.py")
BOTH = ("minidl", "keras", "k", "ours", "theirs")  # what the library itself is called in the tests
VARIABLES = ("module", "ours", "theirs")  # what a module is called that a parameter of the test chose
CHECKS = ("assert", "check", "close", "compare", "raises", "same", "warns", "agree")

MODULES = (
    "", "activations", "applications", "applications.imagenet_utils", "applications.inception_v3",
    "applications.mobilenet_v2", "applications.resnet", "applications.resnet50", "applications.vgg16",
    "applications.vgg19", "backend", "callbacks", "checking", "config", "constraints", "datasets", "datasets.cifar10",
    "datasets.fashion_mnist", "datasets.mnist", "initializers", "layers", "losses", "metrics", "models", "ops",
    "ops.image", "optimizers", "optimizers.legacy", "optimizers.schedules", "preprocessing", "preprocessing.image",
    "preprocessing.sequence", "random", "regularizers", "saving", "summary", "tree", "utils", "visualize",
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


class Uses:
    """What a test file mentions: (module's last name, name) pairs, words as text, and the modules it works with."""

    def __init__(self, source: str, folders: tuple[str, ...] = ()):
        self.pairs: set[tuple[str, str]] = set()
        self.words: set[str] = set()
        self.modules: set[str] = set(folders)
        tree = ast.parse(source)
        self.aliases = dict(_aliases(tree))
        for node in itertools.chain.from_iterable(map(ast.walk, _asserting(tree))):
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


def _asserting(tree: ast.Module) -> Iterator[ast.AST]:
    """The statements of a file, without tests that check nothing."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not checks(node):
            continue
        yield node


def checks(function: ast.AST) -> bool:
    """Whether a test asserts, or calls something that is named as if it did."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).split(".")[-1]
            if any(word in name for word in CHECKS):
                return True
    return False


def uses() -> list[Uses]:
    return [
        Uses(path.read_text("utf-8"), path.relative_to(TESTS).parts[:-1])
        for path in sorted(TESTS.rglob("*.py"))
        if path.name not in NO_VALUES
    ]


@pytest.fixture(scope="module")
def used() -> list[Uses]:
    return uses()


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
from minidl.losses import Huber
import numpy as np
TABLE = {"Flatten": 1, "Dropout with noise": 2}
def test_nothing():
    layers.Embedding(2, 3)
def test_something():
    assert layers.Dense(2).units == 2 and K.relu(-1) == 0 and np.mean([1]) == 1
def helper(k):
    return k.metrics.AUC()
"""


@pytest.mark.parametrize(
    "module, name, expected",
    [
        ("layers", "Dense", True), ("layers", "Flatten", True), ("layers", "Dropout", True), ("losses", "Huber", True),
        ("backend", "relu", True), ("metrics", "AUC", True), ("layers", "Embedding", False), ("ops", "relu", False),
        ("ops", "mean", False), ("optimizers", "Flatten", False),
    ],
)  # fmt: skip
def test_uses_are_seen(module, name, expected):
    assert Uses(SOURCE).mentions(module, name) == expected
