"""ONNX files: every layer, and whole nets, predict in ONNX's reference evaluator and in ONNX Runtime what they do here.

A layer that minidl.layers publishes has cases in onnx_cases.py, or stands below among the refused ones with the reason.
"""

import inspect
import itertools
import sys
import zlib
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

import minidl as keras
from minidl import activations, layers, ops
from minidl.saving.onnx import export
from minidl.saving.onnx.export import proto_of
from minidl.saving.onnx.table import LAYERS, REFUSED

from .onnx_cases import CASES, Case

TOLERANCE = 1e-5  # of the largest number

NOT_CASES = {  # every other layer has cases above
    "InputLayer": "an input of the graph, in every case",
    "Lambda": "refused: Python code",
    "Layer": "a base class",
    "TimeDistributed": "tests of its own: it goes around a layer",
    "Wrapper": "a base class",
}


def generator(text: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(text.encode()))


def with_random_weights(model: Any, case: str) -> Any:
    """All weights drawn; those that are variances, or divide, stay positive."""
    rng = generator(case)
    for variable in model.weights:
        if variable.dtype.kind == "f":
            numbers = (
                rng.uniform(0.5, 1.5, variable.shape)
                if "variance" in variable.name
                else rng.normal(size=variable.shape)
            )
            variable.assign(numbers.astype(variable.dtype.name))
    return model


def data_for(model: Any, case: str, n: int = 3, limit: int = 9, whole: bool = False) -> dict[str, np.ndarray]:
    """Numbers for every input, by name; extents that are open become 7, 8, ..."""
    rng, open_extents = generator(case + "data"), itertools.count(7)
    found = {}
    for tensor in model.inputs:
        shape = [n, *[next(open_extents) if extent is None else extent for extent in tensor.shape[1:]]]
        drawn = rng.normal(size=shape) if tensor.dtype.kind == "f" and not whole else rng.integers(0, limit, shape)
        found[tensor.name] = drawn.astype(tensor.dtype)
    return found


def outputs_of(proto: Any, data: dict[str, np.ndarray], runtime: bool = True) -> list[tuple[str, list[np.ndarray]]]:
    """What the two run times make of data."""
    onnx.checker.check_model(proto, full_check=True)
    given = dict(zip([one.name for one in proto.graph.input], data.values(), strict=True))
    found = [("reference", ReferenceEvaluator(proto).run(None, given))]
    if runtime:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found.append(("runtime", session.run(None, given)))
    return found


def check(model: Any, data: dict[str, np.ndarray], runtime: bool = True, tolerance: float = TOLERANCE) -> Any:
    """The graph, which predicts what the model does."""
    proto = proto_of(model)
    values = list(data.values())
    predicted = model.predict(values if len(values) > 1 else values[0], verbose=0)
    leaves = keras.tree.flatten(predicted)
    for name, outputs in outputs_of(proto, data, runtime):
        assert len(outputs) == len(leaves)
        for expected, found in zip(leaves, outputs, strict=True):
            assert found.shape == expected.shape, name
            assert found.dtype == expected.dtype, name
            np.testing.assert_allclose(
                found, expected, rtol=0, atol=tolerance * max(np.abs(expected).max(), 1e-3), err_msg=name
            )
    return proto


def model_of(case: Case) -> Any:
    shapes = case.shapes if isinstance(case.shapes, list) else [case.shapes]
    dtype = "float32" if case.dtype == "whole" else case.dtype
    inputs = [layers.Input(shape, dtype=dtype) for shape in shapes]
    return keras.Model(inputs, case.make()(inputs if isinstance(case.shapes, list) else inputs[0]))


def title(case: Case) -> str:
    settings = [*map(str, case.args), *[f"{key}={value}" for key, value in case.settings.items()]]
    return f"{case.name}-{case.shapes}-{case.dtype}-{'-'.join(settings)}".replace(" ", "")


@pytest.mark.parametrize("case", CASES, ids=title)
def test_layer(case):
    model = with_random_weights(model_of(case), title(case))
    check(model, data_for(model, title(case), limit=case.limit, whole=case.dtype == "whole"))


def test_every_layer_has_a_case_or_a_reason():
    published = {name: cls for name in layers.__all__ if inspect.isclass(cls := getattr(layers, name))}
    names = {cls.__name__ for cls in published.values() if issubclass(cls, layers.Layer)}
    covered = {case.name for case in CASES}
    assert covered.isdisjoint(NOT_CASES)
    assert names == covered | NOT_CASES.keys()
    written = {cls.__name__ for cls in LAYERS} - {"Sequential", "Functional"}
    assert written == covered | {"TimeDistributed"}
    assert REFUSED.keys() <= NOT_CASES.keys()


ACTIVATIONS = [name for name in activations.__all__ if name not in activations.NOT_ACTIVATIONS]


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "threshold"])  # that wants arguments
def test_activation(name):
    x = layers.Input((5, 6))
    model = keras.Model(x, [layers.Activation(name)(x), layers.Dense(6, activation=name)(x)])
    model.layers[-1].set_weights([weight.numpy() / 4 for weight in with_random_weights(model, name).weights])
    proto = check(model, {"x": np.linspace(-6, 6, 60, dtype="float32").reshape(2, 5, 6)})
    assert proto.opset_import[0].version == 17


@pytest.mark.parametrize("settings", [{}, {"data_format": "channels_first"}], ids=str)
@pytest.mark.parametrize("n", [1, 4])
def test_any_number_of_samples(n, settings):
    x = layers.Input((8, 8, 8))
    y = layers.GroupNormalization(2, axis=1 if settings else -1)(layers.Conv2D(4, 3, **settings)(x))
    model = with_random_weights(keras.Model(x, layers.Dense(2)(layers.Flatten()(y))), "batch")
    proto = check(model, data_for(model, "batch", n))
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert proto.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_pictures_are_transposed_at_the_borders_only():
    x = layers.Input((16, 16, 3))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", activation="mish")(x))
    y = layers.Concatenate()([y, layers.Add()([y, layers.MaxPooling2D(1)(layers.PReLU(shared_axes=[1, 2])(y))])])
    y = layers.ZeroPadding2D(1)(layers.UpSampling2D()(layers.LeakyReLU()(layers.Dropout(0.5)(y))))
    se = layers.Dense(8, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(y))
    model = with_random_weights(keras.Model(x, layers.Conv2D(2, 3)(layers.Multiply()([y, se]))), "borders")
    proto = check(model, data_for(model, "borders"))
    counted = [node.op_type for node in proto.graph.node].count("Transpose")
    assert counted == 4  # in, out, and there and back for the rows that go through Dense
    assert [node.op_type for node in proto.graph.node].count("Conv") == 2


def test_dense_is_one_node():
    model = keras.Sequential([layers.Input((3,), name="numbers"), layers.Dense(2, name="last")])
    proto = proto_of(model)
    assert [(node.op_type, list(node.input), list(node.output)) for node in proto.graph.node] == [
        ("Gemm", ["numbers", "last/kernel", "last/bias"], ["last"])
    ]
    assert [one.name for one in proto.graph.input] == ["numbers"]
    assert [one.name for one in proto.graph.output] == ["last"]
    weights = {one.name: onnx.numpy_helper.to_array(one) for one in proto.graph.initializer}
    np.testing.assert_array_equal(weights["last/kernel"], model.layers[0].kernel.numpy())
    assert proto.producer_name == "minidl" and proto.ir_version == 8


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        (lambda: layers.Dense(3, activation="relu"), (4, 5)),
        (lambda: layers.Conv2D(2, 3, padding="same"), (3, 6, 5, 2)),
        (lambda: keras.Sequential([layers.Flatten(), layers.Dense(2)]), (3, 4, 2)),
        (lambda: layers.BatchNormalization(), (3, 4)),
    ],
)  # fmt: skip
def test_time_distributed(inner, shape):
    x = layers.Input(shape)
    model = with_random_weights(keras.Model(x, layers.TimeDistributed(inner())(x)), "steps")
    check(model, data_for(model, "steps"))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["MaxPooling2D", "AveragePooling2D"])
@pytest.mark.parametrize("pool", [(2, 2), (3, 1), (2, 3)])
def test_zeros_of_a_padding_count_in_the_pooling_behind_it(kind, padding, pool):
    """ONNX Runtime takes Pad and pooling for one where it may, and then they would not."""
    x = layers.Input((6, 6, 2))
    y = layers.ZeroPadding2D(((0, 2), (1, 3)))(layers.Conv2D(2, 1)(x))
    size, strides = pool
    model = keras.Model(x, getattr(layers, kind)(size, strides, padding)(layers.Dropout(0.5)(y)))
    model.layers[1].set_weights([np.ones((1, 1, 2, 2), "float32"), np.full(2, -20, "float32")])
    check(model, data_for(model, "zeros"))


def test_masks_that_are_arguments():
    x, mask = layers.Input((5, 4), name="x"), layers.Input((5,), name="mask")
    mean = layers.GlobalAveragePooling1D()(x, mask=mask)
    first = layers.GlobalAveragePooling1D(data_format="channels_first", keepdims=True)(
        layers.Permute((2, 1))(x), mask=mask
    )
    soft = layers.Softmax(axis=1)(x, mask=layers.Reshape((5, 1))(mask))
    model = keras.Model([x, mask], [mean, first, soft])
    data = data_for(model, "masks")
    data["mask"] = np.array([[1, 1, 0, 0, 1], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]], "float32")
    check(model, data)


def masked_sequences():
    """Whole numbers with zeros at the ends of the rows, and what is masked otherwise."""
    numbers = np.array([[3, 1, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6], [5, 5, 0, 5, 0, 0]])
    steps = np.where(numbers[..., None] > 0, np.sin(np.arange(54)).reshape(3, 6, 3), 0)
    return {"numbers": numbers.astype("int32"), "steps": steps.astype("float32")}


def embedded(numbers):
    return layers.Embedding(7, 4, mask_zero=True)(numbers)


MASKED = {
    "to a mean": lambda numbers, steps: layers.GlobalAveragePooling1D()(embedded(numbers)),
    "through layers": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.Dropout(0.5)(layers.LayerNormalization()(layers.Dense(3, activation="relu")(embedded(numbers))))
    ),
    "set to zero": lambda numbers, steps: layers.GlobalAveragePooling1D()(layers.Dense(2)(layers.Masking()(steps))),
    "joined": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.Concatenate()([embedded(numbers), layers.Masking(0.5)(steps)])
    ),
    "joined along the steps": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.Concatenate(axis=1)([embedded(numbers), layers.Dense(4)(steps)])
    ),
    "added": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.Add()([embedded(numbers), layers.Dense(4)(layers.Masking()(steps))])
    ),
    "added to one without": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.Add()([embedded(numbers), layers.Dense(4)(steps)])
    ),
    "step by step": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.TimeDistributed(keras.Sequential([layers.Dense(3), layers.BatchNormalization()]))(embedded(numbers))
    ),
    "through a model": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        keras.Sequential([layers.Input((6, 4)), layers.Dense(3), layers.Activation("tanh")])(embedded(numbers))
    ),
    "into a model": lambda numbers, steps: keras.Sequential([layers.Input((6, 4)), layers.GlobalAveragePooling1D()])(
        embedded(numbers)
    ),
    "lost on the way": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.Conv1D(3, 2, padding="same")(embedded(numbers))
    ),
    "lost by an op": lambda numbers, steps: layers.GlobalAveragePooling1D()(ops.stop_gradient(embedded(numbers))),
    "lost by an order that stays": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.Permute((1, 2))(layers.Cropping1D(0)(embedded(numbers)))
    ),
    "given": lambda numbers, steps: layers.GlobalAveragePooling1D()(
        layers.BatchNormalization()(steps, mask=ops.not_equal(numbers, 0))
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*got inputs with a mask, but hands none on")
@pytest.mark.parametrize("made", MASKED.values(), ids=MASKED)
def test_masks_pass_from_layer_to_layer(made):
    numbers, steps = layers.Input((6,), dtype="int32", name="numbers"), layers.Input((6, 3), name="steps")
    model = with_random_weights(keras.Model([numbers, steps], made(numbers, steps)), "masked")
    check(model, masked_sequences())


def test_counts_that_are_weighted():
    numbers, weights = layers.Input((6,), dtype="int32", name="numbers"), layers.Input((6,), name="weights")
    y = layers.CategoryEncoding(7, output_mode="count")(numbers, count_weights=weights)
    model = keras.Model([numbers, weights], y)
    check(model, {"numbers": masked_sequences()["numbers"], "weights": np.ones((3, 6), "float32") / 3})


def test_shared_layers_nested_models_several_inputs_and_outputs():
    one, two = layers.Input((6,), name="one"), layers.Input((6,), name="two")
    shared = layers.Dense(4, activation="tanh", name="shared")
    inner_in = layers.Input((4,))
    inner = keras.Model(inner_in, [layers.Dense(3)(inner_in), layers.Dense(4)(inner_in)], name="inner")
    stack = keras.Sequential([layers.Dense(4, activation="relu"), layers.LayerNormalization()], name="stack")
    a, b = inner(shared(one))
    c, d = inner(shared(two))
    outputs = {
        "sum": layers.Add()([b, d, stack(b)]),
        "both": layers.Concatenate(name="join")([a, c]),
        "again": stack(d),
    }
    model = with_random_weights(keras.Model({"b": two, "a": one}, outputs), "graph")
    data = data_for(model, "graph")
    proto = proto_of(model)
    assert [output.name for output in proto.graph.output] == sorted(outputs)
    kernels = [weight.name for weight in proto.graph.initializer if weight.name.endswith("kernel")]
    assert len(kernels) == 4 and "shared/kernel" in kernels
    expected = model.predict({"a": data["one"], "b": data["two"]}, verbose=0)
    for name, found in outputs_of(proto, {"one": data["one"], "two": data["two"]}):
        for key, output in zip(sorted(outputs), found, strict=True):
            np.testing.assert_allclose(output, expected[key], rtol=0, atol=1e-5, err_msg=f"{name} {key}")


def test_an_output_may_be_an_input_or_come_twice():
    x = layers.Input((3,), name="x")
    y = layers.Dense(2, name="y")(x)
    proto = check(with_random_weights(keras.Model(x, [y, x, y]), "twice"), {"x": np.ones((2, 3), "float32")})
    assert [output.name for output in proto.graph.output] == ["y", "x_1", "y_1"]


def test_names_do_not_meet():
    x = layers.Input((3,), name="a")
    model = keras.Model(x, layers.Dense(2, name="b")(layers.Dense(2, name="c")(x)))
    wrapped = keras.Model(y := layers.Input((3,), name="c"), model(y))
    proto = check(wrapped, {"c": np.ones((2, 3), "float32")})
    names = [name for node in proto.graph.node for name in node.output] + [one.name for one in proto.graph.initializer]
    assert len(set(names)) == len(names)


def test_a_model_of_float64():
    x = layers.Input((6, 6, 2), dtype="float64")
    y = layers.Conv2D(3, 3, dtype="float64", activation="selu")(x)
    y = layers.Dense(2, dtype="float64")(layers.Flatten(dtype="float64")(y))
    model = with_random_weights(keras.Model(x, y), "double")
    check(model, data_for(model, "double"), runtime=False)  # it has no Conv of float64
    mixed = keras.Sequential([layers.Input((4,)), layers.Dense(3, dtype="float64"), layers.Dense(2)])
    check(with_random_weights(mixed, "mixed"), data_for(mixed, "mixed"))


def test_a_subclass_that_keeps_call_is_what_its_base_is():
    class Named(layers.Dense):
        pass

    class Graph(keras.Model):
        pass

    x = layers.Input((4,))
    model = with_random_weights(Graph(x, Named(3, activation=layers.LeakyReLU(0.1))(x)), "subclass")
    check(model, data_for(model, "subclass"))


def test_training_of_ones_own_is_no_matter():
    class Careful(keras.Model):
        def train_step(self, data):
            return super().train_step(data)

    class Built(layers.Dense):
        def build(self, input_shape):
            super().build(input_shape)

        def get_config(self):
            return super().get_config()

    x = layers.Input((4,))
    model = with_random_weights(Careful(x, Built(3)(x)), "careful")
    check(model, data_for(model, "careful"))


def test_variables_among_the_inputs_of_a_layer_are_weights():
    x = layers.Input((4,))
    row = keras.Variable([[1.0, 2.0, 3.0, 4.0]])
    model = keras.Model(x, layers.Multiply()([layers.Add()([x, row]), row]))
    check(model, data_for(model, "constants"))


def test_whole_numbers_and_a_fixed_batch():
    x = layers.Input((6,), dtype="int32", batch_size=3)
    y = layers.Reshape((2, 3))(layers.Identity()(x))
    model = keras.Model(x, [layers.RepeatVector(2)(x), layers.Permute((2, 1))(y), layers.UnitNormalization()(x * 1.0)])
    proto = check(model, data_for(model, "whole"))
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 3


def test_a_signature_fixes_shapes():
    x = layers.Input((None, None, 3), name="x")
    model = with_random_weights(keras.Model(x, layers.Conv2D(2, 3, strides=2, padding="same")(x)), "signature")
    data = data_for(model, "signature")["x"][:2]
    for signature in (
        [layers.InputSpec(shape=(2, *data.shape[1:]))],
        [layers.Input(data.shape[1:])],
        [[data]],
    ):
        proto = proto_of(model, signature)
        dims = proto.graph.input[0].type.tensor_type.shape.dim
        assert [dim.dim_value for dim in dims][1:] == list(data.shape[1:])
        assert dims[0].dim_value == (2 if isinstance(signature[0], layers.InputSpec) else 0)
        assert not any(attribute.name == "auto_pad" for node in proto.graph.node for attribute in node.attribute)
        for _, (found,) in outputs_of(proto, {"x": data}):
            np.testing.assert_allclose(found, model.predict(data, verbose=0), rtol=0, atol=1e-5)
    for wrong in ([data, data], [layers.InputSpec(shape=(None, 4, 4, 1))], [layers.InputSpec(ndim=4)], [3]):
        with pytest.raises(ValueError, match="input_signature"):
            proto_of(model, wrong)


# ---- what is refused, and that nothing is written then ----


def swish_of_mine(x):
    return x * ops.sigmoid(x)


class Twice(layers.Layer):
    def call(self, inputs):
        return 2 * inputs


class Mine(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


class OtherDense(layers.Dense):
    def call(self, inputs):
        return super().call(inputs) + 1


class OtherSum(layers.Add):
    def join(self, inputs):
        return super().join(inputs) * 2


class OtherFlip(layers.RandomFlip):
    def transform_images(self, images, transformation, training=True):
        return images + 1


def graph_of(*parts: Any) -> Any:
    return keras.Sequential([layers.Input((4,)), *parts])


def called_with(**arguments: Any) -> Any:
    x = layers.Input((4,))
    return keras.Model(x, layers.Dropout(0.5, name="drop")(layers.Dense(4)(x), **arguments))


REFUSALS = {
    "a Lambda": (lambda: graph_of(layers.Lambda(swish_of_mine, name="l")), r"layer 'l' \(Lambda\) .*Python code"),
    "a layer of the user's": (lambda: graph_of(Twice(name="t")), r"layer 't' \(Twice\) .*Python code"),
    "a call that is replaced": (lambda: graph_of(OtherDense(2, name="o")), r"layer 'o' \(OtherDense\) .*Python code"),
    "a part of a call that is replaced": (
        lambda: keras.Model(x := layers.Input((4,)), OtherSum(name="sum")([x, x])), r"layer 'sum' \(OtherSum\) .*Python"
    ),
    "pictures that are changed": (
        lambda: keras.Sequential([layers.Input((4, 4, 3)), OtherFlip(name="flip")]), r"layer 'flip' \(OtherFlip\) "
    ),
    "a model of the user's": (lambda: Mine(), r"layer 'mine.*' \(Mine\) .*Python code"),
    "one inside a model": (lambda: graph_of(graph_of(Twice(name="inside"))), r"layer 'inside' \(Twice\)"),
    "one inside a wrapper": (
        lambda: keras.Sequential([layers.Input((3, 4)), layers.TimeDistributed(Twice(name="inside"))]),
        r"layer 'inside' \(Twice\)",
    ),
    "an activation": (
        lambda: graph_of(layers.Dense(2, activation=swish_of_mine, name="d")),
        r"layer 'd' \(Dense\) .*activation 'swish_of_mine' is Python code",
    ),
    "training": (lambda: called_with(training=True), r"layer 'drop' \(Dropout\) .*training=True"),
    "an unknown size of pictures": (
        lambda: keras.Sequential([layers.Input((None, None, 3)), layers.Resizing(4, 4, name="r")]),
        r"layer 'r' \(Resizing\) .*known size",
    ),
    "windows of open extents that skip cells": (
        lambda: keras.Sequential([layers.Input((None, 8, 3)), layers.MaxPooling2D(2, 3, padding="same", name="p")]),
        r"layer 'p' \(MaxPooling2D\) .*must be known",
    ),
    "a filter that Resize does not have": (
        lambda: keras.Sequential([layers.Input((None, 8, 3)), layers.UpSampling2D(interpolation="lanczos3", name="u")]),
        r"layer 'u' \(UpSampling2D\) .*must be known",
    ),
    "open extents of steps": (
        lambda: keras.Sequential([layers.Input((None, 3)), layers.TimeDistributed(layers.Dense(1), name="td")]),
        r"layer 'td' \(TimeDistributed\) .*must be known",
    ),
    "no inputs yet": (lambda: keras.Sequential([layers.Dense(2)]), "does not know its inputs yet"),
}  # fmt: skip


@pytest.mark.parametrize("make, message", REFUSALS.values(), ids=REFUSALS)
def test_refusals_name_the_layer_and_write_nothing(make, message, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_text("the old one")
    with pytest.raises(ValueError, match=message):
        make().export(path, format="onnx")
    assert path.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_training_false_is_prediction():
    model = with_random_weights(called_with(training=False), "prediction")
    check(model, data_for(model, "prediction"))


def test_export_writes_a_file(tmp_path, capsys):
    model = graph_of(layers.Dense(2))
    path = tmp_path / "net.onnx"
    model.export(path, format="onnx")
    assert capsys.readouterr().out == f"Saved artifact at '{path}'.\n"
    model.export(str(path), format="onnx", verbose=False, opset_version=17)
    assert capsys.readouterr().out == ""
    assert onnx.load(path) == proto_of(model)
    assert list(tmp_path.iterdir()) == [path]


def test_other_formats_are_refused(tmp_path):
    model = graph_of(layers.Dense(2))
    for settings in (
        {},
        {"format": "tf_saved_model"},
        {"format": "openvino"},
        {"format": "litert"},
        {"format": "ONNX"},
    ):
        with pytest.raises(ValueError, match=r'format must be "onnx", not .*save\("net.keras"\)'):
            model.export(tmp_path / "net", **settings)
    with pytest.raises(ValueError, match="opset_version must be 17"):
        model.export(tmp_path / "net.onnx", format="onnx", opset_version=12)
    with pytest.raises(TypeError, match="dynamo"):
        model.export(tmp_path / "net.onnx", format="onnx", dynamo=True)
    with pytest.raises(FileNotFoundError):
        model.export(tmp_path / "missing" / "net.onnx", format="onnx")
    assert not list(tmp_path.iterdir())


def test_without_the_package_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'minidl\[onnx\]'"):
        graph_of(layers.Dense(2)).export(tmp_path / "net.onnx", format="onnx")
    assert not list(tmp_path.iterdir())


def test_more_than_a_file_holds_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(export, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="GiB of weights"):
        graph_of(layers.Dense(8)).export(tmp_path / "net.onnx", format="onnx")
    assert not list(tmp_path.iterdir())
