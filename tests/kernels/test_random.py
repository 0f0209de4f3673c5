"""Philox: the published known answers; dropout: the same mask from every implementation and every part of a stream."""

import numpy as np
import pytest

from minidl_kernels import config
from minidl_kernels.random import dropout, dropout_threshold, philox, random_bits

IMPLEMENTATIONS = ["reference", "array", "cpu"]
KEY = np.array([0xA4093822, 0x299F31D0], "uint32")
TOP = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [  # Random123's known-answer tests for philox4x32-10
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((TOP,) * 4, (TOP,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(counter, key, words):
    assert " ".join(f"{word:08x}" for word in philox(counter, key)) == words


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_the_stream_is_philox_of_the_block_number(implementation):
    with random_bits.use(implementation):
        zero = random_bits(np.zeros(2, "uint32"), size=4)
        assert [f"{word:08x}" for word in zero.tolist()] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]
        for offset in (0, 1, 2, 3, 4, 1023, 4 * TOP + 3, 4 * (TOP + 1) - 2, 2**61 + 5):
            expected = [
                philox((block & TOP, block >> 32, 0, 0), tuple(KEY.tolist()))[position % 4]
                for position in range(offset, offset + 11)
                for block in [position // 4]
            ]
            assert random_bits(KEY, size=11, offset=offset).tolist() == expected, offset


@pytest.mark.parametrize("implementation", ["array", "cpu"])
def test_any_part_of_a_stream_can_be_drawn_alone(implementation):
    with random_bits.use(implementation):
        whole = random_bits(KEY, size=70_001)
        assert whole.dtype == np.uint32
        for offset, size in [(0, 0), (1, 1), (3, 5), (4, 4), (1022, 1030), (5, 69_996), (65_536, 4465)]:
            part = random_bits(KEY, size=size, offset=offset)
            np.testing.assert_array_equal(part, whole[offset : offset + size])
    with random_bits.use("array"):
        np.testing.assert_array_equal(whole, random_bits(KEY, size=70_001))


@pytest.mark.parametrize(("implementation", "dtype"), [("array", "float32"), ("array", "float64"), ("cpu", "float32")])
def test_dropout_agrees_with_the_definition_bit_by_bit(implementation, dtype):
    for shape in [(), (0, 3), (1,), (5, 7), (2, 3, 4, 5), (1025,)]:
        x = np.asarray(np.random.default_rng(0).standard_normal(shape)).astype(dtype)
        for rate, offset in [(0.0, 0), (0.25, 3), (0.5, 2**40 + 1), (0.999, 2)]:
            with dropout.use("reference"):
                expected = dropout(x, KEY, rate=rate, offset=offset)
            with dropout.use(implementation):
                actual = dropout(x, KEY, rate=rate, offset=offset)
            assert actual.dtype == dtype
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("size", [1023, 1024, 1025, 65_535, 65_536, 65_537, 200_003])
def test_cpu_at_the_borders_of_its_pieces_and_tasks(size):
    x = np.ones(size, "f")
    with dropout.use("array"):
        expected = dropout(x, KEY, rate=0.3, offset=5)
    with dropout.use("cpu"):
        np.testing.assert_array_equal(dropout(x, KEY, rate=0.3, offset=5), expected)


def test_kept_elements_are_those_whose_word_reaches_the_threshold():
    words = random_bits(KEY, size=100_000)
    for rate in (0.1, 0.5, 0.75):
        y = dropout(np.ones(100_000, "f"), KEY, rate=rate)
        np.testing.assert_array_equal(y > 0, words >= int(rate * 2**32))
        np.testing.assert_allclose(y[y > 0], 1 / (1 - rate), rtol=1e-7)
        # five standard deviations of the binomial distribution
        assert abs((y == 0).mean() - rate) < 5 * (rate * (1 - rate) / 100_000) ** 0.5
    assert dropout_threshold(0.0) == 0 and dropout_threshold(np.nextafter(1.0, 0.0)) == TOP


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_dropout_is_linear_and_its_own_gradient(implementation):
    x, g = (np.random.default_rng(s).standard_normal(300) for s in (0, 1))
    if implementation == "cpu":
        x, g = x.astype("f"), g.astype("f")
    with dropout.use(implementation):
        y, dx = dropout(x, KEY, rate=0.4), dropout(g, KEY, rate=0.4)
        np.testing.assert_array_equal(dropout(2 * x, KEY, rate=0.4), 2 * y)
    assert float((y * g).sum()) == pytest.approx(float((x * dx).sum()), rel=1e-5)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_what_is_dropped_is_zero_even_nan(implementation):
    x = np.full(64, np.nan, "f")
    with dropout.use(implementation):
        y = dropout(x, KEY, rate=0.5)
    assert 10 < (y == 0).sum() < 54 and np.isnan(y[y != 0]).all()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_strided_arguments_and_outputs(implementation):
    x, out = np.arange(120, dtype="f").reshape(10, 12)[::2, ::3], np.empty((5, 8), "f")[:, ::2]
    with dropout.use("array"):
        expected = dropout(x.copy(), KEY, rate=0.5)
    with dropout.use(implementation), random_bits.use(implementation):
        assert dropout(x, np.repeat(KEY, 2)[::2], rate=0.5, out=out) is out
        np.testing.assert_array_equal(out, expected)
        bits = np.empty(20, "uint32")[::2]
        assert random_bits(KEY, size=10, offset=3, out=bits).tolist() == random_bits(KEY, size=10, offset=3).tolist()


def test_the_same_bits_on_any_number_of_threads():
    before, results = config.threads(), []
    x = np.random.default_rng(0).standard_normal(200_003).astype("f")
    try:
        for threads in (1, 2):
            config.set_threads(threads)
            with dropout.use("cpu"), random_bits.use("cpu"):
                results.append([dropout(x, KEY, rate=0.3), random_bits(KEY, size=200_003, offset=1)])
    finally:
        config.set_threads(before)
    assert all((one == two).all() for one, two in zip(*results, strict=True))


X = np.zeros(3, "f")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dropout(X, KEY, rate=1.0), ValueError, "rate must be at least 0 and less than 1, not 1.0"),
        (lambda: dropout(X, KEY, rate=-0.1), ValueError, "not -0.1"),
        (lambda: dropout(X, KEY, rate=0.5, offset=-1), ValueError, "offset must be .* not -1"),
        (lambda: dropout(X, KEY.astype("int64"), rate=0.5), ValueError, "dtype int64"),
        (lambda: dropout(X, (1, 2), rate=0.5), ValueError, "not a tuple"),
        (lambda: random_bits(KEY[:1], size=3), ValueError, r"shape \(1,\)"),
        (lambda: random_bits(KEY, size=-1), ValueError, "size .* not -1"),
        (lambda: random_bits(KEY, size=3, offset=0.5), ValueError, "offset .* not 0.5"),
        (lambda: dropout(X.astype("float16"), KEY, rate=0.5), TypeError, "float16"),
        (lambda: dropout(X, KEY, rate=0.5, out=np.empty(4, "f")), ValueError, "out has shape"),
    ],
)
def test_errors_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()
