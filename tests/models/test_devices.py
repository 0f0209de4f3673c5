"""Models on a device that is not the processor's, through the public names, beside the same models on the CPU."""

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import minidl
from minidl import layers, losses, metrics, models, ops, optimizers
from minidl.cli import networks
from minidl_kernels import arrays, devices
from tests import machines
from tests.kernels import strict
from tests.machines import simulated_only

DATA = np.random.default_rng(0)
IMAGES = DATA.standard_normal((12, 8, 8, 2)).astype("float32")
LABELS = DATA.integers(0, 4, 12)


@pytest.fixture(autouse=True, params=machines.MACHINES)
def device(request, monkeypatch):
    yield from machines.started(request.param, monkeypatch)


def lies_on(variables):
    return {str(devices.device_of(v.data)) for v in variables}


def there():
    """The name of the device."""
    return machines.now.name


def given(value, name=None):
    return devices.move(value, devices.find(name or there()))


def classifier(inner=list, optimizer="sgd", **settings):
    minidl.utils.set_random_seed(3)
    model = models.Sequential(
        [layers.Input((8, 8, 2)), *inner(), layers.Flatten(), layers.Dense(4, activation="softmax")]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **settings)
    return model


def convolutional():
    return [
        layers.Conv2D(3, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.MaxPooling2D(), layers.Conv2D(3, 3, activation="relu"), layers.Dropout(0.3),
    ]  # fmt: skip


def same(on_cpu, on_device, tolerance=2e-6):
    tolerance *= 1 if machines.now.simulated else 10
    found, expected = on_device.get_weights(), on_cpu.get_weights()
    assert lies_on(on_device.weights) == {there()} and len(found) == len(expected)
    for w, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(w, e, atol=tolerance * max(1, np.abs(e).max()))


# ---- training ----


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_cnn_trains_as_on_the_cpu(optimizer):
    runs = []
    for where in ("cpu", there()):
        model = classifier(convolutional, optimizer=optimizer).to(where)
        history = model.fit(IMAGES, LABELS, batch_size=5, epochs=2, verbose=0, validation_data=(IMAGES, LABELS))
        runs.append(
            (model, history.history, model.predict(IMAGES, verbose=0), model.evaluate(IMAGES, LABELS, verbose=0))
        )
    (model, history, predicted, evaluated), (moved, found, on_device, scores) = runs
    same(model, moved)
    assert lies_on(moved.optimizer.slots) <= {there()} and lies_on(moved.metrics[0].variables) == {there()}
    for name, values in history.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5)
    assert isinstance(on_device, np.ndarray)
    np.testing.assert_allclose(on_device, predicted, atol=2e-6)
    np.testing.assert_allclose(scores, evaluated, rtol=1e-5)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_demo_nets_train(name):
    made = []
    for where in ("cpu", there()):
        minidl.utils.set_random_seed(1)
        model = networks.NETWORKS[name]((14, 14, 1), 4).to(where)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.train_on_batch(np.random.default_rng(2).random((3, 14, 14, 1), dtype="float32"), np.arange(3))
        made.append(model)
    same(*made, tolerance=2e-5)


OPTIMIZERS = [
    "Adadelta", "Adafactor", "Adagrad", "Adamax", "AdamW", "Ftrl", "Lamb", "Lion", "Nadam", "RMSprop",
]  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_steps(name):
    made = []
    for where in ("cpu", there()):
        optimizer = getattr(optimizers, name)(0.01, global_clipnorm=0.5, use_ema=True)
        model = classifier(lambda: [layers.Dense(3, "tanh")], optimizer=optimizer).to(where)
        for _ in range(2):
            model.train_on_batch(IMAGES, LABELS)
        made.append(model)
    same(*made, tolerance=1e-5)


LAYERS = {
    "average": lambda: [layers.AveragePooling2D()],
    "depthwise": lambda: [layers.DepthwiseConv2D(3), layers.LeakyReLU()],
    "separable": lambda: [layers.SeparableConv2D(3, 3, activation="gelu")],
    "transposed": lambda: [layers.Conv2DTranspose(2, 3, strides=2)],
    "sequence": lambda: [layers.Reshape((16, 8)), layers.Conv1D(3, 3), layers.GlobalMaxPooling1D()],
    "upsampled": lambda: [layers.UpSampling2D(interpolation="bilinear"), layers.GlobalAveragePooling2D()],
    "normal": lambda: [layers.LayerNormalization(), layers.UnitNormalization(), layers.GaussianNoise(0.1, seed=2)],
    "spatial": lambda: [layers.SpatialDropout2D(0.5, seed=1), layers.ZeroPadding2D(1), layers.Cropping2D(2)],
    "colours": lambda: [layers.Rescaling(0.5, 1.0), layers.RandomFlip(seed=1), layers.RandomRotation(0.1, seed=1)],
    "prelu": lambda: [layers.PReLU(), layers.ELU(), layers.Permute((3, 1, 2))],
    "penalised": lambda: [
        layers.Dense(3, kernel_regularizer="l2", bias_constraint="non_neg", activity_regularizer="l1")
    ],
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_train(name):
    made = []
    for where in ("cpu", there()):
        model = classifier(LAYERS[name]).to(where)
        for _ in range(2):
            model.train_on_batch(IMAGES, LABELS)
        made.append(model)
    same(*made, tolerance=1e-5)


def test_a_gan_step():
    made = []
    for where in ("cpu", there()):
        minidl.utils.set_random_seed(5)
        with minidl.device(where):
            generator = models.Sequential([layers.Input((3,)), layers.Dense(8, "relu"), layers.Dense(6, "tanh")])
            critic = models.Sequential(
                [layers.Input((6,)), layers.Dense(8), layers.LeakyReLU(), layers.Dropout(0.3, seed=1), layers.Dense(1)]
            )
            loss = losses.BinaryCrossentropy(from_logits=True)
            steps = optimizers.Adam(0.01), optimizers.Adam(0.01)
            for seed in range(2):
                noise = minidl.random.normal((4, 3), seed=seed)
                with minidl.GradientTape() as tape:
                    both = ops.concatenate([generator(noise, training=True), ops.convert_to_tensor(REAL)], axis=0)
                    wrong = loss(np.repeat([[0.0], [1.0]], 4, axis=0), critic(both, training=True))
                steps[0].apply(tape.gradient(wrong, critic.trainable_variables), critic.trainable_variables)
                with minidl.GradientTape() as tape:
                    fooled = loss(ops.ones((4, 1)), critic(generator(noise, training=True), training=True))
                steps[1].apply(tape.gradient(fooled, generator.trainable_variables), generator.trainable_variables)
        made.append((generator, critic))
    for on_cpu, on_device in zip(*made, strict=True):
        same(on_cpu, on_device, tolerance=1e-5)


REAL = DATA.standard_normal((4, 6)).astype("float32")


@simulated_only
def test_a_batch_is_brought_once_and_an_epoch_reads_once():
    model = classifier(convolutional, optimizer="adam").to(there())
    model.fit(IMAGES, LABELS, batch_size=4, verbose=0)
    counted = []
    for batch_size in (6, 3):
        strict.reads.clear()
        strict.sends.clear()
        model.fit(IMAGES, LABELS, batch_size=batch_size, verbose=0)
        big = [size for size in strict.sends if size in (batch_size * 128, batch_size)]
        assert big == [batch_size * 128, batch_size] * (12 // batch_size)
        counted.append(len(strict.reads))
    assert counted == [2, 2]  # loss and accuracy at once, and labels
    images, labels = given(IMAGES), given(LABELS)
    strict.sends.clear()
    model.fit(images, labels, verbose=0)
    assert max(strict.sends, default=0) <= 12  # the order of the samples


def test_labels_that_are_no_classes_are_told_at_the_end_of_the_epoch():
    model = classifier().to(there())
    for wrong, named in ((4, "4"), (-1, "-1")):
        labels = LABELS.copy()
        labels[0] = wrong
        with pytest.raises(ValueError, match=f"a label is {named}; expected 0 to 3"):
            model.fit(IMAGES, labels, batch_size=4, verbose=0)
        with pytest.raises(ValueError, match=f"a label is {named}; expected 0 to 3"):
            model.evaluate(IMAGES, labels, verbose=0)
        with pytest.raises(ValueError, match=f"a label is {named}; expected 0 to 3"):
            model.train_on_batch(IMAGES, labels)


# ---- losses and metrics ----

CONTINUOUS = [
    "MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "Huber",
    "LogCosh", "CosineSimilarity", "KLDivergence", "Poisson", "Hinge", "SquaredHinge", "CategoricalHinge",
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy", "Dice",
    "Tversky",
]  # fmt: skip
Y_TRUE = np.eye(3, dtype="float32")[DATA.integers(0, 3, 7)]
Y_PRED = ops.softmax(DATA.standard_normal((7, 3)).astype("float32"))
WEIGHTS = DATA.random(7).astype("float32")


@pytest.mark.parametrize("name", CONTINUOUS)
def test_losses(name):
    for true in (Y_TRUE, given(Y_TRUE)):
        leaf = minidl.Tensor(given(Y_PRED), requires_grad=True)
        with minidl.device(there()):
            found = getattr(losses, name)()(true, leaf, WEIGHTS)
            found.backward()
        twin = minidl.Tensor(Y_PRED, requires_grad=True)
        expected = getattr(losses, name)()(Y_TRUE, twin, WEIGHTS)
        expected.backward()
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)
        np.testing.assert_allclose(arrays.to_numpy(leaf.grad), twin.grad, atol=1e-6)


UNREAD = [
    "MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError",
    "RootMeanSquaredError", "LogCoshError", "CosineSimilarity", "KLDivergence", "Poisson", "Hinge", "SquaredHinge",
    "CategoricalHinge", "BinaryCrossentropy", "CategoricalCrossentropy", "BinaryAccuracy", "CategoricalAccuracy",
    "TopKCategoricalAccuracy", "Accuracy", "AUC", "Precision", "Recall", "FBetaScore", "F1Score", "R2Score",
    "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "PrecisionAtRecall",
    "SensitivityAtSpecificity", "OneHotIoU", "OneHotMeanIoU",
]  # fmt: skip
ARGUMENTS = {
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2], "dtype": "float32"},
    "OneHotMeanIoU": {"num_classes": 3, "ignore_class": 1, "dtype": "float32"},
    "TopKCategoricalAccuracy": {"k": 2},
    "FBetaScore": {"threshold": 0.5, "average": "weighted"}, "TruePositives": {"thresholds": [0.7, 0.2]},
    "FalsePositives": {"thresholds": [0, 0.5, 1]}, "PrecisionAtRecall": {"recall": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5, "class_id": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", UNREAD)
def test_metrics(name):
    made = getattr(metrics, name)
    arguments = ARGUMENTS.get(name, {})
    on_device, on_cpu = made(**arguments), made(**arguments)
    strict.reads.clear()
    for weights in (None, WEIGHTS):
        if name == "R2Score" and weights is not None:
            continue
        with minidl.device(there()):
            on_device.update_state(given(Y_TRUE), minidl.Tensor(given(Y_PRED)), weights)
            found = on_device.result()
        on_cpu.update_state(Y_TRUE, Y_PRED, weights)
        assert strict.reads == []
        np.testing.assert_allclose(found.numpy(), on_cpu.result().numpy(), rtol=1e-5)
        strict.reads.clear()
    on_device.reset_state()
    on_cpu.reset_state()
    np.testing.assert_array_equal(on_device.result().numpy(), on_cpu.result().numpy())


@pytest.mark.filterwarnings("ignore:.*fractions of sample_weight are cut off")
def test_classes_are_counted_where_they_lie():
    true, found = DATA.integers(-1, 5, (2, 3, 4)), DATA.integers(-1, 5, (2, 3, 4)).astype("float32")
    weights = 3 * DATA.random((2, 3, 4))
    for make in (
        lambda: metrics.IoU(4, [3, 1]), lambda: metrics.MeanIoU(4, ignore_class=2),
        lambda: metrics.MeanIoU(4, dtype="float32"), lambda: metrics.BinaryIoU([1], threshold=2),
    ):  # fmt: skip
        on_device, on_cpu = make(), make()
        for several in (None, weights):
            strict.reads.clear()
            with minidl.device(there()):
                on_device.update_state(given(true), given(found), None if several is None else given(several))
                result = on_device.result()
            assert strict.reads == []
            on_cpu.update_state(true, found, several)
            np.testing.assert_allclose(result.numpy(), on_cpu.result().numpy(), rtol=1e-6)
        np.testing.assert_allclose(arrays.to_numpy(on_device.total_cm.data), on_cpu.total_cm.data, rtol=1e-6)


CURVES = {
    "pr": {"curve": "PR"}, "gain": {"curve": "PRGAIN", "summation_method": "minoring"},
    "majoring": {"summation_method": "majoring", "num_thresholds": 9}, "logits": {"from_logits": True},
    "given": {"thresholds": [0.3, 0.6, 0.31]}, "by label": {"multi_label": True, "num_thresholds": 20},
    "weighed labels": {"multi_label": True, "label_weights": [1.0, 2.0, 3.0]},
}  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
def test_areas(name, monkeypatch):
    monkeypatch.setattr("minidl.metrics.confusion_counts.AT_ONCE", 50)
    on_device, on_cpu = metrics.AUC(**CURVES[name]), metrics.AUC(**CURVES[name])
    strict.reads.clear()
    for weights in (None, WEIGHTS):
        with minidl.device(there()):
            on_device.update_state(given(Y_TRUE), given(Y_PRED), None if weights is None else given(weights))
            found = on_device.result()
        assert strict.reads == [] or name == "weighed labels"
        on_cpu.update_state(Y_TRUE, Y_PRED, weights)
        np.testing.assert_allclose(found.numpy(), on_cpu.result().numpy(), rtol=1e-5)
        strict.reads.clear()


# ---- moving, saving, predicting ----


def test_models_move_and_are_saved_anywhere(tmp_path):
    other = "strict:0" if machines.now.simulated else there()
    model = classifier(convolutional, optimizer="adam")
    model.train_on_batch(IMAGES, LABELS)
    expected = model.predict(IMAGES, verbose=0)
    assert lies_on(model.weights) == {"cpu"}
    assert model.to(there()) is model
    assert lies_on([*model.weights, *model.optimizer.slots, *model.metrics[0].variables]) == {there()}
    assert lies_on([model.optimizer.iterations, model.optimizer.learning_rate]) == {"cpu"}
    for x in (IMAGES, given(IMAGES, other), given(IMAGES)):
        np.testing.assert_allclose(model(x).numpy(), expected, atol=2e-6)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=2e-6)
    path = tmp_path / "model.keras"
    model.save(path)
    back = minidl.saving.load_model(path)
    assert lies_on(back.weights) == {"cpu"}
    for x in (IMAGES, given(IMAGES, other)):
        np.testing.assert_allclose(back.predict(x, verbose=0), expected, atol=2e-6)
    with minidl.device(other):
        moved = minidl.saving.load_model(path)
    assert lies_on([*moved.weights, *moved.optimizer.slots]) == {other}
    model.save_weights(tmp_path / "model.weights.h5")
    moved.load_weights(tmp_path / "model.weights.h5")
    assert lies_on(moved.weights) == {other}
    np.testing.assert_allclose(moved.predict(IMAGES, verbose=0), expected, atol=2e-6)
    steps = [one.train_on_batch(IMAGES, LABELS)[0] for one in (model, back, moved, model.to("cpu"))]
    np.testing.assert_allclose(steps[1:3], steps[0], rtol=1e-5)
    assert lies_on([*model.weights, *model.optimizer.slots]) == {"cpu"}


def test_the_same_seed_gives_the_same_numbers():
    draws = {
        "uniform": lambda: minidl.random.uniform((50,), seed=3),
        "normal": lambda: minidl.random.normal((50,), seed=3),
        "truncated": lambda: minidl.random.truncated_normal((50,), seed=3),
        "whole": lambda: minidl.random.randint((50,), 0, 9, seed=3),
        "classes": lambda: minidl.random.categorical(np.zeros((2, 5), "float32"), 9, seed=3),
        "shuffled": lambda: minidl.random.shuffle(np.arange(20), seed=3),
        "dropped": lambda: minidl.random.dropout(ops.ones((5, 9)), 0.4, seed=3),
        "gamma": lambda: minidl.random.gamma((9,), 2.0, seed=3),
        "orthogonal": lambda: minidl.initializers.Orthogonal(seed=3)((4, 3)),
        "glorot": lambda: minidl.initializers.GlorotUniform(seed=3)((4, 3)),
    }
    for name, draw in draws.items():
        expected = draw()
        with minidl.device(there()):
            found = minidl.Tensor(draw())
        assert lies_on([found]) == {there()}, name
        # Bits are the same, what is computed of them is rounded as the device's logarithms and cosines are.
        machines.now.close(found.data, np.asarray(expected), 0, 1e-5)
    generators = []
    for where in ("cpu", there()):
        with minidl.device(where):
            seeds = minidl.random.SeedGenerator(7)
            generators.append([minidl.random.uniform((3,), seed=seeds).numpy() for _ in range(3)])
    np.testing.assert_array_equal(*generators)


# ---- checked gradients ----


def test_gradients_are_checked_where_the_arrays_lie():
    seen = []

    def function(a, b):
        seen.append(lies_on([a, b]))
        return ops.tanh(ops.matmul(a, b))

    a, b = DATA.standard_normal((2, 3)), DATA.standard_normal((3, 2))
    for inputs, outside, order in (((a, b), there(), 1), ((given(a), b), "cpu", 2)):
        with minidl.device(outside):
            assert minidl.gradcheck(function, list(inputs), order=order, elements=1).ok
    assert seen and all(places == {there()} for places in seen)
    model = models.Sequential([layers.Input((3,)), layers.Dense(2, "tanh"), layers.BatchNormalization()]).to(there())
    before = model.get_weights()
    assert minidl.gradcheck(model, DATA.standard_normal((2, 3)), elements=1).ok
    assert lies_on(model.weights) == {there()}
    for own, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(own, expected)


# ---- which device ----


def test_the_device_of_new_tensors():
    assert minidl.config.get_device() == "cpu"
    with minidl.device(there()):
        assert minidl.config.get_device() == there()
        made = [minidl.Tensor([1.0]), minidl.Variable(2.0), ops.zeros((2,)), ops.convert_to_tensor(np.ones(2))]
        with minidl.device("cpu"):
            assert lies_on([minidl.Tensor([1.0])]) == {"cpu"}
    assert lies_on(made) == {there()} and minidl.config.get_device() == "cpu"
    try:
        minidl.config.set_device(there().partition(":")[0])
        first = there().replace("1", "0")
        assert minidl.config.get_device() == first and lies_on([ops.ones((2,))]) == {first}
    finally:
        minidl.config.set_device("cpu")


@simulated_only
def test_two_threads_use_two_devices():
    found, together = {}, threading.Barrier(2)

    def work(index):
        with minidl.device(f"strict:{index}"):
            together.wait()
            x = minidl.Tensor([1.0, 2.0])
            together.wait()
            found[index] = (x * 2 + 1).data.device.id

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: 0, 1: 1}


@simulated_only
def test_an_op_runs_where_its_arrays_lie():
    x = minidl.Tensor(strict.given(np.ones((2, 3), "float32"), 1))
    with pytest.raises(RuntimeError, match="on strict:1, while this thread works on strict:0.*minidl.device"):
        ops.exp(x)
    with minidl.device(there()):
        found = ops.matmul(x, np.ones((3, 2), "float32"))
    assert lies_on([found]) == {there()} and (found.numpy() == 3).all()
    other = minidl.Tensor(strict.given(np.ones((2, 3), "float32"), 0))
    with pytest.raises(RuntimeError, match="add: its arrays lie on strict:1 and on strict:0"):
        ops.add(x, other)
    weight = minidl.Variable(np.ones(3, "float32"))
    with (
        minidl.device(there()),
        pytest.raises(RuntimeError, match="gradients flow, lies on the CPU.*to\\('strict:1'\\)"),
    ):
        ops.multiply(x, weight)


@simulated_only
def test_wrong_names_change_nothing():
    model = classifier()
    for name, error, says in (
        ("tpu", ValueError, 'device must be "cpu", "gpu"'), ("cpu:1", ValueError, "device must be"),
        ("strict:2", ValueError, "there are: strict:0, strict:1"), (0, TypeError, "device must be a text"),
    ):  # fmt: skip
        for call in (minidl.device, minidl.config.set_device, model.to):
            with pytest.raises(error, match=says):
                call(name)
    assert lies_on(model.weights) == {"cpu"} and minidl.config.get_device() == "cpu"


# ---- CuPy and its GPU ----


@simulated_only
@pytest.mark.parametrize(
    "version, says", [(None, "no NVIDIA driver"), (12040, r"CUDA 12\.4.*cuda12"), (13000, "cuda13")]
)
def test_without_cupy_the_message_says_what_to_install(version, says, monkeypatch):
    monkeypatch.setattr(devices, "driver", lambda: version)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ImportError, match=rf"through CuPy.*{says}"):
        minidl.device("gpu")
    assert minidl.config.get_device() == "cpu"


@simulated_only
def test_cupy_without_a_gpu(monkeypatch):
    def fails():
        raise OSError("driver version is insufficient")

    for count, says in (
        (fails, r"14\.0.*finds no GPU \(driver version is insufficient\)"),
        (lambda: 0, "finds no GPU"),
    ):
        runtime = SimpleNamespace(getDeviceCount=count)
        cupy = SimpleNamespace(ndarray=type("array", (), {}), cuda=SimpleNamespace(runtime=runtime), __version__="14.0")
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        monkeypatch.setattr(arrays, "foreign", {})
        monkeypatch.setattr(devices, "foreign", arrays.foreign)
        model = classifier()
        for call in (minidl.device, minidl.config.set_device, model.to):
            with pytest.raises(RuntimeError, match=says):
                call("cuda:0")
        assert lies_on(model.weights) == {"cpu"}
