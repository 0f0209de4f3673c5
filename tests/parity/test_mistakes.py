"""What users do wrong: Keras raises (or errs in silence), and ours says what is wrong and what to write.

The tables are in ``mistakes.py``; each mistake is a function of the library, made with both.
"""

import re
import warnings

import pytest

from tests.parity.mistakes import MISTAKES
from tests.parity.oracle import libraries

pytestmark = pytest.mark.oracle


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", MISTAKES)
def test_ours_names_the_mistake_and_the_way_out(name):
    made = MISTAKES[name]
    ours = libraries()[1]
    if issubclass(made.error, Warning):
        with pytest.warns(made.error, match=made.says) as told:
            made.make(ours)
        texts = [str(one.message) for one in told if re.search(made.says, str(one.message), re.S)]
    else:
        with pytest.raises(made.error) as caught:
            made.make(ours)
        assert made.inherits or type(caught.value) is made.error, f"{type(caught.value).__name__} is too special"
        texts = [str(caught.value)]
        assert re.search(made.says, texts[0], re.S), texts[0]
    assert all(len(text) < 500 for text in texts), texts


@pytest.mark.parametrize("name", [name for name, made in MISTAKES.items() if made.silent is not None])
def test_what_keras_does(name):
    made = MISTAKES[name]
    keras = libraries()[0]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            made.make(keras)
        except Exception as error:
            assert not made.silent, f"Keras raises by now: {error!r}"
            return
    warned = [one for one in told if one.category in (UserWarning, SyntaxWarning)]
    assert made.silent or (issubclass(made.error, Warning) and warned), "Keras says nothing: write so in the table"
