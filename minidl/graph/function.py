"""The calls between given inputs and outputs, as a function of the inputs."""

from typing import Any

from .symbolic import Call, KerasTensor, flatten, map_structure

__all__ = ["Function"]


class Function:
    """Runs a graph.

    Args:
        inputs, outputs: nested structures of KerasTensors.

    Raises:
        ValueError: an output that does not follow from the inputs.
    """

    def __init__(self, inputs: Any, outputs: Any):
        self.inputs, self.outputs = list(flatten(inputs)), list(flatten(outputs))
        self.output_structure = outputs
        for tensor in (*self.inputs, *self.outputs):
            if not isinstance(tensor, KerasTensor):
                hint = "call the model with data later" if hasattr(tensor, "shape") else "write Input(shape=...)"
                if hasattr(tensor, "compute_output_shape"):
                    hint = f"call the layer: {type(tensor).__name__}(...)(x)"
                raise ValueError(
                    f"inputs and outputs of a model are symbolic tensors (from minidl.Input or a layer called on one), "
                    f"not {type(tensor).__name__}; {hint}"
                )
        try:
            self.calls = self._sorted_calls()
        except ValueError:  # perhaps they are outputs of models that were called as layers of this graph
            self.outputs, found = self._called_elsewhere()
            self.output_structure = map_structure(lambda leaf: found[id(leaf)], outputs)
            self.calls = self._sorted_calls()
        self._fused = self._pairs()

    def _pairs(self) -> dict[int, Any]:
        """What runs in place of two calls, under the place of the second; under that of the first None.

        Two calls are a pair where the first has one output, which goes to the second alone, and the first one's layer
        knows how to do both at once (``fused_with``).
        """
        readers: dict[int, list[Call | None]] = {id(tensor): [None] for tensor in self.outputs}
        for call in self.calls:
            for tensor in call.inputs():
                readers.setdefault(id(tensor), []).append(call)
        places = {id(call): place for place, call in enumerate(self.calls)}
        found: dict[int, Any] = {}
        for place, call in enumerate(self.calls):
            after = readers.get(id(call.outputs[0]), [])
            if len(call.outputs) == 1 == len(after) and after[0] is not None and hasattr(call.operation, "fused_with"):
                both = call.operation.fused_with(after[0].operation)
                plain = all(len(c.args) == 1 and not c.kwargs and c.args[0] is c.inputs()[0] for c in (call, after[0]))
                if both is not None and plain:
                    found |= {place: None, places[id(after[0])]: (call.args[0], both)}
        return found

    def _sorted_calls(self) -> list[Call]:
        """All calls needed, in the order in which they were made, which is topological order."""
        given = {id(t) for t in self.inputs}
        needed: dict[int, Call] = {}
        stack = [t for t in self.outputs if id(t) not in given]
        while stack:
            tensor = stack.pop()
            if tensor.call is None or not tensor.call.inputs():
                raise ValueError(
                    f"the output depends on {tensor!r}, which is not among the model's inputs "
                    f"{[t.name for t in self.inputs]}"
                )
            if id(tensor.call) not in needed:
                needed[id(tensor.call)] = tensor.call
                stack.extend(t for t in tensor.call.inputs() if id(t) not in given)
        return sorted(needed.values(), key=lambda call: call.order)

    def _called_elsewhere(self) -> tuple[list[KerasTensor], dict[int, KerasTensor]]:
        """The outputs, with those of inner models replaced by what calling these models on the way made."""
        given = {id(t) for t in self.inputs}
        found: dict[int, KerasTensor] = {}
        for tensor in self.outputs:
            others = (one for one in getattr(tensor, "elsewhere", ()) if _follows(one, given))
            found[id(tensor)] = tensor if _follows(tensor, given) else next(others, tensor)
        return [found[id(t)] for t in self.outputs], found

    def __call__(self, values: list[Any], stand_in: Any = None) -> Any:
        """The outputs, in their structure, for one value of each input.

        Args:
            stand_in: gives for a layer or op of the graph what is called in its place.
        """
        known = {id(t): v for t, v in zip(self.inputs, values, strict=True)}
        fused = self._fused if stand_in is None else {}
        for place, call in enumerate(self.calls):
            if place in fused:
                if (pair := fused[place]) is not None:
                    known[id(call.outputs[0])] = pair[1](known[id(pair[0])])
                continue
            args, kwargs = call.args, call.kwargs
            if len(args) == 1 and not kwargs and isinstance(args[0], KerasTensor):
                args = (known[id(args[0])],)
            else:
                args, kwargs = map_structure(
                    lambda leaf: known[id(leaf)] if isinstance(leaf, KerasTensor) else leaf, (args, kwargs)
                )
            operation = call.operation if stand_in is None else stand_in(call.operation)
            result = operation(*args, **kwargs)
            if len(call.outputs) == 1 and not isinstance(result, (list, tuple, dict)):
                known[id(call.outputs[0])] = result
            else:
                known.update(zip(map(id, call.outputs), flatten(result), strict=True))
        if isinstance(self.output_structure, KerasTensor):
            return known[id(self.output_structure)]
        return map_structure(lambda leaf: known[id(leaf)], self.output_structure)

    def operations(self) -> list[Any]:
        """Every layer and op once, also those of the inputs, in Keras' order: by depth above the outputs, then as met.

        Files and ``model.layers`` depend on this order.
        """
        finished: list[Call] = []  # every call after the calls it depends on
        met: dict[int, int] = {}
        entered: set[int] = set()
        needed = {id(call) for call in self.calls}
        stack = [(t.call, False) for t in reversed(self.outputs)]
        while stack:
            call, leaving = stack.pop()
            if call is None or (id(call) in entered and not leaving):
                continue
            if call.inputs() and id(call) not in needed:
                continue  # it makes an input: the graph begins inside another one
            if leaving:
                finished.append(call)
                continue
            entered.add(id(call))
            met.setdefault(id(call.operation), len(met))
            stack.append((call, True))
            stack.extend((t.call, False) for t in reversed(self._parents(call)))
        depths: dict[int, int] = {}
        operations = {id(call.operation): call.operation for call in finished}
        for call in reversed(finished):
            depth = max(depths.get(id(call), 0), depths.get(id(call.operation), 0))
            depths[id(call)] = depths[id(call.operation)] = depth
            for tensor in self._parents(call):
                depths[id(tensor.call)] = max(depths.get(id(tensor.call), 0), depth + 1)
        for tensor in self.inputs:
            if tensor.call is not None and not tensor.call.inputs():
                operations.setdefault(id(tensor.call.operation), tensor.call.operation)
        ordered = sorted(operations, key=lambda key: (-depths.get(key, 0), met.get(key, -1)))
        return [operations[key] for key in ordered]

    def _parents(self, call: Call) -> list[KerasTensor]:
        given = {id(t) for t in self.inputs}
        return [] if any(id(t) in given for t in call.outputs) else call.inputs()


def _follows(tensor: KerasTensor, given: set[int]) -> bool:
    """Whether a tensor is made of the given ones alone."""
    stack, seen = [tensor], set(given)
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.call is None or not one.call.inputs():
            return False
        stack.extend(one.call.inputs())
    return True
