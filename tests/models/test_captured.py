"""Training steps that are recorded and launched: the same bits as steps as always, or a reason."""

import contextvars
import copy
import re
import weakref
from contextlib import nullcontext

import numpy as np
import pytest

import minidl
import minidl_kernels
from minidl import callbacks, constraints, layers, losses, metrics, models, ops, optimizers
from minidl.models import captured
from minidl.models.captured import products
from minidl.optimizers import schedules
from tests import machines
from tests.kernels import strict
from tests.machines import simulated_only

DATA = np.random.default_rng(0)
PICTURES = DATA.standard_normal((7, 6, 6, 2)).astype("float32")
LABELS = DATA.integers(0, 4, 7)
ROWS = DATA.standard_normal((7, 3)).astype("float32")
TARGETS = DATA.standard_normal((7, 2)).astype("float32")


@pytest.fixture(autouse=True, params=[*machines.MACHINES, machines.CPU])
def device(request, monkeypatch):
    with nullcontext() if request.param == "cpu" else products():  # as always and recorded, the same kernels multiply
        yield from machines.started(request.param, monkeypatch)


not_on_cpu = pytest.mark.parametrize("device", machines.MACHINES, indirect=True)


def there():
    """The name of the device."""
    return machines.now.name


def how():
    """As what steps are recorded there."""
    return "as a list of launches" if there() == "cpu" else "as a CUDA graph"


def cnn():
    return [
        layers.Input((6, 6, 2)), layers.Conv2D(3, 3, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.ReLU(), layers.MaxPooling2D(), layers.Dropout(0.3), layers.Flatten(),
        layers.Dense(4, activation="softmax"),
    ]  # fmt: skip


def mlp():
    return [
        layers.Input((3,)), layers.Dense(5, "tanh", kernel_regularizer="l2", bias_constraint=constraints.NonNeg()),
        layers.BatchNormalization(), layers.GaussianNoise(0.1), layers.Dense(2),
    ]  # fmt: skip


def trained(make, data, optimizer, loss, jit, epochs=4, prepare=None, listening=(), metrics=("accuracy",), **settings):
    """The model, its history and optimizer after a training in batches of 3: 3, 3 and 1 samples."""
    minidl.utils.set_random_seed(3)
    model = models.Sequential(make()).to(there())
    if prepare:
        prepare(model)
    model.compile(optimizer(), loss, metrics=list(metrics), jit_compile=jit)
    history = model.fit(
        *data, batch_size=3, epochs=epochs, verbose=0, callbacks=[make() for make in listening], **settings
    )
    return model, history.history


def both(*arguments, launches, **settings):
    """Train recorded and as always, and compare bits; how often graphs are launched follows from the steps."""
    ordinary, expected = trained(*arguments, False, **settings)
    assert machines.now.launches == 0
    model, found = trained(*arguments, "auto", **settings)
    assert machines.now.launches == launches, list(model._captured.lines())
    assert found == expected
    for own, other in zip(model.variables, ordinary.variables, strict=True):
        np.testing.assert_array_equal(own.numpy(), other.numpy(), err_msg=own.path)
    for own, other in zip(model.optimizer.variables, ordinary.optimizer.variables, strict=True):
        np.testing.assert_array_equal(own.numpy(), other.numpy(), err_msg=own.path)
        assert own.version == other.version
    return model


SPARSE = "sparse_categorical_crossentropy"


def test_a_cnn_with_dropout_and_a_schedule():
    schedule = schedules.ExponentialDecay(0.01, 3, 0.5)
    model = both(
        cnn, (PICTURES, LABELS), lambda: optimizers.Adam(schedule), SPARSE, launches=6 + 2,
        validation_data=(PICTURES, LABELS),
    )  # fmt: skip
    assert list(model._captured.lines()) == [
        f"batches of (3, 6, 6, 2), (3,): recorded {how()}",
        f"batches of (1, 6, 6, 2), (1,): recorded {how()}",
    ]


OPTIMIZERS = {
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "decay": lambda: optimizers.SGD(lambda: 0.05, weight_decay=0.01, clipnorm=0.5),
    "adamw": lambda: optimizers.AdamW(schedules.CosineDecay(0.05, 6), amsgrad=True, global_clipnorm=1.0),
    "averaged": lambda: optimizers.Adam(0.05, use_ema=True, ema_momentum=0.7),
    "rmsprop": lambda: optimizers.RMSprop(0.01, clipvalue=0.1),
    "centered": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adamax": lambda: optimizers.Adamax(0.05),
    "lion": lambda: optimizers.Lion(0.01, weight_decay=0.1),
    "adagrad": lambda: optimizers.Adagrad(0.05, loss_scale_factor=4.0),
    "adadelta": lambda: optimizers.Adadelta(0.5),
    "ftrl": lambda: optimizers.Ftrl(0.05, l1_regularization_strength=0.01),
}


FIRST = ("momentum", "decay", "adamw", "averaged", "rmsprop")  # the others differ from these in their formula alone


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one in FIRST else pytest.mark.slow) for one in OPTIMIZERS]
)
def test_optimizers(name):
    both(mlp, (ROWS, TARGETS), OPTIMIZERS[name], "mse", launches=6 + 2, metrics=["mae"])


def test_a_callback_changes_the_learning_rate_and_training_stops_early():
    class Halves(callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) * 0.9

    stop = lambda: callbacks.EarlyStopping("loss", patience=3, min_delta=100, restore_best_weights=True)  # noqa: E731
    plateau = lambda: callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=100)  # noqa: E731
    model = both(
        mlp, (ROWS, TARGETS), lambda: optimizers.SGD(0.1), "mse", launches=6 + 2, epochs=9,
        listening=[Halves, plateau, stop],
    )  # fmt: skip
    assert len(model.history.epoch) == 4


def test_metrics_of_counts():
    def counted():
        return [
            metrics.AUC(num_thresholds=20), metrics.Precision(), metrics.Recall(0.3), metrics.F1Score("macro"),
            metrics.BinaryIoU(), metrics.OneHotMeanIoU(2),
        ]  # fmt: skip

    ends = [*mlp()[:-1], layers.Dense(2, "sigmoid")]
    targets = (TARGETS > 0).astype("float32")
    make = lambda: models.clone_model(models.Sequential(ends)).layers  # noqa: E731
    found = []
    for jit in (False, "auto"):
        minidl.utils.set_random_seed(3)
        model = models.Sequential([layers.Input((3,)), *make()]).to(there())
        model.compile("adam", "binary_crossentropy", metrics=counted(), jit_compile=jit)
        model.fit(ROWS, targets, batch_size=7, epochs=4, verbose=0)
        found.append([list(one) for one in model.history.history.values()])
    assert machines.now.launches == 2 and found[0] == found[1] and len(found[0]) == 7


def test_frozen_layers_and_recompiling():
    def freeze(model):
        model.layers[0].trainable = False

    model = both(mlp, (ROWS, TARGETS), lambda: optimizers.SGD(0.1), "mse", launches=8, prepare=freeze)
    frozen = model.layers[0].kernel.numpy()
    model.layers[0].trainable = True
    model.compile(optimizers.SGD(0.1), "mse")
    assert model._captured is None
    model.fit(ROWS, TARGETS, batch_size=3, epochs=3, verbose=0)
    assert machines.now.launches == 8 + 4 + 1
    assert (model.layers[0].kernel.numpy() != frozen).any()
    with minidl.device(there()):
        assert model._captured.fits()
        model.add(layers.Activation("relu"))
        assert not model._captured.fits()


def test_weights_that_are_set_between_steps():
    found = []
    for jit in (False, "auto"):
        minidl.utils.set_random_seed(3)
        model = models.Sequential(mlp()).to(there())
        model.compile("adam", "mse", jit_compile=jit)
        numbers = []
        for step in range(6):
            numbers.append(model.train_on_batch(ROWS, TARGETS))
            if step in (1, 4):
                model.set_weights([w + 0.5 for w in model.get_weights()])
                model.optimizer.set_weights([v.numpy() * 0 for v in model.optimizer.variables])
        found.append((numbers, model.get_weights()))
    assert machines.now.launches == 4 and found[0][0] == found[1][0]
    for own, other in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_array_equal(own, other)


def test_several_inputs_outputs_and_weights():
    found = []
    for jit in (False, "auto"):
        minidl.utils.set_random_seed(3)
        one, two = layers.Input((3,), name="one"), layers.Input((2,), name="two")
        joined = layers.Concatenate()([one, two])
        outputs = [layers.Dense(1, name="a")(joined), layers.Dense(2, "sigmoid", name="b")(joined)]
        model = models.Model([one, two], outputs).to(there())
        model.compile("adam", ["mse", "binary_crossentropy"], loss_weights=[1, 0.5], weighted_metrics=[["mae"], []])
        model.jit_compile = jit
        history = model.fit(
            {"one": ROWS, "two": TARGETS}, [TARGETS[:, :1], (TARGETS > 0) * 1.0], batch_size=7, epochs=4,
            sample_weight=np.linspace(0.1, 1, 7), verbose=0,
        )  # fmt: skip
        found.append((history.history, [w.tolist() for w in model.get_weights()]))
    assert machines.now.launches == 2 and found[0] == found[1]


@not_on_cpu
def test_kernels_of_our_own_multiply_where_nobody_asked_for_others():
    def train():
        model = models.Sequential(mlp()).to(there())
        model.compile("sgd", "mse")
        for _ in range(3):
            model.train_on_batch(ROWS, TARGETS)
        texts = []
        model.summary(print_fn=texts.append, show_kernels=7)
        assert "dense: cuda" in texts[0] and "dense: array" not in texts[0]

    contextvars.Context().run(train)
    assert machines.now.launches == 1
    assert not machines.now.simulated or {"dense_forward", "matmul_blocked"} <= set(strict.launched)


@simulated_only
def test_an_epoch_reads_once():
    model, _ = trained(cnn, (PICTURES, LABELS), lambda: optimizers.Adam(), SPARSE, "auto", epochs=3)
    strict.reads.clear()
    model.fit(PICTURES, LABELS, batch_size=3, epochs=2, verbose=0)
    assert strict.reads == ["asnumpy"] * 2
    pictures, labels = machines.now.given(PICTURES), machines.now.given(LABELS)
    del strict.reads[:], strict.sends[:]
    model.fit(pictures, labels, batch_size=3, verbose=0)
    assert strict.reads == ["__bool__", "asnumpy"]  # whether the data hold NaN, and the epoch
    assert max(strict.sends) <= 3  # an order of the samples, and numbers


def test_labels_that_are_no_classes_are_told_once():
    model, _ = trained(cnn, (PICTURES, LABELS), lambda: optimizers.SGD(), SPARSE, "auto", epochs=3)
    wrong = LABELS.copy()
    wrong[2] = 4
    for _ in range(2):
        with pytest.raises(ValueError, match="label .*is 4; expected 0 to 3"):
            model.fit(PICTURES, wrong, batch_size=3, verbose=0)
        model.fit(PICTURES, LABELS, batch_size=3, verbose=0)
    with pytest.raises(ValueError, match="label .*is 4; expected 0 to 3"):
        model.train_on_batch(PICTURES[:3], wrong[:3])


def test_logs_of_a_step_stay_what_they_were():
    kept = []

    class Keeps(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(logs)

    trained(mlp, (ROWS, TARGETS), lambda: optimizers.SGD(0.1), "mse", "auto", epochs=4, listening=[Keeps])
    later, kept[:] = [logs["loss"] for logs in kept], []

    class Reads(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(logs["loss"])

    trained(mlp, (ROWS, TARGETS), lambda: optimizers.SGD(0.1), "mse", False, epochs=4, listening=[Reads])
    assert later == kept and len(set(kept)) == 12


# ---- steps as always, and why ----


class Own(layers.Layer):
    def call(self, inputs):
        return inputs * 2


class Reading(layers.Layer):
    def call(self, inputs):
        return inputs * float(ops.max(inputs))


class Sending(layers.Layer):
    def call(self, inputs):
        return inputs * np.ones(3, "float32")


class Counting(optimizers.SGD):
    pass


class OwnStep(models.Sequential):
    def train_step(self, data):
        return super().train_step(data)


class OwnLoss(models.Sequential):
    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs)


def dense(*more, cls=models.Sequential):
    return cls([layers.Input((3,)), *more, layers.Dense(2)])


HINT = "; jit_compile=True records it, if it does the same in every step"
REASONS = {
    "off": (dense, {"jit_compile": False}, "jit_compile=False"),
    "eagerly": (dense, {"run_eagerly": True}, "run_eagerly=True"),
    "own step": (lambda: dense(cls=OwnStep), {}, "train_step() is one of the model's own" + HINT),
    "own loss": (lambda: dense(cls=OwnLoss), {}, "compute_loss() is one of the model's own" + HINT),
    "own layer": (lambda: dense(Own(name="twice")), {}, "Own in 'twice' is not one of minidl's" + HINT),
    "own function": (lambda: dense(layers.Lambda(ops.tanh, name="f"), layers.Activation(lambda x: x, name="g")), {},
                     "<lambda> in 'g' is not one of minidl's" + HINT),
    "own loss function": (dense, {"loss": lambda y, p: ops.mean((y - p) ** 2)}, "<lambda> in 'sequential"),
    "own metric": (dense, {"metrics": lambda: [lambda y, p: ops.mean(abs(y - p))]},
                   "<lambda> in 'sequential"),
    "metric": (dense, {"metrics": lambda: [metrics.Precision(top_k=1, name="best")]},
               "the metric 'best' counts on the CPU"),
    "several": (dense, {"metrics": lambda: [metrics.Precision([0.2, 0.4], name="p")]}, "'p' is no number"),
    "own optimizer": (dense, {"optimizer": Counting()}, "the optimizer is a Counting"),
    "accumulating": (dense, {"optimizer": optimizers.SGD(0.1, gradient_accumulation_steps=2)},
                     "gradients are accumulated over several steps (optimizers/optimizer.py, line "),
    "overwriting": (dense, {"optimizer": optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=2)},
                    "SGD computes with the number of steps (optimizers/"),
    "nadam": (dense, {"optimizer": "nadam"}, "Nadam computes with the number of steps (optimizers/"),
    "sending": (lambda: dense(Sending()), {"jit_compile": True}, "it brings along an array of shape (3,) of NumPy"),
    "reading": (lambda: dense(Reading()), {"jit_compile": True}, "CudaError: cudaErrorStreamCaptureUnsupported"),
}  # fmt: skip


@pytest.mark.parametrize("name", REASONS)
def test_reasons(name):
    make, settings, says = REASONS[name]
    histories = []
    for jit in (False, settings.get("jit_compile", "auto")):
        minidl.utils.set_random_seed(3)
        model = make().to(there())
        given = {"optimizer": "sgd", "loss": "mse", **settings, "jit_compile": jit}
        if isinstance(given["optimizer"], optimizers.Optimizer):
            given["optimizer"] = type(given["optimizer"]).from_config(given["optimizer"].get_config())
        if "metrics" in settings:
            given["metrics"] = settings["metrics"]()
        model.compile(**given)
        says_so = pytest.warns(UserWarning, match=f"jit_compile=True, but steps are not recorded {how()}")
        with says_so if jit is True else nullcontext():
            history = model.fit(ROWS, TARGETS, batch_size=7, epochs=4, verbose=0)
        histories.append((history.history, [w.tolist() for w in model.get_weights()]))
    assert machines.now.launches == 0 and repr(histories[0]) == repr(histories[1])
    texts = []
    model.summary(print_fn=texts.append, show_kernels=True)
    found = [line for line in texts[0].splitlines() if line.startswith(" Steps: ")]
    if not machines.now.simulated:
        says = {"reading": "" if there() != "cpu" else "it reads values"}.get(name, says)  # "": CUDA's own words
    assert len(found) == 1 and re.search(rf"not recorded {how()}: {re.escape(says)}", found[0]), found


def test_own_parts_are_recorded_on_request():
    found = []
    for jit in (False, True):
        minidl.utils.set_random_seed(3)
        model = dense(Own(), cls=OwnLoss).to(there())
        scale = minidl.Variable(0.5, trainable=False)
        with minidl.device(there()):
            scale.data = machines.now.given(scale.numpy())
        model.compile("sgd", lambda y, p, scale=scale: ops.mean((y - p) ** 2) * scale, jit_compile=jit)
        losses_ = []
        for step in range(5):
            losses_.append(model.train_on_batch(ROWS, TARGETS))
            scale.assign(0.5 + step)
        found.append(losses_)
    assert machines.now.launches == 3 and found[0] == found[1]


def test_what_the_summary_says_before_and_while_steps_are_counted():
    model = dense().to(there())

    def line():
        texts = []
        model.summary(print_fn=texts.append, show_kernels=4)
        return [line for line in texts[0].splitlines() if line.startswith(" Steps: ")]

    assert line() == []
    model.compile("sgd", losses.MeanSquaredError())
    assert line() == [f" Steps: recorded {how()} in the third step with batches of a shape"]
    model.train_on_batch(ROWS, TARGETS)
    assert line() == [f" Steps: batches of (7, 3), (7, 2): not recorded {how()}: 1 of 2 steps before"]
    for _ in range(2):
        model.train_on_batch(ROWS, TARGETS)
    assert line() == [f" Steps: batches of (7, 3), (7, 2): recorded {how()}"]
    if there() == "cpu":
        return
    model.to("cpu")

    def on_cpu():
        model.train_on_batch(ROWS, TARGETS)
        return line()

    assert contextvars.Context().run(on_cpu) == [
        " Steps: batches of (7, 3), (7, 2): not recorded as a list of launches: 1 of 2 steps before"
    ]
    assert machines.now.launches == 1


def test_no_more_than_eight_shapes():
    model = dense().to(there())
    model.compile("sgd", "mse")
    for size in range(1, 10):
        for _ in range(3):
            model.train_on_batch(np.resize(ROWS, (size, 3)), np.resize(TARGETS, (size, 2)))
    assert machines.now.launches == 8
    *_, last = model._captured.lines()
    assert last == f"batches of (9, 3), (9, 2): not recorded {how()}: there are recordings for 8 shapes already"


@not_on_cpu
def test_large_products_are_left_to_cublas(monkeypatch):
    monkeypatch.setattr(captured, "MOST_PRODUCTS", 7 * 3 * 2 * 2 - 1)  # forward, and the gradient of the kernel
    for jit in ("auto", True):
        model = dense().to(there())
        model.compile("sgd", "mse", jit_compile=jit)
        for _ in range(4):
            model.train_on_batch(ROWS, TARGETS)
        (line,) = model._captured.lines()
        assert (jit is True) != ("its 8.4e+01 multiplications of matrices are left to cuBLAS" in line)
    assert machines.now.launches == 2


def test_layers_that_are_watched_are_called():
    from minidl.visualize.watch import Watch

    model = dense().to(there())
    model.compile("sgd", "mse")
    for _ in range(4):
        model.train_on_batch(ROWS, TARGETS)
    assert machines.now.launches == 2
    with Watch(model.layers) as seen:
        model.train_on_batch(ROWS, TARGETS)
    assert len(seen.values) == 1 and machines.now.launches == 2
    with minidl_kernels.watch() as calls:
        model.train_on_batch(ROWS, TARGETS)
    assert calls.calls and machines.now.launches == 2


def test_models_are_copied_and_settings_contradict():
    model = dense().to(there())
    model.compile("sgd", "mse")
    for _ in range(3):
        model.train_on_batch(ROWS, TARGETS)
    assert copy.deepcopy(model._captured) is None
    with pytest.warns(UserWarning, match="run_eagerly=True.*jit_compile=True is not heeded"):
        model.compile("sgd", "mse", run_eagerly=True, jit_compile=True)


class Rivals(models.Model):
    """Two nets, two optimizers, and a train_step that trains one after the other."""

    def __init__(self, updates=1):
        super().__init__()
        self.one, self.two, self.share, self.updates = dense(layers.ReLU()), dense(), 0.5, updates
        self.loss_of = losses.Huber(0.7)

    def compile(self, **settings):
        super().compile(**settings)
        self.first = optimizers.Adam(schedules.ExponentialDecay(0.1, 3, 0.5), clipnorm=0.3)
        self.second = optimizers.SGD(0.05, momentum=0.9)

    def train_step(self, data):
        x, y, other = data
        with minidl.GradientTape() as tape:
            loss = self.loss_of(y, self.one(x, training=True))
        self.first.apply(tape.gradient(loss, self.one.trainable_weights), self.one.trainable_weights)
        for _ in range(self.updates):
            with minidl.GradientTape() as tape:
                rival = ops.mean((self.two(x) - self.share * ops.stop_gradient(self.one(x)) - ops.mean(other)) ** 2)
            self.second.apply(tape.gradient(rival, self.two.trainable_weights), self.two.trainable_weights)
        return {"loss": loss, "rival": rival}


@pytest.mark.parametrize("change", [None, "attribute", "rate", "loss"])
def test_a_train_step_with_two_optimizers(change):
    found = []
    for jit in (False, True):
        minidl.utils.set_random_seed(4)
        model = Rivals().to(there())
        model.compile(jit_compile=jit)
        logs = []
        for step in range(9):
            if step == 6 and change == "attribute":
                model.share = 0.25
            elif step == 6 and change == "rate":
                model.second.learning_rate = 0.5
            elif step == 6 and change == "loss":
                model.loss_of = losses.MeanSquaredError()
            batch = [(1 + step) * one for one in (ROWS, TARGETS, TARGETS[:, 0])]
            logs.append({k: float(v) for k, v in model.train_on_batch(*batch, return_dict=True).items()})
        variables = [*model.variables, *model.first.variables, *model.second.variables]
        found.append((logs, [variable.numpy() for variable in variables]))
        assert int(model.first.iterations) == int(model.second.iterations) == 9
        (line,) = model._captured.lines()
        assert (": recorded as a" in line) == jit, line
    assert found[0][0] == found[1][0]
    for one, other in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_optimizer_that_is_applied_twice_in_a_step():
    model = Rivals(updates=2).to(there())
    model.compile(jit_compile=True)
    with pytest.warns(UserWarning, match="iteration.* is counted twice in a step"):
        for _ in range(4):
            model.train_on_batch(ROWS, TARGETS, TARGETS[:, 0])
    assert int(model.first.iterations) == 4 and int(model.second.iterations) == 8


on_cpu = pytest.mark.parametrize("device", [machines.CPU], indirect=True)
WIDE = DATA.standard_normal((3, 40, 300)).astype("float32")  # a batch that is worth reading where it lies


@on_cpu
@pytest.mark.parametrize("how", ["contiguous", "strided", "read only", "whole numbers"])
def test_batches_are_read_where_they_lie_or_copied(how):
    def given(batch):
        if how == "strided":
            return np.repeat(batch, 2, axis=1)[:, ::2]
        batch = (100 * batch).astype("int64") if how == "whole numbers" else batch.copy()
        batch.flags.writeable = how != "read only"
        return batch

    minidl.utils.set_random_seed(3)
    model = models.Sequential([layers.Input((300,)), layers.Dense(20, "relu"), layers.Dense(2)])
    model.compile("sgd", "mse")
    other = models.clone_model(model)
    other.set_weights(model.get_weights())
    other.compile("sgd", "mse", run_eagerly=True)
    for i in range(6):
        x, y = given(WIDE[i % 3] / 100), DATA.standard_normal((40, 2)).astype("float32")
        before = x.copy()
        outputs = model.predict_on_batch(x)
        kept = outputs.copy()
        np.testing.assert_array_equal(outputs, other.predict_on_batch(x))
        assert model.train_on_batch(x, y) == other.train_on_batch(x, y)
        np.testing.assert_array_equal(x, before)
        np.testing.assert_array_equal(outputs, kept)
        gone = weakref.ref(x)
        del x
        assert i < 3 or gone() is None
    for own, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(own, expected)
    (steps,) = [one.recorded for one in model._captured.shapes.values()]
    # The first layer's product and the gradient of its weights read floats; whole numbers are made floats before.
    assert steps is not None and len(steps._calls[0]) == (0 if how == "whole numbers" else 2)


@on_cpu
def test_an_input_that_is_an_output():
    x = layers.Input((300,))
    model = models.Model(x, [layers.Dense(2)(x), x])
    for batch in [*WIDE, *WIDE]:
        found = model.predict_on_batch(batch)
        np.testing.assert_array_equal(found[1], batch)
        assert not np.may_share_memory(found[1], batch)
