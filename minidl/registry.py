"""Objects as configurations, and back: the names under which classes and functions are saved, as in Keras 3.

A serialised object is ``{"module": "keras.layers", "class_name": "Dense", "config": {...}, "registered_name": None}``.
Packages publish their namespace here (``publish("keras.layers", globals())``); nothing is ever imported by a name that
a file gives.
"""

import difflib
import inspect
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

__all__ = [
    "auto_name", "custom_object_scope", "deserialize", "did_you_mean", "get_registered_name", "get_registered_object",
    "lookup", "made_of", "publish", "published", "register_keras_serializable", "reset_names", "serialize", "sharing",
    "snake_case", "deserializer", "get_custom_objects", "inside", "name_scope", "opened_scopes", "scoped",
]  # fmt: skip

_published: dict[str, dict[str, Any]] = {}
_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_paths: ContextVar[tuple[str, ...]] = ContextVar("name_scope", default=())
_scope: ContextVar[dict[str, Any]] = ContextVar("custom_objects", default={})  # noqa: B039 - never written to


_name_counts: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """A class name as Keras writes it into layer names and files: conv2d, leaky_re_lu, global_average_pooling2d."""
    words = re.sub(r"(?<=.)([A-Z][a-z]+)", r"_\1", re.sub(r"\W+", "", name))
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", words).lower()


def auto_name(prefix: str) -> str:
    """``prefix`` in snake case, made unique: dense, dense_1, dense_2; conv2d; leaky_re_lu."""
    name = snake_case(prefix)
    _name_counts[name] += 1
    return name if _name_counts[name] == 1 else f"{name}_{_name_counts[name] - 1}"


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Put ``name/`` before the paths of the variables that are made inside the ``with`` block; layers name theirs.

    Raises:
        ValueError: a name with a slash in it, or none.
    """
    if not isinstance(name, str) or "/" in name or not name:
        raise ValueError(f"name must be a text without '/', not {name!r}")
    with inside((*_paths.get(), name)):
        yield name


@contextmanager
def inside(scopes: tuple[str, ...]) -> Iterator[None]:
    """Put these scopes in the place of those that are open."""
    token = _paths.set(scopes)
    try:
        yield
    finally:
        _paths.reset(token)


def opened_scopes() -> tuple[str, ...]:
    """The names of the scopes that are open now, the outermost first."""
    return _paths.get()


def scoped(name: str) -> str:
    """The path of something of this name that is made now."""
    return "/".join((*_paths.get(), name))


def reset_names() -> None:
    """Start counting names anew (``utils.clear_session``)."""
    _name_counts.clear()


_HELPERS = ("deserialize", "get", "serialize")  # every package has them; they are no layers, losses, ...


def publish(module: str, namespace: dict[str, Any]) -> None:
    """Make the public names of a package known under the module name that files use, such as "keras.layers"."""
    ours = {
        name: item
        for name, item in namespace.items()
        if not name.startswith("_")
        and name not in _HELPERS
        and callable(item)
        and getattr(item, "__module__", "").startswith("minidl.")
    }
    _published.setdefault(module, {}).update(ours)


def published(module: str) -> dict[str, Any]:
    """What is known under a module name."""
    return dict(_published.get(module, {}))


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


def get_registered_name(obj: Any) -> str:
    """The registered name of a class or function; its own name where it is not registered."""
    return _names.get(obj, obj.__name__)


def get_registered_object(name: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """What is registered under a name, or ``None``."""
    for known in (custom_objects or {}, _scope.get(), _registered):
        if name in known:
            return known[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """All registered objects by name, itself and no copy: what is put in is found from then on."""
    return _registered


@contextmanager
def custom_object_scope(custom_objects: dict[str, Any]) -> Iterator[None]:
    """Let classes and functions be found by these names inside the ``with`` block."""
    token = _scope.set({**_scope.get(), **custom_objects})
    try:
        yield
    finally:
        _scope.reset(token)


def lookup(module: str, name: Any, what: str) -> Any:
    """A published object, or a custom one.

    Raises:
        ValueError: unknown; lists what there is (the first 300 characters of it).
    """
    custom = get_registered_object(name)
    if custom is not None:
        return custom
    known = _published.get(module, {})
    if name in known:
        return known[name]
    shown = sorted((not n.islower(), n) for n in known if n.islower() or isinstance(known[n], type))
    names = textwrap.shorten(", ".join(n for _, n in shown), 300, placeholder=" ...")
    raise ValueError(f"unknown {what} {name!r}{did_you_mean(name, known)}; there are: {names}")


def made_of(identifier: Any, module: str, what: str) -> Any:
    """The object that a name, a configuration or a class of a module stands for; anything else stays what it is."""
    if isinstance(identifier, dict):
        identifier = deserialize(_with_module(identifier, module))
    if isinstance(identifier, str):
        identifier = lookup(module, identifier, what)
    return identifier() if isinstance(identifier, type) else identifier


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """A question to put behind an unknown name: the known one that is most like it, if one is."""
    names = list(known)
    renamed = {"alpha": "negative_slope", "lr": "learning_rate"}.get(name, "")  # as they were called in Keras 2
    alike = [renamed] if renamed in names else difflib.get_close_matches(str(name), names, n=1)
    return f" (did you mean {alike[0]!r}?)" if alike else ""


def _module_of(cls: type) -> str | None:
    return next((module for module, names in _published.items() if names.get(cls.__name__) is cls), None)


def serialize(obj: Any) -> Any:
    """The configuration of an object (with ``get_config``), a function, or plain data.

    Where the object has them, what ``get_build_config()`` and ``get_compile_config()`` return goes along.

    Raises:
        ValueError: a lambda, or an object whose ``get_config`` leaves arguments out.
        TypeError: no ``get_config``.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize(one) for one in obj]
    if isinstance(obj, dict):
        done = "class_name" in obj and "config" in obj
        return obj if done else {key: serialize(value) for key, value in obj.items()}
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _serialize_object(obj)
    if callable(obj) and hasattr(obj, "__name__"):
        return _serialize_function(obj)
    if hasattr(obj, "item"):
        return obj.item() if getattr(obj, "size", 1) == 1 else obj.tolist()
    raise TypeError(f"cannot serialise {obj!r}: give its class a get_config() method")


def _serialize_object(item: Any) -> dict[str, Any]:
    module = _module_of(type(item))
    settings = item.get_config()
    if module is None:
        _check_complete(item, settings)
    config = {
        "module": module,
        "class_name": type(item).__name__,
        "config": serialize(settings),
        "registered_name": None if module else get_registered_name(type(item)),
    }
    for key in ("build_config", "compile_config"):
        more = getattr(item, f"get_{key}", lambda: None)()
        if more is not None:
            config[key] = serialize(more)
    return _numbered(item, config)


def _serialize_function(item: Any) -> Any:
    if any(names.get(item.__name__) is item for names in _published.values()):
        return item.__name__
    if item.__name__ == "<lambda>":
        raise ValueError(
            "a lambda cannot be saved: write it as a function with a name, and decorate that with "
            "@minidl.saving.register_keras_serializable()"
        )
    name = get_registered_name(item)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}


def _check_complete(item: Any, settings: dict[str, Any]) -> None:
    """Say so when a class of the user could not be made of its configuration."""
    methods = ("__init__", "get_config", "from_config")
    made_by, described_by, opened_by = (_definer(type(item), method) for method in methods)
    if opened_by is not None and issubclass(opened_by, made_by):
        return  # it knows how to open what it wrote
    parameters = list(inspect.signature(made_by.__init__).parameters.values())[1:]
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    described = issubclass(described_by, made_by)  # arguments that have defaults may then be left out on purpose
    missing = [name for name, p in named.items() if name not in settings and (p.default is p.empty or not described)]
    unknown = [name for name in settings if name not in named]
    if missing:
        pairs = ", ".join(f'"{name}": self.{name}' for name in missing)
        raise ValueError(
            f"{type(item).__name__} cannot be saved: its get_config() leaves out {', '.join(missing)}. Write\n"
            f"    def get_config(self):\n        return {{**super().get_config(), {pairs}}}"
        )
    if unknown and all(p.kind is not p.VAR_KEYWORD for p in parameters):
        raise ValueError(
            f"{type(item).__name__} cannot be saved: its __init__ does not take {', '.join(unknown)}, which "
            f"get_config() returns. Write\n    def __init__(self, {', '.join([*named, '**kwargs'])}):\n"
            f"        super().__init__(**kwargs)"
        )


def _definer(cls: type, method: str) -> Any:
    """The class of the MRO that defines a method."""
    return next((one for one in cls.__mro__ if method in vars(one)), None)


class _Sharing:
    """Objects that occur twice in one file: numbered when written, made once when read."""

    def __init__(self) -> None:
        self.written: dict[int, tuple[Any, dict[str, Any]]] = {}  # the object is kept: an id may be used again
        self.read: dict[Any, Any] = {}


_sharing: ContextVar[_Sharing | None] = ContextVar("sharing", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Inside the ``with`` block, an object that is serialised twice is one object when it is deserialised."""
    token = _sharing.set(_Sharing())
    try:
        yield
    finally:
        _sharing.reset(token)


def _numbered(item: Any, config: dict[str, Any]) -> dict[str, Any]:
    scope = _sharing.get()
    if scope is not None:
        _, first = scope.written.setdefault(id(item), (item, config))
        if first is not config:
            number = first.setdefault("shared_object_id", list(scope.written).index(id(item)) + 1)
            config["shared_object_id"] = number
    return config


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True) -> Any:
    """The object of a configuration; lists and dictionaries of configurations likewise; plain data as it is.

    Only published names, registered objects and ``custom_objects`` are found: nothing is imported, no code is run,
    whatever ``safe_mode`` says.

    Raises:
        ValueError: a class or function that is not known, or a configuration that is none.
    """
    if isinstance(config, (list, tuple)):
        return [deserialize(one, custom_objects) for one in config]
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: deserialize(one, custom_objects) for key, one in config.items()}
    name, inner = config["class_name"], config["config"]
    if name in _VALUES:
        return _value(config)
    if name == "function":
        return _function(config, custom_objects)
    scope = _sharing.get()
    shared = None if scope is None else config.get("shared_object_id")
    cls = _class(config, custom_objects)
    if scope is not None and type(scope.read.get(shared)) is cls:
        return scope.read[shared]
    if not isinstance(inner, (dict, type(None))):
        raise ValueError(f"the config of {name!r} must be a dictionary, not {inner!r}")
    with custom_object_scope(custom_objects or {}):
        item = cls.from_config({key: _value(one) for key, one in (inner or {}).items()})
        if config.get("build_config") and hasattr(item, "build_from_config"):
            item.build_from_config(config["build_config"])
        if config.get("compile_config") and hasattr(item, "compile_from_config"):
            item.compile_from_config(config["compile_config"])
    if scope is not None and shared is not None:
        scope.read[shared] = item
    return item


def _with_module(config: Any, module: str) -> Any:
    """A configuration with this module where it has none, and is of a class in there."""
    bare = config and not config.get("module") and config.get("class_name") in _published.get(module, {})
    return {**config, "module": module} if bare else config


def deserializer(module: str, by_name: Callable[[str], Any] | None = None) -> Callable[..., Any]:
    """The function ``deserialize`` of a package.

    Its configurations may leave their module out, and where ``by_name`` is given, names do instead of them.
    """

    def deserialize_of_package(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        with custom_object_scope(custom_objects or {}):
            if isinstance(config, str) and by_name is not None:
                return by_name(config)
            if config is not None and not isinstance(config, dict):
                allowed = "a name or a dictionary" if by_name is not None else "a dictionary"
                raise ValueError(f"config must be {allowed}, not {config!r}")
            return deserialize(_with_module(config, module))

    deserialize_of_package.__name__ = "deserialize"
    deserialize_of_package.__doc__ = f"What a configuration of ``{module}`` describes; None stays None."
    return deserialize_of_package


def _class(config: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    name, module = config["class_name"], config.get("module") or ""
    for known in (config.get("registered_name"), name):
        cls = get_registered_object(known, custom_objects) if known else None
        if cls is not None:
            break
    else:
        cls = _published.get(_public(module), {}).get(name)
    if cls is None or not hasattr(cls, "from_config"):
        raise ValueError(
            f"unknown class {name!r} of module {module!r}; pass custom_objects={{{name!r}: {name}}}, or decorate it "
            f"with @minidl.saving.register_keras_serializable()"
        )
    return cls


def _function(config: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    name = config["config"]
    if not isinstance(name, str):
        raise ValueError(f"the config of a function must be its name, not {name!r}")
    for known in (config.get("registered_name"), name, name.rpartition(">")[2]):
        found = get_registered_object(known, custom_objects) if known else None
        if found is not None:
            return found
    for module in ("keras.activations", "keras.losses", "keras.metrics"):
        found = _published.get(module, {}).get(name)
        if found is not None and not isinstance(found, type):
            return found
    raise ValueError(
        f"unknown function {name!r}; pass custom_objects={{{name!r}: function}}, or decorate it with "
        f"@minidl.saving.register_keras_serializable()"
    )


_VALUES = ("__numpy__", "__tensor__", "__bytes__", "__slice__", "__ellipsis__", "__lambda__")


def _value(config: Any) -> Any:
    """What Keras writes for arrays, bytes, slices and the ellipsis, as these; anything else as it is."""
    if not isinstance(config, dict) or config.get("class_name") not in _VALUES or "config" not in config:
        return config
    name, inner = config["class_name"], config["config"] or {}
    if name == "__lambda__":
        raise ValueError(
            "the file holds the code of a Python lambda, which is never run; define a named function, pass it in "
            "custom_objects, and save the model with that"
        )
    if name == "__ellipsis__":
        return ...
    if name == "__slice__":
        return slice(inner["start"], inner["stop"], inner["step"])
    if name == "__bytes__":
        return inner["value"].encode()
    dtype = np.dtype(inner["dtype"])
    if dtype.kind not in "biufc":  # a text's dtype may ask for a billion bytes an element
        raise ValueError(f"the dtype of an array must be that of numbers, not {inner['dtype']!r}")
    return np.array(inner["value"], dtype)


def _public(module: str) -> str:
    """The public name of a module of Keras: "keras.src.models.functional" is "keras"."""
    parts = module.split(".")
    if parts[:2] == ["keras", "src"]:
        return "keras" if parts[2:3] == ["models"] else ".".join(["keras", *parts[2:3]])
    return module
