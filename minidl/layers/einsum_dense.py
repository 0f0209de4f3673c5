"""EinsumDense: a dense layer whose product is written by Einstein's convention."""

import math
import re
from typing import Any

from minidl import activations, constraints, initializers, ops, regularizers

from .core import weighted_config
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["EinsumDense"]


class EinsumDense(Layer):
    """activation(einsum(equation, x, kernel) + bias).

    Args:
        equation: such as "ab,bc->ac" (what Dense does), "abc,cde->abde", "...x,xy->...y" or "ab...,bc->ac...".
        output_shape: of one sample, without the axes that "..." stands for; None where the input decides.
        activation: name or function; default: none.
        bias_axes: the letters of the output along which the bias differs; default: no bias.
        kernel_initializer, bias_initializer: default "glorot_uniform" (which counts the kernel's axes that the output
            has as outputs, and the others as inputs) and "zeros".
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        kwargs.pop("quantization_config", None)
        super().__init__(**kwargs)
        self.equation = equation
        found = re.fullmatch(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?", equation)
        if not found or found[1] != found[5] or found[3] != found[7] or (found[1] and found[3]):
            raise ValueError(
                f"equation must read like 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...', not {equation!r}"
            )
        self._before, self._input, self._kernel, self._output = bool(found[1]), found[2], found[4], found[6]
        self._elided = bool(found[1] or found[3])
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.bias_axes = bias_axes
        if bias_axes is not None and not set(bias_axes) <= set(self._output):
            raise ValueError(f"bias_axes={bias_axes!r} names axes that the output of {equation!r} does not have")
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    @property
    def use_bias(self) -> bool:
        return self.bias_axes is not None

    def build(self, input_shape):
        extents, more = self._extents(input_shape)
        missing = [letter for letter in self._kernel if extents.get(letter) is None]
        if missing:
            raise ValueError(
                f"EinsumDense {self.name!r}: the kernel's axes {missing} of {self.equation!r} must be known, by the "
                f"input {input_shape} or output_shape {self.partial_output_shape}"
            )
        self.kernel = self.add_weight(
            tuple(extents[letter] for letter in self._kernel), self._start_of_kernel(extents),
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.bias_axes is not None:
            first = min(self._output.index(letter) for letter in self.bias_axes)
            shape = [extents[letter] if letter in self.bias_axes else 1 for letter in self._output[first:]]
            shape += [1] * (0 if self._before else len(more))
            self.bias = self.add_weight(
                shape, self.bias_initializer, regularizer=self.bias_regularizer, constraint=self.bias_constraint,
                name="bias",
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=len(input_shape))

    def _start_of_kernel(self, extents):
        """The initializer, told by the shape of a matrix which axes are inputs and which are outputs."""
        if not isinstance(self.kernel_initializer, initializers.VarianceScaling):
            return self.kernel_initializer
        outputs = math.prod(extents[letter] for letter in self._kernel if letter in self._output)
        inputs = math.prod(extents[letter] for letter in self._kernel if letter not in self._output)

        def start(shape, dtype=None):
            return ops.reshape(self.kernel_initializer((inputs, outputs), dtype=dtype), shape)

        return start

    def _extents(self, input_shape):
        """The extent of each letter, and those that "..." stands for."""
        count = len(input_shape) - len(self._input)
        if count < 0 or (count and not self._elided):
            raise ValueError(f"EinsumDense {self.name!r}: {self.equation!r} does not fit an input of {input_shape}")
        more = tuple(input_shape[:count] if self._before else input_shape[len(self._input) :])
        own = input_shape[count:] if self._before else input_shape[: len(self._input)]
        extents = dict(zip(self._input, own, strict=True))
        # The batch axis is the first one of the output: the first letter, or the first behind "...".
        given = self.partial_output_shape if self._before and count else (input_shape[0], *self.partial_output_shape)
        if len(given) != len(self._output):
            raise ValueError(
                f"EinsumDense {self.name!r}: output_shape {self.partial_output_shape} does not fit the output "
                f"{self._output!r} of {self.equation!r}"
            )
        for letter, n in zip(self._output, given, strict=True):
            if n is not None and extents.get(letter) not in (None, n):
                raise ValueError(
                    f"EinsumDense {self.name!r}: axis {letter!r} of {self.equation!r} is {extents[letter]} in the "
                    f"input, but {n} in the output"
                )
            extents[letter] = extents.get(letter) if n is None else n
        return extents, more

    def call(self, inputs):
        y = ops.einsum(self.equation, inputs, self.kernel)
        return self.activation(y if self.bias is None else ops.add(y, self.bias))

    def compute_output_shape(self, input_shape):
        extents, more = self._extents(input_shape)
        own = tuple(extents[letter] for letter in self._output)
        return (*more, *own) if self._before else (*own, *more)

    def get_config(self):
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": self.partial_output_shape,
            "bias_axes": self.bias_axes,
            **{key: value for key, value in weighted_config(self).items() if key != "use_bias"},
        }
