"""The notebooks of the documentation: run again, they give the outputs that stand in them."""

import json
import re

import pytest

from tests.alike import alike

from .kernels import ROOT, execute

NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))


def texts(cell):
    """What a cell shows, apart from whole pages."""
    found = []
    for output in cell["outputs"]:
        data = output.get("data", {})
        text = "".join(output.get("text", "")) + "".join(data.get("text/plain", ""))
        page = "".join(data.get("text/html", ""))
        found.append(text + re.sub(r'srcdoc="[^"]*"', "", page))
    return "".join(found)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_its_outputs_and_nothing_of_a_machine(path):
    notebook = json.loads(path.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not any(output["output_type"] == "error" for cell in code for output in cell["outputs"])
    assert any(cell["outputs"] for cell in code)
    assert path.stat().st_size < 400_000


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_its_cells_give(path, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    committed = nbformat.read(path, as_version=4)
    done = execute(nbformat.read(path, as_version=4), tmp_path)
    for cell, again in zip(committed.cells, done.cells, strict=True):
        if cell.cell_type == "code":
            assert alike(texts(cell), texts(again)), f"{cell.source}\n{texts(cell)}\n{texts(again)}"


def test_there_are_notebooks():
    assert {"diagnosis", "first_backward"} <= {path.stem for path in NOTEBOOKS}
