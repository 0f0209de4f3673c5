"""Symbolic inputs, and the graph of calls between inputs and outputs as a function."""

from .function import Function
from .symbolic import Call, KerasTensor, infer, record, symbolic_in

__all__ = ["Call", "Function", "KerasTensor", "infer", "record", "symbolic_in"]
