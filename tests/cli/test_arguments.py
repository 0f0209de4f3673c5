"""The command line as a user sees it: help, versions, and one clear line for everything that cannot be done."""

import json
import subprocess
import sys

import pytest

import minidl
from minidl.cli import main

COMMANDS = ("demo", "train", "bench", "warmup")


def run_python(code):
    return subprocess.run([sys.executable, *code], capture_output=True, text=True, encoding="utf-8", timeout=120)


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)])
def test_help_is_long_and_leaves_with_zero(words, capsys):
    with pytest.raises(SystemExit) as left:
        main([*words, "--help"])
    out, err = capsys.readouterr()
    assert left.value.code == 0 and err == ""
    assert out.startswith(" ".join(["usage: minidl", *words])) and len(out) > 300 or words == ["warmup"]
    assert max(map(len, out.splitlines())) <= 105


def test_the_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(f"\n    {command}" in out for command in COMMANDS)


def test_version(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0 and capsys.readouterr().out == f"minidl {minidl.__version__}\n"


def test_python_m_minidl_is_the_same_command():
    done = run_python(["-m", "minidl", "--version"])
    assert (done.returncode, done.stdout) == (0, f"minidl {minidl.__version__}\n")


def test_help_loads_nothing_heavy():
    code = """if True:
        import json, sys
        heavy = ("numba", "PIL", "jinja2", "rich", "minidl.visualize")
        from minidl.cli import main
        try:
            main(["train", "--help"])
        except SystemExit:
            print(json.dumps([name for name in heavy if name in sys.modules]))"""
    assert json.loads(run_python(["-c", code]).stdout.splitlines()[-1]) == []


@pytest.mark.parametrize(
    "words, names",
    [
        ([], "COMMAND"),
        (["dance"], "dance"),
        (["demo", "--epochs", "0"], "--epochs"),
        (["demo", "--epochs", "two"], "'two'"),
        (["demo", "--seed", "-1"], "--seed"),
        (["demo", "--seed", str(2**32)], "--seed"),
        (["demo", "more"], "more"),
        (["train"], "--data"),
        (["train", "--data", "x", "--model", "rnn"], "rnn"),
        (["train", "--data", "x", "--optimizer", "lion"], "lion"),
        (["train", "--data", "x", "--learning-rate", "nan"], "--learning-rate"),
        (["train", "--data", "x", "--learning-rate", "0"], "--learning-rate"),
        (["train", "--data", "x", "--batch-size", "1.5"], "--batch-size"),
        (["train", "--data", "x", "--image-size", "4"], "--image-size"),
        (["train", "--data", "x", "--image-size", "32x32x3"], "--image-size"),
        (["train", "--data", "fashion_mnist", "--test", "x"], "--test"),
        (["train", "--data", "nowhere/at/all"], "nowhere/at/all"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(words, names, capsys):
    try:
        code = main(words)
    except SystemExit as left:
        code = left.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.startswith("minidl") and names in err
