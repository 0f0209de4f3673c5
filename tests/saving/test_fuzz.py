"""Spoiled files of every format, opened here in one process; `python -m benchmarks.fuzz_files` opens many more."""

import random
import time

import pytest

from benchmarks import fuzz_files
from benchmarks.mutations import spoiled

PER_FORMAT = 100  # of ten formats: a thousand in all
MOST_SECONDS = 5.0  # of this process, which other tests share: the command-line tool has 2 s and a quiet child


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    pytest.importorskip("yaml")
    return fuzz_files.whole_files(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("name", list(fuzz_files.FORMATS))
def test_whole_files_open_and_spoiled_ones_do_or_are_refused(whole, name, tmp_path):
    for path in whole[name]:
        assert fuzz_files.outcome(name, path) == ("opened", "")
    outcomes = set()
    for number in range(PER_FORMAT):
        path = fuzz_files.spoil(name, number, whole, tmp_path)
        before = path.read_bytes()
        start = time.process_time()
        state, message = fuzz_files.outcome(name, path)
        assert state in ("opened", "refused"), f"{name} {number}: {state}: {message[:1000]}"
        assert time.process_time() - start < MOST_SECONDS, f"{name} {number}"
        assert path.read_bytes() == before
        outcomes.add(state)
    assert outcomes == {"opened", "refused"}
    assert {path.name for path in tmp_path.iterdir()} <= {path.name for path in whole[name]}  # nothing else was written


def test_the_number_makes_the_file(whole, tmp_path):
    contents = [fuzz_files.spoil("keras", number, whole, tmp_path).read_bytes() for number in (1, 2, 3, 1)]
    assert contents[0] == contents[3] != contents[1]
    source = whole["keras"][0].read_bytes()
    assert any(spoiled(source, "keras", random.Random(i)) != source for i in range(5))
