"""Metric: numbers gathered over batches. Its state are Variables; it works on arrays, off the graph."""

from functools import wraps
from typing import Any

import numpy as np

from minidl import config, initializers, opening, registry
from minidl.engine.op import no_grad
from minidl.engine.variable import Variable
from minidl_kernels import devices

__all__ = ["Metric"]


class Metric:
    """Base class: ``update_state`` for each batch, ``result`` for the number so far, ``reset_state`` to start anew.

    A subclass makes its state in ``__init__`` with ``add_weight``, counts in ``update_state(y_true, y_pred,
    sample_weight=None)`` and returns a scalar (or a dictionary of them) from ``result()``. Nothing that happens in
    ``update_state`` is recorded for gradients.

    Args:
        dtype: what the metric counts in; default ``config.floatx()``.
        name: the key in histories; default: the class name in snake case, numbered.
    """

    _variables: list[Variable]
    _counts_on_cpu = False  # its numbers are read from a GPU at every batch

    def __init__(self, dtype: Any = None, name: str | None = None):
        if name is not None and not isinstance(name, str):
            raise TypeError(f"the name of a metric must be a text, not {name!r}")
        self._dtype = _dtype_of(dtype)
        self.name = name or registry.auto_name(type(self).__name__)
        self._variables = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Ours see no tensors, only the arrays inside; what users write may run ops on predictions of a graph.
        if "update_state" in cls.__dict__ and not cls.__module__.startswith("minidl."):
            cls.update_state = _unrecorded(cls.__dict__["update_state"])  # type: ignore[method-assign]

    @property
    def dtype(self) -> str:
        """What the metric counts in."""
        return self._dtype

    # ---- what subclasses define ----

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Count a batch."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a method update_state(self, y_true, y_pred, sample_weight=None)"
        )

    def result(self) -> Any:
        """The value so far: a scalar, or a dictionary of scalars."""
        raise NotImplementedError(f"{type(self).__name__} needs a method result(self)")

    def reset_state(self) -> None:
        """Set all variables to zero."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        """A metric of a configuration."""
        return cls(**config)

    # ---- state ----

    def add_variable(
        self,
        shape: Any,
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Create a state variable.

        Args:
            shape: a tuple, a number, or () for a scalar.
            initializer: default "zeros". ``reset_state`` of this class sets zeros whatever stands here (as Keras).
            dtype: default ``config.floatx()``.
            aggregation: taken for Keras' sake; there is one device.
            name: for messages; the path is ``<name of the metric>/<name>``.
        """
        self._check_super_called()
        dtype = np.dtype(dtype or config.floatx())
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        opening.may_allocate(shape, dtype, f"metric {self.name!r}: a variable")
        make: Any = initializers.get("zeros" if initializer is None else initializer)
        with devices.scope(devices.CPU if self._counts_on_cpu else devices.current()):
            variable = Variable(make(shape, dtype=dtype), trainable=False, name=name, dtype=dtype)
        if variable.shape != shape:
            raise ValueError(f"metric {self.name!r}: the initializer made {variable.shape} for a variable of {shape}")
        variable.path = f"{self.name.replace('/', '>')}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Create a state variable; ``add_weight("total", initializer="zeros")``, as in Keras 2, works too."""
        if isinstance(shape, str):
            name, shape = shape, ()
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The state: of this metric, then of the metrics that it keeps as attributes."""
        self._check_super_called()
        kept = list(vars(self).values())
        found = self._variables + [value for value in kept if isinstance(value, Variable)]
        found += [variable for value in kept if isinstance(value, Metric) for variable in value.variables]
        return list({id(variable): variable for variable in found}.values())

    def reset_states(self) -> None:
        """What ``reset_state`` was called in Keras 2."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Count a batch, and return the value so far."""
        self._check_super_called()
        self.update_state(*args, **kwargs)
        return self.result()

    def _check_super_called(self) -> None:
        if "_variables" not in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}: write super().__init__(**kwargs) at the top of its __init__")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _unrecorded(update_state: Any) -> Any:
    @wraps(update_state)
    def wrapper(self: Metric, *args: Any, **kwargs: Any) -> Any:
        with no_grad():
            return update_state(self, *args, **kwargs)

    return wrapper


def _dtype_of(dtype: Any) -> str:
    if dtype is None:
        return config.floatx()
    if isinstance(dtype, dict):  # a DTypePolicy of Keras
        dtype = dtype.get("config", {}).get("name")
    try:
        found = np.dtype(
            {"int": "int32", "float": config.floatx()}.get(dtype, dtype) if isinstance(dtype, str) else dtype
        )
    except TypeError:
        found = None
    if found is None or found.kind not in "fiu":
        raise ValueError(f"dtype of a metric must name a type of numbers such as 'float32', not {dtype!r}")
    return str(found)
