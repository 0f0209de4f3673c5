"""What all optimizers share: their settings, and the order of things in one step."""

import inspect
import re
import warnings
from typing import Any, ClassVar

from minidl import registry
from minidl.engine.op import no_grad
from minidl.engine.tensor import Tensor, as_array, raw
from minidl.engine.variable import Variable
from minidl_kernels.graphs import counts, number, recording, refuse, used

from .clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from .settings import check_settings, full_signature
from .state import State

__all__ = ["Optimizer"]

CLIPS = {"clipnorm": clip_by_norm, "global_clipnorm": clip_by_global_norm, "clipvalue": clip_by_value}


class Optimizer(State):
    """Base class. A subclass makes its slots in ``build``, and writes ``update`` for all weights at once, on arrays, or
    ``update_step`` for one variable, with ops.

    One step: gradients are divided by loss_scale_factor, accumulated, clipped; weights decay; the update; the average;
    constraints; the counter goes up.

    Args:
        learning_rate: a float from 0 on, a LearningRateSchedule, or a function without arguments.
        weight_decay: w -= weight_decay * learning_rate * w before each update, for all weights (biases too) but those
            of ``exclude_from_weight_decay``. Default None.
        clipnorm: the largest norm of the gradient of one weight. Default None.
        clipvalue: the largest absolute value of an element of a gradient. Default None.
        global_clipnorm: the largest norm of all gradients together. Default None; one of these three at most.
        use_ema: keep an exponential moving average of each weight, and put it in place of the weight when ``fit`` ends.
        ema_momentum: average = ema_momentum * average + (1 - ema_momentum) * weight. Default 0.99.
        ema_overwrite_frequency: put the averages in place of the weights after every so many steps. Default None.
        loss_scale_factor: ``scale_loss`` multiplies by it, and gradients are divided by it. Default None.
        gradient_accumulation_steps: make an update of the mean gradient of so many steps, from 2 on. Default None.
        name: for messages and files.

    Raises:
        TypeError: an argument that does not exist.
        ValueError: a value out of its range, or two ways of clipping.
    """

    __signature__: ClassVar[inspect.Signature]

    def __init__(
        self,
        learning_rate: Any = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if kwargs.pop("decay", None):
            warnings.warn("decay is ignored: pass a schedule as learning_rate, such as InverseTimeDecay", stacklevel=3)
        if kwargs:
            known = inspect.signature(type(self)).parameters
            hints = [f"{key}{registry.did_you_mean(key, known)}" for key in kwargs]
            raise TypeError(f"{type(self).__name__} got unknown arguments: {', '.join(hints)}")
        self.weight_decay, self.loss_scale_factor = weight_decay, loss_scale_factor
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.name = name or registry.auto_name(type(self).__name__)
        super().__init__(learning_rate, gradient_accumulation_steps)
        check_settings(self)
        self.built = False
        self._clips = [(clip, most) for key, clip in CLIPS.items() if (most := getattr(self, key))]
        self._undecayed: tuple[set[int], str | None] = set(), None  # ids of weights, and a pattern for their names
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        cls.__signature__ = full_signature(cls)

    def build(self, variables: list[Variable]) -> None:
        """Make the slots for these variables; once built, an optimizer stays as it is."""
        if self.built:
            return
        self._variables = list(variables)
        self._places = {id(v): i for i, v in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self.built = True

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Let weights be: these, and those in whose name (such as "bias") one of ``var_names`` is found."""
        self._undecayed = {id(v) for v in var_list or ()}, "|".join(var_names) if var_names else None

    def _decays(self, variable: Variable) -> bool:
        ids, pattern = self._undecayed
        return id(variable) not in ids and (pattern is None or re.search(pattern, variable.name) is None)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times loss_scale_factor: what to take the gradient of."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # ---- one step ----

    def apply(self, grads: Any, trainable_variables: Any = None) -> int:
        """One step.

        Args:
            grads: one gradient (array or Tensor) for each variable; None: the variable stays as it is, with a warning.
                With none at all nothing is done.
            trainable_variables: default: those of ``build``.

        Returns:
            The number of steps so far.

        Raises:
            ValueError: None for all gradients, different numbers or shapes, or a variable that is not one of ``build``.
        """
        grads = list(grads)
        if not grads:
            return int(self._iterations.data)
        if trainable_variables is None and not self.built:
            raise ValueError(f"{self.name}: call build(variables) first, or pass apply() the variables")
        variables = self._variables if trainable_variables is None else list(trainable_variables)
        if recording():
            for variable in (*variables, *self.slots):
                used(variable)
        if len(grads) != len(variables):
            raise ValueError(f"{self.name}: {len(grads)} gradients were given for {len(variables)} variables")
        chosen = [v for v, g in zip(variables, grads, strict=True) if g is not None]
        if not chosen:
            raise ValueError(f"{self.name}: no gradients provided for any variable; does the loss depend on them?")
        if self.built:
            self._check_known(variables)
        arrays = [
            g.data if type(g) is Tensor and g.data.dtype is v.data.dtype else as_array(g, v.data.dtype)
            for v, g in zip(variables, grads, strict=True)
            if g is not None
        ]
        for variable, array in zip(chosen, arrays, strict=True):
            if array.shape != variable.data.shape:
                raise ValueError(
                    f"{self.name}: the gradient of {variable.path!r} must have its shape {variable.shape}, not "
                    f"{array.shape}"
                )
        if len(chosen) < len(variables):
            without = [v.path for v, g in zip(variables, grads, strict=True) if g is None]
            warnings.warn(f"{self.name}: no gradient came for {without}; they stay as they are", stacklevel=2)
        if not self.built:
            self.build(variables)
        self._step(chosen, arrays)
        for variable in chosen:
            if variable.constraint is not None:
                variable.assign(raw(variable.constraint(Tensor.of(variable.data))))
            variable.version += 1
        counts(self._iterations)
        self._iterations.data = self._iterations.data + 1
        self._iterations.version += 1
        return int(self._iterations.data)

    def apply_gradients(self, grads_and_vars: Any) -> Tensor:
        """One step from pairs (gradient, variable); returns the counter.

        Raises:
            ValueError: something else than pairs.
        """
        pairs = list(grads_and_vars)
        if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
            raise ValueError(
                f"{self.name}: apply_gradients() takes pairs (gradient, variable); write "
                f"apply_gradients(zip(gradients, model.trainable_variables))"
            )
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def _check_known(self, variables: list[Variable]) -> None:
        for variable in () if self._places.keys() >= {*map(id, variables)} else variables:
            if id(variable) not in self._places:
                raise ValueError(
                    f"{self.name} does not know variable {variable.path!r}: it was built for "
                    f"{[v.path for v in self._variables]}; an optimizer is for one model: compile the model again, or "
                    f"make a new optimizer for it"
                )

    def _updates(self) -> int:
        """How many updates were made; fewer than calls of ``apply`` where gradients are accumulated."""
        refuse(f"{type(self).__name__} computes with the number of steps")
        return int(self._iterations.data) // (self.gradient_accumulation_steps or 1)

    def _step(self, variables: list[Variable], grads: list[Any]) -> None:
        places = list(map(self._places.__getitem__, map(id, variables)))
        if self.loss_scale_factor is not None:
            grads = [g / self.loss_scale_factor for g in grads]
        if not self.gradient_accumulation_steps or (grads := self._accumulated(places, grads)):
            for clip, most in self._clips:
                grads = clip(grads, float(most))
            rate = number(self._rate)
            weights = [v.data for v in variables]
            if self.weight_decay:
                decay = number(lambda rate: self.weight_decay * rate, rate)
                for variable, weight in zip(variables, weights, strict=True):
                    if self._decays(variable):
                        weight -= weight * decay
            self.update(places, weights, grads, rate)
        if self.use_ema:
            self._average()

    def _rate(self) -> float:
        """The learning rate of this step."""
        return float(raw(self._learning_rate if isinstance(self._learning_rate, Variable) else self.learning_rate))

    def _accumulated(self, places: list[int], grads: list[Any]) -> list[Any]:
        """The mean gradients where an update is due, nothing where it is not."""
        refuse("gradients are accumulated over several steps")
        steps: Any = self.gradient_accumulation_steps
        sums = [self._accumulators[i].data for i in places]
        for total, g in zip(sums, grads, strict=True):
            total += g
        if (int(self._iterations.data) + 1) % steps:
            return []
        means = [total / steps for total in sums]
        for total in sums:
            total[...] = 0
        return means

    def _average(self) -> None:
        # As in Keras, the weights replace the averages until the first update is counted, and all weights take part,
        # with and without a gradient.
        momentum = number(lambda: self.ema_momentum if self._updates() else 0.0)
        fresh = number(lambda momentum: 1 - momentum, momentum)
        for variable, average in zip(self._variables, self._averages, strict=True):
            average.data *= momentum
            average.data += fresh * variable.data
        if self.ema_overwrite_frequency and (self._updates() + 1) % self.ema_overwrite_frequency == 0:
            self.finalize_variable_values(self._variables)

    def finalize_variable_values(self, var_list: Any) -> None:
        """Where use_ema is set, put the averages in place of these weights; ``fit`` does so when it ends.

        Weights that it does not train stay as they are.
        """
        if not self._averages:
            return
        for variable in var_list:
            if id(variable) in self._places:
                variable.data[...] = self._averages[self._places[id(variable)]].data
                variable.version += 1

    def update(self, places: list[int], weights: list[Any], grads: list[Any], rate: Any) -> None:
        """Change the weights (arrays, in place); ``places`` says which slots belong to them.

        ``rate`` is a number; where the step is recorded (``minidl_kernels.graphs``) an array that will hold it.
        """
        learning_rate = self.learning_rate
        with no_grad():
            for place, grad in zip(places, grads, strict=True):
                self.update_step(Tensor.of(grad), self._variables[place], learning_rate)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        """Change one variable, with ``assign``, ``assign_add`` or ``assign_sub``."""
        raise NotImplementedError(
            "an optimizer defines update_step(gradient, variable, learning_rate), or for all weights at once "
            "update(places, weights, grads, rate)"
        )

    def assign(self, variable: Variable, value: Any) -> None:
        """Assign to a weight or a slot."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a weight or a slot."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a weight or a slot."""
        variable.assign_sub(value)

    # ---- configuration ----

    def get_config(self) -> dict[str, Any]:
        rate = self._learning_rate
        return {
            "name": self.name,
            "learning_rate": float(rate) if isinstance(rate, Variable) else registry.serialize(rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "Optimizer":
        """An optimizer of a configuration; what only earlier versions of Keras wrote is left out."""
        kept = {key: value for key, value in config.items() if key not in ("jit_compile", "is_legacy_optimizer")}
        if isinstance(kept.get("learning_rate"), dict):
            kept["learning_rate"] = registry.deserialize(kept["learning_rate"], custom_objects)
        return cls(**kept)
