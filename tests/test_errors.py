"""Bad input: the right type of error, and a message that names the argument, what came and what was expected."""

import re
import warnings

import numpy as np
import pytest

import minidl
from minidl import callbacks, initializers, layers, losses, metrics, optimizers, regularizers

X, Y = np.ones((10, 4), "float32"), np.zeros((10, 1), "float32")
LABELS, PICTURES = np.arange(10) % 3, np.ones((10, 8, 8, 3), "float32")


def model(last=1, activation=None, loss="mse", **compiled):
    made = minidl.Sequential([layers.Input((4,), name="numbers"), layers.Dense(last, activation, name="last")])
    made.compile("sgd", loss, **compiled)
    return made


def classifier():
    return model(3, "softmax", "sparse_categorical_crossentropy")


def two_outputs(**compiled):
    x = layers.Input((4,))
    made = minidl.Model(x, [layers.Dense(1, name="main")(x), layers.Dense(2, name="side")(x)])
    made.compile("sgd", **{"loss": "mse", **compiled})
    return made


def fit(made, x=X, y=Y, **options):
    return made.fit(x, y, verbose=0, **options)


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


# name: (what is done, the error, what its message says)
CASES = {
    # arguments of layers
    "units 0": (lambda: layers.Dense(0), ValueError, "units.*positive.*0"),
    "units -3": (lambda: layers.Dense(-3), ValueError, "units.*positive.*-3"),
    "units 2.5": (lambda: layers.Dense(2.5), ValueError, r"units.*whole number.*2\.5"),
    "units a text": (lambda: layers.Dense("10"), ValueError, "units.*whole number.*'10'"),
    "units True": (lambda: layers.Dense(True), ValueError, "units.*whole number.*True"),
    "filters 0": (lambda: layers.Conv2D(0, 3), ValueError, "filters.*positive.*0"),
    "kernel_size 0": (lambda: layers.Conv2D(3, 0), ValueError, "kernel_size.*positive.*0"),
    "kernel_size of three": (lambda: layers.Conv2D(3, (1, 2, 3)), ValueError, r"kernel_size.*two.*\(1, 2, 3\)"),
    "kernel_size a text": (lambda: layers.Conv2D(3, "3"), ValueError, "kernel_size.*'3'"),
    "kernel_size a float": (lambda: layers.Conv2D(3, 3.0), ValueError, r"kernel_size.*3\.0"),
    "strides 0": (lambda: layers.Conv2D(3, 3, strides=0), ValueError, "strides.*positive.*0"),
    "pool_size 0": (lambda: layers.MaxPooling2D(0), ValueError, "pool_size.*positive.*0"),
    "padding": (lambda: layers.Conv2D(3, 3, padding="full"), ValueError, "padding.*'valid' or 'same'.*'full'"),
    "data_format": (lambda: layers.Flatten(data_format="nchw"), ValueError, "data_format.*channels_last.*'nchw'"),
    "dropout 1.5": (lambda: layers.Dropout(1.5), ValueError, r"rate.*0 to 1.*1\.5"),
    "dropout -0.1": (lambda: layers.Dropout(-0.1), ValueError, r"rate.*0 to 1.*-0\.1"),
    "dropout a text": (lambda: layers.Dropout("0.5"), ValueError, r"rate.*0 to 1.*'0\.5'"),
    "negative slope": (lambda: layers.LeakyReLU(negative_slope=-1.0), ValueError, r"negative_slope.*-1\.0"),
    "max_value": (lambda: layers.ReLU(max_value=-1.0), ValueError, r"max_value.*-1\.0"),
    "target_shape": (lambda: layers.Reshape((-1, -1)), ValueError, r"target_shape.*\(-1, -1\)"),
    "axis of batch norm": (lambda: layers.BatchNormalization(axis="last"), ValueError, "axis.*whole number.*'last'"),
    "unknown argument": (lambda: layers.Dense(3, activaton="relu"), TypeError, "Dense.*activaton.*'activation'"),
    "name with a slash": (lambda: layers.Dense(3, name="a/b"), ValueError, "name.*'/'.*'a/b'"),
    "half precision": (lambda: layers.Dense(3, dtype="float16"), ValueError, "dtype.*float32.*'float16'"),
    "input shape a number": (lambda: layers.Input(4), ValueError, r"shape.*tuple.*\(4,\).*4"),
    "no input shape": (lambda: layers.Input(), ValueError, "shape"),
    "negative input shape": (lambda: layers.Input((-1, 3)), ValueError, r"shape.*\(-1, 3\)"),
    # unknown names
    "activation": (lambda: layers.Dense(3, activation="rellu"), ValueError, "activation 'rellu'.*relu"),
    "activation a number": (lambda: layers.Dense(3, activation=7), TypeError, "activation.*7"),
    "initializer": (lambda: layers.Dense(3, kernel_initializer="he"), ValueError, "initializer 'he'.*he_normal"),
    "regularizer": (lambda: layers.Dense(3, kernel_regularizer="l3"), ValueError, "regularizer 'l3'.*l2"),
    "regularizer a number": (lambda: layers.Dense(3, kernel_regularizer=0.01), TypeError, r"regularizer.*0\.01"),
    "constraint": (lambda: layers.Dense(3, kernel_constraint="tight"), ValueError, "constraint 'tight'"),
    "optimizer": (lambda: minidl.Sequential().compile("sdg", "mse"), ValueError, "optimizer 'sdg'.*mean 'sgd'"),
    "optimizer a number": (lambda: minidl.Sequential().compile(0.1, "mse"), TypeError, r"optimizer.*0\.1"),
    "loss": (lambda: model(loss="msee"), ValueError, "loss 'msee'.*mse"),
    "loss of a subclassed model": (lambda: Plain().compile("sgd", "msee"), ValueError, "loss 'msee'.*mse"),
    "loss a number": (lambda: model(loss=3), TypeError, "loss.*3"),
    "metric": (lambda: model(metrics=["acuracy"]), ValueError, "metric 'acuracy'.*binary_accuracy"),
    "metric of a subclassed model": (
        lambda: Plain().compile("sgd", "mse", metrics=["acuracy"]), ValueError, "metric 'acuracy'.*binary_accuracy",
    ),
    "metric a number": (lambda: model(metrics=[3]), TypeError, "metric.*3"),
    "loss reduction": (lambda: losses.MeanSquaredError(reduction="avg"), ValueError, "reduction.*'sum'.*'avg'"),
    "initializer mode": (lambda: initializers.VarianceScaling(mode="fan"), ValueError, "mode.*'fan_in'.*'fan'"),
    "initializer scale": (lambda: initializers.VarianceScaling(scale=-1), ValueError, "scale.*positive.*-1"),
    "regularizer negative": (lambda: regularizers.L2(-0.1), ValueError, r"l2.*-0\.1"),
    # optimizers
    "learning_rate an integer": (lambda: optimizers.SGD(learning_rate=1), ValueError, r"learning_rate.*float.*1\.0"),
    "learning_rate a text": (lambda: optimizers.Adam("0.1"), ValueError, r"learning_rate.*float.*'0\.1'"),
    "learning_rate negative": (lambda: optimizers.Adam(-0.1), ValueError, r"learning_rate.*-0\.1"),
    "learning_rate later": (
        lambda: setattr(optimizers.SGD(), "learning_rate", 2), ValueError, "learning_rate.*float.*2",
    ),
    "learning_rate nan": (lambda: optimizers.SGD(float("nan")), ValueError, "learning_rate.*nan"),
    "momentum": (lambda: optimizers.SGD(momentum=1.5), ValueError, r"momentum.*0 to 1.*1\.5"),
    "beta_1": (lambda: optimizers.Adam(beta_1=1.0), ValueError, r"beta_1.*1\.0"),
    "old name of the learning rate": (lambda: optimizers.SGD(lr=0.1), TypeError, "SGD.*lr.*'learning_rate'"),
    # shapes of data
    "x too narrow": (lambda: fit(model(), X[:, :3]), ValueError, r"'numbers'.*\(None, 4\).*\(10, 3\)"),
    "x of too many axes": (lambda: fit(model(), X[:, :, None, None]), ValueError, r"\(None, 4\).*\(10, 4, 1, 1\)"),
    "x and y of different length": (lambda: fit(model(), X, Y[:9]), ValueError, "same number of samples.*x: 10.*y: 9"),
    "weights of another length": (
        lambda: fit(model(), sample_weight=np.ones(9)), ValueError, "same number of samples.*sample_weight: 9",
    ),
    "weights of another length in evaluate": (
        lambda: model().evaluate(X, Y, sample_weight=np.ones(9), verbose=0), ValueError,
        "same number.*sample_weight: 9",
    ),
    "validation data of different length": (
        lambda: fit(model(), validation_data=(X, Y[:5])), ValueError, "same number of samples.*x: 10.*y: 5",
    ),
    "validation data of another shape": (
        lambda: fit(model(), validation_data=(X[:, :2], Y)), ValueError, r"\(None, 4\).*\(10, 2\)",
    ),
    "validation data alone": (lambda: fit(model(), validation_data=X), ValueError, r"validation_data.*\(x, y\)"),
    "targets too wide": (lambda: fit(model(), X, np.zeros((10, 2))), ValueError, r"\(10, 2\).*\(10, 1\)"),
    "labels for a categorical loss": (
        lambda: fit(model(3, "softmax", "categorical_crossentropy"), X, LABELS), ValueError,
        r"\(10,\).*\(10, 3\).*sparse_categorical_crossentropy",
    ),
    "one-hot targets for a sparse loss": (
        lambda: fit(classifier(), X, np.eye(3)[LABELS]), ValueError, r"one-hot.*categorical_crossentropy",
    ),
    "one output for a categorical loss": (
        lambda: fit(model(1, None, "categorical_crossentropy"), X, Y), ValueError, "one class.*binary_crossentropy",
    ),
    "a single sample without its axis": (
        lambda: model().predict(X[0], verbose=0), ValueError, r"\(None, 4\).*\(4,\).*x\[None\]",
    ),
    "dense after nothing flat": (
        lambda: layers.Dense(3)(layers.Input(())), ValueError, r"min_ndim=2.*ndim=1",
    ),
    "conv on rows": (lambda: layers.Conv2D(3, 3)(X), ValueError, r"ndim=4.*ndim=2.*\(10, 4\)"),
    "a built layer on other data": (
        lambda: (lambda layer: (layer(X), layer(X[:, :3])))(layers.Dense(2)), ValueError, "extent 4.*found 3",
    ),
    "kernel above the picture": (
        lambda: layers.Conv2D(3, 9)(PICTURES), ValueError, "9x9.*8x8.*padding='same'",
    ),
    "kernel above the picture, symbolic": (
        lambda: layers.Conv2D(3, 9)(layers.Input((8, 8, 3))), ValueError, r"9x9.*8x8.*padding='same'",
    ),
    "window above the picture": (
        lambda: layers.MaxPooling2D(9)(layers.Input((8, 8, 3))), ValueError, r"9x9.*8x8",
    ),
    "reshape does not fit": (lambda: layers.Reshape((5,))(X), ValueError, r"4 elements.*\(5,\).*5"),
    "concatenate": (
        lambda: layers.Concatenate()([np.ones((2, 3, 4)), np.ones((2, 2, 4))]), ValueError, "only that one may differ",
    ),
    "concatenate of one": (lambda: layers.Concatenate()(X), ValueError, r"joins a list.*\(None, 4\)"),
    "add of one array": (lambda: layers.Add()(X), ValueError, r"joins a list.*\(None, 4\)"),
    "add of other shapes": (lambda: layers.Add()([X, X[:, :3]]), ValueError, r"\(None, 4\), \(None, 3\).*cannot"),
    "dense of two arrays": (lambda: layers.Dense(3)([X, X]), ValueError, r"1 input\(s\).*2"),
    # labels and values
    "label too large": (
        lambda: fit(classifier(), X, changed(LABELS, 7, 3), shuffle=False), ValueError,
        "label 3.*row 7.*3 outputs.*0 to 2",
    ),
    "label negative": (
        lambda: fit(classifier(), X, changed(LABELS, 2, -1), shuffle=False), ValueError, "label -1.*row 2.*0 to 2",
    ),
    "label from 1 on": (lambda: fit(classifier(), X, LABELS + 1), ValueError, "label 3.*out of range.*0 to 2"),
    "to_categorical": (lambda: minidl.utils.to_categorical([0, 3], 3), ValueError, "0 to 2.*3"),
    # kinds of data
    "texts": (lambda: fit(model(), np.array([["a"] * 4] * 10)), TypeError, "x has dtype <U1.*numbers"),
    "objects": (lambda: fit(model(), X.astype(object)), TypeError, "x has dtype object.*numbers"),
    "None inside": (lambda: fit(model(), [[1, None, 2, 3]] * 10), TypeError, "x has dtype object.*numbers"),
    "half floats": (lambda: fit(model(), X.astype("float16")), TypeError, r"x has dtype float16.*astype\('float32'\)"),
    "complex": (lambda: fit(model(), X + 1j), TypeError, "x has dtype complex.*numbers"),
    "dates": (lambda: fit(model(), X, np.array(["2020-01-01"] * 10, "M8[D]")), TypeError, "y has dtype datetime"),
    "rows of different lengths": (lambda: fit(model(), [[1, 2], [3]]), ValueError, "x.*different lengths"),
    "a number": (lambda: fit(model(), 3.0, Y), ValueError, "x is a single number"),
    "no x": (lambda: model().fit(None, Y, verbose=0), ValueError, "x is missing"),
    "empty x": (lambda: fit(model(), X[:0], Y[:0]), ValueError, "x holds no samples"),
    "empty x in predict": (lambda: model().predict(X[:0], verbose=0), ValueError, "x holds no samples"),
    "texts in predict": (lambda: model().predict([["a", "b", "c", "d"]], verbose=0), TypeError, "x has dtype.*numbers"),
    # the order of things
    "fit before compile": (
        lambda: fit(minidl.Sequential([layers.Dense(1)])), ValueError, r"compile\(\) before fit\(\)",
    ),
    "evaluate before compile": (
        lambda: minidl.Sequential([layers.Dense(1)]).evaluate(X, Y), ValueError, r"compile\(\) before evaluate\(\)",
    ),
    "train_on_batch before compile": (
        lambda: minidl.Sequential([layers.Dense(1)]).train_on_batch(X, Y), ValueError, r"compile\(\) before train_on",
    ),
    "no loss at all": (lambda: fit(model(loss=None)), ValueError, "no loss.*compile"),
    "no y": (lambda: fit(model(), X, None), ValueError, "no loss.*pass y"),
    "a model without layers": (lambda: minidl.Sequential()(X), ValueError, "no layers"),
    # settings of fit
    "epochs 0": (lambda: fit(model(), epochs=0), ValueError, "epochs.*1 on.*0"),
    "epochs a float": (lambda: fit(model(), epochs=2.0), ValueError, r"epochs.*whole number.*2\.0"),
    "initial_epoch": (lambda: fit(model(), initial_epoch=-1), ValueError, "initial_epoch.*-1"),
    "batch_size 0": (lambda: fit(model(), batch_size=0), ValueError, "batch_size.*positive.*0"),
    "batch_size a float": (lambda: fit(model(), batch_size=3.5), ValueError, r"batch_size.*whole number.*3\.5"),
    "batch_size in predict": (lambda: model().predict(X, batch_size=-1, verbose=0), ValueError, "batch_size.*-1"),
    "validation_split": (lambda: fit(model(), validation_split=1.5), ValueError, r"validation_split.*0 and 1.*1\.5"),
    "validation_split of all": (
        lambda: fit(model(), X[:3], Y[:3], validation_split=0.9), ValueError, "validation_split.*3 samples",
    ),
    "validation_freq": (
        lambda: fit(model(), validation_data=(X, Y), validation_freq=0), ValueError, "validation_freq.*0",
    ),
    "callbacks": (lambda: fit(model(), callbacks=[callbacks.History]), TypeError, "callbacks.*brackets"),
    "unknown argument of fit": (lambda: fit(model(), epoch=3), TypeError, "epoch"),
    # several inputs and outputs
    "one y for two outputs": (lambda: fit(two_outputs()), ValueError, r"y.*2 outputs \['main', 'side'\]"),
    "three y for two outputs": (lambda: fit(two_outputs(), X, [Y, Y, Y]), ValueError, "y has 3 entries.*2 outputs"),
    "unknown output in y": (
        lambda: fit(two_outputs(), X, {"main": Y, "sid": Y}), ValueError, r"\['main', 'sid'\].*\['main', 'side'\]",
    ),
    "unknown output in loss": (
        lambda: two_outputs(loss={"main": "mse", "sid": "mse"}), ValueError,
        r"loss names \['sid'\].*\['main', 'side'\]",
    ),
    "one loss too many": (lambda: two_outputs(loss=["mse"] * 3), ValueError, "loss has 3 entries.*2 outputs"),
    "unknown output in loss_weights": (
        lambda: two_outputs(loss_weights={"mian": 1.0}), ValueError, r"loss_weights names \['mian'\]",
    ),
    "a loss weight too many": (lambda: two_outputs(loss_weights=[1] * 3), ValueError, "loss_weights has 3.*2 outputs"),
    "loss weights for one output": (lambda: model(loss_weights=[1, 2]), ValueError, "loss_weights has 2.*1 outputs"),
    "metrics in the third place": (
        lambda: model().compile("adam", "mse", ["accuracy"]), TypeError,
        r"loss_weights takes numbers, not \['accuracy'\].*metrics=\['accuracy'\]",
    ),
    "metrics by output in the third place": (
        lambda: two_outputs().compile("adam", "mse", {"main": "mae"}), TypeError, r"numbers.*metrics=\{'main': 'mae'\}",
    ),
    "a metric in the third place": (
        lambda: model().compile("adam", "mse", "accuracy"), TypeError, r"numbers, not 'accuracy'.*metrics=\[",
    ),
    "a metric's object in the third place": (
        lambda: model().compile("adam", "mse", [metrics.MeanSquaredError()]), TypeError, r"numbers, not.*metrics=\[",
    ),
    "a metric's class in the third place": (
        lambda: model().compile("adam", "mse", [metrics.Mean]), TypeError, r"numbers, not.*metrics=\[",
    ),
    "metrics in the third place, without a loss": (
        lambda: Plain().compile("adam", None, ["mae"]), TypeError, r"numbers, not \['mae'\].*metrics=\['mae'\]",
    ),
    "metrics in the third place of a subclass": (
        lambda: Plain().compile("adam", "mse", ["mae"]), TypeError, r"numbers, not \['mae'\].*metrics=\['mae'\]",
    ),
    "lists as loss weights": (lambda: two_outputs(loss_weights=[[1.0], [1.0]]), TypeError, r"not \[\[1.0\], \[1.0\]\]"),
    "an array as loss weights": (
        lambda: two_outputs(loss_weights=np.ones(2)), ValueError, r"not an array of shape \(2,\); write a list",
    ),
    "a loss weight that is NaN": (lambda: model(loss_weights=[np.nan]), ValueError, "loss_weights.*finite.*nan"),
    "loss weights and losses of a subclass": (
        lambda: Plain().compile("adam", ["mse", "mae"], [1.0]), ValueError, "loss_weights has 1 entries for 2 losses",
    ),
    "unknown loss in loss_weights": (
        lambda: Plain().compile("adam", {"a": "mse"}, {"b": 1.0}), ValueError, r"loss_weights names \['b'\].*\['a'\]",
    ),
    "unknown output in metrics": (
        lambda: two_outputs(metrics={"sid": ["mae"]}), ValueError, r"metrics names \['sid'\].*\['main', 'side'\]",
    ),
    "one list of metrics for two outputs": (
        lambda: two_outputs(metrics=["mae"]), ValueError, "metrics has 1 entries.*2 outputs",
    ),
    "two arrays for one input": (lambda: fit(model(), [X, X]), ValueError, r"1 inputs \['numbers'\].*2 arrays"),
    "an unknown input name": (
        lambda: two_inputs().predict({"a": X, "c": X}, verbose=0), ValueError, r"lacks.*\['b'\].*\['a', 'c'\]",
    ),
    # weights
    "weights as nested lists": (
        lambda: model().set_weights([[[1.0]], [1.0]]), ValueError, r"last/kernel.*\(4, 1\).*\(1, 1\)",
    ),
    "too few weights": (lambda: model().set_weights([np.ones((4, 1))]), ValueError, "2 weights.*1 arrays"),
    "one array as weights": (
        lambda: model().set_weights(np.ones((4, 1))), ValueError, "set_weights.*list of arrays|2 weights.*4 arrays",
    ),
    "an initializer of another shape": (
        lambda: layers.Dense(2, kernel_initializer=lambda shape, dtype: np.zeros((2, 2)))(X), ValueError,
        r"initializer made \(2, 2\).*\(4, 2\)",
    ),
    "get_layer": (lambda: model().get_layer("first"), ValueError, "no layer is called 'first'.*last"),
    "assign": (
        lambda: minidl.Variable([1.0, 2.0], name="w").assign([1.0]), ValueError, r"w.*\(1,\).*\(2,\)",
    ),
    # what to write
    "channels first": (
        lambda: layers_of_pictures().predict(PICTURES.transpose(0, 3, 1, 2)), ValueError, r"x.transpose\(0, 2, 3, 1\)",
    ),
    "pictures in place of rows": (
        lambda: minidl.Sequential([layers.Input((192,)), layers.Dense(1)])(PICTURES), ValueError,
        r"expects shape \(None, 192\), got \(10, 8, 8, 3\); write x.reshape\(\(-1, 192\)\)",
    ),
    "grey pictures": (
        lambda: layers_of_pictures().predict(PICTURES[..., 0]), ValueError, r"np.repeat\(x\[..., None\], 3, axis=-1\)",
    ),
    "a function as data": (lambda: fit(model(), two_inputs), TypeError, r"x is a function: call it, x\(\)"),
    "a text as a class": (
        lambda: fit(classifier(), X, LABELS, class_weight={"cat": 2.0}), ValueError, "key 'cat'.*whole numbers",
    ),
    "weights of several columns": (
        lambda: fit(model(), sample_weight=np.ones((10, 3))), ValueError, r"sample_weight of shape \(10, 3\).*\(10,\)",
    ),
    "kernel of an unbuilt layer": (
        lambda: layers.Dense(3).kernel, AttributeError, r"no attribute 'kernel'; it is not built yet: call it on data",
    ),
    "unknown attribute": (lambda: model().colour, AttributeError, "no attribute 'colour'$"),
    "a call without inputs": (
        lambda: type("Mine", (layers.Layer,), {"call": lambda self: 1})()(X), TypeError, r"def call\(self, inputs\)",
    ),
    "called on None": (lambda: layers.Dense(3)(None), ValueError, "called on None.*return"),
    "called on a shape": (lambda: layers.Dense(3)((None, 4)), ValueError, r"\(None, 4\); write Input\(shape=...\)"),
    "a loss that returns nothing": (lambda: fit(model(loss=lambda y, p: None)), ValueError, "returned None.*return"),
    "a metric that returns nothing": (
        lambda: fit(model(metrics=[lambda y, p: None])), ValueError, "returned None.*return",
    ),
    "evaluate without y": (lambda: model().evaluate(X, verbose=0), ValueError, r"no loss.*pass y to evaluate\(\)"),
    "np.mean of a symbolic tensor": (
        lambda: np.mean(layers.Input((4,))), TypeError, r"np.mean takes no symbolic tensor; write minidl.ops.mean\(x\)",
    ),
    "a loop over a symbolic tensor": (lambda: list(layers.Input((4,))), TypeError, "no length, and no loop"),
    "a layer's output in a row": (
        lambda: minidl.Sequential([layers.Dense(3)(layers.Input((4,)))]), ValueError, r"the layer alone, without \(x\)",
    ),
    "gradients without variables": (
        lambda: optimizers.SGD().apply_gradients([np.ones(2)]), ValueError, r"apply_gradients\(zip\(",
    ),
    "seed": (lambda: minidl.utils.set_random_seed("a"), ValueError, "seed.*whole number.*'a'"),
    "threshold": (lambda: metrics.BinaryAccuracy(threshold=2), ValueError, "threshold.*0 and 1.*2"),
}  # fmt: skip


class Plain(minidl.Model):
    def call(self, inputs):
        return inputs


def layers_of_pictures():
    return minidl.Sequential([layers.Input((8, 8, 3)), layers.Flatten(), layers.Dense(1)])


def two_inputs():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    return minidl.Model([a, b], layers.Add()([a, b]))


@pytest.mark.parametrize("name", CASES)
def test_errors(name):
    action, kind, message = CASES[name]
    with pytest.raises(kind) as caught:
        action()
    assert type(caught.value) is kind, f"{type(caught.value).__name__} is too special"
    text = str(caught.value)
    assert re.search(message, text, re.S), text
    assert len(text) < 500 and "Traceback" not in text


@pytest.mark.parametrize(
    "x, y, message",
    [
        (changed(X, (3, 1), np.nan), Y, "x holds NaN or infinity in 1 of 10 rows, first in row 3"),
        (changed(X, slice(4, 6), np.inf), Y, "x holds NaN or infinity in 2 of 10 rows, first in row 4"),
        (X, changed(Y, 9, np.nan), "y holds NaN or infinity in 1 of 10 rows, first in row 9"),
    ],
)
def test_nan_in_the_data_warns_and_names_the_row(x, y, message):
    with pytest.warns(UserWarning, match=message) as caught:
        fit(model(), x, y)
    assert caught[0].filename == __file__  # the warning points at the user's line


def test_softmax_of_one_unit_warns():
    with pytest.warns(UserWarning, match=r"softmax over axis -1 of shape \(10, 1\).*activation='sigmoid'"):
        y = layers.Dense(1, activation="softmax")(X)
    assert (y.numpy() == 1).all()


def test_a_watched_number_that_is_missing_says_how_to_have_it():
    with pytest.warns(UserWarning, match="no 'val_loss'; there are: loss; pass validation_data"):
        fit(model(), callbacks=[callbacks.EarlyStopping()])


def test_good_data_warns_of_nothing():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = minidl.Sequential([layers.Dense(1, kernel_initializer="zeros")])
        made.compile("sgd", "mse")
        fit(made, np.full((10, 4), 3e38, "float32"))  # the sum of all overflows, and yet nothing is infinite
    assert [str(one.message) for one in caught] == []


def test_labels_are_named_by_the_row_of_the_batch():
    with pytest.raises(ValueError, match=r"label 5 \(row 1 of the batch\)"):
        fit(classifier(), X, changed(LABELS, 5, 5), batch_size=4, shuffle=False)


def test_nothing_to_train_warns():
    with pytest.warns(UserWarning, match="initial_epoch=3.*epochs=2"):
        fit(model(), epochs=2, initial_epoch=3)
