"""clone_model: the same structure once more, with weights of its own."""

from collections.abc import Callable
from typing import Any

from minidl.graph.symbolic import KerasTensor, flatten, map_structure
from minidl.layers import Input, InputLayer, Layer

from .functional import Functional
from .model import Model
from .sequential import Sequential

__all__ = ["clone_model"]


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """A model of the same structure with newly made weights; nothing is shared, and it is not compiled.

    Args:
        model: Sequential, functional, or of a class that ``from_config`` can make.
        input_tensors: symbolic tensors to build on, one for each input; default: new inputs.
        clone_function: called with every layer (but not the inputs), returns the layer to stand in its place; default:
            ``layer.from_config(layer.get_config())``. Returning the layer itself shares it.
        call_function: called with (layer, *args, **kwargs) in place of every call of a layer of a functional model.
        recursive: clone the layers of models inside one by one, too.

    Raises:
        ValueError: not a model; or arguments that do not fit the kind of model.
    """
    if not isinstance(model, Model):
        raise ValueError(f"clone_model takes a model, not {type(model).__name__}")
    own = clone_function or _copy_of

    def clone(layer: Layer) -> Layer:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(layer, clone_function=clone_function, call_function=None, recursive=True)
        copy = own(layer)
        if not isinstance(copy, Layer):
            raise ValueError(f"clone_function must return a layer; for {layer.name!r} it gave {type(copy).__name__}")
        return copy

    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("call_function is for functional models; a Sequential calls its layers in a row")
        return _clone_sequential(model, input_tensors, clone)
    if isinstance(model, Functional):
        return _clone_functional(model, input_tensors, clone, call_function)
    if input_tensors is not None or clone_function is not None or call_function is not None:
        raise ValueError(
            f"{type(model).__name__} is a subclassed model: it is cloned whole, by get_config() and from_config(), "
            f"so input_tensors, clone_function and call_function have no place"
        )
    return _copy_of(model)


def _copy_of(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _clone_sequential(model: Sequential, input_tensors: Any, clone: Callable[[Layer], Layer]) -> Sequential:
    first: list[Any] = []
    given = list(flatten(input_tensors)) if input_tensors is not None else []
    if len(given) > 1:
        raise ValueError(f"a Sequential has one input; {len(given)} input_tensors were given")
    if given:
        _check_symbolic(given)
        first = [Input(batch_shape=given[0].shape, dtype=str(given[0].dtype), name=given[0].name)]
    elif isinstance(model._stack[0] if model._stack else None, InputLayer):
        first = [_copy_of(model._stack[0])]
    return Sequential([*first, *map(clone, model.layers)], name=model.name)


def _clone_functional(
    model: Functional, input_tensors: Any, clone: Callable[[Layer], Layer], call: Callable[..., Any] | None
) -> Functional:
    function = model._function
    if input_tensors is None:
        names = model.input_names
        inputs = [
            Input(batch_shape=tensor.shape, dtype=str(tensor.dtype), name=name)
            for tensor, name in zip(function.inputs, names, strict=True)
        ]
    else:
        inputs = list(flatten(input_tensors))
        _check_symbolic(inputs)
        if len(inputs) != len(function.inputs):
            raise ValueError(
                f"{model.name!r} has {len(function.inputs)} inputs, {len(inputs)} input_tensors were given"
            )
    copies: dict[int, Any] = {}

    def stand_in(operation: Any) -> Any:
        if not isinstance(operation, Layer):
            return operation
        if id(operation) not in copies:
            copies[id(operation)] = clone(operation)
        copy = copies[id(operation)]
        return copy if call is None else lambda *args, **kwargs: call(copy, *args, **kwargs)

    outputs = function(inputs, stand_in)
    structure = iter(inputs)
    copy = Functional(map_structure(lambda _: next(structure), model.input_structure), outputs, name=model.name)
    copy._trainable = model._trainable
    return copy


def _check_symbolic(tensors: list[Any]) -> None:
    for tensor in tensors:
        if not isinstance(tensor, KerasTensor):
            raise ValueError(f"input_tensors must be symbolic tensors (from Input), not {type(tensor).__name__}")
