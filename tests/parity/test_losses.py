"""Every loss against Keras: values, reductions, sample weights, and gradients through predictions."""

import json

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, drawn, generator, libraries

pytestmark = pytest.mark.oracle

# name: (class, arguments, kind of targets, kind of predictions)
CASES = {
    "mse": ("MeanSquaredError", {}, ("real", (6, 3)), ("real", (6, 3))),
    "mse sequences": ("MeanSquaredError", {}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
    "mse (n,) and (n, 1)": ("MeanSquaredError", {}, ("real", (6,)), ("real", (6, 1))),
    "mse (n, 1) and (n,)": ("MeanSquaredError", {}, ("real", (6, 1)), ("real", (6,))),
    "mse (n, t) and (n, t, 1)": ("MeanSquaredError", {}, ("real", (6, 4)), ("real", (6, 4, 1))),
    "mae": ("MeanAbsoluteError", {}, ("real", (6, 3)), ("real", (6, 3))),
    "mae (n,) and (n, 1)": ("MeanAbsoluteError", {}, ("real", (6,)), ("real", (6, 1))),
    "binary": ("BinaryCrossentropy", {}, ("bits", (6, 3)), ("unit", (6, 3))),
    "binary (n,) and (n, 1)": ("BinaryCrossentropy", {}, ("bits", (6,)), ("unit", (6, 1))),
    "binary at the limits": ("BinaryCrossentropy", {}, ("bits", (6, 3)), ("corners", (6, 3))),
    "binary logits": ("BinaryCrossentropy", {"from_logits": True}, ("bits", (6, 3)), ("large", (6, 3))),
    "binary smoothing": ("BinaryCrossentropy", {"label_smoothing": 0.2}, ("bits", (6, 3)), ("unit", (6, 3))),
    "binary smoothing logits": (
        "BinaryCrossentropy", {"label_smoothing": 0.2, "from_logits": True}, ("bits", (6, 3)), ("real", (6, 3)),
    ),
    "categorical": ("CategoricalCrossentropy", {}, ("one hot", (6, 5)), ("rows", (6, 5))),
    "categorical soft": ("CategoricalCrossentropy", {}, ("rows", (6, 5)), ("rows", (6, 5))),
    "categorical not normalised": ("CategoricalCrossentropy", {}, ("one hot", (6, 5)), ("unit", (6, 5))),
    "categorical at the limits": ("CategoricalCrossentropy", {}, ("one hot", (6, 5)), ("one hot", (6, 5))),
    "categorical logits": ("CategoricalCrossentropy", {"from_logits": True}, ("one hot", (6, 5)), ("large", (6, 5))),
    "categorical smoothing": (
        "CategoricalCrossentropy", {"label_smoothing": 0.1}, ("one hot", (6, 5)), ("rows", (6, 5)),
    ),
    "categorical smoothing logits": (
        "CategoricalCrossentropy", {"label_smoothing": 0.1, "from_logits": True}, ("one hot", (6, 5)), ("real", (6, 5)),
    ),
    "categorical sequences": ("CategoricalCrossentropy", {}, ("one hot", (6, 4, 5)), ("rows", (6, 4, 5))),
    "categorical axis": ("CategoricalCrossentropy", {"axis": 1}, ("one hot", (6, 4, 5)), ("unit", (6, 4, 5))),
    "sparse": ("SparseCategoricalCrossentropy", {}, ("labels", (6,)), ("rows", (6, 5))),
    "sparse (n, 1)": ("SparseCategoricalCrossentropy", {}, ("labels", (6, 1)), ("rows", (6, 5))),
    "sparse not normalised": ("SparseCategoricalCrossentropy", {}, ("labels", (6,)), ("unit", (6, 5))),
    "sparse logits": ("SparseCategoricalCrossentropy", {"from_logits": True}, ("labels", (6,)), ("large", (6, 5))),
    "sparse sequences": ("SparseCategoricalCrossentropy", {}, ("labels", (6, 4)), ("rows", (6, 4, 5))),
    "sparse sequences logits": (
        "SparseCategoricalCrossentropy", {"from_logits": True}, ("labels", (6, 4)), ("real", (6, 4, 5)),
    ),
    "sparse ignore": ("SparseCategoricalCrossentropy", {"ignore_class": 2}, ("labels", (6,)), ("rows", (6, 5))),
    "sparse ignore -1": (
        "SparseCategoricalCrossentropy", {"ignore_class": -1}, ("labels from -1", (6,)), ("rows", (6, 5)),
    ),
    "sparse ignore sequences": (
        "SparseCategoricalCrossentropy", {"ignore_class": 2}, ("labels", (6, 4)), ("rows", (6, 4, 5)),
    ),
    "sparse ignore logits": (
        "SparseCategoricalCrossentropy", {"ignore_class": 2, "from_logits": True}, ("labels", (6,)), ("real", (6, 5)),
    ),
    "categorical axis smoothing": (
        "CategoricalCrossentropy", {"axis": 1, "label_smoothing": 0.2}, ("one hot", (6, 4, 5)), ("unit", (6, 4, 5)),
    ),
    "binary axis": ("BinaryCrossentropy", {"axis": 1}, ("bits", (6, 4, 3)), ("unit", (6, 4, 3))),
    "mape": ("MeanAbsolutePercentageError", {}, ("real", (6, 3)), ("real", (6, 3))),
    "mape zeros": ("MeanAbsolutePercentageError", {}, ("bits", (6, 3)), ("real", (6, 3))),
    "mape (n,) and (n, 1)": ("MeanAbsolutePercentageError", {}, ("real", (6,)), ("real", (6, 1))),
    "msle": ("MeanSquaredLogarithmicError", {}, ("positive", (6, 3)), ("positive", (6, 3))),
    "msle below 0": ("MeanSquaredLogarithmicError", {}, ("real", (6, 3)), ("real", (6, 3))),
    "cosine": ("CosineSimilarity", {}, ("real", (6, 3)), ("real", (6, 3))),
    "cosine axis": ("CosineSimilarity", {"axis": 1}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
    "cosine axes": ("CosineSimilarity", {"axis": (1, 2)}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
    "huber": ("Huber", {}, ("real", (6, 3)), ("large", (6, 3))),
    "huber small errors": ("Huber", {"delta": 4.0}, ("real", (6, 3)), ("real", (6, 3))),
    "huber delta": ("Huber", {"delta": 0.3}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
    "log_cosh": ("LogCosh", {}, ("real", (6, 3)), ("real", (6, 3))),
    "log_cosh large": ("LogCosh", {}, ("real", (6, 3)), ("large", (6, 3))),
    "hinge": ("Hinge", {}, ("signs", (6, 3)), ("real", (6, 3))),
    "hinge bits": ("Hinge", {}, ("bits", (6, 3)), ("real", (6, 3))),
    "hinge (n,) and (n, 1)": ("Hinge", {}, ("bits", (6,)), ("real", (6, 1))),
    "squared hinge": ("SquaredHinge", {}, ("signs", (6, 3)), ("real", (6, 3))),
    "squared hinge bits": ("SquaredHinge", {}, ("bits", (6, 4, 3)), ("real", (6, 4, 3))),
    "categorical hinge": ("CategoricalHinge", {}, ("one hot", (6, 5)), ("real", (6, 5))),
    "categorical hinge large": ("CategoricalHinge", {}, ("one hot", (6, 5)), ("large", (6, 5))),
    "kld": ("KLDivergence", {}, ("rows", (6, 5)), ("rows", (6, 5))),
    "kld one hot": ("KLDivergence", {}, ("one hot", (6, 5)), ("rows", (6, 5))),
    "kld at the limits": ("KLDivergence", {}, ("corners", (6, 5)), ("corners", (6, 5))),
    "kld sequences": ("KLDivergence", {}, ("rows", (6, 4, 5)), ("rows", (6, 4, 5))),
    "poisson": ("Poisson", {}, ("labels", (6, 3)), ("positive", (6, 3))),
    "poisson (n,) and (n, 1)": ("Poisson", {}, ("labels", (6,)), ("positive", (6, 1))),
    "binary focal": ("BinaryFocalCrossentropy", {}, ("bits", (6, 3)), ("unit", (6, 3))),
    "binary focal logits": (
        "BinaryFocalCrossentropy", {"from_logits": True, "gamma": 3.0}, ("bits", (6, 3)), ("real", (6, 3)),
    ),
    "binary focal balanced": (
        "BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.3}, ("bits", (6, 3)), ("unit", (6, 3)),
    ),
    "binary focal smoothing": (
        "BinaryFocalCrossentropy", {"label_smoothing": 0.2, "axis": 1}, ("bits", (6, 4, 3)), ("unit", (6, 4, 3)),
    ),
    "binary focal gamma 0": ("BinaryFocalCrossentropy", {"gamma": 0.0}, ("bits", (6, 3)), ("unit", (6, 3))),
    "categorical focal": ("CategoricalFocalCrossentropy", {}, ("one hot", (6, 5)), ("rows", (6, 5))),
    "categorical focal not normalised": (
        "CategoricalFocalCrossentropy", {"alpha": 0.5, "gamma": 1.5}, ("one hot", (6, 5)), ("unit", (6, 5)),
    ),
    "categorical focal logits": (
        "CategoricalFocalCrossentropy", {"from_logits": True}, ("one hot", (6, 5)), ("real", (6, 5)),
    ),
    "categorical focal smoothing": (
        "CategoricalFocalCrossentropy", {"label_smoothing": 0.1}, ("one hot", (6, 5)), ("rows", (6, 5)),
    ),
    "categorical focal axis": (
        "CategoricalFocalCrossentropy", {"axis": 1, "label_smoothing": 0.1},
        ("one hot", (6, 4, 5)), ("unit", (6, 4, 5)),
    ),
    "categorical focal class weights": (
        "CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4, 0.5]}, ("one hot", (6, 5)), ("rows", (6, 5)),
    ),
    "generalized": ("CategoricalGeneralizedCrossEntropy", {"q": 0.5}, ("labels", (6,)), ("rows", (6, 5))),
    "generalized sequences": (
        "CategoricalGeneralizedCrossEntropy", {"q": 0.7}, ("labels", (6, 4)), ("rows", (6, 4, 5)),
    ),
    "dice": ("Dice", {}, ("bits", (6, 4, 4, 1)), ("unit", (6, 4, 4, 1))),
    "dice of each picture": ("Dice", {"axis": (1, 2, 3)}, ("bits", (6, 4, 4, 1)), ("unit", (6, 4, 4, 1))),
    "dice axis": ("Dice", {"axis": -1}, ("bits", (6, 4, 5)), ("unit", (6, 4, 5))),
    "tversky": ("Tversky", {}, ("bits", (6, 4, 4, 1)), ("unit", (6, 4, 4, 1))),
    "tversky of each picture": (
        "Tversky", {"alpha": 0.3, "beta": 0.7, "axis": (1, 2, 3)}, ("bits", (6, 4, 4, 1)), ("unit", (6, 4, 4, 1)),
    ),
    "circle": ("Circle", {}, ("labels", (6,)), ("lengths 1", (6, 4))),
    "circle (n, 1)": ("Circle", {"gamma": 2.0}, ("labels", (6, 1)), ("lengths 1", (6, 4))),
    "circle margin": ("Circle", {"gamma": 10.0, "margin": 0.1}, ("labels", (16,)), ("lengths 1", (16, 3))),
    "circle diagonal": ("Circle", {"gamma": 2.0, "remove_diagonal": False}, ("labels", (9,)), ("lengths 1", (9, 3))),
    "ctc": ("CTC", {}, ("words", (6, 3)), ("real", (6, 8, 5))),
    "ctc large": ("CTC", {}, ("words", (6, 4)), ("large", (6, 9, 5))),
    "ctc one label": ("CTC", {}, ("words", (6, 1)), ("real", (6, 4, 5))),
}  # fmt: skip
FUNCTIONS = {
    "MeanSquaredError": "mean_squared_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
    "CosineSimilarity": "cosine_similarity",
    "Huber": "huber",
    "LogCosh": "log_cosh",
    "Hinge": "hinge",
    "SquaredHinge": "squared_hinge",
    "CategoricalHinge": "categorical_hinge",
    "KLDivergence": "kl_divergence",
    "Poisson": "poisson",
    "BinaryCrossentropy": "binary_crossentropy",
    "BinaryFocalCrossentropy": "binary_focal_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "CategoricalFocalCrossentropy": "categorical_focal_crossentropy",
    "CategoricalGeneralizedCrossEntropy": "categorical_generalized_cross_entropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "Dice": "dice",
    "Tversky": "tversky",
    "Circle": "circle",
    "CTC": "ctc",
}
REDUCTIONS = ["sum_over_batch_size", "mean_with_sample_weight", "mean", "sum", "none", None]


def data(name):
    _, _, targets, predictions = CASES[name]
    rng = generator(name)
    return drawn(*targets, rng), drawn(*predictions, rng)


def assert_as_in_keras(name, weight, reduction):
    """Value and gradient of one case."""
    import jax

    cls, settings, _, _ = CASES[name]
    theirs, ours = both(lambda k: getattr(k.losses, cls)(reduction=reduction, **settings))
    y_true, y_pred = data(name)
    value, pull = jax.vjp(lambda p: theirs(y_true, p, sample_weight=weight), y_pred)
    upstream = generator(name).normal(size=value.shape).astype("float32")
    prediction = minidl.Tensor(y_pred, requires_grad=True)
    our_value = ours(y_true, prediction, sample_weight=weight)
    close(our_value, value, "loss")
    close(minidl.grad(our_value, prediction, upstream), pull(upstream)[0], "gradient")


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name):
    assert_as_in_keras(name, None, "sum_over_batch_size")


WEIGHTED = [
    "mse", "mse (n,) and (n, 1)", "binary", "categorical", "sparse", "sparse (n, 1)", "sparse ignore", "mape", "msle",
    "cosine", "huber", "log_cosh", "hinge", "squared hinge", "categorical hinge", "kld", "poisson", "binary focal",
    "categorical focal", "generalized", "dice", "dice of each picture", "tversky", "circle (n, 1)", "circle", "ctc",
]  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", WEIGHTED)
def test_reductions_of_weighted_losses(name, reduction):
    assert_as_in_keras(name, np.array([0.5, 2, 0, 1, 1.5, 3], "float32"), reduction)


@pytest.mark.parametrize("name", ["mse sequences", "sparse sequences", "sparse ignore sequences"])
def test_weights_for_every_step_of_a_sequence(name):
    assert_as_in_keras(name, generator("steps").uniform(0, 2, (6, 4)).astype("float32"), "sum_over_batch_size")


@pytest.mark.parametrize("reduction", ["mean_with_sample_weight", "sum", None])
def test_weights_of_shape_n_1(reduction):
    weight = np.array([[0.5], [2], [0], [1], [1.5], [3]], "float32")
    cls, settings, _, _ = CASES["categorical"]
    theirs, ours = both(lambda k: getattr(k.losses, cls)(reduction=reduction, **settings))
    y_true, y_pred = data("categorical")
    ours, theirs = ours(y_true, y_pred, weight), theirs(y_true, y_pred, weight)
    close(ours, np.reshape(theirs, ours.shape), "loss")  # unreduced, Keras' are (n, 1)


# Some functions of Keras refuse (n,) beside (n, 1), or spread it to (n, n); their classes do neither.
SPREADING = ("binary", "hinge", "poisson")


@pytest.mark.parametrize("name", [name for name in CASES if name not in [f"{s} (n,) and (n, 1)" for s in SPREADING]])
def test_functions(name):
    cls, settings, _, _ = CASES[name]
    keras, _ = libraries()
    y_true, y_pred = data(name)
    theirs = getattr(keras.losses, FUNCTIONS[cls])(y_true, y_pred, **settings)
    close(getattr(minidl.losses, FUNCTIONS[cls])(y_true, y_pred, **settings), theirs, "loss of each sample")


@pytest.mark.parametrize("cls", FUNCTIONS)
def test_names_and_configurations(cls):
    theirs, ours = both(lambda k: getattr(k.losses, cls)())
    assert ours.name == theirs.name and ours.reduction == theirs.reduction
    assert ours.get_config() == theirs.get_config()
    keras, _ = libraries()
    assert minidl.losses.deserialize(keras.losses.serialize(theirs)).get_config() == ours.get_config()
    if cls == "CategoricalGeneralizedCrossEntropy":
        return  # Keras writes it, but cannot read it
    assert keras.losses.deserialize(minidl.losses.serialize(ours)).get_config() == theirs.get_config()
    for alias in (cls, FUNCTIONS[cls]):
        y_true, y_pred = data(next(name for name, case in CASES.items() if case[0] == cls))
        close(minidl.losses.get(alias)(y_true, y_pred), keras.losses.get(alias)(y_true, y_pred), alias)


SHORT = {
    "mse": ("mse", "MSE"), "mae": ("mae", "MAE"), "mape": ("mape", "MAPE"), "msle": ("msle", "MSLE"),
    "binary": ("bce", "BCE"), "kld": ("kld", "KLD"),
}  # fmt: skip


@pytest.mark.parametrize("name, alias", [(name, alias) for name, aliases in SHORT.items() for alias in aliases])
def test_short_names(name, alias):
    keras, _ = libraries()
    y_true, y_pred = data(name)
    close(minidl.losses.get(alias)(y_true, y_pred), keras.losses.get(alias)(y_true, y_pred), alias)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1]])
def test_settings_survive_a_file(name):
    """What Keras wrote is the same loss here; what is written here is the same loss there, and here again."""
    cls, settings, _, _ = CASES[name]
    keras, _ = libraries()
    theirs, ours = both(lambda k: getattr(k.losses, cls)(**settings, reduction="sum"))
    y_true, y_pred = data(name)
    expected = theirs(y_true, y_pred)
    written = json.loads(json.dumps(minidl.losses.serialize(ours)))
    reference = json.loads(json.dumps(keras.losses.serialize(theirs)))
    assert {key: written["config"][key] for key in reference["config"]} == reference["config"]
    close(minidl.losses.deserialize(written)(y_true, y_pred), expected, "written and read here")
    several_axes = isinstance(settings.get("axis"), tuple)
    if cls != "CategoricalGeneralizedCrossEntropy" and not several_axes:  # Keras writes them, but cannot read them
        close(keras.losses.deserialize(written)(y_true, y_pred), expected, "written here, read there")
    if cls not in ("Huber", "CosineSimilarity"):  # whose settings Keras does not write
        close(minidl.losses.deserialize(reference)(y_true, y_pred), expected, "written there, read here")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", ["no weights", "of samples", "of steps"])
@pytest.mark.parametrize("name", ["mse sequences", "sparse sequences", "sparse ignore sequences"])
def test_masks_of_predictions(name, weighted, reduction):
    """A mask that the predictions carry, as layers with masks give it."""
    import jax.numpy as jnp

    cls, settings, _, _ = CASES[name]
    theirs, ours = both(lambda k: getattr(k.losses, cls)(reduction=reduction, **settings))
    y_true, y_pred = data(name)
    mask = generator("mask").uniform(size=(6, 4)) < 0.6
    weight = {
        "no weights": None,
        "of samples": np.array([[0.5], [2], [0], [1], [1.5], [3]], "float32"),
        "of steps": generator("steps").uniform(0, 2, (6, 4)).astype("float32"),
    }[weighted]
    from keras.src import backend

    reference, prediction = jnp.asarray(y_pred), minidl.Tensor(y_pred)
    backend.set_keras_mask(reference, jnp.asarray(mask))
    prediction._keras_mask = mask
    close(ours(y_true, prediction, weight), theirs(y_true, reference, weight), "loss")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse sequences", "categorical sequences"])
def test_one_weight_for_each_row_of_a_sequence(name, reduction):
    assert_as_in_keras(name, np.array([[0.5], [2], [0], [1], [1.5], [3]], "float32"), reduction)


@pytest.mark.parametrize("reduction", ["mean_with_sample_weight", "sum_over_batch_size"])
def test_weights_that_are_all_0(reduction):
    assert_as_in_keras("mse", np.zeros(6, "float32"), reduction)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtype(dtype):
    import jax

    with jax.enable_x64(dtype == "float64"):
        theirs, ours = both(lambda k: k.losses.Huber(dtype=dtype))
        y_true, y_pred = data("huber delta")
        value = ours(y_true, y_pred)
        assert str(value.dtype) == dtype == str(theirs(y_true, y_pred).dtype) == ours.dtype
        close(value, theirs(y_true, y_pred), "loss", 1e-3 if dtype == "float16" else 1e-5)


def wrapper(k):
    """LossFunctionWrapper, which Keras does not show."""
    return k.losses.MeanSquaredError.__mro__[1]


def test_losses_of_custom_functions():
    """A function as it is, with a setting, in a configuration, and a subclass, whose ranks nobody changes."""
    make = {
        "function": lambda k: k.losses.get(lambda t, p: k.ops.mean(k.ops.abs(t - p) ** 3, axis=-1)),
        "wrapper": lambda k: wrapper(k)(lambda t, p, a: a * k.ops.sum(t * p, axis=-1), name="w", a=3),
        "subclass": lambda k: type("Spread", (k.losses.Loss,), {"call": lambda self, t, p: k.ops.square(t - p)})(),
    }
    y_true, y_pred = data("mse (n,) and (n, 1)")
    for name, made in make.items():
        theirs, ours = both(made)
        if name == "function":
            close(ours(minidl.Tensor(y_pred), minidl.Tensor(y_pred * 2)), theirs(y_pred, y_pred * 2), name)
        else:
            close(ours(y_true, y_pred), theirs(y_true, y_pred), name)


NAMES = {  # activation of the last layer, kind of targets
    **dict.fromkeys(("mse", "mean_absolute_error", "huber", "log_cosh", "MAPE", "Huber", "LogCosh"), (None, "real")),
    **dict.fromkeys(("msle", "poisson", "Poisson"), ("softplus", "positive")),
    **dict.fromkeys(("hinge", "squared_hinge"), ("tanh", "signs")),
    **dict.fromkeys(("bce", "binary_focal_crossentropy", "BinaryFocalCrossentropy"), ("sigmoid", "bits")),
    **dict.fromkeys(("dice", "tversky", "Tversky"), ("sigmoid", "bits")),
    **dict.fromkeys(("kld", "categorical_crossentropy", "categorical_hinge", "KLDivergence"), ("softmax", "one hot")),
    **dict.fromkeys(("categorical_focal_crossentropy", "cosine_similarity"), ("softmax", "one hot")),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_training_with_a_name(name, weighted):
    """What compile() makes of the name; losses and weights over three steps."""
    activation, targets = NAMES[name]

    def make(k):
        last = k.layers.Dense(3, activation=activation)
        model = k.Sequential([k.layers.Input((4,)), k.layers.Dense(6, "tanh"), last])
        model.compile(k.optimizers.SGD(0.01), name)
        return model

    theirs, ours = both(make)
    copy_weights(theirs, ours, name)
    rng = generator(name)
    x, y = rng.normal(size=(8, 4)).astype("float32"), drawn(targets, (8, 3), rng)
    weight = rng.uniform(0, 2, 8).astype("float32") if weighted and name not in ("dice", "tversky", "Tversky") else None
    for _ in range(3):
        close(ours.train_on_batch(x, y, weight), theirs.train_on_batch(x, y, weight), "loss")
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path)
