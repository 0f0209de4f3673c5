"""First use: the cache is missing, cannot be written, or several processes fill it at once; and forks after use."""

import gc
import importlib
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minidl_kernels import cache, compile_all, config
from minidl_kernels.parallel import Task

ROOT = Path(__file__).resolve().parents[2]
WORK = """
import numpy as np, minidl_kernels as kernels
def work():
    a = np.arange(300 * 300, dtype="f").reshape(300, 300) % 7
    with kernels.matmul.use("cpu"), kernels.relu.use("cpu"):
        c = kernels.relu(kernels.matmul(a, a.T) - 3000)
    assert (c == np.maximum(a @ a.T - 3000, 0)).all()
    return c
"""


def start(folder, code, **settings):
    """A child with a cache of its own, or with that of the tests."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "kernels")]), **settings}
    for name in ("NUMBA_CACHE_DIR", "MINIDL_KERNELS"):
        environment.pop(name, None)
    if folder is not None:
        environment["MINIDL_CACHE"] = str(folder)
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(child, seconds=280):
    out, errors = child.communicate(timeout=seconds)
    assert child.returncode == 0, errors
    return out, errors


# ---- which folder ----


def test_a_missing_folder_is_made_and_the_wait_is_announced_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "not" / "there"))
    with caplog.at_level(logging.INFO, "minidl"):
        assert Path(cache.folder_for_numba()) == config.compiled_folder()
        assert "compiling kernels for this processor, once; they are kept in " in caplog.text
        caplog.clear()
        assert Path(cache.folder_for_numba()) == config.compiled_folder()
    assert config.compiled_folder().is_dir() and caplog.text == ""


def test_where_no_folder_can_be_made_a_temporary_one_stands_in_and_it_is_said(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "file" / "cache"))
    with caplog.at_level(logging.INFO, "minidl"):
        place = Path(cache.folder_for_numba())
    assert place.is_dir() and list(place.iterdir()) == []
    (record,) = caplog.records
    assert record.name == "minidl" and record.levelname == "WARNING"
    assert "every process compiles its kernels anew; set MINIDL_CACHE to a folder that can be" in record.getMessage()
    cache._remove(str(place), os.getpid() + 1)  # a forked child leaves it to its parent
    assert place.is_dir()
    cache._remove(str(place), os.getpid())
    assert not place.exists()


def test_what_a_read_only_folder_holds_is_used(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path))
    kept = config.compiled_folder() / "part"
    kept.mkdir(parents=True)
    (kept / "kernel.nbc").write_bytes(b"compiled")

    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(cache.tempfile, "TemporaryFile", refuse)  # (root may write into any folder)
    with caplog.at_level(logging.INFO, "minidl"):
        place = Path(cache.folder_for_numba())
    assert (place / "part" / "kernel.nbc").read_bytes() == b"compiled"
    (record,) = caplog.records
    assert record.levelname == "INFO" and "kernels are read from it, new ones are not kept" in record.getMessage()
    cache._remove(str(place), os.getpid())


# ---- whole processes ----


@pytest.mark.slow
def test_kernels_run_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "file").write_text("no folder")
    code = WORK + "work(); import os; print(os.environ['NUMBA_CACHE_DIR'])"
    out, errors = finished(start(tmp_path / "file" / "cache", code))
    assert "set MINIDL_CACHE to a folder that can be" in errors
    assert not Path(out.strip()).exists()  # it went with the process


@pytest.mark.slow
def test_several_processes_may_compile_at_once_into_a_folder_that_is_not_there(tmp_path):
    folder = tmp_path / "cache"
    seconds = "from minidl_kernels.parallel import compile_seconds; print(compile_seconds())"
    children = [start(folder, f"{WORK}\nwork(); {seconds}") for _ in range(3)]
    assert all(float(finished(child)[0]) > 0 for child in children)
    out, errors = finished(start(folder, f"{WORK}\nwork(); {seconds}"))
    assert float(out) == 0.0 and errors == ""  # the next one finds all of it there, and says nothing


FORKS = {
    "os.fork": """
child = os.fork()
if child == 0:
    os._exit(0 if (work() == before).all() else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""",
    "os.fork before the child's first kernel of a kind": """
child = os.fork()
if child == 0:
    with kernels.tanh.use("cpu"):
        right = np.allclose(kernels.tanh(before), np.tanh(before), atol=1e-5)
    os._exit(0 if right else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""",
    "multiprocessing": """
import multiprocessing
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert all((one == before).all() for one in pool.starmap(work, [()] * 4))
""",
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
@pytest.mark.parametrize("fork", FORKS)
def test_a_fork_after_kernels_ran_in_parallel_computes_the_same(fork):
    code = "import os, warnings; warnings.simplefilter('ignore')" + WORK + "kernels.config.set_threads(2)\n"
    code += "before = work()\nimport numba; assert numba.get_num_threads() == 2\n" + FORKS[fork]
    code += "assert (work() == before).all(); print('and the parent goes on')"
    out, _ = finished(start(None, code, NUMBA_NUM_THREADS="2"))
    assert "and the parent goes on" in out


def test_all_tasks_are_found():
    found = {getattr(importlib.import_module(module), name) for module, name in compile_all._tasks()}
    made = [one for one in gc.get_objects() if isinstance(one, Task) and one.function.__module__ in sys.modules]
    ours = [one for one in made if one.function.__module__.startswith("minidl_kernels.")]
    assert len(ours) > 50
    assert [
        one.function.__qualname__ for one in ours if one not in found and ".steps." not in one.function.__module__
    ] == []


@pytest.mark.slow
def test_all_kernels_are_compiled_ahead_by_several_processes(tmp_path):
    script = tmp_path / "ahead.py"  # a file: processes that are started afresh import what started them
    script.write_text(
        "from minidl_kernels import kernel, parallel\n"
        "from minidl_kernels.compile_all import compile_all\n"
        "if __name__ == '__main__':\n"
        "    seen = []\n"
        "    print(compile_all(2, lambda done, count: seen.append((done, count))), seen == [(i, len(seen)) "
        "for i in range(1, len(seen) + 1)], len(seen))\n"
    )
    code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    compiled, in_order, count = finished(start(tmp_path / "cache", code))[0].split()
    assert int(compiled) == int(count) > 40 and in_order == "True"
    assert finished(start(tmp_path / "cache", code))[0].split() == ["0", "True", count]
    after = "import minidl_kernels.parallel as parallel\n" + WORK + "work(); print(parallel.compile_seconds())"
    assert finished(start(tmp_path / "cache", after))[0].split() == ["0.0"]
