"""Functions with a gradient of their own, and values without any."""

from collections.abc import Callable
from functools import wraps
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from minidl import tree
from minidl.engine.op import Node, Op, Rule, is_recording, op
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import Array

__all__ = ["custom_gradient", "stop_gradient"]

F = TypeVar("F", bound=Callable[..., Any])


@op(constant=True)
def stop_gradient(x: Any) -> Array:
    """The same value as a constant: no gradient flows through it."""
    return x


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function its own gradient: it returns ``(y, grad)``; ``grad(upstream)`` gives one gradient per argument.

    ::

        @minidl.custom_gradient
        def clipped_identity(x):
            return x, lambda upstream: ops.clip(upstream, -1.0, 1.0)
    """

    @wraps(function)
    def wrapper(*args: Any) -> Any:
        tensors = [a if isinstance(a, Tensor) else Tensor(a) for a in args]
        y, grad_function = function(*tensors)
        result = stop_gradient(y if isinstance(y, Tensor) else Tensor(y))
        sources = [t.node or t if is_recording() and t.live() else None for t in tensors]
        if all(source is None for source in sources):
            return result

        def rule(g: Any) -> list[Any]:
            found = grad_function(g if isinstance(g, Tensor) else Tensor.of(g))
            found = list(found) if isinstance(found, (list, tuple)) else [found]
            if len(found) != len(args):
                raise ValueError(f"{function.__name__}: grad returned {len(found)} gradients for {len(args)} arguments")
            return found if isinstance(g, Tensor) else [raw(one) for one in found]

        operation: Any = SimpleNamespace(name=function.__name__, outputs=("y",), first=None)
        operation.rules = {"arguments": Rule(("arguments",), (), itemgetter(slice(0)), rule)}
        result.node = Node(operation, [("arguments", sources)], (result.data,), [])
        return result

    return wrapper


def of_extents(function: F) -> F:
    """Decorates a function of ops whose Python needs to know every extent.

    A call on symbolic tensors, whose batch axis is not known yet, becomes one step of the graph as a whole.
    """

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(leaf, Tensor) and leaf.data is None for leaf in tree.flatten((args, kwargs))):
            return Op.trace(wrapper, args, kwargs)
        return function(*args, **kwargs)

    wrapper.name = function.__name__  # type: ignore[attr-defined]
    return cast(F, wrapper)
