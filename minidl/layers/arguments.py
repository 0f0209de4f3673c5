"""What a layer was made with and is called with: settings that a file can hold, and shapes by argument."""

import inspect
from typing import Any

from minidl.engine.tensor import Tensor
from minidl.graph.symbolic import flatten, map_structure

__all__ = ["parameters_of", "plain_settings", "shapes_by_name", "without_settings"]

_PLAIN = (str, int, float, bool, type(None))


def plain_settings(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments of a constructor by name, with defaults; None where a file could not hold them as they are.

    Layers of users that define no get_config are saved with these.
    """
    signature = inspect.signature(cls.__init__)  # type: ignore[misc]
    kinds = {p.kind for p in list(signature.parameters.values())[1:]}
    if kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL}:
        return None
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError:
        return None  # __init__ will say what is wrong
    bound.apply_defaults()
    settings = dict(list(bound.arguments.items())[1:])
    for p in signature.parameters.values():
        if p.kind is p.VAR_KEYWORD:
            settings.update(settings.pop(p.name))
    settings.pop("name", None)
    return settings if all(isinstance(leaf, _PLAIN) for leaf in flatten(settings)) else None


def without_settings(cls: type) -> NotImplementedError:
    """The error for a layer whose arguments a file cannot hold, and which has no get_config of its own."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    pairs = ", ".join(f'"{name}": self.{name}' for name in named)
    left_out = ", ".join(named) or "what it was given by place"
    return NotImplementedError(
        f"{cls.__name__} cannot be saved: its get_config() leaves out {left_out}, "
        f"and the values given are more than texts, numbers and lists of them. Write\n"
        f"    def get_config(self):\n        return {{**super().get_config(), {pairs}}}"
    )


def parameters_of(method: Any) -> tuple[str, ...]:
    """The named parameters of a method, without self."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY, p.POSITIONAL_ONLY))


def shapes_by_name(
    layer: Any, method: str, wanted: tuple[str, ...], given: dict[str, Any], shape_of: Any
) -> dict[str, Any]:
    """Arguments ``a_shape``, ``b_shape``, ... of ``build`` or ``compute_output_shape`` for tensors ``a``, ``b``, ...

    Raises:
        ValueError: a parameter that is no argument of ``call`` with ``_shape`` behind it.
    """
    odd = [
        name for name in wanted if not name.endswith("_shape") or name[: -len("_shape")] not in layer._call_parameters
    ]
    if odd:
        raise ValueError(
            f"{type(layer).__name__}.{method}: with several parameters, each is the name of an argument of call() with "
            f"'_shape' behind it; {', '.join(odd)} is none of "
            f"{', '.join(f'{name}_shape' for name in layer._call_parameters)}"
        )
    tensors = {name: one for name, one in given.items() if any(isinstance(leaf, Tensor) for leaf in flatten(one))}
    known = {f"{name}_shape": map_structure(shape_of, one) for name, one in tensors.items()}
    return {name: known[name] for name in wanted if name in known}
