"""What compile() was given, as ``.h5`` files hold it: ``training_config``."""

import warnings
from typing import Any

from minidl import registry
from minidl.models import Model

from .modern import modern

__all__ = ["compile_arguments", "training_config"]

ARGUMENTS = ("loss", "loss_weights", "metrics", "weighted_metrics")
ROLES = {"loss": "keras.losses", "metrics": "keras.metrics", "weighted_metrics": "keras.metrics"}


def training_config(model: Model) -> dict[str, Any] | None:
    """The configuration of a compiled model; None, with a warning, where it cannot be saved."""
    config = model.get_compile_config()
    if config is None:
        return None
    optimizer = config["optimizer"]
    name = optimizer["registered_name"] or optimizer["class_name"]
    return {
        **{key: one for key, one in config.items() if key != "optimizer"},
        "loss": _full_names(config["loss"]),
        "optimizer_config": {"class_name": name, "config": optimizer["config"]},
    }


def _full_names(loss: Any) -> Any:
    """Losses with their long names: Keras cannot open a file with "mse" in this place."""
    if isinstance(loss, dict):
        return loss if "class_name" in loss else {key: _full_names(one) for key, one in loss.items()}
    if isinstance(loss, list):
        return [_full_names(one) for one in loss]
    known = registry.published("keras.losses").get(loss) if isinstance(loss, str) else None
    return loss if known is None or isinstance(known, type) else known.__name__


def compile_arguments(config: dict[str, Any], model: Model) -> dict[str, Any]:
    """The arguments for compile() of what Keras 3, Keras 2 or ``training_config`` wrote.

    Raises:
        ValueError: something that is not known here.
    """
    optimizer = config.get("optimizer_config")
    if not isinstance(optimizer, dict):
        raise ValueError("training_config names no optimizer")
    arguments = {"optimizer": registry.deserialize(modern(optimizer, "keras.optimizers"))}
    for key in ARGUMENTS:
        arguments[key] = registry.deserialize(modern(config.get(key), ROLES.get(key, "")))
    names = model.output_names or []
    for key in ("metrics", "weighted_metrics"):
        _without_prefixes(arguments[key], names)
        if arguments[key] in ([], [[]], [None]):
            arguments[key] = None
    if arguments["loss"] is None and arguments["metrics"] is None:
        warnings.warn("the file names neither a loss nor metrics; compile() the model to train it", stacklevel=5)
    return arguments


def _without_prefixes(metrics: Any, names: list[str]) -> None:
    """Keras 2 wrote the metrics of several outputs with the output's name in front, which compile() adds again."""
    if len(names) < 2 or not isinstance(metrics, list) or len(metrics) != len(names):
        return
    for name, group in zip(names, metrics, strict=True):
        for metric in group if isinstance(group, list) else [group]:
            if isinstance(getattr(metric, "name", None), str):
                metric.name = metric.name.removeprefix(f"{name}_")
