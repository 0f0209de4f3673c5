"""Every kernel against its reference in every implementation; and that none can be forgotten."""

import ast
import copy
from pathlib import Path

import numpy as np
import pytest

import minidl.ops
import minidl_kernels
from minidl_kernels.kernel import Output, kernel, kernels
from tests.kernels import cupy_names
from tests.kernels.cases import CASES

OURS = {name: one for name, one in kernels.items() if one.__module__.startswith("minidl_kernels.")}
NAMES = set(cupy_names.names())


def without_case(registry):
    return sorted(set(registry) - set(CASES))


def results(one, implementation, arrays, settings):
    """What a kernel returns, or, where it works in place, what it leaves behind."""
    arrays = copy.deepcopy(arrays)
    with one.use(implementation):
        found = one(*arrays, **settings)
    found = arrays[:1] + arrays[2:] if found is None else found
    flat = found if isinstance(found, tuple) else (found,)
    return [y for part in flat for y in (part if isinstance(part, list) else [part])]


IMPLEMENTATIONS = [
    (name, implementation)
    for name, one in OURS.items()
    for implementation in one.available()
    if implementation != "reference" and "numpy" in one.get(implementation).on
]


def refuses(one, implementation, arrays, settings):
    try:
        results(one, implementation, arrays, settings)
    except ValueError as error:
        return "it refuses" in str(error)
    return False


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, implementation", IMPLEMENTATIONS)
def test_agrees_with_the_reference(name, implementation, dtype):
    one = OURS[name]
    for arrays, settings in CASES[name](dtype):
        if refuses(one, implementation, arrays, settings):
            continue
        expected = results(one, "reference", arrays, settings)
        found = results(one, implementation, arrays, settings)
        for y, e in zip(found, expected, strict=True):
            assert y.shape == e.shape and y.dtype == e.dtype
            tolerance = 2e-5 if e.dtype == "float32" else 1e-12
            np.testing.assert_allclose(y, e, rtol=tolerance, atol=tolerance * max(1.0, np.abs(e).max(initial=0)))


def test_every_kernel_has_cases_and_a_reference():
    assert without_case(OURS) == [] and set(CASES) == set(OURS)
    assert {name for name, one in OURS.items() if "reference" not in one.available()} == set()
    assert set(minidl_kernels.kernels) >= set(OURS)


def test_every_implementation_accepts_most_cases_or_at_least_five():
    for name, implementation in IMPLEMENTATIONS:
        refused = [refuses(OURS[name], implementation, *call) for call in CASES[name]("float32")]
        accepted = len(refused) - sum(refused)
        assert accepted >= min(len(refused) / 2, 5), (name, implementation)


def test_a_kernel_without_a_case_is_noticed():
    @kernel(arrays=1)
    def forgotten(x):
        return Output(x.shape, x.dtype)

    try:
        assert without_case({**OURS, "forgotten": forgotten}) == ["forgotten"]
    finally:
        del kernels["forgotten"]


# ---- what is written once for NumPy and CuPy uses what both have ----


def library_names(source):
    """The attributes asked of ``xp``, ``self.xp``, ``namespace(...)`` and ``maker()``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            called = isinstance(node.value, ast.Call)
            owner = node.value.func if called else node.value
            if getattr(owner, "id", getattr(owner, "attr", "")) in (("namespace", "maker") if called else ("xp",)):
                yield node.attr


def test_names_of_the_array_library_exist_in_cupy_and_numpy():
    kernels, ops = (Path(package.__file__).parent for package in (minidl_kernels, minidl.ops))
    sources = [*kernels.rglob("*.py"), *ops.parent.rglob("*.py")]
    used = [(path, name) for path in sources for name in library_names(path.read_text("utf-8"))]
    assert {"maximum", "exp"} <= {name for _, name in used} & NAMES
    assert [one for one in used if one[1] not in NAMES | {"__name__", "__version__"}] == []
    for_both = [one for one in used if one[0].name == "array.py" or one[0].parent == ops]
    assert len({path for path, _ in for_both}) > 15
    assert [one for one in for_both if not hasattr(np, one[1])] == []


def test_a_name_that_cupy_lacks_would_be_found():
    source = (
        "def f(x):\n    xp = namespace(x)\n    return xp.spacing(x) + namespace(x).exp(x) + x.copy() + self.xp.log(x)"
    )
    assert list(library_names(source)) == ["log", "spacing", "exp"] and "spacing" not in NAMES
