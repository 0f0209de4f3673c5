"""The code in the documentation runs as it stands there, and the examples do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.alike import alike

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


BLOCK = re.compile(r"^```(python|text)\n(.*?)^```", re.M | re.S)
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if re.search("^```text", page.read_text("utf-8"), re.M)]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_its_code_prints(page, tmp_path):
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    source = "".join(text + "print('\\x1e')\n" if kind == "python" else "" for kind, text in blocks)
    (tmp_path / "page.py").write_text(source, encoding="utf-8")
    done = run(["page.py"], tmp_path)
    assert done.returncode == 0, done.stderr
    printed = iter(done.stdout.split("\x1e\n"))
    last = None
    for kind, text in blocks:
        if kind == "python":
            last = next(printed)
        else:
            assert last is not None and alike(text, last), f"{page}\n{text}\nprinted:\n{last}"
            last = None


def test_there_are_pages():
    assert {"tour", "tape", "rules", "kernels", "devices", "files", "checks", "keras"} <= {page.stem for page in PAGES}


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("loss 0.50000", "loss 0.50001", True),
        ("loss 0.5", "loss 0.6", False),
        ("loss 0.5", "lost 0.5", False),
        ("noise 2e-11", "noise 9e-12", True),
        ("a 1.0", "a 1.0 2.0", False),
    ],
)
def test_what_is_alike(one, other, same):
    assert alike(one, other) is same


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
