"""Names of Keras that are left out say why, however they are asked for."""

import inspect

import pytest

import minidl
from minidl import layers
from minidl.layers.left_out import LEFT_OUT


@pytest.mark.parametrize("name", LEFT_OUT)
def test_layers_that_are_left_out(name):
    with pytest.raises(AttributeError, match=f"minidl.layers.{name} is left out on purpose: "):
        getattr(layers, name)
    assert not hasattr(layers, name) and name not in dir(layers)


def test_an_import_statement_says_why_as_well():
    with pytest.raises(ImportError, match="LSTM is left out on purpose: minidl has no recurrent layers"):
        from minidl.layers import LSTM  # noqa: F401
    with pytest.raises(ImportError, match="mixed_precision is left out on purpose: .* float32"):
        from minidl import mixed_precision  # noqa: F401


@pytest.mark.parametrize("name", ["mixed_precision", "dtype_policies", "quantizers", "distribution", "function"])
def test_packages_that_are_left_out(name):
    with pytest.raises(AttributeError, match=f"minidl.{name} is left out on purpose: "):
        getattr(minidl, name)


def test_other_names_are_unknown_as_ever():
    for module in (minidl, layers):
        with pytest.raises(AttributeError, match=rf"module '{module.__name__}' has no attribute 'Nothing'"):
            module.Nothing  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name"):
        from minidl.layers import Nothing  # noqa: F401


@pytest.mark.oracle
def test_every_layer_of_keras_is_there_or_left_out(keras):
    for name, item in vars(keras.layers).items():
        if inspect.isclass(item):
            assert hasattr(layers, name) or name in LEFT_OUT, name
