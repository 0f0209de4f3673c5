"""Lambda against Keras, with functions made of either library's ops."""

import numpy as np
import pytest

import minidl
from tests.parity.layer_checks import check_configuration, check_description, check_files, check_values
from tests.parity.oracle import both, libraries

pytestmark = pytest.mark.oracle


def doubled(x):
    return x * 2.0


def scaled(x, factor=1.0, shift=0.0):
    return x * factor + shift


def in_training(x, training=None):
    return x * (3.0 if training else 1.0)


def halved_shape(shape):
    return (shape[0], shape[1])


@pytest.fixture(autouse=True)
def known_functions(keras):
    """Both libraries know the functions by the name "Custom>doubled", ... (a scope would end with Keras' session)."""
    for function in (doubled, scaled, in_training, halved_shape):
        keras.saving.register_keras_serializable()(function)
        minidl.saving.register_keras_serializable()(function)


CASES = {
    "named": (lambda k: k.layers.Lambda(doubled), (4, 3)),
    "arguments": (lambda k: k.layers.Lambda(scaled, arguments={"factor": 0.5, "shift": 1.0}), (4, 3)),
    "output shape": (lambda k: k.layers.Lambda(doubled, output_shape=(3,)), (4, 3)),
    "output shape of pictures": (lambda k: k.layers.Lambda(doubled, output_shape=(2, 5)), (4, 2, 5)),
    "output shape by a function": (lambda k: k.layers.Lambda(doubled, output_shape=halved_shape), (4, 3)),
    "training": (lambda k: k.layers.Lambda(in_training), (4, 3)),
}
LAMBDAS = {
    "lambda": (lambda k: k.layers.Lambda(lambda x: k.ops.square(x)), (4, 3)),
    "slice": (lambda k: k.layers.Lambda(lambda x: x[:, 1:]), (4, 3, 2)),
    "of two": (lambda k: k.layers.Lambda(lambda xs: xs[0] * xs[1]), [(4, 3), (4, 3)]),
    "softmax": (lambda k: k.layers.Lambda(lambda x: k.ops.softmax(x, axis=-1)), (4, 3)),
}


@pytest.mark.parametrize("name", [*CASES, *LAMBDAS])
@pytest.mark.parametrize("training", [False, True])
def test_values(name, training):
    check_values({**CASES, **LAMBDAS}[name], name, training=training)


@pytest.mark.parametrize("name", CASES)
def test_description(name):
    check_description(CASES[name], name)


@pytest.mark.parametrize("name", CASES)
def test_files(name, tmp_path):
    check_files(CASES[name], name, tmp_path)


@pytest.mark.parametrize("name", LAMBDAS)
def test_symbolic_shapes(name):
    make, shapes = LAMBDAS[name]
    theirs, ours = both(lambda k: make(k)(
        [k.Input(s[1:]) for s in shapes] if isinstance(shapes, list) else k.Input(shapes[1:])
    ))  # fmt: skip
    assert ours.shape == tuple(theirs.shape)


def test_lambdas_are_not_saved(tmp_path):
    model = minidl.Sequential([minidl.Input((3,)), minidl.layers.Lambda(lambda x: x * 2)])
    with pytest.raises(ValueError, match="whose function is a lambda cannot be saved"):
        model.save(tmp_path / "m.keras")
    layer = minidl.layers.Lambda(doubled, output_shape=lambda shape: shape)
    with pytest.raises(ValueError, match="whose output_shape is a lambda cannot be saved"):
        layer.get_config()


def test_a_file_of_keras_with_a_lambda_is_refused(tmp_path):
    keras, _ = libraries()
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)]).save(tmp_path / "m.keras")
    for safe in (True, False):
        with pytest.raises(ValueError, match="code of a Python lambda, which is never run"):
            minidl.models.load_model(tmp_path / "m.keras", safe_mode=safe)


def test_masks():
    theirs, ours = both(lambda k: k.layers.Lambda(lambda x, mask=None: x, mask=lambda x, mask: x > 0))
    x = np.array([[-1.0, 2.0]], "float32")
    np.testing.assert_array_equal(ours.compute_mask(minidl.Tensor(x)), np.asarray(theirs.compute_mask(x)))
    masked = minidl.layers.Lambda(lambda x, mask=None: minidl.ops.where(mask, x, 0.0))
    assert masked(x, mask=np.array([[True, False]])).numpy().tolist() == [[-1, 0]]


def test_something_else_than_a_function():
    with pytest.raises(TypeError, match="function must be a function of the inputs, not 3"):
        minidl.layers.Lambda(3)


def test_configuration():
    check_configuration(
        *both(lambda k: k.layers.Lambda(scaled, output_shape=(3,), arguments={"factor": 2.0}, name="times"))
    )
