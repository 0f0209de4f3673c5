"""What the reference shows: every public name of a module; ops and kernels as the functions that they are called as.

Some modules have no ``__all__``: what they gather from the files below them is public. An op is an object; its
signature and its docstring are those of the forward in it, so the forward stands in its place while pages are built.
The same with kernels and their contracts.
"""

import importlib
import inspect
from typing import Any

import minidl_kernels
from minidl.engine.op import Op

MODULES = (
    "activations", "applications", "callbacks", "checking", "config", "constraints", "datasets", "datasets.cifar10",
    "datasets.fashion_mnist", "datasets.mnist", "demonstrations", "initializers", "layers", "losses", "metrics",
    "models", "ops", "optimizers", "optimizers.schedules", "preprocessing.image", "preprocessing.sequence", "random",
    "regularizers", "saving", "summary", "testing", "tree", "utils", "visualize", "xray",
)  # fmt: skip


def public(module: Any) -> list[str]:
    """The public names of a module, without modules."""
    given = getattr(module, "__all__", None)
    names = given if given is not None else [name for name in vars(module) if not name.startswith("_")]
    found = {name: getattr(module, name) for name in dict.fromkeys(names)}
    ours = {
        name: value
        for name, value in found.items()
        if callable(value) and (given is not None or str(getattr(value, "__module__", "")).startswith("minidl"))
    }
    return list(ours) if given is not None else sorted(ours, key=lambda name: (name.lower(), name))


def prepare(app: Any) -> None:
    """Before the pages are read: fix the names of every module, and unwrap ops and kernels."""
    modules = [importlib.import_module(f"minidl.{name}") for name in MODULES]
    for module in [*modules, minidl_kernels]:
        module.__all__ = public(module)
        for name in module.__all__:
            value = getattr(module, name)
            plain = getattr(value, "forward" if isinstance(value, Op) else "contract", None)
            if isinstance(value, (Op, minidl_kernels.Kernel)) and inspect.isfunction(plain):
                setattr(module, name, plain)


def signature(app: Any, what: str, name: str, value: Any, options: Any, arguments: Any, returns: Any) -> Any:
    """Of a class whose ``__new__`` takes anything, what ``__init__`` takes."""
    if what != "class" or arguments is None or not arguments.startswith("(*args, **kwargs"):
        return None
    taken = inspect.signature(value.__init__)
    bare = [one.replace(annotation=one.empty) for one in list(taken.parameters.values())[1:]]
    return str(taken.replace(parameters=bare, return_annotation=taken.empty)), returns


def setup(app: Any) -> dict[str, bool]:
    app.connect("builder-inited", prepare)
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
