"""Lambda layers in a file: the code of a Python lambda is never run; a function of the user's can take its place."""

from typing import Any

__all__ = ["without_code"]


def without_code(config: Any, custom_objects: dict[str, Any] | None, safe_mode: bool) -> Any:
    """A configuration in which no Lambda layer holds code.

    Args:
        config: plain data; stays as it is.
        custom_objects: with safe_mode=False, a function under a layer's name takes the place of that layer's code.
        safe_mode: True: refuse code even where there is such a function.

    Raises:
        ValueError: code, and nothing to put in its place.
    """
    if isinstance(config, list):
        return [without_code(one, custom_objects, safe_mode) for one in config]
    if not isinstance(config, dict):
        return config
    inner = config.get("config")
    if config.get("class_name") != "Lambda" or not isinstance(inner, dict):
        return {key: without_code(one, custom_objects, safe_mode) for key, one in config.items()}
    inner = {key: one for key, one in inner.items() if key == "function" or not _is_code(one)}
    if not _is_code(inner.get("function")):
        return {**config, "config": inner}
    name = str(inner.get("name"))
    if safe_mode or not callable((custom_objects or {}).get(name)):
        raise ValueError(
            f"the layer {name!r} holds the code of a Python lambda, which is never run; write it as a function, and "
            f"open the file with custom_objects={{{name!r}: function}}, safe_mode=False to put that in its place"
        )
    function = {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
    return {**config, "config": {**inner, "function": function}}


def _is_code(value: Any) -> bool:
    """Keras 3 writes an object, Keras 2 a list of the code, the defaults and the closure."""
    if isinstance(value, dict):
        return value.get("class_name") == "__lambda__"
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)
