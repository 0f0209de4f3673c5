"""Activations on a device: one launch forward and one back, with the values and gradients of the single steps."""

import inspect

import numpy as np
import pytest

import minidl
from minidl import activations
from minidl.engine import Tensor, grad
from minidl.ops import activation, piecewise
from minidl.xray.step import record
from minidl_kernels import elementwise, elementwise_grad
from minidl_kernels.arrays import to_numpy
from minidl_kernels.elementwise.chains import CHAINS, FUNCTIONS
from minidl_kernels.elementwise.reference import FUNCTIONS as OF_NUMBERS
from tests.kernels import strict
from tests.kernels.shim import programs
from tests.shims import needs_compiler

X = np.array([-3, 3, -1, 1, -0.7, 0.7, 0, -0.0, 6, 0.3, -0.3, 1e-4, 2.5, -2.5, 4, -4, 9, -9, 40, -40, 800, -800.0])
CONSTANTS = 0.7, -2.0


def function(chain):
    places = (activation, piecewise, activations)
    return next(getattr(place, chain) for place in places if hasattr(place, chain))


def constants(chain):
    return CONSTANTS[: len(CHAINS[chain].constants)]


@pytest.fixture
def device(monkeypatch):
    programs()
    return strict.install(monkeypatch)


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_has_the_constants_of_its_function(chain):
    assert tuple(inspect.signature(function(chain)).parameters) == ("x", *CHAINS[chain].constants)


def test_texts_call_what_every_language_has():
    assert set(OF_NUMBERS) == set(FUNCTIONS)


KINKS = np.isin(np.abs(X), [0, 0.7, 1, 3, 6])


def first_and_second(chain, x):
    """The value, its gradient, and the gradient of that gradient, with upstream gradients of both signs."""
    upstream, again = (np.cos(np.arange(x.size) + i).astype(x.dtype) for i in (0, 1))
    if not isinstance(x, np.ndarray):
        upstream, again = strict.given(upstream), strict.given(again)
    x, upstream = Tensor(x, requires_grad=True), Tensor(upstream, requires_grad=True)
    y = function(chain)(x, *constants(chain))
    dx = grad(y, x, upstream=upstream, create_graph=True)
    return [y, dx, *grad(dx, [x, upstream], upstream=again)]


@needs_compiler
@pytest.mark.parametrize("chain", CHAINS)
def test_agrees_with_the_single_steps_to_the_second_order(chain, device):
    with np.errstate(all="ignore"):
        expected = first_and_second(chain, X)
    found = first_and_second(chain, strict.given(X))
    for number, (y, e) in enumerate(zip(found, expected, strict=True)):
        # A second derivative is a matter of taste where the first one jumps.
        compared = ~KINKS if number == 2 else slice(None)
        assert (y is None) == (e is None)
        if e is not None:
            np.testing.assert_allclose(to_numpy(y.data)[compared], e.data[compared], rtol=1e-10, atol=1e-12)


@needs_compiler
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_one_launch_forward_and_one_back(chain, dtype, device):
    x = Tensor(strict.given(X.astype(dtype)), requires_grad=True)
    y = function(chain)(x, *constants(chain))
    assert strict.launched == [f"{chain}_forward"] and y.dtype == dtype
    dx = grad(y, x, upstream=Tensor(strict.given(np.ones_like(X, dtype))))
    assert strict.launched == [f"{chain}_forward", f"{chain}_gradient"] and dx.dtype == dtype


@needs_compiler
def test_what_no_chain_takes_runs_step_by_step(device):
    whole = strict.given(np.array([-1, 2], "int32"))
    np.testing.assert_allclose(to_numpy(activation.elu(whole)), [np.expm1(-1), 2], rtol=1e-6)
    alpha = Tensor(strict.given(np.array(0.5)), requires_grad=True)
    y = activation.elu(strict.given(np.array([-1.0, 2.0])), alpha)
    assert to_numpy(grad(y, alpha).data) == pytest.approx(np.expm1(-1))
    assert not any(name.startswith("elu") for name in strict.launched)
    assert type(activation.elu(np.ones(2))) is np.ndarray


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chain": "gelu"}, "there is no chain 'gelu'; there are: celu, elu, gelu_erf"),
        ({"chain": "elu"}, r"elu has the constants \('alpha',\), and 0 numbers came"),
    ],
)
def test_a_call_that_fits_no_chain_is_refused(settings, message):
    for call in (elementwise, lambda x, **given: elementwise_grad(x, x, **given)):
        with pytest.raises(ValueError, match=message):
            call(np.ones(2), **settings)
    with pytest.raises(ValueError, match=r"g has shape \(2,\), x has \(3,\)"):
        elementwise_grad(np.ones(2), np.ones(3), chain="silu")


@needs_compiler
def test_a_layer_trains_with_it_and_the_summary_names_it(device):
    with minidl.device("strict:0"):
        model = minidl.Sequential([minidl.layers.Input((4,)), minidl.layers.Dense(3, activation="gelu")])
        model.compile("sgd", "mse")
        strict.launched.clear()
        model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 3), "float32"))
    assert [name for name in strict.launched if name.startswith("gelu")] == ["gelu_erf_forward", "gelu_erf_gradient"]
    lines: list[str] = []
    model.summary(print_fn=lines.append, show_kernels=True)
    assert "elementwise gelu_erf: cuda\n" in "\n".join(lines)
    assert "elementwise_grad gelu_erf: cuda\n" in "\n".join(lines)


@needs_compiler
def test_a_page_about_a_step_shows_the_single_steps(device):
    steps = []
    for where in ("cpu", "strict:0"):
        with minidl.device(where):
            model = minidl.Sequential([minidl.layers.Input((4,)), minidl.layers.Dense(3, activation="gelu")])
            model.compile("sgd", "mse")
            traced = record(model, (np.ones((2, 4), "float32"), np.ones((2, 3), "float32"))).trace
            steps.append([call.op.name for call in traced.calls])
    assert steps[0] == steps[1] and "erf" in steps[0]
