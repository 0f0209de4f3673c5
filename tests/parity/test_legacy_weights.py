"""``load_weights`` of an ``.h5`` file into models that it fits more or less: what Keras then has, or refuses."""

import warnings

import numpy as np
import pytest

from tests.parity.oracle import libraries

pytestmark = pytest.mark.oracle


def stack(*described):
    """A Sequential of layers ("d3 name": Dense of 3 units; "n": without bias; "b": batch normalization)."""

    def make(k):
        made = [k.layers.Input((4,))]
        for text in described:
            kind, name = text.split()
            if kind == "b":
                made.append(k.layers.BatchNormalization(name=name))
            elif kind == "r":
                made.append(k.layers.ReLU(name=name))
            elif kind == "s":
                made.append(k.Sequential([k.layers.Dense(3), k.layers.Dense(4)], name=name))
            else:
                made.append(k.layers.Dense(int(kind[1:]), use_bias=kind[0] == "d", name=name))
        return k.Sequential(made)

    return make


SOURCE = ("d3 first", "b norm", "r relu", "d5 second", "d2 last")
TARGETS = {
    "the same": SOURCE,
    "other names": ("d3 a", "b b", "r c", "d5 d", "d2 e"),
    "without what has no weights": ("d3 first", "b norm", "d5 second", "d2 last"),
    "a wider layer": ("d3 first", "b norm", "d6 second", "d2 last"),
    "another head": ("d3 first", "b norm", "d5 second", "d7 last"),
    "a new head": ("d3 first", "b norm", "d5 second", "d7 head"),
    "no bias": ("n3 first", "b norm", "d5 second", "d2 last"),
    "one layer more": (*SOURCE, "d2 more"),
    "one layer less": SOURCE[:-1],
    "names the other way round": ("d3 last", "b norm", "d5 second", "d2 first"),
    "another kind": ("d3 first", "d3 norm", "d5 second", "d2 last"),
    "a model among them": ("s first", "b norm", "d5 second", "d2 last"),
    "nothing in common": ("d9 x",),
}


def loaded(k, target, path, by_name, skip_mismatch):
    """The weights after loading (ones before), or the kind of error."""
    model = stack(*TARGETS[target])(k)
    model.set_weights([np.ones(weight.shape) for weight in model.weights])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.load_weights(path, by_name=by_name, skip_mismatch=skip_mismatch)
    except ValueError:
        return "ValueError"
    return [np.asarray(weight) for weight in model.get_weights()]


@pytest.mark.parametrize("skip_mismatch", [False, True])
@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_weights_of_an_h5_file(target, by_name, skip_mismatch, tmp_path):
    keras, ours = libraries()
    source = stack(*SOURCE)(ours)
    rng = np.random.default_rng(0)
    source.set_weights([rng.uniform(2, 3, weight.shape) for weight in source.weights])
    source.save_weights(tmp_path / "m.h5")
    wanted, found = (loaded(k, target, tmp_path / "m.h5", by_name, skip_mismatch) for k in (keras, ours))
    if isinstance(wanted, str):
        assert found == wanted
        return
    assert not isinstance(found, str)
    for number, (a, b) in enumerate(zip(found, wanted, strict=True)):
        np.testing.assert_array_equal(a, b, err_msg=f"weight {number}")
