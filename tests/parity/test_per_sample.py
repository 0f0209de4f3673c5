"""Layer, group, unit and root-mean-square normalisation against Keras."""

import numpy as np
import pytest

from minidl import layers
from tests.parity.layer_checks import check_configuration, check_description, check_files, check_values
from tests.parity.oracle import both, close

pytestmark = pytest.mark.oracle
PICTURES = (3, 4, 5, 6)


def layer(*args, **kwargs):
    return lambda k: k.layers.LayerNormalization(*args, **kwargs)


def group(*args, **kwargs):
    return lambda k: k.layers.GroupNormalization(*args, **kwargs)


CASES = {
    "layer": (layer(), (4, 6)),
    "layer of sequences": (layer(), (4, 3, 6)),
    "layer of pictures": (layer(), PICTURES),
    "layer of whole pictures": (layer(axis=[1, 2, 3]), PICTURES),
    "layer of rows and columns": (layer(axis=(2, 1)), PICTURES),
    "layer of the middle": (layer(axis=1), PICTURES),
    "layer of two from the end": (layer(axis=[-2, -1]), PICTURES),
    "layer epsilon": (layer(epsilon=0.5), (4, 6)),
    "layer no center": (layer(center=False), PICTURES),
    "layer no scale": (layer(scale=False), PICTURES),
    "layer neither": (layer(center=False, scale=False), (4, 6)),
    "layer of equal numbers": (layer(), np.ones((2, 5), "float32")),
    "group": (group(3), PICTURES),
    "group one": (group(1), PICTURES),
    "group each": (group(-1), PICTURES),
    "group of rows": (group(2), (4, 6)),
    "group of sequences": (group(2), (4, 5, 6)),
    "group axis": (group(2, axis=1), PICTURES),
    "group epsilon": (group(3, epsilon=0.5), PICTURES),
    "group no center": (group(3, center=False), PICTURES),
    "group neither": (group(3, center=False, scale=False), PICTURES),
    "unit": (lambda k: k.layers.UnitNormalization(), (4, 6)),
    "unit axis": (lambda k: k.layers.UnitNormalization(axis=1), (4, 3, 6)),
    "unit axes": (lambda k: k.layers.UnitNormalization(axis=[1, 2]), (4, 3, 6)),
    "rms": (lambda k: k.layers.RMSNormalization(), (4, 6)),
    "rms of pictures": (lambda k: k.layers.RMSNormalization(epsilon=0.01), PICTURES),
    "rms axes": (lambda k: k.layers.RMSNormalization(axis=[-1, -2]), (4, 3, 6)),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name):
    check_values(CASES[name], name)


@pytest.mark.parametrize("name", CASES)
def test_description(name):
    check_description(CASES[name], name)


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("layer of rows")])
def test_files(name, tmp_path):
    check_files(CASES[name], name, tmp_path)


SETTINGS = {
    "beta_initializer": "ones",
    "gamma_initializer": "he_normal",
    "beta_regularizer": "l2",
    "gamma_regularizer": "l2",
}
CONFIGURATIONS = {
    "layer": layer(axis=(1, 2), epsilon=0.25, center=False, **SETTINGS),
    "group": group(5, axis=2, epsilon=0.25, scale=False, name="groups", **SETTINGS),
    "unit": lambda k: k.layers.UnitNormalization(axis=(1, 2)),
    "rms": lambda k: k.layers.RMSNormalization(axis=(1, 2), epsilon=0.5),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations(name):
    check_configuration(*both(CONFIGURATIONS[name]))


def test_unit_normalization_of_nothing():
    theirs, ours = both(lambda k: k.layers.UnitNormalization())
    x = np.array([[0.0, 0.0], [1e-9, 0.0]], "float32")
    close(ours(x), theirs(x), "output")


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: layers.LayerNormalization(axis="last"), TypeError, "axis must be"),
        (lambda: layers.UnitNormalization(axis=[1.5]), TypeError, "axis must be"),
        (lambda: layers.GroupNormalization(0), ValueError, "groups must be"),
        (lambda: layers.GroupNormalization(4).build((None, 6)), ValueError, "6 channels cannot be cut into 4"),
        (lambda: layers.LayerNormalization(axis=3).build((None, 6)), ValueError, "axis=.3. is out of range"),
        (lambda: layers.LayerNormalization(axis=1).build((None, None, 6)), ValueError, "must be known"),
        (lambda: layers.LayerNormalization(rms_scaling=True), ValueError, "use RMSNormalization"),
    ],
)
def test_settings_that_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
