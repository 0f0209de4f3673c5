"""The table of cases: every op of the engine and every public function of ``minidl.ops``, by name.

Who writes an op adds a line to one of the tables (``test_registry.py`` fails without it); what is tested of a case
stands in ``checker.py``.
"""

from collections.abc import Callable
from typing import Any

from minidl import ops
from tests.ops.case import Case, case
from tests.ops.cases_arithmetic import ACTIVATIONS, ARITHMETIC, PIECEWISE
from tests.ops.cases_convolution import CONVOLUTIONS
from tests.ops.cases_image import SAMPLING
from tests.ops.cases_more import ARRANGING, ELEMENTARY, FLOW, LINEAR, ORDER, STATISTICS, WHOLE
from tests.ops.cases_nets import CTC, LENGTHS, LOSSES, NORMALIZATION, PICTURES, PRODUCTS, RANDOMNESS
from tests.ops.cases_shaping import REDUCTIONS, SHAPING

CASES: dict[str, list[Case]] = {
    **ARITHMETIC, **ACTIVATIONS, **SHAPING, **REDUCTIONS, **PRODUCTS, **PICTURES, **NORMALIZATION, **LOSSES,
    **RANDOMNESS, **ELEMENTARY, **WHOLE, **ARRANGING, **ORDER, **STATISTICS, **LINEAR, **FLOW,
    **LENGTHS, **SAMPLING, **PIECEWISE,
    **CONVOLUTIONS,
    **RANDOMNESS,
    **LENGTHS,
    **CTC,
    **PIECEWISE,
}  # fmt: skip


def first_output(expected: Callable[..., Any]) -> Callable[..., Any]:
    def first(**arguments: Any) -> Any:
        outputs = expected(**arguments)
        return outputs[0] if isinstance(outputs, tuple) else outputs

    return first


# The composed twin of a fused op gives the same (first) output for the same arguments.
TWINS = {name: name.removesuffix("_composed") for name in dir(ops) if name.endswith("_composed")}
CASES |= {
    twin: [case(first_output(one.expected), **one.arguments) for one in CASES[fused] if one.expected]
    for twin, fused in TWINS.items()
}
