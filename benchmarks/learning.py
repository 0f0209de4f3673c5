"""Does it learn alike? `python -m benchmarks.learning DIR [--epochs 5] [--seeds 3] [--pictures N]`.

DIR holds train/CLASS/picture and test/CLASS/picture, such as CIFAR-10. minidl and PyTorch train workload C's network on
the same pictures: from the same weights, on the same batches in the same order, once for each seed. What differs are
the dropout masks and the order in which numbers are added. Every epoch is written when it ends; a run that was stopped
goes on with the next training that is not complete.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .augmentation import chosen
from .common import RESULTS, forget_blas_settings, machine, save, table, versions
from .workloads import CIFAR, WORKLOADS

forget_blas_settings()

BATCH = 128
Data = tuple[np.ndarray, np.ndarray]


class Minidl:
    """Workload C through ``train_on_batch`` and ``predict_on_batch``."""

    def __init__(self, seed: int):
        import minidl

        from .keras_nets import build

        minidl.utils.set_random_seed(seed)
        self.model = build(minidl, CIFAR, WORKLOADS["C"].shape, seed)
        self.model.compile("adam", "sparse_categorical_crossentropy")

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """One step; the loss before it."""
        self.model.reset_metrics()
        return float(self.model.train_on_batch(x, y))

    def answers(self, x: np.ndarray) -> np.ndarray:
        """The class of each picture."""
        return np.argmax(self.model.predict_on_batch(x), axis=1)


class Torch:
    """The same as PyTorch's tutorials write it."""

    def __init__(self, seed: int):
        import torch
        from torch import nn

        from .side_torch import Builder

        torch.manual_seed(seed)
        self.torch = torch
        self.model = Builder(CIFAR, WORKLOADS["C"].shape, seed, in_place=False, logits=True).module
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.001, eps=1e-7)
        self.loss_of = nn.CrossEntropyLoss()

    def _picture(self, x: np.ndarray) -> Any:
        return self.torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """One step; the loss before it."""
        self.model.train()
        self.optimizer.zero_grad()
        loss = self.loss_of(self.model(self._picture(x)), self.torch.from_numpy(y))
        loss.backward()
        self.optimizer.step()
        return float(loss.item())

    def answers(self, x: np.ndarray) -> np.ndarray:
        """The class of each picture."""
        self.model.eval()
        with self.torch.no_grad():
            return self.model(self._picture(x)).argmax(1).numpy()


SIDES: dict[str, Callable[[int], Any]] = {"minidl": Minidl, "torch": Torch}


def scaled(x: np.ndarray) -> np.ndarray:
    """Bytes to numbers from 0 to 1."""
    return x.astype(np.float32) / 255


def train(side: Any, seed: int, train_data: Data, test_data: Data, epochs: int, keep: Callable[..., None]) -> None:
    """All epochs of one training; ``keep`` gets the mean loss and the test accuracy of each."""
    x, y = train_data
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(x))
        parts = [order[i : i + BATCH] for i in range(0, len(order) - BATCH + 1, BATCH)]
        losses = [side.train(scaled(x[part]), y[part]) for part in parts]
        right = [side.answers(scaled(test_data[0][i : i + 500])) for i in range(0, len(test_data[0]), 500)]
        keep(float(np.mean(losses)), float(np.mean(np.concatenate(right) == test_data[1])))


def verdict(record: dict[str, Any]) -> dict[str, Any]:
    """After the last epoch: the mean test accuracy of each side, its spread over the seeds, and what lies between."""
    ends = {
        side: [run["accuracy"][-1] for run in runs.values() if len(run["accuracy"]) == record["epochs"]]
        for side, runs in record["sides"].items()
    }
    means = {side: float(np.mean(values)) for side, values in ends.items() if values}
    if len(means) < 2:
        return {}
    spreads = {side: float(np.ptp(values)) for side, values in ends.items()}
    return {"means": means, "largest minus smallest": spreads, "difference": means["minidl"] - means["torch"]}


def report(record: dict[str, Any]) -> str:
    """Test accuracy after each epoch."""
    rows = [
        [side, seed, *(f"{value:.4f}" for value in run["accuracy"]), f"{run['loss'][-1]:.4f}" if run["loss"] else ""]
        for side, runs in record["sides"].items()
        for seed, run in runs.items()
    ]
    found = verdict(record)
    said = (
        f"\n\nMeans after the last epoch: minidl {found['means']['minidl']:.4f}, torch {found['means']['torch']:.4f}: "
        f"{100 * found['difference']:+.2f} points, where seeds differ by up to "
        f"{100 * max(found['largest minus smallest'].values()):.2f} points."
        if found
        else ""
    )
    epochs = [f"epoch {i}" for i in range(1, record["epochs"] + 1)]
    return (
        f"Test accuracy of workload C's network (Adam, batch {BATCH}, dropout), {record['pictures']} pictures to learn "
        f"from, {record['tested']} to test on; both sides from the same weights, on the same batches.\n\n"
        + table(["side", "seed", *epochs, "training loss, last epoch"], rows) + said
    )  # fmt: skip


def chart(record: dict[str, Any]) -> str:
    """The test accuracy of every training."""
    from minidl.visualize import curves

    known = {f"{side} {seed}": run["accuracy"] for side, runs in record["sides"].items() for seed, run in runs.items()}
    return str(curves(known, title="test accuracy", percent=True, width=640))


def main() -> None:
    """Train all sides and seeds, and write the record."""
    from minidl.datasets import image_folder

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=None, help="learn from so many only; default: all")
    parser.add_argument("--json", type=Path, default=RESULTS / "learning.json", help="where results are written")
    options = parser.parse_args()

    (x, y, _), (x_test, y_test, _) = (image_folder(options.directory / part, (32, 32)) for part in ("train", "test"))
    x, y = chosen(x, y, options.pictures)
    y, y_test = y.astype(np.int64), y_test.astype(np.int64)
    record: dict[str, Any] = {
        "pictures": len(x), "tested": len(x_test), "epochs": options.epochs,
        "machine": machine(), "versions": versions("numpy", "numba", "minidl", "torch"), "sides": {},
    }  # fmt: skip
    if options.json.exists():
        before = json.loads(options.json.read_text("utf-8"))
        if all(before.get(key) == record[key] for key in ("pictures", "tested", "epochs")):
            record["sides"] = before["sides"]
    for seed in range(options.seeds):
        for name, make in SIDES.items():
            if len(record["sides"].get(name, {}).get(str(seed), {}).get("accuracy", [])) >= options.epochs:
                continue
            run: dict[str, list[float]] = {"loss": [], "accuracy": []}
            record["sides"].setdefault(name, {})[str(seed)] = run

            def keep(loss: float, accuracy: float, run: dict[str, list[float]] = run, name: str = name) -> None:
                run["loss"].append(loss)
                run["accuracy"].append(accuracy)
                record["verdict"] = verdict(record)
                save(options.json, record, report(record), chart(record))
                print(f"{name}, epoch {len(run['loss'])}: loss {loss:.4f}, test accuracy {accuracy:.4f}", flush=True)

            train(make(seed), seed, (x, y), (x_test, y_test), options.epochs, keep)
    print(report(record))


if __name__ == "__main__":
    main()
