"""``.keras``: a zip archive of config.json, metadata.json and model.weights.h5, stored without compression."""

import json
import zipfile
from datetime import datetime
from typing import Any, BinaryIO

from minidl import registry
from minidl.config import __version__
from minidl.models import Model

from .errors import damage_is_named
from .hdf5_reader import Group, open_hdf5
from .json_text import parse_json
from .lambdas import without_code
from .reading import as_much_as_in
from .weights import assign_tree, image_of_weights
from .zip_reader import members, opened

__all__ = ["assign_archived_weights", "read_archive", "write_archive"]

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LAYOUT = "3.15.0"  # the version of Keras whose layout is written


def write_archive(model: Model, file: BinaryIO, include_optimizer: bool = True) -> None:
    """Write a model; everything but the numbers is made before the first byte is written.

    Args:
        include_optimizer: False: leave out what compile() was given, and the optimizer's state.

    Raises:
        ValueError: something that cannot be saved, and what to do about it.
    """
    with registry.sharing():
        config = registry.serialize(model)
    if not include_optimizer:
        config.pop("compile_config", None)
    try:
        text = json.dumps(config)
    except TypeError as error:
        raise ValueError(
            f"{model.name!r} cannot be saved: a get_config() returns what JSON cannot hold: {error}"
        ) from None
    saved = datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": LAYOUT, "date_saved": saved, "minidl_version": __version__}
    weights = image_of_weights(model, include_optimizer)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(METADATA, json.dumps(metadata))
        archive.writestr(CONFIG, text)
        member = zipfile.ZipInfo(WEIGHTS, datetime.now().timetuple()[:6])
        member.external_attr = 0o600 << 16  # as zipfile's own members
        member.file_size = weights.size  # from 2 GiB on, there must be more room in the member's head
        with archive.open(member, "w") as file_in_archive:
            weights.write(file_in_archive)


def read_archive(
    file: BinaryIO, filepath: Any, custom_objects: dict[str, Any] | None, compiled: bool, safe_mode: bool = True
) -> Model:
    """The model of an archive.

    Args:
        filepath: what error messages call it.
        custom_objects: classes and functions by name.
        compiled: whether to compile it as it was.
        safe_mode: False: functions in custom_objects may take the place of a Lambda layer's code, which is never run.

    Raises:
        FormatError: the archive is damaged, or describes something that cannot be made here.
    """
    source, start, size = _member(file, CONFIG, filepath)
    with damage_is_named(filepath, f"{CONFIG} cannot be read"):
        source.seek(start)
        config = parse_json(source.read(size))
        if not isinstance(config, dict):
            raise ValueError("it does not describe a model")
    if not compiled:
        config["compile_config"] = None
    tree = _weights(file, filepath)
    with damage_is_named(filepath, "the model cannot be made"), registry.sharing(), as_much_as_in(tree):
        model = registry.deserialize(without_code(config, custom_objects, safe_mode), custom_objects)
        if not isinstance(model, Model):
            raise ValueError(f"{CONFIG} describes no model, but {model!r}")
    assign_tree(model, tree, filepath)
    return model


def assign_archived_weights(model: Model, file: BinaryIO, filepath: Any, skip_mismatch: bool = False) -> None:
    """Read the weights of an archive into a model; see ``assign_weights``."""
    assign_tree(model, _weights(file, filepath), filepath, skip_mismatch)


def _weights(file: BinaryIO, filepath: Any) -> Group:
    """The tree of weights, read where it lies in the archive, or unpacked in memory."""
    source, start, size = _member(file, WEIGHTS, filepath)
    return open_hdf5(source, filepath, start, size, None if source is file else file.seek(0, 2))


def _member(file: BinaryIO, name: str, filepath: Any) -> tuple[BinaryIO, int, int]:
    """The file, start and size of a member."""
    with damage_is_named(filepath, "is not a .keras file, or is damaged"):
        found = members(file)
        if name not in found:
            raise ValueError(f"there is no {name} in the archive")
        return opened(file, found[name])
