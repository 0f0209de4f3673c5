"""What all optimizers share: the counter, the learning rate, and the order of things in one step."""

import inspect
from typing import Any

import numpy as np

from minidl import registry
from minidl.engine.tensor import Tensor, raw
from minidl.engine.variable import Variable
from minidl_kernels.arrays import namespace

__all__ = ["Optimizer"]


# Settings that Keras writes for every optimizer, with the values at which they do nothing.
KERAS_OFF = {
    "weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None, "use_ema": False,
    "ema_momentum": 0.99, "ema_overwrite_frequency": None, "loss_scale_factor": None,
    "gradient_accumulation_steps": None, "jit_compile": True, "amsgrad": False,
}  # fmt: skip


class Optimizer:
    """Base class. A subclass makes its slots in ``build`` and writes ``update`` for all variables at once.

    Args:
        learning_rate: a positive float.
        name: for messages and files.
    """

    def __init__(self, learning_rate: float = 0.01, name: str | None = None, **kwargs: Any):
        if kwargs:
            known = inspect.signature(type(self).__init__).parameters
            hints = [f"{name}{registry.did_you_mean(name, known)}" for name in kwargs]
            raise TypeError(f"{type(self).__name__} got unknown arguments: {', '.join(hints)}")
        self.name = name or registry.auto_name(type(self).__name__)
        self.iterations = Variable(np.array(0, np.int32), trainable=False, name="iteration")
        self._learning_rate = Variable(_checked_rate(learning_rate), trainable=False, name="learning_rate")
        self.built = False
        self._variables: list[Variable] = []
        self._places: dict[int, int] = {}  # of the variables, by id

    @property
    def learning_rate(self) -> float:
        """The learning rate; assign a float to change it."""
        return float(self._learning_rate.data)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._learning_rate.assign(_checked_rate(value))

    @property
    def variables(self) -> list[Variable]:
        """The counter, the learning rate, then the slots: the order in files."""
        return [self.iterations, self._learning_rate, *self._slots()]

    def _slots(self) -> list[Variable]:
        """The slot variables in the order of files."""
        return []

    def _slot(self, variable: Variable, name: str) -> Variable:
        """A variable of zeros that belongs to a weight."""
        zeros = namespace(variable.data).zeros_like(variable.data)
        return Variable(zeros, trainable=False, name=f"{variable.path.replace('/', '_')}_{name}")

    def build(self, variables: list[Variable]) -> None:
        """Make the slots for these variables."""
        self._variables = list(variables)
        self._places = {id(v): i for i, v in enumerate(variables)}
        self.built = True

    def apply(self, grads: list[Any], trainable_variables: list[Variable] | None = None) -> int:
        """One step.

        Args:
            grads: one gradient (array or Tensor) for each variable; None: the variable stays as it is.
            trainable_variables: default: those of ``build``.

        Returns:
            The number of steps so far.

        Raises:
            ValueError: no gradient at all, different numbers, or a variable the optimizer was not built for.
        """
        variables = self._variables if trainable_variables is None else list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(f"{self.name}: {len(grads)} gradients were given for {len(variables)} variables")
        if not self.built:
            self.build(variables)
        for variable in variables:
            if id(variable) not in self._places:
                raise ValueError(
                    f"{self.name} does not know variable {variable.path!r}: it was built for "
                    f"{[v.path for v in self._variables]}; compile the model again, or use a new optimizer"
                )
        chosen = [(v, raw(g)) for v, g in zip(variables, grads, strict=True) if g is not None]
        if not chosen:
            raise ValueError(f"{self.name}: no gradients provided for any variable; does the loss depend on them?")
        self.update([self._places[id(v)] for v, _ in chosen], [v.data for v, _ in chosen], [g for _, g in chosen])
        for variable, _ in chosen:
            if variable.constraint is not None:
                variable.assign(raw(variable.constraint(Tensor.of(variable.data))))
            variable.version += 1
        self.iterations.data = self.iterations.data + 1
        self.iterations.version += 1
        return int(self.iterations.data)

    def apply_gradients(self, grads_and_vars: Any) -> int:
        """One step from pairs (gradient, variable)."""
        pairs = list(grads_and_vars)
        return self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def update(self, places: list[int], weights: list[Any], grads: list[Any]) -> None:
        """Change the weights (arrays, in place); ``places`` says which slots belong to them."""
        raise NotImplementedError("an optimizer defines update(places, weights, grads)")

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "learning_rate": self.learning_rate}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Optimizer":
        """An optimizer of a configuration; settings of Keras that are off there need no support here.

        Raises:
            ValueError: a setting that is on and not supported.
        """
        kept = {}
        for key, value in config.items():
            if key not in KERAS_OFF:
                kept[key] = value
            elif value not in (KERAS_OFF[key], None) and key not in ("ema_momentum", "ema_overwrite_frequency"):
                raise ValueError(f"{cls.__name__}: {key}={value!r} is not supported yet")
        return cls(**kept)


def _checked_rate(value: Any) -> np.ndarray:
    if isinstance(value, bool) or not isinstance(value, (float, np.floating)) or not value >= 0:
        raise ValueError(f"learning_rate must be a float from 0 on, not {value!r} (write 1.0 rather than 1)")
    return np.array(value, np.float32)
