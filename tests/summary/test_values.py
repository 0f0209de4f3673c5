"""What is written into event files, read back with TensorBoard's own messages."""

import io
import math

import numpy as np
import pytest

import minidl
from minidl import layers, summary

pytestmark = pytest.mark.oracle
X = np.linspace(-1, 1, 12).reshape(4, 3)


@pytest.fixture
def events(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event

    def read():
        (path,) = tmp_path.glob("events.out.tfevents.*")
        return [Event.FromString(raw) for raw in RawEventFileLoader(str(path)).Load()]

    return read


@pytest.fixture
def writer(tmp_path):
    made = summary.create_file_writer(tmp_path)
    yield made
    made.close()


def values(events):
    from tensorboard.util.tensor_util import make_ndarray

    written = [(event.step, value) for event in events[1:] for value in event.summary.value]
    return [(step, v.tag, v.metadata.plugin_data.plugin_name, make_ndarray(v.tensor)) for step, v in written]


def test_scalars(writer, events):
    for step, value in ((0, 1), (3, np.float64(0.1)), (4, minidl.Tensor(np.float32(-2.5))), (5, math.nan)):
        writer.scalar("loss", value, step)
    found = values(events())
    assert events()[0].file_version == "brain.Event:2"
    assert [one[:3] for one in found] == [(step, "loss", "scalars") for step in (0, 3, 4, 5)]
    np.testing.assert_array_equal([one[3] for one in found], np.array([1, 0.1, -2.5, np.nan], "float32"))
    assert found[0][3].shape == ()


@pytest.mark.parametrize("data", [X, np.ones(5), np.array([3]), np.zeros(0), np.arange(100), np.array([True, False])])
@pytest.mark.parametrize("buckets", [1, 7, 30])
def test_histograms_are_those_of_tensorboard(writer, events, data, buckets):
    from tensorboard.plugins.histogram.summary_v2 import histogram_pb
    from tensorboard.util.tensor_util import make_ndarray

    writer.histogram("weights", data, step=2, buckets=buckets)
    expected = histogram_pb("weights", data, buckets).value[0]
    ((step, tag, plugin, found),) = values(events())
    assert (step, tag, plugin) == (2, "weights", expected.metadata.plugin_data.plugin_name)
    np.testing.assert_allclose(found, make_ndarray(expected.tensor), atol=1e-12)
    assert events()[1].summary.value[0].metadata == expected.metadata


def test_a_histogram_leaves_out_what_is_not_finite(writer, events):
    writer.histogram("weights", [0.0, 1.0, np.nan, np.inf, 1.0], step=0, buckets=2)
    np.testing.assert_array_equal(values(events())[0][3], [[0, 0.5, 1], [0.5, 1, 2]])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images(writer, events, channels):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 6, channels), dtype=np.uint8)
    writer.image("kernel", pixels, step=1, max_outputs=2)
    ((step, tag, plugin, found),) = values(events())
    assert (step, tag, plugin, list(found[:2]), len(found)) == (1, "kernel", "images", [b"6", b"4"], 4)
    for png, expected in zip(found[2:], pixels, strict=False):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))).reshape(4, 6, channels), expected)


def test_floats_of_images_are_clipped(writer, events):
    from PIL import Image

    writer.image("kernel", np.array([-1, 0, 0.5, 1, 2.0]).reshape(1, 1, 5, 1), step=0)
    png = values(events())[0][3][2]
    assert np.asarray(Image.open(io.BytesIO(png))).tolist() == [[0, 0, 127, 255, 255]]


def test_texts(writer, events):
    writer.text("note", "two *words*", step=0)
    writer.text("table", np.array([["a", "b"], ["c", "ä"]]), step=0)
    first, second = values(events())
    assert first[2] == "text" and first[3].item() == b"two *words*"
    assert second[3].shape == (2, 2) and second[3][1, 1].decode() == "ä"


def test_the_graph_of_a_model(writer, events):
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    x = layers.Input((3,), name="x")
    shared = layers.Dense(3, name="shared")
    inner = minidl.Sequential([layers.Input((3,)), layers.Dense(2, name="small")], name="inner")
    joined = layers.Concatenate(name="join")([inner(shared(shared(x))), x])
    writer.graph(minidl.Model(x, joined, name="net"))
    graph = GraphDef.FromString(events()[1].graph_def)
    assert {node.name: (node.op, list(node.input)) for node in graph.node} == {
        "net/x": ("InputLayer", []),
        "net/shared": ("Dense", ["net/x"]),
        "net/shared_1": ("Dense", ["net/shared"]),
        "net/inner/small": ("Dense", ["net/shared_1"]),
        "net/join": ("Concatenate", ["net/inner/small", "net/x"]),
    }
    shape = graph.node[-1].attr["_output_shapes"].list.shape[0]
    assert [d.size for d in shape.dim] == [-1, 5]


def test_the_current_writer(writer, events):
    assert summary.scalar("lost", 1.0, step=0) is False
    with writer.as_default():
        assert summary.scalar("kept", 1.0, step=7) is True
        with pytest.raises(ValueError, match="needs step"):
            summary.scalar("kept", 1.0)
    with writer.as_default(step=9):
        summary.histogram("h", [1.0, 2.0], buckets=2)
        summary.image("i", np.zeros((1, 2, 2, 1)))
        summary.text("t", "words", step=10)
        summary.graph(minidl.Sequential([layers.Dense(1)]))
    assert [one[:2] for one in values(events())] == [(7, "kept"), (9, "h"), (9, "i"), (10, "t")]


@pytest.mark.parametrize(
    ("write", "match"),
    [
        (lambda w: w.scalar("s", [1.0, 2.0], 0), "single number"),
        (lambda w: w.scalar("s", 1.0, 0.5), "step must be"),
        (lambda w: w.scalar("", 1.0, 0), "name of a summary"),
        (lambda w: w.histogram("h", [1.0], 0, buckets=0), "buckets must be"),
        (lambda w: w.histogram("h", ["a"], 0), "needs numbers"),
        (lambda w: w.image("i", np.zeros((2, 2)), 0), "needs shape"),
        (lambda w: w.image("i", np.zeros((1, 2, 2, 1), int), 0), "uint8"),
        (lambda w: w.text("t", 3, 0), "must be a text"),
    ],
)
def test_errors_come_before_a_file_is_made(writer, tmp_path, write, match):
    with pytest.raises(ValueError, match=match):
        write(writer)
    assert not list(tmp_path.iterdir())
