"""Mistakes around data and training: shapes, labels, compile, fit, callbacks."""

import numpy as np

from tests.parity.mistake import (
    LABELS,
    PICTURES,
    Mistake,
    X,
    Y,
    changed,
    classifier,
    fit,
    net,
    pictures_net,
    two_inputs,
    two_outputs,
)  # fmt: skip


def stream(*batch):
    while True:
        yield batch


def dataset(k, **methods):
    return type("Numbers", (k.utils.PyDataset,), methods)()


def flat(k):
    return pictures_net(k, k.layers.Conv2D(2, 3), k.layers.Flatten())


ONE_HOT = np.eye(3, dtype="float32")[LABELS]

DATA = {
    # shapes of x
    "x too narrow": Mistake(
        lambda k: fit(net(k), X[:, :3]),
        ValueError, r"'numbers' expects shape \(None, 4\), got \(12, 3\)",
    ),
    "a sample without a batch axis": Mistake(
        lambda k: net(k).predict(X[0], verbose=0),
        ValueError, r"'numbers' expects shape \(None, 4\), got \(4,\).*x\[None\]",
    ),
    "a picture without a batch axis": Mistake(
        lambda k: flat(k).predict(PICTURES[0], verbose=0),
        ValueError, r"'pictures' expects.*got \(8, 8, 3\).*x\[None\]",
    ),
    "grey pictures without channels": Mistake(
        lambda k: fit(flat(k), PICTURES[..., 0], LABELS),
        ValueError, r"got \(12, 8, 8\); .*np.repeat\(x\[..., None\], 3, axis=-1\)",
    ),
    "channels first": Mistake(
        lambda k: fit(flat(k), PICTURES.transpose(0, 3, 1, 2), LABELS),
        ValueError, r"got \(12, 3, 8, 8\); channels come last: x.transpose\(0, 2, 3, 1\)",
    ),
    "pictures into a dense net": Mistake(
        lambda k: fit(net(k), PICTURES),
        ValueError, r"'numbers' expects shape \(None, 4\), got \(12, 8, 8, 3\)",
    ),
    "pictures without Flatten": Mistake(
        lambda k: k.Sequential([k.layers.Input((192,)), k.layers.Dense(3)]).predict(PICTURES, verbose=0),
        ValueError, r"expects shape \(None, 192\), got \(12, 8, 8, 3\); write x.reshape\(\(-1, 192\)\)",
    ),
    "x and y in one tuple": Mistake(
        lambda k: net(k).fit((X, Y), verbose=0),
        ValueError, r"inputs \['numbers'\], but got 2 arrays; .*fit\(x, y\)",
    ),
    "one array for two inputs": Mistake(
        lambda k: fit(two_inputs(k), X),
        ValueError, r"2 inputs \['a', 'b'\], but got 1 arrays; pass a list of 2",
    ),
    "unknown input": Mistake(
        lambda k: fit(two_inputs(k), {"a": X, "c": X}),
        ValueError, r"lacks the inputs \['b'\]; its inputs are \['a', 'b'\], given were \['a', 'c'\]",
    ),
    # lengths
    "x and y of different lengths": Mistake(
        lambda k: fit(net(k), X, Y[:9]),
        ValueError, "same number of samples; got x: 12, y: 9",
    ),
    "sample_weight of another length": Mistake(
        lambda k: fit(net(k), sample_weight=np.ones(9)),
        ValueError, "same number of samples; .*sample_weight: 9",
    ),
    "validation data of different lengths": Mistake(
        lambda k: fit(net(k), validation_data=(X, Y[:5])),
        ValueError, "same number of samples; got validation x: 12, validation y: 5",
    ),
    "validation data without targets": Mistake(
        lambda k: fit(net(k), validation_data=X),
        ValueError, r"validation_data must be \(x, y\)",
    ),
    "x empty": Mistake(lambda k: fit(net(k), X[:0], Y[:0]), ValueError, "x holds no samples"),
    "sample_weight of several columns": Mistake(
        lambda k: fit(net(k), sample_weight=np.ones((12, 3))),
        ValueError, r"sample_weight of shape \(12, 3\) does not fit .*\(12,\): one weight for each sample",
    ),
    # labels
    "label too large": Mistake(
        lambda k: fit(classifier(k), X, changed(LABELS, 7, 3)),
        ValueError, "label 3 .*3 outputs, so labels are 0 to 2; the last layer wants 4 units", "trains on, towards NaN",
    ),
    "label negative": Mistake(
        lambda k: fit(classifier(k), X, changed(LABELS, 7, -1)),
        ValueError, "label -1 .*labels are 0 to 2; labels count from 0", "trains on without that sample",
    ),
    "labels from 1 on": Mistake(
        lambda k: fit(classifier(k), X, LABELS + 1),
        ValueError, "label 3 .*labels are 0 to 2; labels count from 0: write y - 1", "trains on without the last class",
    ),
    "one-hot labels, sparse loss": Mistake(
        lambda k: fit(classifier(k), X, ONE_HOT),
        ValueError, r"\(12, 3\) look one-hot; .*or loss='categorical_crossentropy'",
    ),
    "labels, categorical loss": Mistake(
        lambda k: fit(classifier(k, loss="categorical_crossentropy"), X, LABELS),
        ValueError, r"\(12,\) do not fit .*\(12, 3\); .*loss='sparse_categorical_crossentropy'",
    ),
    "one output, categorical loss": Mistake(
        lambda k: fit(net(k, 1, None, "categorical_crossentropy")),
        ValueError, r"\(12, 1\) have one class.*loss='binary_crossentropy'", "warns, and learns nothing",
    ),
    "softmax of one unit": Mistake(
        lambda k: net(k, 1, "softmax", "binary_crossentropy").predict(X),
        UserWarning, r"softmax .*\(12, 1\) is 1 everywhere; .*activation='sigmoid'",
    ),
    "three outputs, binary loss": Mistake(
        lambda k: fit(net(k, 3, "sigmoid", "binary_crossentropy"), X, LABELS),
        ValueError, r"binary_crossentropy: targets of shape \(12,\) .*\(12, 3\); the last layer wants 1 unit",
    ),
    "last layer too small": Mistake(
        lambda k: fit(classifier(k, 2), X, LABELS),
        ValueError, "label 2 .*2 outputs.*0 to 1; the last layer wants 3 units", "trains on",
    ),
    "targets too wide": Mistake(
        lambda k: fit(net(k), X, np.zeros((12, 2))),
        ValueError,
        r"targets of shape \(12, 2\) .*\(12, 1\); the last layer wants 2 units", "broadcasts the predictions",
    ),
    "targets too narrow": Mistake(
        lambda k: fit(net(k, 12), X, Y[:, 0]),
        ValueError, r"targets of shape \(12,\) .*\(12, 12\); the last layer wants 1 unit", "broadcasts to (n, n)",
    ),
    "no Flatten before Dense": Mistake(
        lambda k: fit(pictures_net(k, k.layers.Conv2D(2, 3)), PICTURES, LABELS),
        ValueError, r"\(12,\) do not fit outputs of shape \(12, 6, 6, 3\).*Flatten\(\) missing",
    ),
    "labels as texts": Mistake(
        lambda k: fit(classifier(k), X, np.array(["cat", "dog", "cow"])[LABELS]),
        TypeError, r"y has dtype <U3; numbers.*np.unique\(y, return_inverse=True\)",
    ),
    "negative to_categorical": Mistake(
        lambda k: k.utils.to_categorical([-1, 0, 2], 3),
        ValueError, "0 to 2; got -1 to 2: no label may be negative", "takes the last class",
    ),
    "to_categorical too small": Mistake(
        lambda k: k.utils.to_categorical([0, 3], 3),
        ValueError, "0 to 2; got 0 to 3: write num_classes=4",
    ),
    # kinds of data
    "texts": Mistake(lambda k: fit(net(k), np.array([["a"] * 4] * 12)), TypeError, "x has dtype <U1; numbers"),
    "object arrays": Mistake(
        lambda k: fit(net(k), np.array([["a", 1, 2, 3]] * 12, object)),
        TypeError, "x has dtype object; numbers.*texts want numbers",
    ),
    "numbers as objects": Mistake(
        lambda k: fit(net(k), X.astype(object)),
        TypeError, r"x has dtype object; numbers.*write x.astype\('float32'\)",
    ),
    "None in the data": Mistake(
        lambda k: fit(net(k), [[1, None, 2, 3]] * 12),
        TypeError, "x has dtype object; .*it holds None: leave these samples out",
    ),
    "rows of different lengths": Mistake(
        lambda k: fit(net(k), [[1, 2, 3, 4], [3]] * 6),
        ValueError, "x is a list of rows of different lengths; arrays are rectangular",
    ),
    "NaN": Mistake(
        lambda k: fit(net(k), changed(X, (3, 1), np.nan)),
        UserWarning, "x holds NaN or infinity in 1 of 12 rows, first in row 3", "trains on NaN",
    ),
    "a number": Mistake(
        lambda k: fit(net(k), 3.0, Y),
        ValueError, "x is a single number; its first axis must be the samples",
    ),
    # compile
    "fit before compile": Mistake(
        lambda k: fit(k.Sequential([k.layers.Dense(1)])),
        ValueError, r"call compile\(\) before fit\(\), for example model.compile",
    ),
    "evaluate before compile": Mistake(
        lambda k: k.Sequential([k.layers.Dense(1)]).evaluate(X, Y),
        ValueError, r"call compile\(\) before evaluate\(\)",
    ),
    "optimizer typo": Mistake(
        lambda k: net(k, optimizer="addam"),
        ValueError, r"optimizer 'addam' \(did you mean 'adam'\?\)",
    ),
    "loss typo": Mistake(
        lambda k: fit(net(k, loss="sparse_categorical_crossentropi")),
        ValueError, r"loss 'sparse_.*i' \(did you mean 'sparse_categorical_crossentropy'\?\)",
    ),
    "metric typo": Mistake(
        lambda k: fit(net(k, metrics=["acuracy"])),
        ValueError, r"metric 'acuracy' \(did you mean 'accuracy'\?\)",
    ),
    "learning_rate an int": Mistake(
        lambda k: k.optimizers.SGD(learning_rate=1),
        ValueError, "learning_rate must be a float .*write 1.0 rather than 1.*not 1$",
    ),
    "learning_rate a text": Mistake(
        lambda k: k.optimizers.SGD("0.1"),
        ValueError, "learning_rate must be a float .*not '0.1'",
    ),
    "learning_rate negative": Mistake(
        lambda k: k.optimizers.Adam(-0.1),
        ValueError, "learning_rate must be a float from 0 on.*not -0.1", "climbs",
    ),
    "lr": Mistake(
        lambda k: k.optimizers.Adam(lr=0.1),
        TypeError, r"Adam got unknown arguments: lr \(did you mean 'learning_rate'\?\)",
    ),
    "momentum": Mistake(
        lambda k: k.optimizers.SGD(momentum=1.5),
        ValueError, "momentum must be a number from 0 to 1, not 1.5",
    ),
    "two kinds of clipping": Mistake(
        lambda k: k.optimizers.SGD(clipnorm=1.0, clipvalue=1.0),
        ValueError, "only one of clipnorm, clipvalue, global_clipnorm",
    ),
    "boundaries of a schedule": Mistake(
        lambda k: k.optimizers.schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.01]),
        ValueError, "boundaries must have one element less than values: boundaries has 2, values 2",
    ),
    "no loss": Mistake(
        lambda k: fit(net(k, loss=None)),
        ValueError, r"no loss: pass one to compile\(loss=...\)", "trains on a loss of 0",
    ),
    "no y": Mistake(lambda k: fit(net(k), X, None), ValueError, r"no loss: .*pass y to fit\(\)"),
    "evaluate without y": Mistake(
        lambda k: net(k).evaluate(X, verbose=0), ValueError, r"no loss: .*pass y to evaluate\(\)",
    ),
    "loss list too long": Mistake(
        lambda k: fit(two_outputs(k, loss=["mse"] * 3), X, [Y, np.zeros((12, 2))]),
        ValueError, r"loss has 3 entries for the 2 outputs \['main', 'side'\]",
    ),
    "unknown output in loss": Mistake(
        lambda k: fit(two_outputs(k, loss={"main": "mse", "sid": "mse"}), X, [Y, np.zeros((12, 2))]),
        ValueError, r"loss names \['sid'\], but the model's outputs are \['main', 'side'\]",
    ),
    "unknown output in metrics": Mistake(
        lambda k: fit(two_outputs(k, metrics={"sid": ["mae"]}), X, [Y, np.zeros((12, 2))]),
        ValueError, r"metrics names \['sid'\], but the model's outputs are \['main', 'side'\]",
    ),
    "one y for two outputs": Mistake(
        lambda k: fit(two_outputs(k)),
        ValueError, r"y is one array; .*2 outputs \['main', 'side'\]: pass a list",
    ),
    "three y for two outputs": Mistake(
        lambda k: fit(two_outputs(k), X, [Y, Y, Y]),
        ValueError, "y has 3 entries for the 2 outputs",
    ),
    "one optimizer for two models": Mistake(
        lambda k: [fit(net(k, optimizer=one)) for one in [k.optimizers.SGD(momentum=0.9)] for _ in "12"],
        ValueError,
        "does not know variable '[\\w/]*last/kernel'.*make a new optimizer",
        "moves the second model by the momentum of the first",
    ),
    # fit
    "validation_split of a generator": Mistake(
        lambda k: net(k).fit(stream(X, Y), steps_per_epoch=2, validation_split=0.2, verbose=0),
        ValueError, "validation_split holds out a part of arrays; .*generator",
    ),
    "validation_split of 2": Mistake(
        lambda k: fit(net(k), validation_split=2.0),
        ValueError, "validation_split must lie between 0 and 1, not 2.0",
    ),
    "y beside a generator": Mistake(
        lambda k: net(k).fit(stream(X, Y), Y, steps_per_epoch=2),
        ValueError, r"y must be left out .*a batch is \(x, y\)",
    ),
    "steps_per_epoch with too little data": Mistake(
        lambda k: net(k).fit((batch for batch in [(X, Y)] * 2), steps_per_epoch=5, verbose=0),
        UserWarning, r"ran out of data after 2 of the 5 batches .*steps \* epochs",
    ),
    "a generator of four": Mistake(
        lambda k: net(k).fit(stream(X, Y, Y, Y), steps_per_epoch=1, verbose=0),
        ValueError, r"a batch is x, \(x, y\) or \(x, y, sample_weight\), not a tuple of 4",
    ),
    "a generator function without brackets": Mistake(
        lambda k: net(k).fit(stream, steps_per_epoch=1, verbose=0),
        TypeError, r"x is a function: call it, x\(\)",
    ),
    "a generator of numbers": Mistake(
        lambda k: net(k).fit(stream(1, 2), steps_per_epoch=1, verbose=0),
        ValueError, "x is a single number; its first axis must be the samples",
    ),
    "PyDataset without len": Mistake(
        lambda k: net(k).fit(dataset(k, __getitem__=lambda self, i: (X, Y)), verbose=0),
        NotImplementedError, r"Numbers needs a method __len__\(self\)",
    ),
    "PyDataset without getitem": Mistake(
        lambda k: net(k).fit(dataset(k, __len__=lambda self: 2), verbose=0),
        NotImplementedError, r"Numbers needs a method __getitem__\(self, index\), which returns a batch",
    ),
    "epochs 0": Mistake(
        lambda k: fit(net(k), epochs=0),
        ValueError, "epochs must be a whole number from 1 on, not 0", "does nothing",
    ),
    "epochs a float": Mistake(
        lambda k: fit(net(k), epochs=2.0),
        ValueError, "epochs must be a whole number from 1 on, not 2.0",
    ),
    "batch_size 0": Mistake(
        lambda k: fit(net(k), batch_size=0),
        ValueError, "batch_size must be a positive whole number, not 0", "does nothing",
    ),
    "batch_size a float": Mistake(
        lambda k: fit(net(k), batch_size=3.5),
        ValueError, "batch_size must be a positive whole number, not 3.5",
    ),
    "class_weight with texts": Mistake(
        lambda k: fit(classifier(k), X, LABELS, class_weight={"cat": 1.0, "dog": 2.0}),
        ValueError, "class_weight has the key 'cat'; .*whole numbers", "weights nothing",
    ),
    "class_weight a list": Mistake(
        lambda k: fit(classifier(k), X, LABELS, class_weight=[1.0, 2.0, 3.0]),
        TypeError, r"class_weight is a dictionary .*\{0: 1.0, 1: 5.0\}, not \[1.0, 2.0, 3.0\]",
    ),
    "class_weight of unknown classes": Mistake(
        lambda k: fit(classifier(k, loss="categorical_crossentropy"), X, ONE_HOT, class_weight={0: 1.0, 7: 3.0}),
        ValueError, "class_weight has the key 7, but y has 3 columns: its keys are 0 to 2", "weights nothing",
    ),
    "class_weight of several outputs": Mistake(
        lambda k: fit(two_outputs(k), X, [Y, np.zeros((12, 2))], class_weight={0: 1.0}),
        ValueError, "class_weight .*single output; give sample_weight instead",
    ),
    "class_weight and sample_weight": Mistake(
        lambda k: fit(classifier(k), X, LABELS, class_weight={0: 1.0}, sample_weight=np.ones(12)),
        ValueError, "class_weight and sample_weight cannot be given at the same time",
    ),
    # callbacks
    "a callback's class": Mistake(
        lambda k: fit(net(k), callbacks=[k.callbacks.History]),
        TypeError, r"callbacks must be Callback objects.*forget the brackets.*Write History\(\)",
    ),
    "a function as a callback": Mistake(
        lambda k: fit(net(k), callbacks=[print]),
        TypeError, r"callbacks must be Callback objects.*LambdaCallback\(on_epoch_end=...\)",
    ),
    "a text as a callback": Mistake(
        lambda k: fit(net(k), callbacks=["early_stopping"]),
        TypeError, r"callbacks must be .*not 'early_stopping'; write one such as EarlyStopping\(\)",
    ),
    "EarlyStopping without validation": Mistake(
        lambda k: fit(net(k), callbacks=[k.callbacks.EarlyStopping()]),
        UserWarning, "no 'val_loss'; there are: loss; pass validation_data",
    ),
    "EarlyStopping typo": Mistake(
        lambda k: fit(net(k), callbacks=[k.callbacks.EarlyStopping("los", mode="min")]),
        UserWarning, r"no 'los' *; there are: loss \(did you mean 'loss'\?\)",
    ),
    "EarlyStopping on an unknown direction": Mistake(
        lambda k: fit(
            net(k, metrics=[k.metrics.MeanMetricWrapper(lambda y, p: p, name="mine")]),
            callbacks=[k.callbacks.EarlyStopping("mine")],
        ),
        ValueError, "mine is better is not known; pass mode='max' or mode='min'",
    ),
    "mode of EarlyStopping": Mistake(
        lambda k: k.callbacks.EarlyStopping(mode="maximum"),
        UserWarning, r"mode must be one of \('auto', 'min', 'max'\), not 'maximum'",
    ),
    "ReduceLROnPlateau factor 2": Mistake(
        lambda k: k.callbacks.ReduceLROnPlateau(factor=2.0),
        ValueError, "factor must be less than 1, not 2.0",
    ),
    "ReduceLROnPlateau without validation": Mistake(
        lambda k: fit(net(k), callbacks=[k.callbacks.ReduceLROnPlateau()]),
        UserWarning, "no 'val_loss'; there are: loss, learning_rate; pass validation_data",
    ),
    "ModelCheckpoint without an ending": Mistake(
        lambda k: k.callbacks.ModelCheckpoint("best"),
        ValueError, "filepath must end in .keras or .h5, not be 'best'",
    ),
    "ModelCheckpoint of weights": Mistake(
        lambda k: k.callbacks.ModelCheckpoint("best.keras", save_weights_only=True),
        ValueError, "save_weights_only=True, filepath must end in .weights.h5 or .safetensors, not be 'best.keras'",
    ),
    "ModelCheckpoint without validation": Mistake(
        lambda k: fit(net(k), callbacks=[k.callbacks.ModelCheckpoint("best.keras", save_best_only=True)]),
        UserWarning, "save_best_only needs a number 'val_loss'.*pass validation_data",
    ),
    "ModelCheckpoint of an unknown value": Mistake(
        lambda k: fit(net(k), callbacks=[k.callbacks.ModelCheckpoint("{acc:.2f}.keras")]),
        KeyError, r"filepath '\{acc:.2f\}.keras' names 'acc'; there are: epoch, loss",
    ),
    "a schedule that returns nothing": Mistake(
        lambda k: fit(net(k), callbacks=[k.callbacks.LearningRateScheduler(lambda epoch, lr: None)]),
        ValueError, "schedule must return a float, not None",
    ),
    "CSVLogger in no folder": Mistake(
        lambda k: fit(net(k), callbacks=[k.callbacks.CSVLogger("nowhere/log.csv")]),
        FileNotFoundError, "nowhere/log.csv",
    ),
}  # fmt: skip
