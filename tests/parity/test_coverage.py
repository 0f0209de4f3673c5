"""``coverage.md`` says what is true: of Keras' names, which are there, and why the others are not."""

import pytest

from tests.parity import coverage

pytestmark = pytest.mark.oracle


def test_every_name_of_keras_is_there_or_has_a_reason(keras):
    unsaid = [
        f"keras.{module}.{name}"
        for module, names in coverage.table().items()
        for name, state in names.items()
        if state is None
    ]
    assert unsaid == []


def test_no_name_that_is_there_has_a_reason(keras):
    there = [f"{module}.{name}" for module, name in coverage.reasons() if coverage.is_there(module, name)]
    assert there == []
    assert [module for module in coverage.MODULES if coverage.walked("minidl", module)] == []


def test_every_reason_is_for_a_name_of_keras(keras):
    modules = coverage.keras_modules()
    assert sorted(set(coverage.MODULES) - set(modules)) == []
    strange = [
        f"{module}.{name}" for module, name in coverage.reasons()
        if module not in modules or name not in coverage.names_of(module)
    ]  # fmt: skip
    assert strange == []


def test_the_file_is_up_to_date(keras):
    assert coverage.FILE.read_text("utf-8") == coverage.page(), "run: python -m tests.parity.coverage"


def test_a_name_without_a_reason_is_noticed(keras, monkeypatch):
    monkeypatch.setattr(coverage, "REASONS", {})
    assert coverage.table()["layers"]["LSTM"] is None
    assert coverage.table()["layers"]["Dense"] == "done"


def test_modules_are_read_from_keras(keras):
    modules = coverage.keras_modules()
    assert {"", "layers", "ops.numpy", "optimizers.schedules", "applications.vgg16", "tree"} <= set(modules)
    assert not [module for module in modules if module.startswith(("src", "_"))]
    assert {"Dense", "Conv2D"} <= set(coverage.names_of("layers"))
    assert "schedules" not in coverage.names_of("optimizers")  # a module of its own
