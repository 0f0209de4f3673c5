"""The workloads: the same networks, sizes, data and losses for minidl and for PyTorch.

A32, A512  a classifier of 28x28 pictures, 784-300-100-10, SGD, batch 32 and 512
B          a classifier of 32x32 colour pictures, 3072-200-150-10, Adam, batch 32
C          Keras' CIFAR-10 network: conv 32, 32, pool, 64, 64, pool, 512, 10, dropout, Adam, batch 128

A further one is an entry in WORKLOADS and a function for each side.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

BATCHES = 8  # different batches that a run goes through in turn
CLASSES = 10


class Workload(NamedTuple):
    """What is trained."""

    text: str
    shape: tuple[int, ...]  # of one sample, channels last
    batch: int
    optimizer: str
    layers: tuple[Any, ...]  # ("dense", units), ("conv", filters, padding), ("pool",), ("dropout", rate), ("flatten",)
    steps: int  # of a round: about a third of a second on two cores
    goal: float  # time of PyTorch eager divided by time of minidl


MLP = (("dense", 300), ("dense", 100), ("dense", CLASSES))
CIFAR = (
    ("conv", 32, "same"), ("conv", 32, "valid"), ("pool",), ("dropout", 0.25),
    ("conv", 64, "same"), ("conv", 64, "valid"), ("pool",), ("dropout", 0.25),
    ("flatten",), ("dense", 512), ("dropout", 0.5), ("dense", CLASSES),
)  # fmt: skip
WORKLOADS = {
    "A32": Workload("MLP 784-300-100-10, SGD, batch 32", (784,), 32, "sgd", MLP, 320, 1.2),
    "A512": Workload("MLP 784-300-100-10, SGD, batch 512", (784,), 512, "sgd", MLP, 64, 1.2),
    "B": Workload(
        "MLP 3072-200-150-10, Adam, batch 32", (3072,), 32, "adam",
        (("dense", 200), ("dense", 150), ("dense", CLASSES)), 120, 1.2,
    ),
    "C": Workload("CIFAR CNN, Adam, batch 128", (32, 32, 3), 128, "adam", CIFAR, 2, 0.5),
}  # fmt: skip


def data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Noisy copies of one random picture for each class: float32 from about 0 to 1, and labels."""
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, BATCHES * workload.batch)
    pictures = random.random((CLASSES, *workload.shape), dtype=np.float32)
    noise = random.standard_normal((labels.size, *workload.shape), dtype=np.float32)
    return 0.5 * pictures[labels] + 0.15 * noise, labels


def batches(workload: Workload) -> list[tuple[np.ndarray, np.ndarray]]:
    """The data cut into batches."""
    x, y = data(workload)
    return [(x[i : i + workload.batch], y[i : i + workload.batch]) for i in range(0, len(x), workload.batch)]


def minidl_model(workload: Workload) -> Any:
    """The network, compiled."""
    import minidl

    layers = minidl.layers
    minidl.utils.set_random_seed(0)
    stack: list[Any] = [layers.Input(workload.shape)]
    for kind, *settings in workload.layers:
        if kind == "dense":
            stack.append(layers.Dense(settings[0], activation="softmax" if settings[0] == CLASSES else "relu"))
        elif kind == "conv":
            stack.append(layers.Conv2D(settings[0], 3, padding=settings[1], activation="relu"))
        elif kind == "pool":
            stack.append(layers.MaxPooling2D())
        elif kind == "dropout":
            stack.append(layers.Dropout(settings[0]))
        else:
            stack.append(layers.Flatten())
    model = minidl.Sequential(stack)
    model.compile(workload.optimizer, "sparse_categorical_crossentropy")
    return model


def minidl_runner(workload: Workload, fit: bool = False) -> Callable[[int], float]:
    """Does so many steps and returns the last loss: with ``train_on_batch``, or in whole epochs with ``fit``."""
    model = minidl_model(workload)
    if not fit:
        return _in_turn(batches(workload), model.train_on_batch)
    x, y = data(workload)

    def epochs(steps: int) -> float:
        count = max(1, steps // BATCHES)
        return model.fit(x, y, workload.batch, epochs=count, shuffle=False, verbose=0).history["loss"][-1]

    return epochs


def torch_model(workload: Workload) -> Any:
    """The same network as PyTorch's tutorials write it: channels first, logits at the end."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    channels, size = workload.shape[-1], workload.shape[0]
    stack: list[Any] = []
    flat = channels
    for kind, *settings in workload.layers:
        if kind == "dense":
            stack.append(nn.Linear(flat, settings[0]))
            flat = settings[0]
            if flat != CLASSES:
                stack.append(nn.ReLU())
        elif kind == "conv":
            same = settings[1] == "same"
            stack += [nn.Conv2d(channels, settings[0], 3, padding=1 if same else 0), nn.ReLU()]
            channels, size = settings[0], size if same else size - 2
        elif kind == "pool":
            stack.append(nn.MaxPool2d(2))
            size //= 2
        elif kind == "dropout":
            stack.append(nn.Dropout(settings[0]))
        else:
            stack.append(nn.Flatten())
            flat = channels * size * size
    return nn.Sequential(*stack)


def torch_runner(workload: Workload) -> Callable[[int], float]:
    """Does so many steps in PyTorch, eager, and returns the last loss."""
    import torch
    from torch import nn

    model = torch_model(workload)
    kind_of = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[workload.optimizer]
    optimizer = kind_of(model.parameters(), lr={"sgd": 0.01, "adam": 0.001}[workload.optimizer])
    loss_of = nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def tensors(x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
        first = np.moveaxis(x, -1, 1) if x.ndim == 4 else x
        return torch.from_numpy(np.ascontiguousarray(first)), torch.from_numpy(y)

    return _in_turn([tensors(x, y) for x, y in batches(workload)], step)


def _in_turn(pieces: list[tuple[Any, Any]], step: Callable[[Any, Any], float]) -> Callable[[int], float]:
    turn = itertools.cycle(pieces)

    def run(steps: int) -> float:
        for _ in range(steps):
            loss = step(*next(turn))
        return loss

    return run
