"""Data that makes its own batches: what is asked of it, when it ends, threads, and mistakes."""

import threading

import numpy as np
import pytest

import minidl
from minidl import layers, metrics, ops
from minidl.callbacks import LambdaCallback
from minidl.data.arrays import class_weights

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(12, 3)).astype("float32"), RNG.normal(size=(12, 1)).astype("float32")


def fresh(**compiled):
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return model


def batches(times=1):
    for _ in range(times):
        for start in range(0, 12, 4):
            yield X[start : start + 4], Y[start : start + 4]


class Numbered(minidl.utils.PyDataset):
    """Batch i is full of i; it notes what was asked of it."""

    def __init__(self, n=6, **options):
        super().__init__(**options)
        self.n, self.asked, self.threads, self.ends = n, [], set(), 0

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        self.asked.append(index)
        self.threads.add(threading.current_thread().name)
        return np.full((2, 3), index, "float32"), np.zeros((2, 1))

    def on_epoch_end(self):
        self.ends += 1


@pytest.mark.parametrize(
    "data",
    [
        batches, lambda: iter(list(batches())), lambda: zip(X.reshape(3, 4, 3), Y.reshape(3, 4, 1), strict=True),
        lambda: map(list, batches()), lambda: ((minidl.Tensor(x), minidl.Tensor(y)) for x, y in batches()),
        lambda: ((x.tolist(), y.tolist()) for x, y in batches()), lambda: (([x], [y]) for x, y in batches()),
    ],
    ids=["generator", "iterator", "zip", "lists", "tensors", "lists of numbers", "lists of arrays"],
)  # fmt: skip
def test_all_forms_train_alike(data):
    ours, arrays = fresh(), fresh()
    history = ours.fit(data(), verbose=0).history
    assert history["loss"] == pytest.approx(arrays.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(ours.get_weights()[0], arrays.get_weights()[0], rtol=1e-6)


def test_something_that_starts_anew_trains_in_every_epoch():
    class Loader:
        def __iter__(self):
            return batches()

    history = fresh().fit(Loader(), epochs=3, verbose=0)
    assert history.epoch == [0, 1, 2]


def test_an_iterator_that_ends_ends_the_training():
    model = fresh()
    with pytest.warns(UserWarning, match="ran out of data; training ends before epoch 2"):
        assert model.fit(batches(), epochs=5, verbose=0).epoch == [0]
    with pytest.warns(UserWarning, match="after 1 of the 4 batches"):
        assert model.fit(batches(3), epochs=3, steps_per_epoch=4, verbose=0).epoch == [0, 1, 2]


def test_an_epoch_goes_on_where_the_last_one_stopped():
    data = Numbered(6)
    fresh().fit(data, epochs=3, steps_per_epoch=4, shuffle=False, verbose=0)
    assert data.asked[:4] == [0, 1, 2, 3] and data.ends == 3
    assert data.asked[4:6] == [4, 5] and data.asked[6:10] == [0, 1, 2, 3]


@pytest.mark.parametrize("options", [{"workers": 3}, {"workers": 1, "use_multiprocessing": True}])
def test_batches_of_threads_come_in_order(options):
    data = Numbered(40, max_queue_size=5, **options)
    found = fresh().predict(data, verbose=0)
    np.testing.assert_array_equal(found[::2, 0], 3.0 * np.arange(40))
    assert threading.current_thread().name not in data.threads and data.ends == 1


def test_few_batches_wait_to_be_used():
    data = Numbered(50, workers=2, max_queue_size=4)
    most = []
    stop = LambdaCallback(on_predict_batch_end=lambda batch, logs: most.append(len(data.asked) - batch))
    fresh().predict(data, verbose=0, callbacks=[stop])
    assert max(most) <= 4 + 2


def test_an_error_in_a_thread_is_raised():
    class Broken(Numbered):
        def __getitem__(self, index):
            if index == 7:
                raise OSError("no picture 7")
            return super().__getitem__(index)

    with pytest.raises(OSError, match="no picture 7"):
        fresh().fit(Broken(10, workers=2), shuffle=False, verbose=0)


def test_an_epoch_that_is_broken_off_ends():
    data, model = Numbered(100, workers=2), fresh()

    def stop(batch, logs):
        model.stop_training = batch == 3

    model.fit(data, epochs=4, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=stop)])
    assert data.ends == 1 and len(data.asked) < 30


def test_evaluation_and_prediction_can_be_stopped():
    model, seen = fresh(), []

    def stop(batch, logs):
        seen.append(logs)
        model.stop_evaluating = model.stop_predicting = batch == 1

    model.evaluate(X, Y, batch_size=2, verbose=0, callbacks=[LambdaCallback(on_test_batch_end=stop)])
    assert len(seen) == 2
    calls = [LambdaCallback(on_predict_batch_end=stop)]
    assert model.predict(X, batch_size=2, verbose=0, callbacks=calls).shape == (4, 1)
    np.testing.assert_allclose(seen[-1]["outputs"], X[2:4].sum(-1, keepdims=True), rtol=1e-5)


def test_predictions_of_arrays_alone_and_of_pairs():
    model = fresh()
    expected = model.predict(X, verbose=0)
    for data in ((x for x, _ in batches()), batches(), ((x,) for x, _ in batches())):
        np.testing.assert_allclose(model.predict(data, verbose=0), expected)
    np.testing.assert_allclose(model.predict(batches(9), steps=2, verbose=0), expected[:8])


def test_a_generator_of_inputs_for_a_model_without_targets():
    class Penalised(minidl.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            made = self.dense(inputs)
            self.add_loss(ops.square(made))  # the losses of a batch are summed
            return made

    model = Penalised()
    model.compile("sgd")
    alone = (x for x, _ in batches())
    history = model.fit(alone, verbose=0, validation_data=(X,))
    assert history.history["val_loss"][0] < history.history["loss"][0] * 5
    assert model.evaluate(X, batch_size=12, verbose=0) == pytest.approx(float(np.square(model.predict(X)).sum()), 1e-4)


def test_class_weights():
    expected = np.array([2.0, 1.0, 0.5, 2.0], "float32")
    for y in ([0, 1, 2, 0], [[0], [1], [2], [0]], np.eye(3)[[0, 1, 2, 0]], [0.1, 0.9, 2.2, -0.3]):
        np.testing.assert_array_equal(class_weights(np.asarray(y), {0: 2.0, 2: 0.5}), expected)


def test_packing():
    pack, unpack = minidl.utils.pack_x_y_sample_weight, minidl.utils.unpack_x_y_sample_weight
    assert pack(X) is X and pack([X]) == ([X],) and pack(X, Y) == (X, Y) and pack(1, 2, 3) == (1, 2, 3)
    assert unpack(5) == unpack((5,)) == (5, None, None) and unpack([1, 2]) == (1, 2, None)
    assert unpack((1, 2, 3)) == (1, 2, 3)
    assert minidl.utils.Sequence is minidl.utils.PyDataset


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: m.fit(batches(), Y), "y must be left out.*generator"),
        (lambda m: m.evaluate(batches(), sample_weight=Y), "sample_weight must be left out"),
        (lambda m: m.fit(batches(), validation_split=0.5), "validation_split.*generator"),
        (lambda m: m.fit(iter(())), "no batches"),
        (lambda m: m.evaluate(iter(())), "no batches"),
        (lambda m: m.predict(iter(())), "no batches"),
        (lambda m: m.fit(x for x in [(X, Y, Y, Y)]), "tuple of 4"),
        (lambda m: m.fit(X, Y, steps_per_epoch=0), "steps.*not 0"),
        (lambda m: m.fit(X, Y, class_weight={0: 1}, sample_weight=np.ones(12)), "class_weight and sample_weight"),
        (lambda m: m.train_on_batch(X, class_weight={0: 1}), "class_weight needs the targets"),
        (lambda m: m.fit(X, [Y, Y], class_weight={0: 1}), "single output"),
        (lambda m: m.fit(X, Y, validation_data=3), "validation_data must be"),
    ],
)
def test_mistakes(call, message):
    model = fresh()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        call(model)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_wrong_types():
    with pytest.raises(TypeError, match="class_weight is a dictionary"):
        fresh().fit(X, Y, class_weight=[1, 2])

    class Endless(Numbered):
        num_batches = None

    with pytest.raises(ValueError, match="without end"):
        fresh().fit(Endless(), verbose=0)
    with pytest.raises(NotImplementedError, match="__len__"):
        minidl.utils.PyDataset().num_batches  # noqa: B018
    with pytest.raises(NotImplementedError, match="__getitem__"):
        minidl.utils.PyDataset()[0]


# ---- what surrounds a step ----


def test_a_step_written_for_an_older_keras():
    class Old(minidl.Sequential):
        def train_step(self, data):
            x, y = data
            with minidl.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            variables = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    histories = []
    for kind in (Old, minidl.Sequential):
        model = kind([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2")])
        model.compile("sgd", "mse", metrics=["mae"])
        histories.append(model.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0).history)
    assert list(histories[0]) == list(histories[1]) == ["loss", "mae"]
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)
    plain = fresh()
    plain.compiled_metrics.update_state(Y, plain(X))
    assert plain.compiled_metrics.result() == {}


def test_metrics_in_lists_are_reset_and_shown():
    class Net(minidl.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            self.seen = {"all": [metrics.Sum(name="samples")]}

        def call(self, inputs):
            self.seen["all"][0].update_state(float(inputs.shape[0]))
            return self.dense(inputs)

    model = Net()
    model(X)
    model.compile("sgd", "mse", metrics=[metrics.MeanAbsoluteError(name="error")])
    assert model.fit(X, Y, epochs=3, batch_size=4, verbose=0).history["samples"] == [12.0, 12.0, 12.0]
    assert model.metrics_names == ["loss", "error", "samples"]
    assert model.evaluate(X, Y, verbose=0)[2] == 12.0


def test_a_metrics_property_may_build_on_ours():
    class Net(minidl.Sequential):
        @property
        def metrics(self):
            return [*super().metrics, extra]

    extra = metrics.Mean(name="extra")
    model = Net([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    extra.update_state(5.0)
    assert model.fit(X, Y, verbose=0).history["extra"] == [0.0]


def test_evaluation_without_a_loss():
    model = fresh(loss=None, metrics=["mae"])
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert logs == {"loss": 0.0, "mae": pytest.approx(float(np.abs(Y - model.predict(X, verbose=0)).mean()), rel=1e-5)}
    with pytest.raises(ValueError, match="there is no loss"):
        model.fit(X, Y, verbose=0)


def test_the_settings_of_compile_are_attributes_and_travel():
    model = fresh(run_eagerly=True, jit_compile=False, steps_per_execution=4, metrics=["mae"])
    other = minidl.Sequential([layers.Input((3,)), layers.Dense(1)])
    assert not other.compiled and other.get_compile_config() is None
    other.compile_from_config(model.get_compile_config())
    assert other.compiled and other.run_eagerly and other.jit_compile is False and other.steps_per_execution == 4
    assert other.loss == "mse" and type(other.optimizer) is type(model.optimizer)


def test_the_output_of_a_model_inside_leads_to_the_inputs_outside():
    inner = minidl.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(2)], name="inner")
    x = layers.Input((3,))
    outer = minidl.Model(x, layers.Dense(1)(inner(x)))
    cut = minidl.Model(outer.inputs, {"one": outer.layers[1].output, "all": outer.output})
    found = cut(X)
    np.testing.assert_array_equal(found["one"], inner(X))
    np.testing.assert_array_equal(found["all"], outer(X))
    alone = minidl.Model(inner.inputs, inner.layers[0].output)
    np.testing.assert_array_equal(alone(X), inner.layers[0](X))
