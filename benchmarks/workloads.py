"""The workloads: networks as plain tuples, which every side builds for itself, and the data that all of them get.

A layer is one of

    ("dense", units, activation)            ("conv", filters, size, stride, padding, activation, bias)
    ("norm",) ("relu",) ("leaky",)          ("transposed", filters, size, stride, activation, bias)
    ("pool",) ("average",) ("flatten",)     ("residual", layers of the main way, layers of the short cut)
    ("dropout", rate) ("reshape", h, w, c)

A further workload is an entry in WORKLOADS, made of these.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

BATCHES = 8  # different batches that a run goes through in turn
CLASSES = 10
NOISE = 100  # numbers that a generator makes a picture of


class Workload(NamedTuple):
    """What is trained, or asked."""

    text: str
    kind: str  # "train", "gan" or "infer"
    shape: tuple[int, ...]  # of one sample, channels last
    batch: int
    optimizer: str
    layers: Sequence[Any]
    steps: int  # of a round: about a third of a second on two cores
    goal: float | None = None  # time of PyTorch eager divided by time of minidl
    goal_of_all: float | None = None  # the same for the best of all peers
    critic: Sequence[Any] = ()  # of kind "gan": the discriminator; ``layers`` is the generator
    goal_on_gpu: float | None = None  # the same as ``goal`` there
    exact: bool = True  # every side starts with the same loss: nothing random, and the same padding


def _nothing() -> None: ...


class Runner(NamedTuple):
    """A workload on one side, ready to go."""

    parameters: int  # trainable numbers
    run: Callable[[int], float]  # does so many steps and returns the last loss, or the last output's first number
    wait: Callable[[], None] = _nothing  # until the device has done what it was told
    memory: Callable[[], int] | None = None  # the most bytes of a GPU that the library has held


def _mlp(*units: int) -> tuple[Any, ...]:
    return *(("dense", n, "relu") for n in units), ("dense", CLASSES, "softmax")


def _conv_norm(filters: int, stride: int, size: int = 3) -> tuple[Any, ...]:
    return ("conv", filters, size, stride, "same", None, False), ("norm",)


def _residual(filters: int, stride: int) -> tuple[Any, ...]:
    main = (*_conv_norm(filters, stride), ("relu",), *_conv_norm(filters, 1))
    return ("residual", main, _conv_norm(filters, stride, 1) if stride > 1 else ()), ("relu",)


MLP = _mlp(300, 100)
CIFAR = (
    ("conv", 32, 3, 1, "same", "relu", True), ("conv", 32, 3, 1, "valid", "relu", True), ("pool",), ("dropout", 0.25),
    ("conv", 64, 3, 1, "same", "relu", True), ("conv", 64, 3, 1, "valid", "relu", True), ("pool",), ("dropout", 0.25),
    ("flatten",), ("dense", 512, "relu"), ("dropout", 0.5), ("dense", CLASSES, "softmax"),
)  # fmt: skip
STRIDED = (
    *_conv_norm(32, 1), ("relu",), *_conv_norm(64, 2), ("relu",), *_conv_norm(64, 1), ("relu",),
    *_conv_norm(128, 2), ("relu",), ("average",), ("dense", CLASSES, "softmax"),
)  # fmt: skip
RESIDUAL = (
    *_conv_norm(64, 1), ("relu",), *_residual(64, 1), *_residual(128, 2), *_residual(256, 2),
    ("average",), ("dense", CLASSES, "softmax"),
)  # fmt: skip
# Windows of 4 with stride 2 need one cell of padding on either side, in Keras as in PyTorch.
GENERATOR = (
    ("dense", 7 * 7 * 256, None), ("norm",), ("leaky",), ("reshape", 7, 7, 256),
    ("transposed", 128, 5, 1, None, False), ("norm",), ("leaky",),
    ("transposed", 64, 4, 2, None, False), ("norm",), ("leaky",),
    ("transposed", 1, 4, 2, "tanh", True),
)  # fmt: skip
DISCRIMINATOR = (
    ("conv", 64, 4, 2, "same", None, True), ("leaky",), ("conv", 128, 4, 2, "same", None, True), ("leaky",),
    ("flatten",), ("dense", 1, None),
)  # fmt: skip

PICTURE = (32, 32, 3)
WORKLOADS = {
    "A32": Workload("MLP 784-300-100-10, SGD, batch 32", "train", (784,), 32, "sgd", MLP, 320, 3.0, 2.4),
    "A512": Workload("MLP 784-300-100-10, SGD, batch 512", "train", (784,), 512, "sgd", MLP, 64, 2.4, 1.5),
    "B": Workload(
        "MLP 3072-200-150-10, Adam, batch 32", "train", (3072,), 32, "adam", _mlp(200, 150), 120, 3.7, 1.05
    ),
    "C": Workload(
        "CIFAR CNN, Adam, batch 128", "train", PICTURE, 128, "adam", CIFAR, 2, 3.5, 2.3, goal_on_gpu=1.5,
        exact=False,
    ),
    "D": Workload(
        "conv + BN + ReLU with strides, Adam, batch 64", "train", PICTURE, 64, "adam", STRIDED, 8, 2.2, 1.8,
        exact=False,
    ),
    "E": Workload(
        "residual blocks 64, 128, 256, Adam, batch 32", "train", PICTURE, 32, "adam", RESIDUAL, 2, 2.4, 1.8,
        goal_on_gpu=1.0, exact=False,
    ),
    "F": Workload(
        "DCGAN 28x28, Adam, batch 32", "gan", (28, 28, 1), 32, "adam", GENERATOR, 6, 2.2, 1.8, critic=DISCRIMINATOR
    ),
    "C-batch": Workload("CIFAR CNN, outputs of 128", "infer", PICTURE, 128, "adam", CIFAR, 10, 3.3, 1.4),
    "A-one": Workload("MLP 784-300-100-10, output of one", "infer", (784,), 1, "sgd", MLP, 3000, 2.3),
    "C-one": Workload("CIFAR CNN, output of one", "infer", PICTURE, 1, "adam", CIFAR, 400, 2.0),
}  # fmt: skip


def with_batch(workload: Workload, batch: int | None) -> Workload:
    """The workload with other batches, which no goals are set for; None: as it is."""
    if batch in (None, workload.batch):
        return workload
    text = re.sub(r"(batch|outputs? of) (\d+|one)$", rf"\1 {batch}", workload.text)
    return workload._replace(text=text, batch=batch, goal=None, goal_of_all=None, goal_on_gpu=None)


def data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Noisy copies of one random picture for each class: float32 from about 0 to 1, and labels."""
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, BATCHES * workload.batch)
    pictures = random.random((CLASSES, *workload.shape), dtype=np.float32)
    noise = random.standard_normal((labels.size, *workload.shape), dtype=np.float32)
    return 0.5 * pictures[labels] + 0.15 * noise, labels


def batches(workload: Workload) -> list[tuple[np.ndarray, ...]]:
    """The data in batches: (x, y), or for a GAN (pictures from about -1 to 1, noise, other noise)."""
    x, y = data(workload)
    if workload.kind == "gan":
        first, second = np.random.default_rng(1).standard_normal((2, len(x), NOISE), dtype=np.float32)
        return _cut(workload.batch, 4 * x - 1, first, second)
    return _cut(workload.batch, x, y)


def _cut(batch: int, *arrays: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    return [tuple(one[i : i + batch] for one in arrays) for i in range(0, len(arrays[0]), batch)]


def in_turn(given: Sequence[Any], step: Callable[..., Any]) -> Callable[[int], float]:
    """A ``Runner.run`` of single steps, which goes round the batches; what the last one gave is read at the end."""
    place = 0

    def run(steps: int) -> float:
        nonlocal place
        found: Any = None
        for _ in range(steps):
            found = step(*given[place % len(given)])
            place += 1
        return float(found)

    return run


def shape_after(layer: Sequence[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one sample after a layer."""
    kind, *settings = layer
    if kind == "dense":
        return (settings[0],)
    if kind == "conv":
        filters, size, stride, padding = settings[:4]
        return *(-(-(n if padding == "same" else n - size + 1) // stride) for n in shape[:2]), filters
    if kind == "transposed":
        return shape[0] * settings[2], shape[1] * settings[2], settings[0]
    if kind == "pool":
        return shape[0] // 2, shape[1] // 2, shape[2]
    if kind == "average":
        return shape[-1:]
    if kind == "flatten":
        return (int(np.prod(shape)),)
    if kind == "residual":
        for one in settings[0]:
            shape = shape_after(one, shape)
        return shape
    return tuple(settings) if kind == "reshape" else shape


def initial_weights(layers: Sequence[Any], shape: tuple[int, ...], seed: int = 0) -> list[list[np.ndarray]]:
    """Kernel, and bias where there is one, of each dense layer and convolution, in Keras' layout and in order.

    Kernels are Glorot's uniform numbers, biases zero; batch norm starts as everywhere and is left out.
    """
    random = np.random.default_rng([2, seed])
    return list(_weights(layers, shape, random))


def _weights(layers: Sequence[Any], shape: tuple[int, ...], random: np.random.Generator) -> Iterator[list[np.ndarray]]:
    for layer in layers:
        kind, *settings = layer
        if kind == "residual":
            for way in settings:
                yield from _weights(way, shape, random)
        elif kind in ("dense", "conv", "transposed"):
            units = settings[0]
            window = () if kind == "dense" else (settings[1],) * 2
            ends = (units, shape[-1]) if kind == "transposed" else (shape[-1], units)
            limit = np.sqrt(6 / (np.prod(window) * sum(ends)))
            kernel = random.uniform(-limit, limit, (*window, *ends)).astype(np.float32)
            biased = kind == "dense" or settings[-1]
            yield [kernel, np.zeros(units, np.float32)] if biased else [kernel]
        shape = shape_after(layer, shape)
