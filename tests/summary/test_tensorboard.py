"""The TensorBoard callback: what TensorBoard's own server makes of its files."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pytest

import minidl
from minidl import callbacks, layers

X = np.random.default_rng(0).normal(size=(20, 6, 6, 1)).astype("float32")
Y = np.arange(20) % 3


def trained(log_dir, epochs=3, model=None, **settings):
    net = model or minidl.Sequential(
        [
            layers.Input((6, 6, 1), name="pixels"),
            layers.Conv2D(4, 3, name="edges"),
            layers.Flatten(name="row"),
            layers.Dense(3, activation="softmax", name="classes"),
        ],
        name="net",
    )
    net.compile(minidl.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    board = callbacks.TensorBoard(log_dir, **settings)
    return net.fit(X, Y, batch_size=8, epochs=epochs, validation_data=(X, Y), verbose=0, callbacks=[board])


class Server:
    """TensorBoard's server on a folder, asked over HTTP."""

    def __init__(self, logdir):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", "0"]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--load_fast", "false", "--reload_interval", "1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        said = []
        for line in self.process.stderr:
            said.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                self.url = found[0]
                return
        raise AssertionError("".join(said))

    def get(self, page, **query):
        with urlopen(f"{self.url}/data/plugin/{page}{'?' + urlencode(query) if query else ''}", timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if answer.headers["Content-Type"].startswith("application/json") else content

    def wait_for(self, page, complete):
        for _ in range(120):
            found = self.get(page)
            if complete(found):
                return found
            time.sleep(0.5)
        raise AssertionError(f"{page}: {found}")

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.process.stderr.close()


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """(what fit returned, a server on its files)"""
    pytest.importorskip("tensorboard")
    folder = tmp_path_factory.mktemp("logs")
    history = trained(folder, histogram_freq=2, write_images=True, update_freq=2)
    server = Server(folder)
    server.wait_for("scalars/tags", lambda tags: {"train", "validation"} <= set(tags))
    server.wait_for("images/tags", lambda tags: len(tags.get("train", {})) == 4)
    yield history, server
    server.close()


@pytest.mark.oracle
def test_the_curves(board):
    history, server = board
    tags = {run: set(tags) for run, tags in server.get("scalars/tags").items()}
    assert tags == {
        "train": {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "batch_loss", "batch_accuracy"},
        "validation": {
            "epoch_loss", "epoch_accuracy", "evaluation_loss_vs_iterations", "evaluation_accuracy_vs_iterations",
        },
    }  # fmt: skip

    def curve(run, tag):
        return [(step, value) for _, step, value in server.get("scalars/scalars", run=run, tag=tag)]

    numbers = history.history
    for run, tag, name in (
        ("train", "epoch_loss", "loss"), ("train", "epoch_accuracy", "accuracy"),
        ("validation", "epoch_loss", "val_loss"), ("validation", "epoch_accuracy", "val_accuracy"),
    ):  # fmt: skip
        assert curve(run, tag) == [(epoch, np.float32(value)) for epoch, value in enumerate(numbers[name])]
    assert curve("train", "epoch_learning_rate") == [(0, 0.5), (1, 0.5), (2, 0.5)]
    assert [step for step, _ in curve("train", "batch_loss")] == [2, 4, 6, 8]
    evaluated = curve("validation", "evaluation_loss_vs_iterations")
    assert evaluated == [(3 * epoch + 3, np.float32(value)) for epoch, value in enumerate(numbers["val_loss"])]


@pytest.mark.oracle
def test_the_histograms(board):
    history, server = board
    weights = {weight.path: weight.numpy() for weight in history.model.weights}
    assert set(server.get("histograms/tags")["train"]) == {f"{path}/histogram" for path in weights}
    for path, weight in weights.items():
        found = server.get("histograms/histograms", run="train", tag=f"{path}/histogram")
        assert [step for _, step, _ in found] == [0, 2]
        counts, edges = np.histogram(weight.astype(float), 30)
        np.testing.assert_allclose(found[-1][2], np.stack([edges[:-1], edges[1:], counts], 1), rtol=1e-6, atol=1e-9)


@pytest.mark.oracle
def test_the_pictures(board):
    import io

    from PIL import Image

    history, server = board
    kernel = history.model.get_layer("edges").weights[0]
    tag = f"{kernel.path}/image"
    samples = server.get("images/images", run="train", tag=tag, sample=0)
    assert samples[-1]["step"] == 2
    picture = Image.open(io.BytesIO(server.get(f"images/individualImage?{samples[-1]['query']}")))
    expected = np.clip(kernel.numpy()[:, :, 0, 0].astype(float) * 255.5, 0, 255).astype("uint8")
    np.testing.assert_array_equal(np.asarray(picture), expected)


@pytest.mark.oracle
def test_the_graphs(board):
    _, server = board
    info = server.wait_for("graphs/info", lambda found: "train" in found and found["train"]["tags"])
    assert info["train"]["run_graph"] and info["train"]["tags"]["keras"]["conceptual_graph"]
    graph = server.get("graphs/graph", run="train").decode()
    names = re.findall(r'^  name: "(.*)"', graph, re.M)
    assert names == ["net/edges", "net/row", "net/classes"]
    assert re.findall(r'^  input: "(.*)"', graph, re.M) == ["net/edges", "net/row"]
    conceptual = server.get("graphs/graph", run="train", tag="keras", conceptual="true").decode()
    names = re.findall(r'^  name: "(.*)"', conceptual, re.M)
    assert names == ["net/pixels", "net/edges", "net/row", "net/classes"]


KILLED = """
import os, signal, sys
import numpy as np
from minidl import callbacks, summary

writer = summary.create_file_writer(sys.argv[1])
for step in range(5):
    writer.scalar("loss", step, step)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.oracle
def test_a_killed_process_leaves_a_file_that_can_be_read(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    process = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])
    assert process.returncode == -signal.SIGKILL
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + b"\x10\x00\x00\x00half a record")
    found = EventAccumulator(str(tmp_path)).Reload()
    tensors = [event.tensor_proto.tensor_content for event in found.Tensors("loss")]
    assert [np.frombuffer(one, "f4").item() for one in tensors] == [0, 1, 2, 3, 4]


# ---- without TensorBoard ----


def test_only_what_was_asked_for_is_written(tmp_path):
    trained(tmp_path / "one", write_graph=False)
    files = {run: [*(tmp_path / "one" / run).iterdir()] for run in ("train", "validation")}
    assert all(len(found) == 1 for found in files.values())
    content = files["train"][0].read_bytes()
    assert b"epoch_loss" in content and b"batch_" not in content and b"histogram" not in content
    assert b"graph_keras_model" not in content and b"net/edges" not in content


def test_steps_per_second(tmp_path):
    trained(tmp_path, write_graph=False, write_steps_per_second=True, update_freq="batch")
    content = b"".join(path.read_bytes() for path in (tmp_path / "train").iterdir())
    assert b"epoch_steps_per_second" in content and b"batch_steps_per_second" in content


def test_evaluate_alone(tmp_path):
    model = trained(tmp_path / "fit").model
    model.evaluate(X, Y, verbose=0, callbacks=[callbacks.TensorBoard(tmp_path / "evaluate")])
    assert [path.name for path in (tmp_path / "evaluate").iterdir()] == ["validation"]


def test_a_model_of_ones_own(tmp_path):
    class Net(minidl.Model):
        def __init__(self, width):
            super().__init__(name="mine")
            self.flat, self.out = layers.Flatten(name="flat"), layers.Dense(width, "softmax", name="out")

        def call(self, x):
            return self.out(self.flat(x))

    trained(tmp_path, model=Net(3))
    content = b"".join(path.read_bytes() for path in (tmp_path / "train").iterdir())
    assert b"mine/flat" in content and b"mine/out" in content and b"graph_keras_model" not in content


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5,), (1, 5, 1, 1)),
        ((7, 3), (1, 3, 7, 1)),
        ((3, 7), (1, 3, 7, 1)),
        ((3, 3, 1, 8), (8, 3, 3, 1)),
        ((3, 4, 5, 8), None),
        ((2, 3, 4, 3), (2, 3, 4, 3)),
        ((1, 1), None),
        ((2, 2, 2, 2, 2), None),
    ],
)
def test_weights_as_pictures(shape, expected):
    from minidl.callbacks.tensorboard import weight_as_images

    weight = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    found = weight_as_images(weight)
    assert (None if found is None else found.shape) == expected
    if shape == (7, 3):
        np.testing.assert_array_equal(found[0, :, :, 0], weight.T)
    if shape == (3, 3, 1, 8):
        np.testing.assert_array_equal(found[5, :, :, 0], weight[:, :, 0, 5])


@pytest.mark.parametrize(
    "wrong", [{"profile_batch": 2}, {"update_freq": 0}, {"update_freq": "often"}, {"update_freq": True}]
)
def test_what_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        callbacks.TensorBoard(**wrong)
