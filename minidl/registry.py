"""Objects as configurations, and back: the names under which classes and functions are saved, as in Keras 3.

A serialised object is ``{"module": "keras.layers", "class_name": "Dense", "config": {...}, "registered_name": None}``.
Packages publish their namespace here (``publish("keras.layers", globals())``); nothing is ever imported by a name that
a file gives.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = [
    "auto_name", "custom_object_scope", "deserialize", "get_registered_name", "get_registered_object", "lookup", "publish",
    "register_keras_serializable", "reset_names", "serialize",
]  # fmt: skip

_published: dict[str, dict[str, Any]] = {}
_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_scope: ContextVar[dict[str, Any]] = ContextVar("custom_objects", default={})  # noqa: B039 - never written to


_name_counts: Counter[str] = Counter()


def auto_name(prefix: str) -> str:
    """``prefix`` in snake case, made unique: dense, dense_1, dense_2; conv2d; leaky_re_lu."""
    words = re.sub(r"(?<=.)([A-Z][a-z]+)", r"_\1", re.sub(r"\W+", "", prefix))
    name = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", words).lower()
    _name_counts[name] += 1
    return name if _name_counts[name] == 1 else f"{name}_{_name_counts[name] - 1}"


def reset_names() -> None:
    """Start counting names anew (``utils.clear_session``)."""
    _name_counts.clear()


def publish(module: str, namespace: dict[str, Any]) -> None:
    """Make the public names of a package known under the module name that files use, such as "keras.layers"."""
    ours = {
        name: item
        for name, item in namespace.items()
        if not name.startswith("_") and callable(item) and getattr(item, "__module__", "").startswith("minidl.")
    }
    _published.setdefault(module, {}).update(ours)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Register a class or function of the user, so that models that use it can be saved and opened.

    Args:
        package: prefix of the registered name.
        name: default: the object's own name.
    """

    def register(item: Any) -> Any:
        registered = f"{package}>{name or item.__name__}"
        if isinstance(item, type) and not hasattr(item, "get_config"):
            raise ValueError(f"{item.__name__} cannot be registered: it has no get_config() method")
        _registered[registered] = item
        _names[item] = registered
        return item

    return register


def get_registered_name(item: Any) -> str:
    """The registered name of a class or function; its own name where it is not registered."""
    return _names.get(item, item.__name__)


def get_registered_object(name: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """What is registered under a name, or ``None``."""
    for known in (custom_objects or {}, _scope.get(), _registered):
        if name in known:
            return known[name]
    return None


@contextmanager
def custom_object_scope(objects: dict[str, Any]) -> Iterator[None]:
    """Let classes and functions be found by these names inside the ``with`` block."""
    token = _scope.set({**_scope.get(), **objects})
    try:
        yield
    finally:
        _scope.reset(token)


def lookup(module: str, name: Any, what: str) -> Any:
    """A published object, or a custom one.

    Raises:
        ValueError: unknown; lists what there is.
    """
    custom = get_registered_object(name)
    if custom is not None:
        return custom
    known = _published.get(module, {})
    if name in known:
        return known[name]
    names = ", ".join(sorted(n for n in known if n.islower() or isinstance(known[n], type)))
    raise ValueError(f"unknown {what} {name!r}; there are: {names}")


def _module_of(cls: type) -> str | None:
    return next((module for module, names in _published.items() if names.get(cls.__name__) is cls), None)


def serialize(item: Any) -> Any:
    """The configuration of an object (with ``get_config``), a function, or plain data."""
    if item is None or isinstance(item, (bool, int, float, str)):
        return item
    if isinstance(item, (list, tuple)):
        return [serialize(one) for one in item]
    if isinstance(item, dict):
        return {key: serialize(value) for key, value in item.items()}
    if hasattr(item, "get_config") and not isinstance(item, type):
        module = _module_of(type(item))
        return {
            "module": module,
            "class_name": type(item).__name__,
            "config": item.get_config(),
            "registered_name": None if module else get_registered_name(type(item)),
        }
    if callable(item) and hasattr(item, "__name__"):
        builtin = any(names.get(item.__name__) is item for names in _published.values())
        if builtin:
            return item.__name__
        return {
            "module": "builtins",
            "class_name": "function",
            "config": item.__name__,
            "registered_name": get_registered_name(item),
        }
    if hasattr(item, "item"):
        return item.item() if getattr(item, "size", 1) == 1 else item.tolist()
    raise TypeError(f"cannot serialise {item!r}: give its class a get_config() method")


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The object of a configuration; plain data as it is.

    Raises:
        ValueError: a class that is neither built in nor registered.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        return config
    name, module = config["class_name"], config.get("module") or ""
    registered = config.get("registered_name")
    if name == "function":
        found = get_registered_object(registered or config["config"], custom_objects)
        found = found or get_registered_object(config["config"], custom_objects)
        if found is None:
            raise ValueError(f"unknown function {config['config']!r}; pass custom_objects={{{config['config']!r}: function}}")
        return found
    cls = None
    for candidate in (registered, name):
        if candidate and cls is None:
            cls = get_registered_object(candidate, custom_objects)
    if cls is None:
        cls = _published.get(_public(module), {}).get(name)
    if cls is None:
        raise ValueError(
            f"unknown class {name!r} of module {module!r}; pass custom_objects={{{name!r}: {name}}}, or decorate it with "
            f"@minidl.saving.register_keras_serializable()"
        )
    inner = config.get("config") or {}
    if custom_objects:
        with custom_object_scope(custom_objects):
            return cls.from_config(inner)
    return cls.from_config(inner)


def _public(module: str) -> str:
    """The public name of a module of Keras: "keras.src.models.functional" is "keras"."""
    parts = module.split(".")
    if parts[:2] == ["keras", "src"]:
        return "keras" if parts[2:3] == ["models"] else ".".join(["keras", *parts[2:3]])
    return module
