"""Fixtures and rules that all tests share.

* ``oracle``: tests that compare with Keras, JAX or PyTorch carry ``@pytest.mark.oracle`` (or ask for one of the
  fixtures ``keras``, ``jax``, ``torch``, which carry it for them) and import the library inside the test. Where it is
  missing they are skipped, or fail when ``MINIDL_REQUIRE_ORACLE=1``.
* ``cifar_folder``: CIFAR-10 as folders of JPEG files, from ``cifar-10-jpeg.tar.xz`` in the folder ``MINIDL_TEST_DATA``
  (default: ``shared/data`` beside the checkout).
* tests that run CUDA kernels on the processor (``tests/shims.py``) need a C++ compiler; where there is none they are
  skipped, or fail when ``MINIDL_REQUIRE_COMPILER=1``.
* ``chromium``: the path of a browser that can show a page headless; required when ``MINIDL_REQUIRE_CHROMIUM=1``.
"""

import importlib
import importlib.util
import os
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when keras is first imported
os.environ.setdefault("JAX_PLATFORMS", "cpu")

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci")

ORACLES = ("keras", "jax", "torch")
IMPORTS_ORACLE = re.compile(
    r"^\s*(?:import|from)\s+(?:keras|jax|torch)\b|importorskip\(\s*[\"'](?:keras|jax|torch)", re.M
)


def required(variable: str) -> bool:
    """Whether ``variable`` turns a missing helper into a failure."""
    return os.environ.get(variable, "") not in ("", "0")


def skip_or_fail(reason: str, variable: str) -> None:
    """Skip the test, or fail it where ``variable`` says that nothing may be missing."""
    if required(variable):
        pytest.fail(f"{reason} ({variable} is set)", pytrace=False)
    pytest.skip(reason)


def missing_oracles() -> list[str]:
    """The libraries to compare with that are not installed (looked up, not imported: they take seconds)."""
    return [name for name in ORACLES if importlib.util.find_spec(name) is None]


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marker
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marked: dict[Path, bool] = {}
    for item in items:
        if set(getattr(item, "fixturenames", ())) & set(ORACLES):
            item.add_marker(pytest.mark.oracle)
        marked[item.path] = marked.get(item.path, False) or item.get_closest_marker("oracle") is not None
    if any("::" in argument for argument in config.args):
        return  # single tests were asked for: what the rest of their file carries is not known
    for path, has_mark in marked.items():
        if not has_mark and IMPORTS_ORACLE.search(path.read_text(encoding="utf-8")):
            raise pytest.UsageError(f"{path} imports keras, jax or torch, but no test in it is marked oracle")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("oracle") and (missing := missing_oracles()):
        skip_or_fail(f"not installed: {', '.join(missing)}", "MINIDL_REQUIRE_ORACLE")


@pytest.fixture(scope="module", autouse=True)
def no_compiled_functions_left() -> Iterator[None]:
    """Forget what JAX compiled for the tests of a file: of all files together it is gigabytes."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    """Keras 3 on its JAX backend."""
    return importlib.import_module("keras")


@pytest.fixture(scope="session")
def jax() -> ModuleType:
    return importlib.import_module("jax")


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    return importlib.import_module("torch")


def unpack_cifar(target: Path, per_class: int) -> Path:
    """Unpack the first ``per_class`` pictures of each class of each part into ``target``/train and ``target``/test."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    archive = Path(os.environ.get("MINIDL_TEST_DATA") or beside) / "cifar-10-jpeg.tar.xz"
    if not archive.is_file():
        skip_or_fail(f"no {archive}", "MINIDL_TEST_DATA")
    taken: dict[str, int] = {}
    with tarfile.open(archive, "r|xz") as tar:
        for member in tar:
            folder = os.path.dirname(member.name)
            content = tar.extractfile(member)
            taken[folder] = taken.get(folder, 0) + (content is not None)
            if content is not None and taken[folder] <= per_class:
                (target / folder).mkdir(parents=True, exist_ok=True)
                (target / member.name).write_bytes(content.read())
    return target


@pytest.fixture(scope="session")
def cifar_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train/CLASS/NNNN.jpg and test/CLASS/NNNN.jpg: the first 100 CIFAR-10 pictures of each class."""
    return unpack_cifar(tmp_path_factory.mktemp("cifar"), 100)


@pytest.fixture(scope="session")
def full_cifar_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``cifar_folder``, with all 60,000 pictures; for slow tests."""
    return unpack_cifar(tmp_path_factory.mktemp("full_cifar"), 5000)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium (or Chrome)."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    skip_or_fail("no chromium on the PATH", "MINIDL_REQUIRE_CHROMIUM")
    raise AssertionError("unreachable")
