"""CategoryEncoding and Discretization against Keras: outputs, shapes, adapt, configurations, files."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, generator, libraries

pytestmark = pytest.mark.oracle

MODES = ["one_hot", "multi_hot", "count"]
NUMBERS = {
    "one": np.array(3), "a row": np.array([3, 0, 1]), "a column": np.array([[3], [0], [1]]),
    "rows": np.array([[3, 0, 3], [1, 1, 1]]), "floats": np.array([[3.0, 0.0, 3.0], [1.0, 1.0, 1.0]], "float32"),
}  # fmt: skip
VALUES = (generator("values").normal(size=(40, 3)) * 10).astype("float32")


@pytest.mark.parametrize("mode", [*MODES, "binary"])
@pytest.mark.parametrize("name", NUMBERS)
def test_category_encoding(name, mode):
    theirs, ours = both(lambda k: k.layers.CategoryEncoding(num_tokens=4, output_mode=mode))
    x = NUMBERS[name].astype("int32")  # Keras' encodings want whole numbers
    wanted, found = np.asarray(theirs(x)), ours(NUMBERS[name])
    assert str(found.dtype) == str(wanted.dtype)
    close(found, wanted, "output")


def test_counts_with_weights():
    theirs, ours = both(lambda k: k.layers.CategoryEncoding(num_tokens=4, output_mode="count"))
    weights = np.array([[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]], "float32")
    close(ours(NUMBERS["rows"], count_weights=weights), theirs(NUMBERS["rows"], count_weights=weights), "output")
    with pytest.raises(ValueError, match="count_weights is for output_mode='count'"):
        minidl.layers.CategoryEncoding(4)(NUMBERS["rows"], count_weights=weights)


@pytest.mark.parametrize("mode", ["int", *MODES])
@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 3), (2, 3, 4)])
def test_discretization_by_given_boundaries(mode, shape):
    theirs, ours = both(lambda k: k.layers.Discretization(bin_boundaries=[-1.0, 0.0, 1.0], output_mode=mode))
    x = generator(f"{shape}").normal(size=shape).astype("float32")
    x.flat[0] = 0.0  # on a boundary
    wanted, found = np.asarray(theirs(x)), ours(x)
    assert str(found.dtype) == str(wanted.dtype)
    close(found, wanted, "output")


@pytest.mark.parametrize("bins, epsilon", [(4, 0.01), (2, 0.1), (10, 0.05), (3, 0.5)])
@pytest.mark.parametrize("batches", [1, 3])
def test_boundaries_that_adapt_finds(bins, epsilon, batches):
    theirs, ours = both(lambda k: k.layers.Discretization(num_bins=bins, epsilon=epsilon))
    theirs.reset_state()
    for part in np.array_split(VALUES, batches):  # its adapt() asks TensorFlow
        theirs.update_state(part)
    theirs.finalize_state()
    ours.adapt(VALUES if batches == 1 else np.array_split(VALUES, batches))
    close(ours.bin_boundaries, theirs.bin_boundaries, "boundaries")
    close(ours(VALUES), theirs(VALUES), "output")
    first = minidl.layers.Discretization(num_bins=bins, epsilon=epsilon)
    first.adapt([VALUES[:20], VALUES[20:]], steps=1)
    alone = minidl.layers.Discretization(num_bins=bins, epsilon=epsilon)
    alone.adapt(VALUES[:20])
    assert first.bin_boundaries == alone.bin_boundaries


def test_configurations_and_files(tmp_path):
    keras, ours = libraries()

    def make(k):
        return k.Sequential(
            [
                k.Input((3,)),
                k.layers.Discretization(bin_boundaries=[-5.0, 5.0]),
                k.layers.CategoryEncoding(num_tokens=3),
            ]
        )

    mine, theirs = make(ours), make(keras)
    for one, other in zip(mine.layers, theirs.layers, strict=True):
        assert set(one.get_config()) == set(other.get_config())
    assert mine.output_shape == theirs.output_shape == (None, 3)
    mine.save(tmp_path / "ours.keras"), theirs.save(tmp_path / "theirs.keras")
    wanted = mine.predict(VALUES, verbose=0)
    close(keras.models.load_model(tmp_path / "ours.keras").predict(VALUES, verbose=0), wanted, "read by Keras")
    close(minidl.models.load_model(tmp_path / "theirs.keras").predict(VALUES, verbose=0), wanted, "read here")
    adapted = minidl.layers.Discretization(num_bins=4)
    adapted.adapt(VALUES)
    again = minidl.layers.Discretization.from_config(adapted.get_config())
    assert again.bin_boundaries == adapted.bin_boundaries and again.num_bins == 4


def test_mistakes():
    layers = minidl.layers
    for wrong, message in [
        (lambda: layers.CategoryEncoding(), "num_tokens"),
        (lambda: layers.CategoryEncoding(3, output_mode="tf_idf"), "'multi_hot'.*not 'tf_idf'"),
        (lambda: layers.CategoryEncoding(3)([[0, 3]]), "encodes 0 to 2 .* from 0 to 3"),
        (lambda: layers.Discretization(), "one of them; got None and None"),
        (lambda: layers.Discretization([1.0], num_bins=2), "one of them"),
        (lambda: layers.Discretization(num_bins=-1), "num_bins .* not -1"),
        (lambda: layers.Discretization(num_bins=2)(VALUES), "call adapt"),
        (lambda: layers.Discretization([0.0]).adapt(VALUES), "bin_boundaries"),
        (lambda: layers.Discretization(num_bins=2).adapt([]), "no data"),
    ]:
        with pytest.raises(ValueError, match=message):
            wrong()
