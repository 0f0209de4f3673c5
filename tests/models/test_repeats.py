"""Steps and predictions on the CPU that are done again from notes: the same bits as always, for every kind of net."""

import threading

import numpy as np
import pytest

import minidl
import minidl_kernels
from minidl import layers, losses, models
from minidl.graph.symbolic import map_structure
from minidl_kernels import noted, repeats
from tests.parity.oracle import generator
from tests.saving.nets import inputs_of, leaves, targets_of
from tests.saving.wide_nets import SUBCLASSED, WIDE, WORDS

QUICK = ("dense", "conv", "branches", "nested", "words", "own_layers")
# Nets whose steps run as always, and why.
ALWAYS = {
    "words": "it reads values (layers/embedding.py, line ",
    "words_of_two": "it reads values (layers/embedding.py, line ",
    "scaled_before": "it brings along an array of shape (1, 3) of NumPy (",
    "repeated": "it brings along an array of shape (4,) of NumPy (",
    "own_layers": "",
    "own_layers_of_layers": "",
    "own_model": "",
}


def batch(name, model, number):
    """Inputs and targets of a net, other ones for each number."""
    draw = generator(f"x{number}")
    if name in SUBCLASSED:
        x = draw.normal(size=(12, 3)).astype("float32")
    else:
        x = inputs_of(model, case=f"x{number}")
    if name in WORDS:
        x = map_structure(lambda one: draw.integers(0, 7, one.shape).astype("int32"), x)
    return x, targets_of(model, x, f"y{number}")


def bits(model):
    return [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]


def equal(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def reason(recorded):
    return next((line.partition("not recorded as a list of launches: ")[2] for line in recorded.lines()), "")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in WIDE]
)
def test_every_net(name):
    nets, logs, outputs = [], [], []
    for jit in (False, "auto"):
        minidl.utils.set_random_seed(1)
        model = WIDE[name](minidl)
        model.compile("adam", "mse", jit_compile=jit, run_eagerly=jit is False)
        batches = [batch(name, model, i % 3) for i in range(5)]
        logs.append([model.train_on_batch(*batch) for batch in batches])
        outputs.append([one for x, _ in batches for one in leaves(model.predict_on_batch(x))])
        nets.append(model)
    assert repr(logs[0]) == repr(logs[1])
    equal(outputs[1], outputs[0])
    equal(bits(nets[1]), bits(nets[0]))
    for recorded in (nets[1]._captured, nets[1]._predictions):
        assert reason(recorded).startswith(ALWAYS.get(name, "")) and bool(reason(recorded)) == (name in ALWAYS)


X, Y = np.random.default_rng(0).normal(size=(2, 6, 4, 3)).astype("float32")


def net(**settings):
    """A compiled net whose steps with (4, 3) are recorded."""
    minidl.utils.set_random_seed(2)
    model = models.Sequential(
        [layers.Input((3,)), layers.Dense(5, "tanh"), layers.Dropout(0.4, seed=1), layers.Dense(3)]
    )
    model.compile(minidl.optimizers.SGD(0.1), losses.Huber(0.5), **settings)
    for x, y in zip(X[:3], Y[:3], strict=True):
        model.train_on_batch(x, y)
        model.predict_on_batch(x)
    return model


CHANGES = {
    "the rate of a layer": lambda model: setattr(model.layers[1], "rate", 0.9),
    "an activation": lambda model: setattr(model.layers[0], "activation", minidl.activations.relu),
    "a weight": lambda model: setattr(model.layers[2], "kernel", minidl.Variable(np.ones((5, 3), "float32"))),
    "a loss": lambda model: model.loss.settings.update(delta=0.1),
    "the learning rate": lambda model: setattr(model.optimizer, "learning_rate", 0.01),
    "the optimizer": lambda model: setattr(model, "optimizer", minidl.optimizers.Adam(0.1)),
    "the decay": lambda model: setattr(model.optimizer, "weight_decay", 0.5),
    "weights in place": lambda model: model.set_weights([w * 2 for w in model.get_weights()]),
    "a layer more": lambda model: model.add(layers.Dense(3)),
    "a layer less": lambda model: model.pop(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_between_steps_counts(name):
    found = []
    for settings in ({"run_eagerly": True}, {}):
        model = net(**settings)
        assert settings or [line.endswith("recorded as a list of launches") for line in model._captured.lines()] == [1]
        CHANGES[name](model)
        numbers = []
        for x, y in zip(X[2:], Y[2:], strict=True):
            numbers.append(model.predict_on_batch(x))
            if name not in ("a layer more", "a layer less", "a weight"):
                numbers.append(model.train_on_batch(x, y))
        found.append([*numbers, *model.get_weights()])
    equal(found[1], found[0])


def test_a_function_of_ones_own_ends_it():
    """What is put in the place of an activation may do another thing in every step."""
    model, factors = net(), iter((1.0, 2.0, 3.0, 4.0))
    model.layers[0].activation = lambda x: x * next(factors)
    found = [model.predict_on_batch(X[0]) for _ in range(4)]
    assert not any(np.array_equal(found[0], one) for one in found[1:])
    assert "<lambda> in" in reason(model._predictions)


def test_outputs_and_logs_stay_what_they_were():
    model = net()
    outputs = [model.predict_on_batch(x) for x in X]
    parts = model.predict(X.reshape(-1, 3), batch_size=4, verbose=0)
    copies = [one.copy() for one in (*outputs, parts)]
    for x in X:
        model.predict_on_batch(x)
    equal([*outputs, parts], copies)
    np.testing.assert_array_equal(parts, np.concatenate(outputs))


def test_what_is_fed_and_what_is_shown_is_not_touched():
    model = net()
    x, y = X[0].copy(), Y[0].copy()
    model.train_on_batch(x, y)
    equal([x, y], [X[0], Y[0]])
    assert all(type(variable.data) is np.ndarray for variable in model.variables)
    assert not minidl_kernels.arrays.foreign.keys() & {noted.Noted}


def test_other_threads_predict_while_steps_are_recorded():
    """They find variables whose work is noted, and compute with what these hold."""
    wrong, stop, model = [], threading.Event(), net()
    frozen = models.Sequential([layers.Input((3,)), layers.Dense(4, "relu"), layers.Dense(2, "softmax")])
    expected = [frozen(x).numpy() for x in X]

    def predict():
        try:
            while not stop.is_set():
                for x, y in zip(X, expected, strict=True):
                    if not np.array_equal(frozen.predict_on_batch(x), y):
                        raise AssertionError("another output")
                    if not np.isfinite(model(x).numpy()).all():
                        raise AssertionError("no number")
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=predict) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        model._captured.shapes.clear(), frozen._predictions.shapes.clear() if frozen._predictions else None
        for x, y in zip(X, Y, strict=True):
            model.train_on_batch(x, y)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_wrong_label_is_told_and_changes_nothing():
    minidl.utils.set_random_seed(0)
    model = models.Sequential([layers.Input((3,)), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    labels = np.array([0, 1, 2, 3])
    for x in X[:4]:
        model.train_on_batch(x, labels)
    before = bits(model)
    with pytest.raises(ValueError, match="is 4; expected 0 to 3"):
        model.train_on_batch(X[4], labels + 1)
    equal(bits(model), before)


def test_results_that_take_much_memory_are_not_kept(monkeypatch):
    model = net()
    kept = model._captured.recorder.bytes
    assert kept > 4 * (3 * 5 + 5 + 5 * 3 + 3)  # gradients, at least
    monkeypatch.setattr(repeats, "MOST_BYTES", 2 * kept + 100)
    for size in (3, 2):  # smaller batches, but not half as much
        for _ in range(3):
            model.train_on_batch(X[0][:size], Y[0][:size])
    one, two, three = model._captured.lines()
    assert one.endswith("recorded as a list of launches") and two.endswith("recorded as a list of launches")
    assert "(2, 3), (2, 3): not recorded as a list of launches: the results would take more than 0.0" in three
    assert kept < model._captured.recorder.bytes <= repeats.MOST_BYTES


def pictures_net(jit_compile):
    minidl.utils.set_random_seed(0)
    model = models.Sequential([
        layers.Input((16, 16, 3)), layers.Conv2D(32, 3, activation="relu", padding="same"), layers.Conv2D(32, 3),
        layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(), layers.Dropout(0.25), layers.Flatten(),
        layers.Dense(40, "relu"), layers.Dense(5),
    ])  # fmt: skip
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], jit_compile=jit_compile)
    return model


def test_large_results_make_room_for_each_other():
    """Pictures, whose results are megabytes: the same bits as always, in the memory of those that live at a time."""
    draw = generator("pictures")
    nets, outputs, logs = [pictures_net(jit) for jit in ("auto", False)], [], []
    batches = [(draw.normal(size=(n, 16, 16, 3)).astype("f"), draw.integers(0, 5, n)) for n in (48, 32, 48) * 5]
    with minidl_kernels.watch() as seen:
        pictures_net(False).train_on_batch(*batches[0])
    for model in nets:
        logs.append([model.train_on_batch(*batch) for batch in batches])
        outputs.append([model.predict_on_batch(x) for x, _ in batches])
    assert logs[0] == logs[1]
    equal(outputs[0], outputs[1])
    equal(bits(nets[0]), bits(nets[1]))
    lines = list(nets[0]._captured.lines())
    assert len(lines) == 2 and all(line.endswith(": recorded as a list of launches") for line in lines)
    inputs = [call.shapes[0] for call in seen.calls if call.kernel != "adam"]
    results = sum(
        4 * int(np.prod(shape)) for shape in inputs
    )  # about: each but the pictures is a result of another one
    # Of steps with 48 and with 32 pictures, predictions not counted, and of two arenas at most.
    assert nets[0].memory_report().recorded < min(results * (48 + 32) / 48, 2 * nets[1].memory_report().arena_free)
    assert nets[1].memory_report().recorded == 0


def test_somebody_looks_on():
    """Where calls are listed, or ops are traced, they are made."""
    model = net()
    with minidl_kernels.watch() as seen:
        model.train_on_batch(X[0], Y[0])
        model.predict_on_batch(X[0])
    assert [call.kernel for call in seen.calls].count("dense") == 4
    from minidl.visualize.watch import Watch

    with Watch(model.layers) as values:
        model.predict_on_batch(X[1])
    assert len(values.values) == 3
