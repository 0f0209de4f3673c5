"""save_model, load_model, save_weights, load_weights: which format a name asks for, and the file around it."""

import os
import warnings
from typing import Any

from minidl.atomic import replacing
from minidl.models import Model

from .archive import assign_archived_weights, read_archive, write_archive
from .hdf5 import image_of_model, read_hdf5
from .legacy import assign_legacy_weights, image_of_legacy_weights
from .safetensors_weights import assign_safetensors, write_safetensors
from .weights import assign_weights, image_of_weights

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]

MODEL, WEIGHTS, LEGACY, TENSORS = ".keras", ".weights.h5", (".h5", ".hdf5"), ".safetensors"
_OTHERS = (
    ".ckpt",
    ".h5",
    ".hdf5",
    ".json",
    ".keras",
    ".npz",
    ".pb",
    ".pkl",
    ".pt",
    ".pth",
    ".tf",
    ".tflite",
    ".safetensors",
)


def save_model(
    model: Model,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
    save_format: str | None = None,
) -> None:
    """Save architecture, weights, what compile() was given, and the optimizer's state, so that training can go on.

    There is always a whole file: the new one takes the old one's place when it is complete.

    Args:
        model: any model; a subclass of Model needs get_config() where its __init__ has arguments.
        filepath: a path that ends in ".keras"; or in ".h5" or ".hdf5" for the format of Keras 2, which holds Sequential
            and functional models.
        overwrite: False: raise FileExistsError where there is such a file.
        zipped: as in Keras; a folder (False) is not written.
        include_optimizer: False: leave out what compile() was given, and the optimizer's state.
        save_format: "keras" or "h5", where Keras 2 wanted it; the ending must say the same.

    Raises:
        ValueError: another ending, or something that cannot be saved.
    """
    path = _checked(filepath, (MODEL, *LEGACY), "save_model")
    if zipped is False:
        raise ValueError("save_model: zipped=False would write a folder, which is not supported; leave it out")
    if save_format is not None and save_format != ("keras" if path.endswith(MODEL) else "h5"):
        raise ValueError(f"save_model: save_format is {save_format!r}, but filepath {path!r}; the ending decides")
    _may_write(path, overwrite)
    if not model.built:
        warnings.warn(
            f"{model.name!r} has no weights yet, so none are saved; call it on data, or build(input_shape), first",
            stacklevel=3,
        )
    if path.endswith(LEGACY):
        image = image_of_model(model, include_optimizer)
        with replacing(path) as file:
            image.write(file)
        return
    with replacing(path) as file:
        write_archive(model, file, include_optimizer)


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Model:
    """Open a model that ``save_model``, Keras 3 or (``.h5``) Keras 2 wrote.

    Args:
        filepath: a path that ends in ".keras", ".h5" or ".hdf5".
        custom_objects: classes and functions of yours by name, where they are not registered.
        compile: whether to compile it as it was, with the optimizer's state.
        safe_mode: False: a function in custom_objects under the name of a Lambda layer may take the place of its code,
            which is never run.

    Raises:
        FileNotFoundError: no such file.
        FormatError: it is damaged, or describes something that is not known here.
    """
    path = _checked(filepath, (MODEL, *LEGACY), "load_model")
    read = read_hdf5 if path.endswith(LEGACY) else read_archive
    with open(path, "rb") as file:
        return read(file, path, custom_objects, compile, safe_mode)


def save_weights(model: Model, filepath: Any, overwrite: bool = True) -> None:
    """Save all weights, and the optimizer's state where the model is compiled.

    Args:
        filepath: a path that ends in ".weights.h5"; or in ".h5" or ".hdf5" for the layout of Keras 2, which holds no
            state of an optimizer; or in ".safetensors", which Keras has not, but other programs read: names are Keras'
            paths, such as "dense/kernel".
        overwrite: False: raise FileExistsError where there is such a file.
    """
    path = _checked(filepath, (WEIGHTS, *LEGACY, TENSORS), "save_weights")
    _may_write(path, overwrite)
    _need_weights(model, "save_weights")
    if path.endswith(TENSORS):
        with replacing(path) as file:
            write_safetensors(model, file)
        return
    image = image_of_weights(model) if path.endswith(WEIGHTS) else image_of_legacy_weights(model)
    with replacing(path) as file:
        image.write(file)


def load_weights(model: Model, filepath: Any, skip_mismatch: bool = False, by_name: bool = False) -> None:
    """Read weights into a model of the same architecture; where anything does not fit, nothing is changed.

    Args:
        filepath: a path that ends in ".weights.h5" or ".keras"; or in ".h5" or ".hdf5", in the layout of Keras 2; or in
            ".safetensors".
        skip_mismatch: leave the layers (in the layout of Keras 2, and in ".safetensors": the variables) that do not fit
            as they are, with a warning.
        by_name: match the layers of a Keras 2 file by name, else by order; of a ".safetensors" file, take what has the
            very same names, and leave the rest as it is.

    Raises:
        FileNotFoundError: no such file.
        FormatError: it is damaged.
        ValueError: it holds the weights of another model; lists the layers.
    """
    path = _checked(filepath, (WEIGHTS, MODEL, *LEGACY, TENSORS), "load_weights")
    _need_weights(model, "load_weights")
    with open(path, "rb") as file:
        if path.endswith(TENSORS):
            assign_safetensors(model, file, path, skip_mismatch, by_name)
            return
        if path.endswith(MODEL):
            assign_archived_weights(model, file, path, skip_mismatch)
        elif path.endswith(WEIGHTS) and not by_name:
            assign_weights(model, file, path, skip_mismatch)
        else:
            assign_legacy_weights(model, file, path, skip_mismatch, by_name)


def _checked(filepath: Any, endings: tuple[str, ...], function: str) -> str:
    path = os.fspath(filepath)
    if not isinstance(path, str):
        raise TypeError(f"{function}: filepath must be a path, not {filepath!r}")
    if not path.endswith(endings) or (path.endswith(WEIGHTS) and WEIGHTS not in endings):
        stem, ending = os.path.splitext(path)
        stem = stem.removesuffix(".weights") if ending in _OTHERS else path
        hint = f"; write {stem + endings[0]!r}" if function.startswith("save") else ""
        if function == "load_model" and path.endswith((WEIGHTS, TENSORS)):
            hint = "; make the model, and call model.load_weights() with this path"
        listed = " or ".join(filter(None, [", ".join(endings[:-1]), endings[-1]]))
        raise ValueError(f"{function}: filepath must end in {listed}, not {path!r}{hint}")
    return path


def _may_write(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists already; overwrite=True replaces it")


def _need_weights(model: Model, function: str) -> None:
    if not model.built:
        raise ValueError(
            f"{function}: {model.name!r} has no weights yet; call it on data, or build(input_shape), first"
        )
