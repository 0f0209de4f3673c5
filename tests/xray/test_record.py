"""What is recorded: that a step is the one that training takes, and that nothing is left changed."""

import numpy as np
import pytest

import minidl
from minidl import layers, models, ops
from minidl.engine.op import Op
from minidl.xray import Step, explain, record
from minidl.xray.blocks import blocks_of
from minidl.xray.story import story

from .conftest import batch, small_net


def state(net):
    return [*net.get_weights(), *(v.numpy() for v in net.optimizer.variables), *(v.numpy() for v in net.variables)]


@pytest.mark.parametrize("trained", [False, True])
def test_afterwards_everything_is_as_before(trained):
    net, (x, y) = small_net("float32"), batch(dtype="float32")
    if trained:
        net.train_on_batch(x, y)
    before, call = state(net), Op.__call__
    record(net, (x, y))
    after = state(net)
    assert len(before) == len(after) and all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert net.optimizer.built == trained and Op.__call__ is call


def test_the_step_is_the_one_that_training_takes():
    net, (x, y) = small_net("float32"), batch(dtype="float32")
    step = record(net, (x, y))
    loss = net.train_on_batch(x, y, return_dict=True)["loss"]
    assert isinstance(step, Step) and step.loss == loss
    for update in step.trace.updates:
        assert np.array_equal(update.after, update.variable.numpy()), update.variable.path


def test_gradients_and_their_parts_add_up():
    net, (x, y) = small_net("float64"), batch()
    trace = record(net, (x, y)).trace
    weights = {spot.variable.path: spot for spot in trace.spots.values() if spot.variable is not None}
    kernel = next(spot for path, spot in weights.items() if path.endswith("first/kernel"))
    assert sorted(trace.calls[call].op.name for call, _, _ in kernel.parts) == ["conv2d_bias_relu", "square"]
    assert np.allclose(sum(part for _, _, part in kernel.parts), kernel.gradient, rtol=1e-6)
    penalty = next(part for call, _, part in kernel.parts if trace.calls[call].op.name == "square")
    assert np.allclose(penalty, 0.02 * kernel.array, rtol=1e-6)


def test_the_blocks_are_the_layers_the_loss_and_the_penalties():
    net, (x, y) = small_net("float32"), batch(dtype="float32")
    blocks = blocks_of(record(net, (x, y)))
    assert [b["kind"] for b in blocks] == [
        "Conv2D", "BatchNormalization", "MaxPooling2D", "Conv2D", "AveragePooling2D", "Flatten", "Dense", "Dropout",
        "Dense", "Dense", "loss", "penalty", "penalty", "total",
    ]  # fmt: skip
    assert [b["name"] for b in blocks if b["kind"] == "penalty"] == ["first/kernel", "hidden/kernel"]


def test_kernels_that_ran_and_refused_are_named():
    net, (x, y) = small_net("float32"), batch(dtype="float32")
    trace = record(net, (x, y)).trace
    conv = next(call for call in trace.calls if call.op.name == "conv2d_bias_relu")
    assert [k["name"] for k in conv.kernels] == ["conv2d"] and conv.kernels[0]["ran"]
    assert "winograd" in conv.kernels[0]["refused"]
    assert "conv2d_kernel_grad" in [k["name"] for k in conv.passes[0].kernels]


def test_a_frozen_layer_gets_no_gradient():
    net = models.Sequential([layers.Input((3,)), layers.Dense(4, trainable=False), layers.Dense(1)])
    net.compile("sgd", "mse")
    made, _ = story(record(net, (np.ones((2, 3), "float32"), np.zeros((2, 1), "float32"))))
    frozen = {v["name"]: v["frozen"] for v in made["values"] if v["kind"] == "weight"}
    assert sorted(frozen.values()) == [False, False, True, True]
    assert [b["frozen"] for b in made["blocks"][:2]] == [True, False] and len(made["updates"]) == 2


class Twice(models.Model):
    """A layer used twice, and operations of the model's own."""

    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(3, activation="relu")

    def call(self, inputs):
        return ops.sum(self.inner(self.inner(inputs)) * 2.0, axis=-1, keepdims=True)


def test_a_subclassed_model_whose_layer_is_called_twice():
    net = Twice()
    net.compile("sgd", "mse")
    step = record(net, (np.ones((2, 3), "float32"), np.zeros((2, 1), "float32")))
    assert [b["kind"] for b in blocks_of(step)] == ["Dense", "Dense", "own", "loss"]
    spot = next(s for s in step.trace.spots.values() if s.variable is not None and s.array.shape == (3, 3))
    assert len(spot.parts) == 2 and np.allclose(spot.parts[0][2] + spot.parts[1][2], spot.gradient)


def test_a_functional_model_with_two_branches(tmp_path):
    x = layers.Input((4,))
    y = layers.Concatenate()([layers.Dense(2)(x), layers.Dense(3, activation="tanh")(x)])
    net = models.Model(x, layers.Dense(1)(y))
    net.compile("adam", "mse")
    made, tensors = story(record(net, (np.ones((2, 4), "float32"), np.zeros((2, 1), "float32"))))
    assert sorted(b["kind"] for b in made["blocks"]) == ["Concatenate", "Dense", "Dense", "Dense", "loss"]
    joined = next(c for c in made["calls"] if c["op"] == "concatenate")
    assert len(joined["in"][0][1]["vs"]) == 2 and len(joined["passes"][0]["parts"]) == 2


def test_a_function_of_tensors(tmp_path):
    def cosine(a, b):
        return ops.sum(ops.cos(a) * b)

    a, b = np.array([0.1, 0.2]), np.array([3.0, 4.0])
    step = record(cosine, (a, b))
    made, tensors = story(step)
    first = next(v for v in made["values"] if v["name"] == "input 1")
    assert np.allclose(tensors.arrays[first["g"]], -np.sin(a) * b)
    call = next(c for c in made["calls"] if c["op"] == "cos")
    assert np.allclose(tensors.arrays[call["jacobians"]["x"]], np.diag(-np.sin(a)))
    assert minidl.explain(cosine, a, b, path=tmp_path / "f.html").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("target", "arrays", "error", "words"),
    [
        (models.Sequential([layers.Dense(1)]), (np.ones((1, 1)),), ValueError, "compile"),
        (lambda a: a, (), ValueError, "arrays to call it with"),
        (lambda a: 3, (np.ones(2),), TypeError, "must return a Tensor"),
        (7, (np.ones(2),), TypeError, "compiled model"),
    ],
)
def test_what_cannot_be_explained_is_refused(target, arrays, error, words):
    with pytest.raises(error, match=words):
        record(target, arrays)


def test_an_unknown_language_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match="language"):
        explain(lambda a: a * 2.0, np.ones(2), path=tmp_path / "f.html", language="fr")
    assert list(tmp_path.iterdir()) == []
