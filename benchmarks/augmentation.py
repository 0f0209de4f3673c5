"""What augmentation brings: `python -m benchmarks.augmentation DIR [--epochs 30] [--pictures N]`.

DIR holds train/CLASS/picture and test/CLASS/picture, such as CIFAR-10. The network of workload C without its dropout is
trained twice from the same weights on the same pictures: as they are, and with each picture flipped and shifted at
random in every epoch. Everything is written after every epoch, and a run that was stopped goes on where it was.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from .common import RESULTS, forget_blas_settings, machine, save, table, versions
from .keras_nets import made
from .workloads import CIFAR, CLASSES

forget_blas_settings()

SIDES = {"none": "as they are", "flip, shift": "flipped and shifted by up to 10%"}


def network(seed: int, augmented: bool) -> Any:
    """Workload C's network without dropout; pictures as bytes go in."""
    import minidl
    from minidl import layers

    minidl.utils.set_random_seed(seed)
    stack: list[Any] = [layers.Input((32, 32, 3)), layers.Rescaling(1 / 255)]
    if augmented:
        stack += [layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1, fill_mode="nearest")]
    stack += [made(minidl, layer, []) for layer in CIFAR if layer[0] != "dropout"]
    model = minidl.Sequential(stack)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def chosen(x: np.ndarray, y: np.ndarray, pictures: int | None) -> tuple[np.ndarray, np.ndarray]:
    """So many pictures, as many of each class, in an order that the classes alternate in."""
    order = np.argsort(np.concatenate([np.arange((y == one).sum()) for one in range(CLASSES)]), kind="stable")
    order = order[: pictures or len(order)]
    return x[order], y[order]


def report(record: dict[str, Any]) -> str:
    """The table, and what it says."""
    rows = []
    for side, text in SIDES.items():
        history = record["sides"].get(side, {})
        last, best = (history.get("val_accuracy") or [float("nan")])[-1], max(history.get("val_accuracy") or [0.0])
        train = (history.get("accuracy") or [float("nan")])[-1]
        rows.append([text, len(history.get("val_accuracy", [])), f"{train:.4f}", f"{last:.4f}", f"{best:.4f}"])
    lasts = [(record["sides"].get(side, {}).get("val_accuracy") or [float("nan")])[-1] for side in SIDES]
    return (
        f"CIFAR network without dropout, {record['pictures']} pictures to learn from, {record['tested']} to test on, "
        f"seed {record['seed']}, batch 128, Adam.\n\n"
        + table(["training pictures", "epochs", "accuracy on them", "test accuracy", "best test accuracy"], rows)
        + f"\n\nAugmentation gains {100 * (lasts[1] - lasts[0]):.1f} points in the last epoch."
    )


def chart(record: dict[str, Any]) -> str:
    """The test accuracy after each epoch."""
    from minidl.visualize import curves

    known = {side: history["val_accuracy"] for side, history in record["sides"].items() if "val_accuracy" in history}
    return str(curves(known, title="test accuracy", percent=True, width=640))


def main() -> None:
    """Train both sides and write the record."""
    from minidl.callbacks import BackupAndRestore, LambdaCallback
    from minidl.datasets import image_folder

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--pictures", type=int, default=None, help="learn from so many only; default: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=RESULTS / "augmentation.json", help="where results are written")
    options = parser.parse_args()

    (x, y, _), (x_test, y_test, _) = (image_folder(options.directory / part, (32, 32)) for part in ("train", "test"))
    x, y = chosen(x, y, options.pictures)
    record: dict[str, Any] = {
        "pictures": len(x), "tested": len(x_test), "epochs": options.epochs, "seed": options.seed,
        "machine": machine(), "versions": versions("numpy", "numba", "minidl"), "sides": {},
    }  # fmt: skip
    if options.json.exists():
        before = json.loads(options.json.read_text("utf-8"))
        if all(before.get(key) == record[key] for key in ("pictures", "tested", "epochs", "seed")):
            record["sides"] = before["sides"]
    for side in SIDES:
        history = record["sides"].setdefault(side, {})
        if len(history.get("val_accuracy", [])) >= options.epochs:
            continue

        def keep(epoch: int, logs: dict[str, float], history: dict[str, list[float]] = history) -> None:
            for name, value in logs.items():
                history[name] = [*history.get(name, [])[:epoch], float(value)]
            save(options.json, record, report(record), chart(record))

        model = network(options.seed, augmented=side != "none")
        backup = BackupAndRestore(options.json.with_suffix("") / side.replace(", ", "-"))
        model.fit(
            x, y, batch_size=128, epochs=options.epochs, validation_data=(x_test, y_test), verbose=2,
            callbacks=[LambdaCallback(on_epoch_end=keep), backup],
        )  # fmt: skip
    print(report(record))


if __name__ == "__main__":
    main()
