"""Every op and every public function of ``minidl.ops`` against its cases; and that none can be forgotten."""

import types

import numpy as np
import pytest

from minidl import ops
from minidl.engine.op import Op, op, registered
from tests.ops.case import case
from tests.ops.cases import CASES
from tests.ops.checker import check, check_constant
from tests.ops.constants import CONSTANT, TESTED_BY_VALUE

OURS = {name: one for name, one in registered.items() if one.__module__.startswith("minidl.")}
PUBLIC = {name: f for name, f in vars(ops).items() if callable(f) and not name.startswith("_")}


def function_named(name):
    return registered[name] if name in registered else getattr(ops, name)


def uncovered(of_registry, of_namespace):
    """Names that have no case; an alias is covered by what it stands for."""
    covered = {id(function_named(name)) for name in (*CASES, *CONSTANT, *TESTED_BY_VALUE)}
    every = {**of_registry, **of_namespace}
    return sorted(name for name, f in every.items() if id(f) not in covered)


@pytest.mark.parametrize("name, position", [(name, i) for name, cases in CASES.items() for i in range(len(cases))])
def test_case(name, position):
    check(function_named(name), CASES[name][position])


@pytest.mark.parametrize("name", CONSTANT)
def test_constant_case(name):
    for one in CONSTANT[name]:
        check_constant(function_named(name), one)


def test_every_op_and_every_public_function_has_a_case():
    assert uncovered(OURS, PUBLIC) == []
    assert all(CASES.values()) and all(CONSTANT.values())


def test_every_differentiable_op_is_among_the_differentiated():
    for name, one in OURS.items():
        assert (name in CONSTANT) == one.constant, name
        if not one.constant:
            assert one.rules and name in CASES, name


def test_every_rule_belongs_to_an_argument_of_some_case():
    for name, one in OURS.items():
        given = {argument for each in CASES.get(name, []) for argument in each.arguments} | {"probabilities"}
        assert set(one.rules) <= given, name


@pytest.fixture
def scratch():
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)


def test_an_op_or_a_function_without_a_case_is_noticed(scratch):
    @op
    def forgotten(x):
        return x

    assert uncovered({**OURS, "forgotten": forgotten}, PUBLIC) == ["forgotten"]
    assert uncovered(OURS, {**PUBLIC, "forgotten": lambda x: x}) == ["forgotten"]
    assert isinstance(PUBLIC["swish"], types.FunctionType)  # an alias needs none


def fails(name, stop=lambda: False):
    """Whether the checker fails for some case of an op."""
    for one in CASES[name]:
        try:
            check(function_named(name), one)
        except (AssertionError, TypeError, ValueError):
            return True
        if stop():
            break
    return False


RULES = [(name, argument) for name, one in OURS.items() for argument in one.rules]


@pytest.mark.parametrize("name, argument", RULES)
def test_a_missing_rule_is_noticed(name, argument, monkeypatch):
    one = OURS[name]
    monkeypatch.setattr(one, "rules", type(one.rules)({k: v for k, v in one.rules.items() if k != argument}))
    assert fails(name)


@pytest.mark.parametrize("name, argument", RULES)
def test_a_rule_that_is_off_by_a_millionth_is_noticed(name, argument, monkeypatch):
    one, rule = OURS[name], OURS[name].rules[argument]
    place, changed = rule.inputs.index(argument), []

    def off(g):
        changed.append(g is not None)
        return None if g is None else [off(part) for part in g] if isinstance(g, list) else g * (1 + 1e-5)

    def mutant(*given):
        result = rule.function(*given)
        if len(rule.inputs) == 1:
            return off(result)
        return tuple(off(g) if i == place else g for i, g in enumerate(result))

    mutated = rule._replace(function=mutant)
    monkeypatch.setattr(one, "rules", {**one.rules, **dict.fromkeys(rule.inputs, mutated)})
    caught = fails(name, stop=lambda: not any(changed))
    assert caught or not any(changed)  # a rule that says "constant almost everywhere" gives None


def test_the_checker_notices_a_wrong_value(monkeypatch):
    wrong = case(lambda x: np.exp(x) * (1 + 1e-9), x=np.ones(3))
    with pytest.raises(AssertionError):
        check(ops.exp, wrong)
    assert isinstance(ops.exp, Op)
