"""The arguments that all optimizers take: how they are shown, and what they may be."""

import inspect
from typing import Any

__all__ = ["check_numbers", "check_settings", "full_signature"]


def check_numbers(owner: Any, least: float, *names: str, below: float = float("inf"), top: bool = False) -> None:
    """Attributes that must be numbers from ``least`` on and below ``below`` (``top``: or equal to it).

    Raises:
        ValueError: names the first that is not.
    """
    limit = "" if below == float("inf") else f" to {below:g}" if top else f" and less than {below:g}"
    for name in names:
        value = getattr(owner, name)
        known = isinstance(value, (int, float)) or (getattr(value, "shape", None) == () and hasattr(value, "__float__"))
        if not known or not (least <= value < below or (top and value == below)):
            raise ValueError(f"{name} must be a number from {least:g} on{limit}, not {value!r}")


def check_settings(optimizer: Any) -> None:
    """Raise a ValueError where a setting of the base class is out of its range."""
    ways = ("clipnorm", "clipvalue", "global_clipnorm")
    numbers = ("weight_decay", *ways, "loss_scale_factor")
    check_numbers(optimizer, 0, *(name for name in numbers if getattr(optimizer, name) is not None))
    chosen = {name: value for name in ways if (value := getattr(optimizer, name)) is not None}
    if len(chosen) > 1:
        raise ValueError(f"only one of {', '.join(ways)} may be set, not {chosen}")
    if optimizer.loss_scale_factor == 0:
        raise ValueError("loss_scale_factor must not be 0: gradients are divided by it")
    if optimizer.use_ema:
        check_numbers(optimizer, 0, "ema_momentum", below=1, top=True)
    for name, least in (("ema_overwrite_frequency", 1), ("gradient_accumulation_steps", 2)):
        value = getattr(optimizer, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise ValueError(f"{name} must be a whole number from {least} on, or None, not {value!r}")


def full_signature(cls: type, base: type) -> inspect.Signature:
    """The arguments of a class of ``**settings`` that it hands on to ``base``: its own, then those of ``base``."""
    own = list(inspect.signature(vars(cls).get("__init__", cls.__init__)).parameters.values())[1:]  # type: ignore[misc]
    if all(p.kind is not p.VAR_KEYWORD for p in own):
        return inspect.Signature(own)
    kept = [p for p in own if p.kind is not p.VAR_KEYWORD]
    names = {p.name for p in kept}
    theirs = [p for p in inspect.signature(base.__init__).parameters.values() if p.name not in {*names, "self"}]  # type: ignore[misc]
    named = [p.replace(kind=p.KEYWORD_ONLY) if p.kind is p.POSITIONAL_OR_KEYWORD else p for p in theirs]
    keyword = [p for p in kept if p.kind is p.KEYWORD_ONLY]
    return inspect.Signature([*(p for p in kept if p not in keyword), *keyword, *named])
