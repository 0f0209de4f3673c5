"""Models against Keras: names, the order of layers and weights, shapes, and the text of summary()."""

import numpy as np
import pytest

from tests.parity.nets import branched, branched_from_a_dictionary, branched_to_a_dictionary, convolutional, subclassed
from tests.parity.oracle import both, libraries

pytestmark = pytest.mark.oracle


def of_the_notes(k):
    """The network for CIFAR-10 of the lecture notes: 614,600 + 30,150 + 1,510 parameters."""
    x = k.layers.Input((32, 32, 3))
    y = k.layers.Flatten()(x)
    y = k.layers.Dense(200, activation="relu")(y)
    y = k.layers.Dense(150, activation="relu")(y)
    return k.Model(x, k.layers.Dense(10, activation="softmax")(y))


def of_the_notes_in_a_row(k):
    layers = [k.layers.Flatten(), k.layers.Dense(200), k.layers.Dense(150), k.layers.Dense(10)]
    return k.Sequential([k.layers.Input((32, 32, 3)), *layers])


def input_shape_of_the_first(k):
    return k.Sequential([k.layers.Flatten(input_shape=[28, 28]), k.layers.Dense(100), k.layers.Dense(8)], name="first")


def one_after_the_other(k):
    model = k.Sequential()
    model.add(k.layers.Input((5,)))
    for units in (4, 3, 2):
        model.add(k.layers.Dense(units))
    model.pop()
    model.add(k.layers.Activation("softmax"))
    return model


def unbuilt(k):
    return k.Sequential([k.layers.Dense(4), k.layers.Dense(3)])


def built_later(k):
    model = unbuilt(k)
    model.build((None, 7))
    return model


def skip_connection(k):
    x = k.layers.Input((6,))
    a = k.layers.Dense(6)(x)
    b = k.layers.Dense(6)(a)
    return k.Model(x, k.layers.Dense(2)(k.layers.Add()([x, b])))


def late_branch(k):
    """The branch that is defined last joins first: the order is by depth, not by definition."""
    first, second = k.layers.Input((4,), name="one"), k.layers.Input((4,), name="two")
    deep = k.layers.Dense(3)(k.layers.Dense(4)(k.layers.Dense(5)(first)))
    shallow = k.layers.Dense(3)(second)
    return k.Model([second, first], k.layers.Concatenate()([shallow, deep]))


def shared(k):
    first, second = k.layers.Input((4,)), k.layers.Input((4,))
    layer, last = k.layers.Dense(3), k.layers.Dense(1)
    return k.Model([first, second], last(k.layers.Concatenate()([layer(first), layer(second)])))


def nested(k):
    inner = k.Sequential([k.layers.Input((6,)), k.layers.Dense(4), k.layers.BatchNormalization()])
    x = k.layers.Input((6,))
    functional = k.Model(x, k.layers.Dense(6)(x), name="before")  # Keras would count the graph inside ``inner``, too
    y = k.layers.Input((6,))
    return k.Model(y, k.layers.Dense(2)(inner(functional(y))), name="nested")


def row_of_models(k):
    encoder = k.Sequential([k.layers.Input((6,)), k.layers.Dense(2)], name="encoder")
    decoder = k.Sequential([k.layers.Input((2,)), k.layers.Dense(6)], name="decoder")
    return k.Sequential([encoder, decoder])


def norm_between(k):
    """Weights that do not train stand between others: all weights go layer by layer."""
    norm = k.layers.BatchNormalization
    return k.Sequential([k.layers.Input((5,)), k.layers.Dense(3), norm(), k.layers.Dense(2), norm(scale=False)])


def frozen(k):
    model = norm_between(k)
    model.layers[0].trainable = False
    return model


def all_names(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((16, 16, 3)), layers.Conv2D(2, 3), layers.Conv2D(2, 3), layers.BatchNormalization(), layers.ReLU(),
        layers.LeakyReLU(), layers.MaxPooling2D(), layers.AveragePooling2D(2), layers.Dropout(0.1),
        layers.Activation("relu"), layers.GlobalAveragePooling2D(keepdims=True), layers.Reshape((2, 1)),
        layers.Flatten(), layers.Dense(3), layers.Softmax(),
    ])  # fmt: skip


def sub_model(k):
    model = convolutional(k)
    return k.Model(model.inputs, model.layers[3].output, name="lower_part")


def two_ends(k):
    x = k.layers.Input((4,))
    hidden = k.layers.Dense(3)(x)
    return k.Model(x, [hidden, k.layers.Dense(2)(hidden)])


MODELS = [
    of_the_notes, of_the_notes_in_a_row, input_shape_of_the_first, one_after_the_other, built_later, skip_connection,
    late_branch, shared, nested, row_of_models, norm_between, frozen, all_names, sub_model, two_ends, convolutional,
    branched, branched_from_a_dictionary, branched_to_a_dictionary,
]  # fmt: skip


def described(model):
    """What can be told of a model without numbers."""
    return {
        "name": model.name,
        "layers": [(layer.name, type(layer).__name__, layer.trainable) for layer in model.layers],
        "weights": [(w.name, tuple(w.shape), w.trainable) for w in model.weights],
        "trainable": [(w.name, tuple(w.shape)) for w in model.trainable_weights],
        "fixed": [(w.name, tuple(w.shape)) for w in model.non_trainable_weights],
        "parameters": model.count_params(),
        "input shape": model.input_shape,
        "output shape": model.output_shape,
        "outputs": list(getattr(model, "output_names", [])),
        "inputs": [(t.shape, str(t.dtype)) for t in model.inputs],
    }


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_names_orders_and_shapes(make):
    theirs, ours = both(make)
    expected, found = described(theirs), described(ours)
    if not expected["outputs"]:
        del expected["outputs"]  # only Keras' functional models have them
    for key in expected:
        assert found[key] == expected[key], key
    if not isinstance(theirs.input_shape, (list, dict)):
        shape = (7, *theirs.input_shape[1:])
        assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)


def text_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return [line.rstrip() for line in "\n".join(lines).splitlines() if line.strip()]


@pytest.mark.parametrize("columns", [80, 100, 140])
@pytest.mark.parametrize("make", [*MODELS, unbuilt, subclassed], ids=lambda make: make.__name__)
def test_summary(make, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    theirs, ours = both(make)
    assert text_of(ours) == text_of(theirs)


@pytest.mark.parametrize("options", [{"show_trainable": True}, {"line_length": 70}, {"line_length": 120}], ids=str)
@pytest.mark.parametrize("make", [frozen, skip_connection, all_names], ids=lambda make: make.__name__)
def test_summary_options(make, options, monkeypatch):
    monkeypatch.setenv("COLUMNS", "130")
    theirs, ours = both(make)
    assert text_of(ours, **options) == text_of(theirs, **options)


def nested(k):
    inner = k.Sequential(
        [k.layers.Input((6,)), k.layers.Dense(5, name="deep"), k.layers.ReLU(name="act")], name="inner"
    )
    start = k.layers.Input((6,), name="start")
    first = k.Model(start, k.layers.Dense(3, name="end")(inner(start)), name="middle")
    x = k.layers.Input((6,), name="x")
    return k.Model(x, k.layers.Dense(2, name="last")(first(x)), name="outer")


@pytest.mark.parametrize("options", [
    {"expand_nested": True}, {"expand_nested": True, "show_trainable": True}, {"positions": [0.3, 0.7, 1.0]},
    {"layer_range": ["middle", "last"]}, {"layer_range": ["l", "m"]},
    {"expand_nested": True, "layer_range": ["x", "mid"]},
], ids=str)  # fmt: skip
def test_summary_of_models_inside(options, monkeypatch):
    monkeypatch.setenv("COLUMNS", "130")
    theirs, ours = both(nested)
    assert text_of(ours, **options) == text_of(theirs, **options)


def test_summary_refuses_a_range_that_is_not_there():
    _, ours = both(nested)
    with pytest.raises(ValueError, match="no layer's name matches 'nothing'.*middle"):
        ours.summary(layer_range=["nothing", "last"])
    with pytest.raises(ValueError, match="two names"):
        ours.summary(layer_range="middle")


def test_summary_counts_the_optimizer_too(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    theirs, ours = both(norm_between)
    for model in (theirs, ours):
        model.compile("adam", "mse")
        model.train_on_batch(np.zeros((2, 5), "float32"), np.zeros((2, 2), "float32"))
    assert text_of(ours) == text_of(theirs)


def test_the_numbers_of_the_notes(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for k in libraries():
        text = "\n".join(text_of(of_the_notes(k)))
        for number in ("614,600", "30,150", "1,510", "646,260", "(None, 32, 32, 3)", "(None, 3072)"):
            assert number in text
