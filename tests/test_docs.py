"""The code in the documentation runs as it stands there, and the examples do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def python_blocks(name):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / name).read_text(encoding="utf-8"), re.M | re.S)


def run(arguments, folder):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "kernels")]), "PYTHONUTF8": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "kernels/README.md"])
def test_the_python_blocks_of_a_page_run_one_after_the_other(name, tmp_path):
    blocks = python_blocks(name)
    assert blocks, f"{name} shows no Python"
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    done = run(["page.py"], tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("title", ["An op", "A layer", "A kernel"])
def test_what_contributors_add_is_shown_in_under_20_lines(title):
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    first = re.search(r"^```python\n(.*?)^```", section, re.M | re.S).group(1)
    assert len(first.splitlines()) < 20


EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
LONG = ("04_pictures", "05_where_it_looks", "06_drawn_pictures")  # they train, or predict a lot


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in LONG else []) for path in EXAMPLES],
)
def test_an_example_runs(path, tmp_path):
    done = run([str(path)], tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_file_that_the_architecture_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    names = re.findall(r"`([\w/.]+\.py)`", text)
    assert len(names) > 20
    places = [ROOT, ROOT / "minidl", ROOT / "kernels" / "minidl_kernels"]
    missing = [
        n for n in names if not any((p / n.replace("kernels/.../", "kernels/minidl_kernels/")).exists() for p in places)
    ]
    assert not missing
