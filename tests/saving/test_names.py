"""The functions stand under the names of Keras' modules too, and are the same."""

import minidl
from minidl import models, saving


def test_one_function_under_two_names():
    assert saving.model_from_json is models.model_from_json and saving.model_from_yaml is models.model_from_yaml
    model = minidl.Sequential([minidl.layers.Input((3,)), minidl.layers.Dense(2)])
    for text, read in ((model.to_json(), saving.model_from_json), (model.to_yaml(), saving.model_from_yaml)):
        assert [layer.count_params() for layer in read(text).layers] == [8]
