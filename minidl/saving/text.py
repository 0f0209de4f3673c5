"""Architectures as text, without weights: JSON as Keras writes it, and YAML as it did up to version 2.5."""

import json
import os
from typing import Any

from minidl import opening, registry
from minidl.atomic import write_text
from minidl.models import Model

from .errors import damage_is_named
from .json_text import parse_json
from .lambdas import without_code
from .modern import modern
from .yaml_text import parse_yaml

__all__ = ["model_from_json", "model_from_yaml", "model_of_config", "to_json", "to_yaml"]


def to_json(model: Model, filepath: Any = None, **kwargs: Any) -> str:
    """The architecture of a model (and what compile() was given) as JSON that Keras 3 reads.

    Args:
        filepath: a file to write the text into as well; there is always a whole one.
        **kwargs: passed to ``json.dumps``, such as indent=2.

    Raises:
        ValueError: something that a text cannot hold, and what to do about it.
    """
    try:
        text = json.dumps(_config_of(model), **kwargs)
    except TypeError as error:
        raise ValueError(f"{model.name!r} cannot be written as JSON: {error}") from None
    if filepath is not None:
        write_text(filepath, text)
    return text


def to_yaml(model: Model, filepath: Any = None, **kwargs: Any) -> str:
    """The same as ``to_json`` as YAML, of plain data only.

    Args:
        filepath: a file to write the text into as well; there is always a whole one.
        **kwargs: passed to ``yaml.dump``, such as indent=4.

    Raises:
        ImportError: PyYAML is missing.
        ValueError: something that a text cannot hold.
    """
    yaml = _yaml()

    class Dumper(yaml.SafeDumper):  # type: ignore[name-defined]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    plain = json.loads(to_json(model))
    text = str(yaml.dump(plain, **{"Dumper": Dumper, "sort_keys": False, "default_flow_style": False, **kwargs}))
    if filepath is not None:
        write_text(filepath, text)
    return text


def model_from_json(json_string: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True) -> Model:
    """A model of a JSON text that ``to_json``, Keras 3 or Keras 2 wrote; its weights are new.

    Args:
        json_string: the text, or the path of a file with it.
        custom_objects: classes and functions of yours by name, where they are not registered.
        safe_mode: False: functions in custom_objects may take the place of a Lambda layer's code, which is never run.

    Raises:
        FileNotFoundError: neither a JSON text nor a file.
        FormatError: it is damaged, or describes something that is not known here.
    """
    text, source = _text_of(json_string, "model_from_json", lambda text: text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["))
    with damage_is_named(source, "is not JSON"):
        config = parse_json(text.lstrip("\ufeff"))
    with _limited():
        return model_of_config(config, source, custom_objects, safe_mode)


def model_from_yaml(yaml_string: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True) -> Model:
    """A model of a YAML text that ``to_yaml`` or Keras 2 wrote; its weights are new.

    The text is data only: tags that would make Python objects are refused.

    Args:
        yaml_string: the text, or the path of a file with it.
        custom_objects, safe_mode: as in ``model_from_json``.

    Raises:
        ImportError: PyYAML is missing.
        FileNotFoundError: neither a YAML text nor a file.
        FormatError: it is damaged, or describes something that is not known here.
    """
    yaml = _yaml()
    text, source = _text_of(yaml_string, "model_from_yaml", lambda text: "\n" in text or text.lstrip()[:1] == "{")

    with damage_is_named(source, "is not YAML of plain data"):
        config = parse_yaml(text, yaml)
    with _limited():
        return model_of_config(config, source, custom_objects, safe_mode)


def model_of_config(
    config: Any, source: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True
) -> Model:
    """The model of a configuration of Keras 3 or Keras 2.

    Args:
        source: what error messages call it.

    Raises:
        FormatError: it describes no model, or something that is not known here.
    """
    with damage_is_named(source, "the model cannot be made"), registry.sharing():
        if not isinstance(config, dict) or "class_name" not in config:
            raise ValueError("it does not describe a model")
        with registry.custom_object_scope(custom_objects or {}):
            model = registry.deserialize(modern(without_code(config, custom_objects, safe_mode)), custom_objects)
        if not isinstance(model, Model):
            raise ValueError(f"it describes no model, but {model!r}")
    return model


def _limited() -> Any:
    return opening.limited(opening.half_of_memory(), "half of the memory of this machine")


def _config_of(model: Model) -> Any:
    with registry.sharing():
        return registry.serialize(model)


def _text_of(given: Any, function: str, is_text: Any) -> tuple[str, str]:
    """The text, and what messages call it."""
    if isinstance(given, (bytes, bytearray)):
        given = bytes(given).decode("utf-8", "replace")
    if isinstance(given, str) and is_text(given):
        return given, f"{function}: the text"
    if not isinstance(given, (str, os.PathLike)):
        raise TypeError(f"{function} takes a text, or the path of a file, not {type(given).__name__}")
    path = os.fspath(given)
    if not os.path.isfile(path):
        shown = path if len(str(path)) < 200 else f"{str(path)[:200]}..."
        raise FileNotFoundError(f"{function}: {shown!r} is neither such a text nor a file")
    with damage_is_named(path, "is not a text in UTF-8"), open(path, encoding="utf-8") as file:
        return file.read(), str(path)


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ImportError("YAML needs PyYAML: pip install pyyaml, or pip install 'minidl[yaml]'") from error
    return yaml
