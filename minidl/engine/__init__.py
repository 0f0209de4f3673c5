"""The engine: tensors, what ops record, and the walk that applies the chain rule."""

from .op import Op, no_grad, op
from .tape import GradientTape
from .tensor import Tensor
from .variable import Variable
from .walk import grad

__all__ = ["GradientTape", "Op", "Tensor", "Variable", "grad", "no_grad", "op"]
