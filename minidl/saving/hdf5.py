"""Whole models in HDF5 (``.h5``), as Keras 2 wrote them and Keras 3 still reads and writes them.

Attributes ``model_config`` and, of a compiled model, ``training_config`` hold JSON; the groups ``model_weights`` and
``optimizer_weights`` hold arrays. Weights are matched by the order of the layers.
"""

import json
from typing import Any, BinaryIO

from minidl import registry
from minidl.models import Functional, Model, Sequential
from minidl.models.graph_config import takes_a_graph

from .archive import LAYOUT
from .errors import FormatError, damage_is_named
from .groups import arrays_of, member, write_arrays
from .hdf5_reader import Group, open_hdf5
from .hdf5_writer import Image
from .json_text import parse_json
from .legacy import legacy_values, write_legacy_weights
from .optimizer_state import assign_optimizer_state
from .reading import as_much_as_in, assign_all
from .text import model_of_config
from .training_config import compile_arguments, training_config

__all__ = ["image_of_model", "read_hdf5"]


def image_of_model(model: Model, include_optimizer: bool = True) -> Image:
    """An HDF5 file with architecture, weights, what compile() was given, and the optimizer's state.

    Raises:
        ValueError: a subclassed model, or something that cannot be saved.
    """
    if not (isinstance(model, Sequential) or (isinstance(model, Functional) and takes_a_graph(type(model)))):
        raise ValueError(
            f"{model.name!r} is a subclassed model, of which .h5 files hold weights only: use "
            f"save_weights('NAME.weights.h5'), or save('NAME.keras') for all of it"
        )
    compiled = include_optimizer and model.compiled and model.optimizer is not None
    with registry.sharing():
        texts = {"model_config": _without_modules(registry.serialize(model))}
    settings = training_config(model) if compiled else None
    if settings is not None:
        texts["training_config"] = settings
    try:
        encoded = {name: json.dumps(config).encode() for name, config in texts.items()}
    except TypeError as error:
        raise ValueError(
            f"{model.name!r} cannot be saved: a get_config() returns what JSON cannot hold: {error}"
        ) from None
    with Image() as (image, file):
        file.attrs.update({"keras_version": LAYOUT, "backend": "minidl", **encoded})
        write_legacy_weights(model, image, file.create_group("model_weights"))
        if compiled:
            write_arrays(image, file.create_group("optimizer_weights"), model.optimizer.variables)
    return image


def read_hdf5(
    file: BinaryIO, filepath: Any, custom_objects: dict[str, Any] | None, compiled: bool, safe_mode: bool
) -> Model:
    """The model of a file.

    Args:
        filepath: what error messages call it.
        custom_objects: classes and functions by name.
        compiled: whether to compile it as it was.
        safe_mode: False: functions in custom_objects may take the place of a Lambda layer's code, which is never run.

    Raises:
        FormatError: the file is damaged, or describes something that cannot be made here.
    """
    with damage_is_named(filepath, "cannot be read as HDF5"):
        tree = open_hdf5(file, filepath)
        config = _json(tree, "model_config", filepath)
        if config is None:
            what = "weights only: make the model, then load_weights()" if "layer_names" in tree.attrs else "no model"
            raise FormatError(f"{filepath}: it has no model_config; it holds {what}")
        settings = _json(tree, "training_config", filepath) if compiled else None
        state, names = [], []
        if settings is not None and "optimizer_weights" in tree:
            group = member(tree, "optimizer_weights", filepath)
            state = arrays_of(group, filepath)
            names = [dataset.name.removeprefix(f"{group.name}/") for dataset in state]
        with as_much_as_in(tree):
            model = model_of_config(config, filepath, custom_objects, safe_mode)
        with damage_is_named(filepath, "its weights do not fit its model_config"):
            values, problem = legacy_values(model, member(tree, "model_weights", filepath), filepath)
            if problem:
                raise ValueError(problem)
            assign_all(values)
        if settings is not None:
            with damage_is_named(filepath, "what compile() was given cannot be made"):
                with registry.custom_object_scope(custom_objects or {}), as_much_as_in(tree):
                    model.compile(**compile_arguments(settings, model))
            assign_optimizer_state(model, names, state, filepath)
    return model


def _json(tree: Group, attribute: str, filepath: Any) -> Any:
    text = tree.attrs.get(attribute)
    if text is None:
        return None
    with damage_is_named(filepath, f"{attribute} is not JSON"):
        config = parse_json(text)
        if not isinstance(config, dict):
            raise ValueError("it should be an object")
    return config


def _without_modules(config: dict[str, Any]) -> dict[str, Any]:
    """Models and layers as these files name them: by class alone, or by the name that was registered."""
    name = config["registered_name"] or config["class_name"]
    kept = {key: one for key, one in config.items() if key in ("name", "inbound_nodes", "shared_object_id")}
    inner = dict(config["config"])
    if isinstance(inner.get("layers"), list):
        inner["layers"] = [_without_modules(layer) if _is_object(layer) else layer for layer in inner["layers"]]
    return {"class_name": name, "config": inner, **kept}


def _is_object(config: Any) -> bool:
    return isinstance(config, dict) and {"class_name", "config", "registered_name"} <= config.keys()
