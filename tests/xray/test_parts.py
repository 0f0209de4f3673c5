"""The small parts: arrays as text, the list of ops, the words, the texts of the page."""

import base64
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.engine.op import registered
from minidl.xray import page
from minidl.xray.describe import _KNOWN
from minidl.xray.encode import WORTH, Tensors
from minidl.xray.formulas import _KOREAN, in_both
from minidl.xray.page_ops import PAGE_OPS

HERE = Path(page.__file__).parent


def bytes_of(one):
    return zlib.decompress(base64.b64decode(one["z"])) if "z" in one else base64.b64decode(one["b64"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,), (40, 7), (0, 2)])
def test_an_array_is_given_bit_for_bit(dtype, shape):
    array = np.random.default_rng(0).normal(size=shape).astype(dtype)
    (one,) = encoded(array)
    assert bytes_of(one) == array.tobytes() and one["shape"] == list(shape) and one["dtype"] == f"f{array.itemsize}"


def encoded(*arrays, most=10**9):
    tensors = Tensors()
    for array in arrays:
        tensors.add(array)
    return tensors.encoded(most)


def test_the_largest_are_given_in_part_where_there_is_no_room():
    small, large = np.ones(5, "float32"), np.random.default_rng(0).normal(size=(300, 200)).astype("float32")
    first, second = encoded(small, large, most=20_000)
    assert bytes_of(first) == small.tobytes()
    row, column = second["corner"]
    part = large[row : row + 24, column : column + 24]
    assert bytes_of(second) == part.tobytes() and np.abs(part).max() == np.abs(large).max() == np.float32(second["top"])
    coarse = np.frombuffer(base64.b64decode(second["coarse"]), np.uint8)
    assert coarse.size == 48 * 48 and coarse.max() == 255


def test_an_array_that_follows_from_another_is_left_out():
    tensors, g = Tensors(), np.random.default_rng(0).normal(size=WORTH).astype("float32")
    base = tensors.add(g)
    near = g + np.float32(1e-3)
    for how, array in (("scaled", g * np.float32(0.1)), ("square", g * g * np.float32(0.001)), ("xor", near)):
        tensors.hint(tensors.add(array.astype("float32")), how, base)
    tensors.hint(wrong := tensors.add(g + 2), "scaled", base)
    found = tensors.encoded(10**9)
    assert [one.get("from") for one in found] == [None, "scaled", "square", "xor", None]
    assert found[1]["factor"] == np.float32(0.1) and bytes_of(found[wrong]) == (g + 2).tobytes()
    bits = np.frombuffer(bytes_of(found[3]), np.uint32) ^ g.view(np.uint32)
    assert bits.view(np.float32).tobytes() == near.tobytes()


def test_what_relu_makes_and_lets_through_is_left_out():
    rng, tensors = np.random.default_rng(0), Tensors()
    x, g = rng.normal(size=(2, 30, 8)).astype("float32"), rng.normal(size=(2, 30, 8)).astype("float32")
    bias = rng.normal(size=8).astype("float32")
    y = np.maximum(x + bias, np.float32(0))
    through = np.where(y > 0, g, np.float32(0))
    a, b, c, d, e = (tensors.add(one) for one in (x, bias, g, y, through))
    again, other = tensors.add(through.reshape(-1)), tensors.add(through + 1)
    tensors.hint(d, "bias_relu", a, b)
    tensors.hint(e, "gate", c, d)
    tensors.hint(other, "gate", c, d)
    found = tensors.encoded(10**9)
    assert [one.get("from") for one in found] == [None, None, None, "bias_relu", "gate", "same", None]
    assert found[again]["of"] == [e] and found[d]["of"] == [a, b] and found[e]["of"] == [c, d]


def test_no_array_is_made_of_itself():
    """Where nothing is held back, the gradients on both sides are equal, and each would follow from the other."""
    g, y = np.random.default_rng(0).normal(size=300).astype("float32"), np.ones(300, "float32")
    tensors = Tensors()
    below, above, out = tensors.add(g.copy()), tensors.add(g), tensors.add(y)
    tensors.hint(below, "gate", above, out)
    found = tensors.encoded(10**9)
    assert [one.get("from") for one in found] == [None, "same", None] and found[above]["of"] == [below]
    assert bytes_of(found[below]) == g.tobytes()


def test_the_list_of_ops_is_that_of_the_scripts():
    scripts = "".join((HERE / f"{name}.js").read_text("utf-8") for name in page.SCRIPTS)
    named = re.findall(r'(?:pointwise|reduction|moving)\("(\w+)"', scripts) + re.findall(
        r"^OPS\.(\w+) = ", scripts, re.M
    )
    named += ["dense", "matrix_product", "reshape", "expand_dims", "squeeze"]
    named += ["conv2d", "conv2d_bias", "conv2d_bias_relu"]
    named += re.findall(r"(\w+): \(a, b\) => \+\(", scripts)
    assert set(named) == PAGE_OPS and PAGE_OPS <= set(registered)
    assert _KNOWN.keys() <= set(registered)


def test_every_formula_names_inputs_that_the_op_has():
    for name, words in _KNOWN.items():
        assert set(words.rules) == set(registered[name].rules), name
        assert words.en and words.ko and words.formula


def test_a_formula_with_words_is_given_in_korean_too():
    mathematics = "exp log max min sign tanh erf softmax sigmoid clip mean label logits rate hot one low high".split()
    formulas = {f for about in _KNOWN.values() for f in (about.formula, *about.rules.values())}
    for formula in formulas:
        both = in_both(formula)
        words = set(re.findall(r"[A-Za-z]{2,}", both.get("ko", formula))) - set(mathematics)
        assert words == set() and ("ko" not in both or re.search("[가-힣]", both["ko"])), formula
    assert _KOREAN.keys() <= formulas


def test_both_languages_say_the_same_things():
    text = (HERE / "words.js").read_text("utf-8")
    english, korean = (set(re.findall(r"[{,\s](\w+): (?:n => )?[\"`]", part)) for part in text.split("ko: {"))
    assert english == korean and len(english) > 40
    used = "".join((HERE / f"{name}.js").read_text("utf-8") for name in page.SCRIPTS if name != "words")
    assert {key for key in english if not re.search(rf"[\"?]{key}\"|\b{key}\b", used)} == set()


def test_a_text_in_the_data_does_not_end_the_script(tmp_path):
    def evil(a):
        """</script><script>alert(1)</script>"""
        return a * 2.0

    evil.__name__ = "<b>x</b>"
    text = minidl.explain(evil, np.ones(2), path=tmp_path / "f.html").read_text("utf-8")
    assert text.count("</script>") == 2 and "<b>x</b>" not in text
    assert not re.search(r"(?:src|href)=\"(?!data:)", text) and "https://" not in text and "http://" not in text
