"""What an optimizer keeps: the counter of steps, the learning rate, and variables beside the weights."""

from typing import Any

import numpy as np

from minidl import config, initializers, opening, registry
from minidl.engine.op import no_grad
from minidl.engine.tensor import Tensor, raw
from minidl.engine.variable import Variable
from minidl.noticed import Noticed
from minidl_kernels import devices, graphs
from minidl_kernels.arrays import is_array, to_numpy

from .schedules import LearningRateSchedule

__all__ = ["State"]


class State(Noticed):
    """The part of an optimizer that is saved; ``name`` is set before.

    Args:
        learning_rate: a float from 0 on, a LearningRateSchedule, or a function without arguments.
        gradient_accumulation_steps: how many calls of ``apply`` make one update; None: each does.
    """

    name: str

    def __init__(self, learning_rate: Any, gradient_accumulation_steps: int | None):
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._iterations = self._counted(np.array(0, np.int32), "iteration")
        self._learning_rate: Any = learning_rate
        if not callable(learning_rate):
            self._learning_rate = self._counted(_checked_rate(learning_rate), "learning_rate")
        self._slots: list[Variable] = []
        self._read: list[Variable] = []  # slots that stay on the CPU, too
        self._variables: list[Variable] = []
        self._places: dict[int, int] = {}  # of the variables, by id

    def _variable(self, start: Any, name: str | None) -> Variable:
        with registry.name_scope(self.name):
            return Variable(start, trainable=False, name=name)

    def _counted(self, start: Any, name: str) -> Variable:
        """A variable that stays on the CPU, since every step reads it: from a GPU, a read waits for all work before."""
        with devices.scope(devices.CPU):
            return self._variable(start, name)

    @property
    def slots(self) -> list[Variable]:
        """What is kept beside the weights, on their device."""
        return [slot for slot in self._slots if not any(slot is one for one in self._read)]

    @property
    def iterations(self) -> Tensor:
        """How many updates were made: calls of ``apply``, divided by gradient_accumulation_steps where that is set."""
        graphs.refuse(f"{type(self).__name__} computes with the number of steps")
        if not self.gradient_accumulation_steps:
            return self._iterations
        return Tensor.of(np.asarray(self._iterations.data // self.gradient_accumulation_steps))

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: a Variable, or what a schedule or a function gives.

        Assign a float to change it, or a schedule or a function to have one from here on.

        Raises:
            ValueError: assigned no float from 0 on.
            TypeError: a float was assigned where there is a schedule or a function.
        """
        graphs.refuse(f"{type(self).__name__} computes with the learning rate in Python")
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        with no_grad():
            # A schedule counts calls of apply, accumulating ones too.
            is_schedule = isinstance(self._learning_rate, LearningRateSchedule)
            return self._learning_rate(self._iterations) if is_schedule else self._learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value):
            self._learning_rate = value
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(_checked_rate(value))
        else:
            raise TypeError(
                f"learning_rate is {type(self._learning_rate).__name__} here, so it cannot be set to {value!r}; "
                f"make the optimizer with a float to be able to, or assign another schedule"
            )

    @property
    def variables(self) -> list[Variable]:
        """The counter, the learning rate (where it is a float), then all others as they were made: as in files."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, Variable) else []
        return [self._iterations, *rate, *self._slots]

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, *, name: str | None = None
    ) -> Variable:
        """A variable of the optimizer, saved along with it.

        Args:
            shape: its shape.
            initializer: name or object.
            dtype: default: floatx.
        """
        opening.may_allocate(tuple(shape), dtype or config.floatx(), "an optimizer's variable")
        start = initializers.get(initializer)(tuple(shape), dtype=dtype or config.floatx())  # type: ignore[misc]
        self._slots.append(self._variable(start, name))
        return self._slots[-1]

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the shape, dtype and device of a weight."""
        data = reference_variable.data
        opening.may_allocate(data.shape, data.dtype, "an optimizer's variable")
        start = initializers.get(initializer)(data.shape, dtype=data.dtype)  # type: ignore[misc]
        name = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"
        self._slots.append(self._variable(devices.beside(raw(start), data), name))
        return self._slots[-1]

    def add_optimizer_variables(self, trainable_variables: Any, name: Any, initializer: Any = "zeros") -> Any:
        """Variables for every weight.

        Args:
            trainable_variables: the weights.
            name: what to call them; of several names each weight gets all before the next one's turn comes.
            initializer: one, or a list with one for each name.

        Returns:
            A list; for several names a tuple of lists.
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        if len(names) != len(starts):
            raise ValueError(f"{len(names)} names and {len(starts)} initializers were given: {names}, {starts}")
        made = [
            [self.add_variable_from_reference(v, *settings) for settings in zip(names, starts, strict=True)]
            for v in trainable_variables
        ]
        columns = tuple([row[i] for row in made] for i in range(len(names)))
        return columns[0] if isinstance(name, str) else columns

    def set_weights(self, weights: list[Any]) -> None:
        """Assign all variables.

        Raises:
            ValueError: a different number of arrays, or a shape that differs; then nothing is assigned.
        """
        own, values = self.variables, [np.asarray(to_numpy(raw(w))) for w in weights]
        if len(own) != len(values):
            raise ValueError(
                f"the optimizer has {len(own)} variables, but set_weights() was given {len(values)} arrays"
            )
        for variable, value in zip(own, values, strict=True):
            if variable.shape != value.shape:
                raise ValueError(f"{variable.name} has shape {variable.shape}, but was given {value.shape}")
        for variable, value in zip(own, values, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Put all variables into a mapping, as "0", "1", ..."""
        for number, variable in enumerate(self.variables):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Assign all variables from such a mapping; see ``set_weights``."""
        self.set_weights([store[key] for key in sorted(store.keys(), key=int)])

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of a weight among those of ``build``; optimizers written for Keras ask for it."""
        return self._places[id(variable)]


def _checked_rate(value: Any) -> np.ndarray:
    number: Any = raw(value)
    if is_array(number) or isinstance(number, np.generic):
        number = to_numpy(number).item() if number.size == 1 and number.dtype.kind == "f" else value
    if not isinstance(number, float) or not number >= 0:
        raise ValueError(
            f"learning_rate must be a float from 0 on (write 1.0 rather than 1), a schedule, or a function, "
            f"not {value!r}"
        )
    return np.array(number, config.floatx())
