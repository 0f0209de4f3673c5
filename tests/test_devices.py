"""Above the kernels, no function of NumPy is given what may be an array of another library.

What floors 1 to 5 ask of NumPy is looked up in the source. Where it may meet the data of a model, ``namespace(x)`` is
asked instead. The modules that only see files, options and reports of their own are left out.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.test_house import our_modules

LEFT_OUT = set(
    "__main__ applications backend callbacks checking cli datasets demonstrations opening preprocessing saving summary "
    "testing utils visualize xray".split()
)

# Types, constants, dtypes; and what is made of shapes and plain numbers: an op takes it to where its other arrays are.
NO_DATA = set(
    "ndarray generic number integer floating dtype float16 float32 float64 int8 int32 int64 uint8 uint32 uint64 inf pi "
    "iinfo finfo typecodes errstate random exceptions result_type array2string broadcast_shapes prod shape ndim "
    "arange bartlett blackman empty eye full geomspace hamming hanning indices kaiser linspace logspace ones tri zeros"
    "".split()
)  # fmt: skip

ALLOWED = {
    "numbers that follow from shapes": """
        ops.arranging.array_split ops.resampling.nearest_places ops.resampling._triangle ops.resampling._keys
        ops.resampling._lanczos ops.resampling._matrix ops.shaping._ ops.shaping.repeat ops.upsampling._cubic
        ops.upsampling._lanczos ops.upsampling. ops.upsampling._weights data.arrays.validation_part""",
    "numbers and lists of Python, or settings, as arrays": """
        engine.tensor.as_array ops.arithmetic.floating ops.arithmetic.alike ops.arithmetic.cast ops.arithmetic._
        ops.ctc._whole ops.image.affine_transform ops.image.map_coordinates ops.image.rgb_to_grayscale
        ops.loss.sparse_categorical_crossentropy ops.shaping._indices ops.statistics.percentile
        ops.statistics.nanpercentile ops.statistics._quantile_of data.arrays.one data.epochs.resume
        initializers.constant.__call__ initializers.constant._window layers.encoding.call layers.preprocessing.call
        layers.preprocessing._plain layers.preprocessing._number layers.preprocessing._broadcast
        layers.preprocessing.get_config models.graph_config.argument models.loops._set_metrics registry._value
        random.__init__ random.key_of""",
    "brought to the CPU before, since the size of the result follows from the numbers": """
        ops.arranging.scatter_update ops.arranging.unravel_index ops.order.histogram ops.order.unique ops.order._of_size
        ops.order.segment_sum ops.order._segment_extreme data.arrays.class_weights""",
    "results that leave for the CPU": """
        engine.tensor.numpy ops.creation.convert_to_numpy models.compiled.as_numbers models.loops.predict
        models.trainer.predict_on_batch layers.weights.set_weights optimizers.state.set_weights""",
    "counters, keys and rates that every step reads, which stay on the CPU": """
        random.next random._of_numpy optimizers.adamax.update optimizers.schedules.__call__ optimizers.schedules._array
        optimizers.schedules._periods optimizers.schedules._rate optimizers.schedules._left optimizers.state.__init__
        optimizers.state.iterations optimizers.state._checked_rate layers.random_colors._changed
        layers.random_geometry.get_random_transformation layers.random_geometry._changed
        layers.random_geometry._array""",
    "counted on the CPU (_counts_on_cpu), with what on_cpu() gives": """
        metrics.confusion_counts.__init__ metrics.confusion_counts.below metrics.confusion_counts._counted
        metrics.confusion_counts._only_top metrics.confusion_counts.divided""",
    "the branch for arrays of NumPy": """
        metrics.iou._sums metrics.iou._weights metrics.reduction.result metrics.reduction._raise""",
    "before training: weights at their start, and what adapt() learns": """
        initializers.draws.__call__ layers.encoding.adapt layers.encoding._summary layers.encoding._compressed""",
    "files and pictures, before they are batches": """
        data.image_dataset._index data.image_dataset.make data.images._find data.images._decode
        data.pictures.array_to_img data.pictures.img_to_array data.pictures.smart_resize data.sequences.pad_sequences
        data.sequences.make""",
}  # fmt: skip
PLACES = {f"minidl.{place}" for places in ALLOWED.values() for place in places.split()}


def numpy_uses(source: str) -> Iterator[tuple[str, str]]:
    """(the function in which it stands, name) of every ``np.name`` but those of NO_DATA."""

    def look(node: ast.AST, inside: str) -> Iterator[tuple[str, str]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id == "np":
                if child.attr not in NO_DATA:
                    yield inside, child.attr
            yield from look(child, child.name if isinstance(child, ast.FunctionDef) else inside)

    return look(ast.parse(source), "")


def uses() -> dict[str, set[str]]:
    """What each function asks of NumPy, by its place."""
    found: dict[str, set[str]] = {}
    for module, path in our_modules().items():
        parts = module.split(".")
        if parts[0] == "minidl" and not set(parts[1:2]) & LEFT_OUT:
            for function, name in numpy_uses(path.read_text("utf-8")):
                found.setdefault(f"{module}.{function}", set()).add(name)
    return found


def test_numpy_is_asked_only_where_a_reason_is_given():
    assert {place: names for place, names in uses().items() if place not in PLACES} == {}


def test_no_place_is_allowed_that_needs_it_no_more():
    assert PLACES - uses().keys() == set()


@pytest.mark.parametrize(
    "body, named",
    [("np.exp(x)", "exp"), ("[np.where(x > 0, x, y) for y in x]", "where"), ("np.linalg.inv(x)", "linalg")],
)
def test_a_function_of_numpy_is_noticed(body, named):
    assert list(numpy_uses(f"class A:\n    def call(self, x):\n        return {body}")) == [("call", named)]


def test_what_is_given_no_data_is_not():
    assert list(numpy_uses("def f(x: np.ndarray):\n    return x * np.zeros(3, np.float32)")) == []
