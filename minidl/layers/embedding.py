"""Embedding: a learned vector for each of the first whole numbers."""

from typing import Any

from minidl import constraints, initializers, ops, registry, regularizers
from minidl.engine.tensor import raw

from . import masks
from .core import positive_int
from .layer import Layer

__all__ = ["Embedding"]


class Embedding(Layer):
    """A row of a learned table for each whole number.

    Args:
        input_dim: how many numbers there are: 0 to input_dim - 1.
        output_dim: length of a row.
        embeddings_initializer: default "uniform", between -0.05 and 0.05.
        embeddings_regularizer, embeddings_constraint: of the table.
        mask_zero: whether 0 stands for "nothing here"; the outputs then carry a mask of where something is.
        weights: the table, where it is known.

    Shapes: (batch, ...) -> (batch, ..., output_dim); the table is (input_dim, output_dim).

    Raises:
        ValueError: a number that has no row (in ``call``).
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ):
        for ignored in ("input_length", "quantization_config"):  # Keras 2's; what its files may hold
            kwargs.pop(ignored, None)
        super().__init__(**kwargs)
        self.input_dim, self.output_dim = positive_int("input_dim", input_dim), positive_int("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = self.supports_masking = mask_zero
        if mask_zero:
            masks.start()
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape=None):
        if not self.built:
            self.embeddings = self.add_weight(
                (self.input_dim, self.output_dim), self.embeddings_initializer, name="embeddings",
                regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
            )  # fmt: skip

    def call(self, inputs):
        indices = inputs if inputs.dtype.kind in "iu" else ops.cast(inputs, "int32")
        numbers = raw(indices)
        if numbers.size and (numbers.min() < 0 or numbers.max() >= self.input_dim):
            raise ValueError(
                f"Embedding {self.name!r} has rows for 0 to {self.input_dim - 1} (input_dim={self.input_dim}), but the "
                f"inputs reach from {numbers.min()} to {numbers.max()}; "
                f"{f'write input_dim={numbers.max() + 1}' if numbers.min() >= 0 else 'none may be negative'}"
            )
        return ops.take(self.embeddings, indices, axis=0)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": registry.serialize(self.embeddings_initializer),
            "embeddings_regularizer": registry.serialize(self.embeddings_regularizer),
            "embeddings_constraint": registry.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }
