"""Masks that layers make and hand on: predictions, losses, metrics and training with Keras side by side."""

import warnings

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries, same_logs

pytestmark = pytest.mark.oracle

WORDS = np.array([[3, 1, 0, 0, 0], [2, 0, 4, 1, 0], [1, 1, 1, 1, 1], [4, 0, 0, 0, 0]], "int32")
STEPS = np.where(WORDS[..., None] > 0, generator("steps").normal(size=(4, 5, 3)), 0).astype("float32")


def words(k, *layers, **settings):
    return k.Sequential([k.Input((5,), dtype="int32"), k.layers.Embedding(6, 3, mask_zero=True), *layers], **settings)


def steps(k, *layers):
    return k.Sequential([k.Input((5, 3)), k.layers.Masking(), *layers])


def branches(k, join, second=True):
    one, other = k.Input((5,), dtype="int32"), k.Input((5,), dtype="int32")
    tables = k.layers.Embedding(6, 3, mask_zero=True), k.layers.Embedding(6, 3, mask_zero=second)
    joined = join([tables[0](one), tables[1](other)])
    return k.Model([one, other], k.layers.Dense(2)(joined))


def custom(k):
    class Halve(k.layers.Layer):
        def call(self, inputs):
            return inputs[:, ::2]

        def compute_mask(self, inputs, previous_mask=None):
            return None if previous_mask is None else previous_mask[:, ::2]

    class Mean(k.layers.Layer):
        def call(self, inputs, mask=None):
            weights = k.ops.expand_dims(k.ops.cast(mask, "float32"), -1)
            return k.ops.sum(inputs * weights, axis=1) / (k.ops.sum(weights, axis=1) + 1.0)

    return words(k, Halve(), k.layers.Dense(4, activation="tanh"), Mean(), k.layers.Dense(2))


def subclassed(k):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.table, self.dense = k.layers.Embedding(6, 3, mask_zero=True), k.layers.Dense(2)
            self.mean = k.layers.GlobalAveragePooling1D()

        def call(self, inputs):
            return self.mean(self.dense(self.table(inputs)))

    return Net()


def graph(k):
    x = k.Input((5,), dtype="int32")
    y = k.layers.Embedding(6, 4, mask_zero=True)(x)
    y = k.layers.Add()([k.layers.Dense(4, activation="relu")(y), y])
    return k.Model(x, k.layers.GlobalAveragePooling1D()(k.layers.LayerNormalization()(y)))


def nested(k):
    inner = words(k, k.layers.Dense(3, activation="tanh"), name="inner")
    tail = k.Sequential([k.Input((5, 3)), k.layers.Activation("tanh"), k.layers.GlobalAveragePooling1D()], name="tail")
    x = k.Input((5,), dtype="int32")
    return k.Model(x, k.layers.Dense(2)(tail(inner(x))))


def shifted(k):
    return words(k, k.layers.Lambda(lambda x: x + 1.0, mask=lambda x, mask: mask), k.layers.GlobalAveragePooling1D())


MODELS = {
    "a mean of words": lambda k: words(k, k.layers.GlobalAveragePooling1D(), k.layers.Dense(2)),
    "steps": lambda k: steps(k, k.layers.Dense(4), k.layers.GlobalAveragePooling1D()),
    "a loss for every step": lambda k: words(k, k.layers.Dense(2)),
    "a loss for every step of numbers": lambda k: steps(k, k.layers.Dense(4, activation="relu"), k.layers.Dense(2)),
    "many layers": lambda k: words(
        k, k.layers.Dropout(0.0), k.layers.Dense(4), k.layers.LeakyReLU(), k.layers.PReLU(), k.layers.ELU(),
        k.layers.UnitNormalization(), k.layers.Identity(), k.layers.Rescaling(2.0), k.layers.GlobalAveragePooling1D(),
    ),
    "batch normalization": lambda k: words(k, k.layers.BatchNormalization(), k.layers.GlobalAveragePooling1D()),
    "each step by itself": lambda k: words(
        k, k.layers.TimeDistributed(k.layers.Dense(4)), k.layers.GlobalAveragePooling1D()
    ),
    "lost in between": lambda k: words(k, k.layers.Conv1D(4, 1), k.layers.GlobalAveragePooling1D()),
    "zero is a word": lambda k: k.Sequential([
        k.Input((5,), dtype="int32"), k.layers.Embedding(6, 3), k.layers.GlobalAveragePooling1D(),
    ]),
    "added": lambda k: branches(k, k.layers.Add()),
    "one without a mask": lambda k: branches(k, k.layers.Add(), second=False),
    "concatenated features": lambda k: branches(k, k.layers.Concatenate()),
    "concatenated with one without": lambda k: branches(k, k.layers.Concatenate(), second=False),
    "concatenated steps": lambda k: branches(k, k.layers.Concatenate(axis=1)),
    "products": lambda k: branches(k, k.layers.Dot(axes=2)),
    "custom layers": custom,
    "a subclass": subclassed,
    "a graph": graph,
    "models in a model": nested,
    "a lambda": shifted,
}  # fmt: skip


def inputs_of(name):
    if "steps" in name and "concatenated" not in name or "numbers" in name:
        return STEPS
    two = name.startswith(("added", "one without", "concatenated", "products"))
    return [WORDS, WORDS[::-1].copy()] if two else WORDS


@pytest.mark.filterwarnings("ignore:.*mask:UserWarning")
@pytest.mark.parametrize("name", MODELS)
def test_predictions_losses_and_training(name):
    theirs, ours = both(MODELS[name])
    x = inputs_of(name)
    for model in (theirs, ours):
        model(x)  # so that subclasses have weights
    copy_weights(theirs, ours)
    wanted = np.asarray(theirs(x))
    close(ours(x), wanted, "outputs")
    close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), "prediction")
    y = generator(name).normal(size=wanted.shape).astype("float32")
    for k, model in zip(libraries(), (theirs, ours), strict=True):
        model.compile(k.optimizers.SGD(0.1), "mse", metrics=["mae"], weighted_metrics=["mse"])
    fit = {"batch_size": 2, "epochs": 3, "shuffle": False, "verbose": 0, "validation_data": (x, y)}
    histories = [model.fit(x, y, **fit).history for model in (ours, theirs)]
    for history in histories:  # on JAX, the predictions lose their mask on the way to the metrics of training
        del history["mae"], history["mse"]
    same_logs(*histories, 2e-5)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        close(one, other, other.path, 2e-5)
    weights = np.array([1.0, 0.5, 2.0, 0.0], "float32").reshape((4,) + (1,) * (y.ndim - 2))
    found, wanted = (m.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True) for m in (ours, theirs))
    same_logs(found, wanted, 2e-5)


def masks(k):
    table = k.layers.Embedding(6, 3, mask_zero=True)(WORDS)
    last = k.layers.Dense(2)(table)
    other = k.layers.Masking(mask_value=1.0)(np.array([[[1.0, 1.0], [1.0, 0.0]]], "float32"))
    flat = k.layers.Concatenate()([last, k.ops.ones((4, 5, 1))])
    model = words(k, k.layers.Dense(2))(WORDS)
    explicit = k.layers.Dense(2)(np.ones((2, 3), "float32"))
    found = [getattr(one, "_keras_mask", None) for one in (table, last, other, flat, model, explicit)]
    return [None if one is None else np.asarray(one).tolist() for one in found]


def test_outputs_carry_masks():
    theirs, ours = both(masks)
    assert ours == theirs
    assert ours[0] == (WORDS != 0).tolist() and ours[2] == [[False, True]] and ours[-1] is None


def test_a_layer_that_hands_no_mask_on_says_so():
    for k in libraries():
        table = k.layers.Embedding(6, 3, mask_zero=True)(WORDS)
        with pytest.warns(UserWarning, match="mask"):
            flat = k.layers.Flatten()(table)
        assert getattr(flat, "_keras_mask", None) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = words(minidl, minidl.layers.Dense(2), minidl.layers.GlobalAveragePooling1D())(WORDS)
    assert y.shape == (4, 2)


LAYERS = {
    "Activation": ("relu",), "ActivityRegularization": (), "Add": (), "AlphaDropout": (0.1,), "Average": (),
    "BatchNormalization": (), "Concatenate": (), "Conv1D": (2, 2), "Conv2D": (2, 2), "Dense": (2,), "Dot": (1,),
    "Dropout": (0.1,), "ELU": (), "EinsumDense": ("ab,bc->ac", 3), "Embedding": (2, 2), "Flatten": (),
    "GaussianDropout": (0.1,), "GaussianNoise": (0.1,), "GlobalAveragePooling1D": (), "GlobalMaxPooling1D": (),
    "GroupNormalization": (), "Identity": (), "Lambda": (abs,), "LayerNormalization": (), "LeakyReLU": (),
    "Masking": (), "Maximum": (), "Minimum": (), "Multiply": (), "Normalization": (), "PReLU": (), "Permute": ((1,),),
    "RMSNormalization": (), "ReLU": (), "RepeatVector": (2,), "Rescaling": (1.0,), "Reshape": ((2,),), "Softmax": (),
    "SpatialDropout1D": (0.1,), "SpatialDropout2D": (0.1,), "Subtract": (), "UnitNormalization": (),
    "UpSampling1D": (), "ZeroPadding1D": (),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_which_layers_hand_masks_on(name):
    theirs, ours = both(lambda k: getattr(k.layers, name)(*LAYERS[name]).supports_masking)
    assert ours == theirs


def test_the_configuration_of_masking():
    theirs, ours = both(lambda k: k.layers.Masking(mask_value=-1.0, name="m").get_config())
    assert {key: value for key, value in ours.items() if key != "dtype"} == {
        key: value for key, value in theirs.items() if key != "dtype"
    }
    again = minidl.layers.Masking.from_config(theirs)
    kept = again(np.array([[[-1.0, -1.0], [-1.0, 2.0]]], "float32"))
    assert kept.numpy().tolist() == [[[0.0, 0.0], [-1.0, 2.0]]]


def test_files_with_masks_are_read_by_both(tmp_path):
    keras, ours = libraries()
    mine = steps(ours, ours.layers.Dense(2), ours.layers.GlobalAveragePooling1D())
    mine.save(tmp_path / "ours.keras")
    opened = keras.models.load_model(tmp_path / "ours.keras")
    close(mine.predict(STEPS, verbose=0), opened.predict(STEPS, verbose=0), "opened by Keras")
    opened.save(tmp_path / "theirs.keras")
    again = minidl.models.load_model(tmp_path / "theirs.keras")
    close(again.predict(STEPS, verbose=0), opened.predict(STEPS, verbose=0), "opened again")
