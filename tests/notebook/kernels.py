"""A kernel of Jupyter for tests."""

import importlib.util
import os
from pathlib import Path
from typing import Any

from tests.conftest import skip_or_fail

ROOT = Path(__file__).resolve().parents[2]


def execute(notebook: Any, folder: Path) -> Any:
    """Run the cells of a notebook in a fresh kernel with ``folder`` as working directory; an error in a cell raises."""
    for name in ("ipykernel", "nbclient"):
        if importlib.util.find_spec(name) is None:
            skip_or_fail(f"not installed: {name}", "MINIDL_REQUIRE_NOTEBOOKS")
    from nbclient import NotebookClient

    paths = os.pathsep.join([str(ROOT), str(ROOT / "kernels")])
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", coalesce_streams=False,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    return client.execute(env={**os.environ, "PYTHONPATH": paths, "JUPYTER_PLATFORM_DIRS": "1"})
