"""Learning rate schedules against Keras: every step of a curve, its borders, and configurations."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, libraries

pytestmark = pytest.mark.oracle

STEPS = [*range(45), 99, 100, 101, 1000]

CASES = {
    "exponential": lambda s: s.ExponentialDecay(0.1, 10, 0.5),
    "exponential staircase": lambda s: s.ExponentialDecay(0.1, 10, 0.9, staircase=True, name="stairs"),
    "exponential rising": lambda s: s.ExponentialDecay(1e-3, 7, 1.25),
    "inverse time": lambda s: s.InverseTimeDecay(0.1, 10, 0.5),
    "inverse time by steps": lambda s: s.InverseTimeDecay(0.01, 1, 1e-4),
    "inverse time staircase": lambda s: s.InverseTimeDecay(0.1, decay_steps=10, decay_rate=2.0, staircase=True),
    "piecewise": lambda s: s.PiecewiseConstantDecay([10, 11, 30], [1.0, 0.5, 0.25, 0.05]),
    "piecewise of two": lambda s: s.PiecewiseConstantDecay(boundaries=[0], values=[0.3, 0.1]),
    "polynomial": lambda s: s.PolynomialDecay(0.1, 20),
    "polynomial root": lambda s: s.PolynomialDecay(0.1, 20, end_learning_rate=0.01, power=0.5),
    "polynomial cycle": lambda s: s.PolynomialDecay(0.1, 10, 0.01, power=2.0, cycle=True),
    "cosine": lambda s: s.CosineDecay(0.1, 20),
    "cosine alpha": lambda s: s.CosineDecay(0.1, 20, alpha=0.2),
    "cosine warm-up": lambda s: s.CosineDecay(0.01, 20, 0.1, warmup_target=0.2, warmup_steps=10),
    "cosine warm-up from zero": lambda s: s.CosineDecay(0.0, 15, warmup_target=0.1, warmup_steps=5),
    "cosine target without warm-up": lambda s: s.CosineDecay(0.01, 20, warmup_target=0.2),
    "restarts": lambda s: s.CosineDecayRestarts(0.1, 5),
    "restarts of one length": lambda s: s.CosineDecayRestarts(0.1, 6, t_mul=1.0, m_mul=0.9),
    "restarts alpha": lambda s: s.CosineDecayRestarts(0.1, 4, t_mul=1.5, m_mul=0.8, alpha=0.1),
}


@pytest.mark.parametrize("name", CASES)
def test_every_step(name):
    theirs, ours = both(lambda k: CASES[name](k.optimizers.schedules))
    wanted = np.array([float(theirs(step)) for step in STEPS])
    rates = [ours(step) for step in STEPS]
    assert {(rate.shape, rate.dtype) for rate in rates} == {((), np.dtype("float32"))}
    close([float(rate) for rate in rates], wanted, name)
    close(ours(np.array(STEPS)), wanted, "all at once")
    close(ours(minidl.Variable(np.int32(7), trainable=False)), wanted[7], "a variable")


@pytest.mark.parametrize("name", CASES)
def test_configurations(name):
    keras, _ = libraries()
    theirs, ours = both(lambda k: CASES[name](k.optimizers.schedules))
    assert ours.get_config() == theirs.get_config()
    written, here = keras.optimizers.schedules.serialize(theirs), minidl.optimizers.schedules.serialize(ours)
    assert here == written
    assert minidl.optimizers.schedules.deserialize(written).get_config() == theirs.get_config()
    del here["module"]
    back = minidl.optimizers.schedules.deserialize(here)
    assert type(back) is type(ours)
    close(back(13), theirs(13), "step 13")
