"""Mistakes around layers and graphs: arguments, shapes, the functional and the sequential API, weights, files."""

from pathlib import Path

import numpy as np

from tests.parity.mistake import PICTURES, Mistake, X, net


def functional(k, last=3):
    x = k.layers.Input((4,), name="numbers")
    return k.Model(x, k.layers.Dense(last, name="last")(k.layers.Dense(5, name="first")(x)))


def branching(k):
    x = k.layers.Input((4,), name="numbers")
    return k.layers.Dense(3)(x) if x else x


def stopped_growing(k):
    a = k.layers.Input((4,), name="numbers")
    return k.Model(a, k.layers.Dense(2)(k.layers.Input((4,), name="others")))


def saved(model, name):
    model.save_weights(name)
    return name


def text_file(name, text="not what it seems"):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)
    return name


LAYERS = {
    # arguments
    "units -3": Mistake(lambda k: k.layers.Dense(-3), ValueError, "units must be a positive whole number, not -3"),
    "units 2.5": Mistake(
        lambda k: k.layers.Dense(2.5)(X),
        ValueError, "units must be a positive whole number, not 2.5",
    ),
    "units a text": Mistake(
        lambda k: k.layers.Dense("10"),
        ValueError, "units must be a positive whole number, not '10'",
    ),
    "units missing": Mistake(lambda k: k.layers.Dense(activation="relu"), TypeError, "Dense.*missing.*'units'"),
    "units a shape": Mistake(
        lambda k: k.layers.Dense((4, 3)),
        ValueError, r"units must be a positive whole number, not \(4, 3\)",
    ),
    "filters 0": Mistake(lambda k: k.layers.Conv2D(0, 3), ValueError, "filters must be a positive whole number, not 0"),
    "filters a float": Mistake(
        lambda k: k.layers.Conv2D(32 / 2, 3)(PICTURES),
        ValueError, "filters must be a positive whole number, not 16.0",
    ),
    "kernel_size missing": Mistake(lambda k: k.layers.Conv2D(32), TypeError, "missing.*'kernel_size'"),
    "kernel_size of three": Mistake(
        lambda k: k.layers.Conv2D(3, (3, 3, 3)),
        ValueError, r"kernel_size must be .*two of them, not \(3, 3, 3\)",
    ),
    "kernel_size as two arguments": Mistake(
        lambda k: k.layers.Conv2D(8, 3, 3, 3)(PICTURES),
        ValueError, r"padding must be 'valid' or 'same', not 3; a kernel of 3x5 is one argument, \(3, 5\)",
    ),
    "strides 0": Mistake(
        lambda k: k.layers.Conv2D(3, 3, strides=0),
        ValueError, "strides must be a positive whole number or two of them, not 0",
    ),
    "strides and dilation": Mistake(
        lambda k: k.layers.Conv2D(3, 3, strides=2, dilation_rate=2)(PICTURES),
        ValueError, "strides and dilation_rate cannot both be above 1",
    ),
    "groups": Mistake(
        lambda k: k.layers.Conv2D(4, 3, groups=2)(PICTURES),
        ValueError, "3 channels .*do not go into groups=2",
    ),
    "filters and groups": Mistake(
        lambda k: k.layers.Conv2D(4, 3, groups=3),
        ValueError, "filters must be a multiple of groups, not filters=4 with groups=3",
    ),
    "padding": Mistake(
        lambda k: k.layers.Conv2D(3, 3, padding="sane"),
        ValueError, "padding must be 'valid' or 'same', not 'sane'",
    ),
    "data_format": Mistake(
        lambda k: k.layers.Conv2D(3, 3, data_format="channel_last"),
        ValueError, "data_format must be 'channels_last' or 'channels_first', not 'channel_last'",
    ),
    "pool_size 0": Mistake(
        lambda k: k.layers.MaxPooling2D(0)(PICTURES),
        ValueError, "pool_size must be a positive whole number or two of them, not 0",
    ),
    "dropout 1.5": Mistake(lambda k: k.layers.Dropout(1.5), ValueError, "rate must be a number from 0 to 1, not 1.5"),
    "dropout in percent": Mistake(
        lambda k: k.layers.Dropout(20),
        ValueError, "rate must be a number from 0 to 1, not 20; 20 percent are 0.2",
    ),
    "slope": Mistake(
        lambda k: k.layers.LeakyReLU(negative_slope=-0.1),
        ValueError, "negative_slope must be a number from 0 on, not -0.1",
    ),
    "activation typo": Mistake(
        lambda k: k.layers.Dense(3, activation="rellu"),
        ValueError, r"activation 'rellu' \(did you mean 'relu'\?\)",
    ),
    "initializer typo": Mistake(
        lambda k: k.layers.Dense(3, kernel_initializer="he_norml"),
        ValueError, r"initializer 'he_norml' \(did you mean 'he_normal'\?\)",
    ),
    "regularizer typo": Mistake(
        lambda k: k.layers.Dense(3, kernel_regularizer="l3"),
        ValueError, "regularizer 'l3'.*there are: l1, l1_l2, l1l2, l2",
    ),
    "regularizer a number": Mistake(
        lambda k: k.layers.Dense(3, kernel_regularizer=0.01),
        TypeError, "regularizer is a name, an object or a function of the weights, not 0.01",
    ),
    "constraint typo": Mistake(
        lambda k: k.layers.Dense(3, kernel_constraint="max_nrom"),
        ValueError, r"constraint 'max_nrom' \(did you mean 'max_norm'\?\)",
    ),
    "argument typo": Mistake(
        lambda k: k.layers.Dense(3, activaton="relu"),
        TypeError, r"Dense got unknown arguments: activaton \(did you mean 'activation'\?\)",
    ),
    "axis of BatchNormalization": Mistake(
        lambda k: k.layers.BatchNormalization(axis=5)(X),
        ValueError, r"axis=5 is out of range .*\(None, 4\); the channels are axis=-1",
    ),
    "Input a number": Mistake(
        lambda k: k.layers.Input(4),
        ValueError, r"shape must be a tuple such as \(4,\), not the number 4",
    ),
    "Input of floats": Mistake(
        lambda k: k.layers.Input((28.0, 28.0)),
        ValueError, r"shape must hold positive whole numbers.*not \(28.0, 28.0\)",
    ),
    "input_shape a number": Mistake(
        lambda k: k.layers.Dense(3, input_shape=4)(X),
        ValueError, r"input_shape must be a tuple such as \(4,\), not the number 4", "warns that Input is the way",
    ),
    "Reshape to a number": Mistake(lambda k: k.layers.Reshape(4), ValueError, r"target_shape must be a tuple .*not 4"),
    "the same name twice in a row": Mistake(
        lambda k: k.Sequential([k.layers.Dense(3, name="a"), k.layers.Dense(3, name="a")]),
        ValueError, "called 'a' already; give this one another name=...",
    ),
    # shapes of layers
    "Conv2D of rows": Mistake(
        lambda k: k.layers.Conv2D(3, 3)(X),
        ValueError, r"layer 'conv2d.*expected ndim=4, found ndim=2.*\(12, 4\)",
    ),
    "Conv2D of one picture": Mistake(
        lambda k: k.layers.Conv2D(3, 3)(PICTURES[0]),
        ValueError, r"expected ndim=4, found ndim=3 \(one sample wants a batch axis, x\[None\]",
    ),
    "Conv2D of pictures without channels": Mistake(
        lambda k: k.layers.Conv2D(3, 3)(k.layers.Input((28, 28))),
        ValueError, r"grey pictures want channels: Input\(shape=\(28, 28, 1\)\)",
    ),
    "Dense of a text": Mistake(
        lambda k: k.layers.Dense(3)("x.npy"), ValueError, "'dense.*takes tensors or arrays, not 'x.npy'",
    ),
    "Dense of rows of different lengths": Mistake(
        lambda k: k.layers.Dense(3)([[1, 2], [3]]),
        ValueError, "'dense.*rows of different lengths; arrays are rectangular",
    ),
    "Dense of other data": Mistake(
        lambda k: [layer(x) for layer in [k.layers.Dense(3)] for x in (X, X[:, :3])],
        ValueError, "axis -1 of the input to have extent 4, found 3",
    ),
    "Dense of an unknown width": Mistake(
        lambda k: k.layers.Dense(3)(k.layers.Input((None,))),
        ValueError, r"last axis of the input must be known, got shape \(None, None\); give all sizes in Input",
    ),
    "Flatten of an unknown size": Mistake(
        lambda k: k.layers.Dense(3)(k.layers.Flatten()(k.layers.Input((None, None, 3)))),
        ValueError, r"last axis .*must be known.*GlobalAveragePooling2D\(\) in place of Flatten\(\)",
    ),
    "kernel above the picture": Mistake(
        lambda k: k.layers.Conv2D(3, 9)(k.layers.Input((8, 8, 3))),
        ValueError, "window of 9x9 does not fit into inputs of 8x8.*write padding='same'",
    ),
    "pooled to nothing": Mistake(
        lambda k: k.layers.MaxPooling2D(9)(k.layers.Input((8, 8, 3))),
        ValueError, "window of 9x9 does not fit into inputs of 8x8.*or a smaller window",
    ),
    "Reshape": Mistake(
        lambda k: k.layers.Reshape((3, 2))(k.layers.Input((4,))),
        ValueError, r"\(4,\) has 4 elements, but target_shape \(3, 2\) has 6",
    ),
    "Reshape with the batch axis": Mistake(
        lambda k: k.layers.Reshape((12, 4))(X),
        ValueError, r"target_shape \(12, 4\) has 48; it is the shape of one sample, without the batch axis",
    ),
    "Permute": Mistake(
        lambda k: k.layers.Permute((0, 1))(k.layers.Input((3, 4))),
        ValueError, r"dims must hold each of 1 to 2 once, not \(0, 1\)",
    ),
    "Concatenate": Mistake(
        lambda k: k.layers.Concatenate()([k.layers.Input((3, 4)), k.layers.Input((2, 4))]),
        ValueError, r"\(None, 3, 4\), \(None, 2, 4\)\] differ on other axes than -1; only that one may differ",
    ),
    "Concatenate of one": Mistake(
        lambda k: k.layers.Concatenate()(k.layers.Input((3,))),
        ValueError, r"joins a list of tensors, not one of shape \(None, 3\); write Concatenate\(\)\(\[a, b\]\)",
    ),
    "Concatenate without a list": Mistake(
        lambda k: k.layers.Concatenate()(k.layers.Input((3,)), k.layers.Input((3,))),
        ValueError, r"joins a list of tensors.*write Concatenate\(\)\(\[a, b\]\)",
    ),
    "Add": Mistake(
        lambda k: k.layers.Add()([k.layers.Input((4,)), k.layers.Input((3,))]),
        ValueError, r"Add 'add.*\(None, 4\), \(None, 3\)\] cannot be joined element by element",
    ),
    "Add of pictures": Mistake(
        lambda k: k.layers.add([k.layers.Input((8, 8, 3)), k.layers.Input((4, 4, 3))]),
        ValueError, r"\(None, 8, 8, 3\), \(None, 4, 4, 3\)\] cannot be joined element by element",
    ),
    "Embedding out of range": Mistake(
        lambda k: k.layers.Embedding(10, 2)(np.array([[1, 10]])),
        ValueError, "rows for 0 to 9 .*reach from 1 to 10; write input_dim=11", "fills in NaN",
    ),
    "Embedding negative": Mistake(
        lambda k: k.layers.Embedding(10, 2)(np.array([[1, -1]])),
        ValueError, "rows for 0 to 9 .*reach from -1 to 1; none may be negative", "counts back",
    ),
    "matmul": Mistake(
        lambda k: k.ops.matmul(X, X),
        ValueError, r"inner sizes differ: a is \(..., 12, 4\), b is \(..., 12, 4\); expected K = 4 in both",
    ),
    "ops.reshape": Mistake(
        lambda k: k.ops.reshape(X, (5, 5)),
        ValueError, r"\(12, 4\) holds 48 numbers, which do not fill newshape \(5, 5\)",
    ),
    "ops.concatenate": Mistake(
        lambda k: k.ops.concatenate([X, X[:, :3]], axis=0),
        ValueError, r"of the shapes \[\(12, 4\), \(12, 3\)\] only axis=0 may differ",
    ),
    # graphs
    "unconnected": Mistake(
        stopped_growing,
        ValueError, r"depends on .*name=others.*not among the model's inputs \['numbers'\]",
    ),
    "numpy in place of Input": Mistake(
        lambda k: k.Model(X, k.layers.Dense(3)(X)),
        ValueError, r"symbolic tensors \(from minidl.Input .*not ndarray; call the model with data later",
    ),
    "a layer in place of its output": Mistake(
        lambda k: k.Model(k.layers.Input((4,)), k.layers.Dense(3)),
        ValueError, r"not Dense; call the layer: Dense\(...\)\(x\)",
    ),
    "the data in place of Input": Mistake(
        lambda k: k.Model(X, k.layers.Dense(3)(k.layers.Input((4,)))),
        ValueError, r"symbolic tensors \(from minidl.Input .*not ndarray",
    ),
    "the shape in place of Input": Mistake(
        lambda k: k.layers.Dense(3)((None, 4)),
        ValueError, r"'dense.*called on the shape \(None, 4\); write Input\(shape=...\)",
    ),
    "no outputs": Mistake(
        lambda k: k.Model(inputs=k.layers.Input((4,))),
        ValueError, r"needs both: Model\(inputs=..., outputs=...\)",
    ),
    "the same name twice in a graph": Mistake(
        lambda k: k.Model(
            *[[x, k.layers.Dense(3, name="a")(k.layers.Dense(3, name="a")(x))] for x in [k.layers.Input((4,))]][0]
        ),
        ValueError, r"layer names must differ; \['a'\] .*give them name=...",
    ),
    "NumPy on a symbolic tensor": Mistake(
        lambda k: np.exp(k.layers.Input((4,))),
        TypeError, r"np.exp takes no symbolic tensor; write minidl.ops.exp\(x\)",
    ),
    "np.mean of a symbolic tensor": Mistake(
        lambda k: np.mean(k.layers.Input((4,))),
        TypeError, r"np.mean takes no symbolic tensor; write minidl.ops.mean\(x\)",
    ),
    "np.array of a symbolic tensor": Mistake(
        lambda k: np.asarray(k.layers.Input((4,))),
        TypeError, "symbolic tensor has no values; build a model",
    ),
    "if of a symbolic tensor": Mistake(
        branching,
        TypeError, "neither true nor false; branch on values inside the call method",
    ),
    "float of a symbolic tensor": Mistake(
        lambda k: float(k.layers.Input(())),
        TypeError, "symbolic tensor has no values; build a model",
    ),
    "loop over a symbolic tensor": Mistake(
        lambda k: list(k.layers.Input((4,))),
        TypeError, r"\(None, 4\) has no length, and no loop runs over it; write an op",
    ),
    "set an item": Mistake(
        lambda k: k.layers.Input((4,)).__setitem__(0, 1.0),
        TypeError, "tensors cannot be written into; write minidl.ops.where",
    ),
    "numpy of a symbolic tensor": Mistake(
        lambda k: k.layers.Input((4,)).numpy(),
        TypeError, "symbolic tensor has no values; build a model",
    ),
    # Sequential
    "a class in place of a layer": Mistake(
        lambda k: k.Sequential([k.layers.Flatten]),
        ValueError, r"only layers can be added.*make one of the class: Flatten\(\)",
    ),
    "an output in place of a layer": Mistake(
        lambda k: k.Sequential([k.layers.Input((4,)), k.layers.Dense(3)(k.layers.Input((4,)))]),
        ValueError, r"not the output of <Dense .*write the layer alone, without \(x\)",
    ),
    "a function in place of a layer": Mistake(
        lambda k: k.Sequential([k.ops.relu]),
        ValueError, r"only layers can be added.*write Lambda\(function\)",
    ),
    "a name in place of a layer": Mistake(
        lambda k: k.Sequential(["relu"]),
        ValueError, r"only layers can be added.*'relu'.*write Activation\('relu'\)",
    ),
    "layers without a list": Mistake(
        lambda k: k.Sequential(k.layers.Dense(3), k.layers.Dense(2)),
        ValueError, r"one list: Sequential\(\[Dense\(8\), Dense\(1\)\]\)",
    ),
    "Input in the middle": Mistake(
        lambda k: k.Sequential([k.layers.Dense(3), k.layers.Input((4,))]),
        ValueError, "an Input belongs in front of all layers", "takes it for a layer",
    ),
    "no layers": Mistake(lambda k: k.Sequential()(X), ValueError, r"has no layers; add some with .add\(\)"),
    "pop of nothing": Mistake(lambda k: k.Sequential().pop(), ValueError, "has no layers to pop"),
    "count_params before the shape is known": Mistake(
        lambda k: k.Sequential([k.layers.Dense(3)]).count_params(),
        ValueError, r"no weights yet; call it on data, or build\(input_shape\), first",
    ),
    "set_weights before the shape is known": Mistake(
        lambda k: k.Sequential([k.layers.Dense(3)]).set_weights([np.ones((4, 3)), np.ones(3)]),
        ValueError, "0 weights, .*given 2 arrays; it has none yet: call it on data",
    ),
    "save_weights before the shape is known": Mistake(
        lambda k: k.Sequential([k.layers.Dense(3)]).save_weights("a.weights.h5"),
        ValueError, "save_weights: .*no weights yet; call it on data",
    ),
    "output before the shape is known": Mistake(
        lambda k: k.Sequential([k.layers.Dense(3)]).output,
        AttributeError, r"no output before its input's shape is known; put Input\(shape=...\) in front",
    ),
    "kernel before the shape is known": Mistake(
        lambda k: k.layers.Dense(3).kernel,
        AttributeError, r"'kernel'; it is not built yet: call it on data, or build\(input_shape\)",
    ),
    "add of another rank": Mistake(
        lambda k: k.Sequential([k.layers.Input((4,)), k.layers.Reshape((2, 2)), k.layers.Conv2D(3, 3)]),
        ValueError, r"layer 'conv2d.*expected ndim=4, found ndim=3.*\(None, 2, 2\)",
    ),
    # layers and weights of a model
    "get_layer": Mistake(
        lambda k: functional(k).get_layer("lats"),
        ValueError, r"no layer is called 'lats' \(did you mean 'last'\?\); there are: numbers, first, last",
    ),
    "get_layer by index": Mistake(
        lambda k: functional(k).get_layer(index=7),
        ValueError, "the model has 3 layers; there is none with index 7",
    ),
    "get_layer of nothing": Mistake(
        lambda k: functional(k).get_layer(),
        ValueError, "get_layer takes either a name or an index",
    ),
    "set_weights too few": Mistake(
        lambda k: net(k).set_weights([np.ones((4, 1))]),
        ValueError, r"has 2 weights, but set_weights\(\) was given 1 arrays",
    ),
    "set_weights of other shapes": Mistake(
        lambda k: net(k).set_weights([np.ones((1, 4)), np.ones(1)]),
        ValueError, r"last/kernel has shape \(4, 1\), but set_weights\(\) was given \(1, 4\)",
    ),
    "set_weights of a layer": Mistake(
        lambda k: net(k).layers[0].set_weights([np.ones(1), np.ones((4, 1))]),
        ValueError, r"last/kernel has shape \(4, 1\), but set_weights\(\) was given \(1,\)",
    ),
    "assign of another shape": Mistake(
        lambda k: k.Variable([1.0, 2.0], name="w").assign([1.0]),
        ValueError, r"w: cannot assign shape \(1,\) to a variable of shape \(2,\)",
    ),
    # files
    "load_weights of other shapes": Mistake(
        lambda k: functional(k).load_weights(saved(functional(k, 2), "a.weights.h5")),
        ValueError, r"another model than 'functional.*kernel has shape \(5, 3\), but in the file \(5, 2\)",
    ),
    "load_weights of another model": Mistake(
        lambda k: functional(k).load_weights(saved(net(k), "a.weights.h5")),
        ValueError, r"another model than 'functional.*kernel has shape \(4, 5\), but in the file \(4, 1\)",
    ),
    "load_weights that are not there": Mistake(
        lambda k: net(k).load_weights("nothing.weights.h5"),
        FileNotFoundError, "nothing.weights.h5",
    ),
    "save_weights with a wrong ending": Mistake(
        lambda k: net(k).save_weights("a.pkl"),
        ValueError, "must end in .weights.h5, .h5, .hdf5 or .safetensors, not 'a.pkl'; write 'a.weights.h5'",
    ),
    "save without an ending": Mistake(
        lambda k: net(k).save("a"),
        ValueError, "filepath must end in .keras, .h5 or .hdf5, not 'a'; write 'a.keras'",
    ),
    "save with a wrong ending": Mistake(
        lambda k: net(k).save("a.pb"),
        ValueError, "filepath must end in .keras, .h5 or .hdf5, not 'a.pb'; write 'a.keras'",
    ),
    "load_model that is not there": Mistake(
        lambda k: k.models.load_model("nothing.keras"),
        FileNotFoundError, "nothing.keras",
    ),
    "load_model of a folder": Mistake(
        lambda k: k.models.load_model("."),
        ValueError, "load_model: filepath must end in .keras, .h5 or .hdf5, not '.'",
    ),
    "load_model of a text": Mistake(
        lambda k: k.models.load_model(text_file("t.keras")),
        ValueError, "t.keras: is not a .keras file, or is damaged", inherits=True,
    ),
    "load_model of weights": Mistake(
        lambda k: k.models.load_model(saved(net(k), "a.weights.h5")),
        ValueError, "must end in .keras, .h5 or .hdf5, not 'a.weights.h5'; make the model, and call model.load_weights",
    ),
    "load_img that is not there": Mistake(lambda k: k.utils.load_img("nothing.png"), FileNotFoundError, "nothing.png"),
    "load_img of a text": Mistake(
        lambda k: k.utils.load_img(text_file("t.png")),
        OSError, "t.png is no picture, or it is damaged; remove it", inherits=True,
    ),
    "pictures of no folder": Mistake(
        lambda k: k.utils.image_dataset_from_directory("nowhere"),
        FileNotFoundError, "there is no folder nowhere",
    ),
    "pictures of an empty folder": Mistake(
        lambda k: [Path("empty").mkdir(exist_ok=True), k.utils.image_dataset_from_directory("empty")],
        ValueError, "no pictures in empty; formats are .bmp.*every class has a folder of its own",
    ),
    "a broken picture": Mistake(
        lambda k: [
            text_file("pics/cat/a.png"), text_file("pics/dog/b.png"),
            list(k.utils.image_dataset_from_directory("pics", image_size=(8, 8))),
        ],
        OSError, "pics/(cat|dog)/..png is no picture, or it is damaged; remove it", None, inherits=True,
    ),
    "array_to_img of rows": Mistake(
        lambda k: k.utils.array_to_img(X),
        ValueError, r"one picture, \(rows, columns, channels\), not of shape \(12, 4\)",
    ),
}  # fmt: skip
