"""TensorBoard: numbers, weights and the graph of a training as event files, without TensorFlow."""

import json
import os
import time
from typing import Any

import numpy as np

from minidl import registry
from minidl.atomic import replacing, write_text
from minidl.summary import FileWriter
from minidl.summary.values import array_of

from .callback import Callback

__all__ = ["TensorBoard"]


class TensorBoard(Callback):
    """Writes what ``tensorboard --logdir logs`` shows, with Keras' names of runs and tags.

    Runs: ``train`` and ``validation``. Numbers: epoch_loss, epoch_accuracy, ..., epoch_learning_rate after every epoch
    (validation's without val_); batch_loss, ... within epochs, by ``update_freq``; evaluation_loss_vs_iterations, ...
    after every evaluation. Histograms: NAME/histogram of every weight. Pictures: NAME/image.

    Args:
        log_dir: a folder; default "logs". Take a new one for each training to compare them.
        histogram_freq: histograms of the weights after every so many epochs; default 0: none.
        write_graph: write the graph of the layers; default True.
        write_images: with the histograms, weights as pictures (kernels of convolutions one by one).
        write_steps_per_second: write batch_steps_per_second and epoch_steps_per_second.
        update_freq: "epoch" (default); or "batch", or a number n, to write the logs of every n-th batch too.
        profile_batch: 0; there is no profiler here.
        embeddings_freq: for the projector's page, the weights of layers with ``embeddings`` as tables after every so
            many epochs; default 0: none.
        embeddings_metadata: a file with a label a line for these, or a dictionary of such files by layer name.

    Raises:
        ValueError: a profile_batch that is not 0, another update_freq; embeddings_metadata for an unknown layer.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ):
        if profile_batch:
            raise ValueError(f"TensorBoard: there is no profiler, so profile_batch must be 0, not {profile_batch!r}")
        update_freq = 1 if update_freq == "batch" else update_freq
        whole = isinstance(update_freq, int) and not isinstance(update_freq, bool) and update_freq > 0
        if update_freq != "epoch" and not whole:
            raise ValueError(
                f"TensorBoard: update_freq must be 'epoch', 'batch' or a positive whole number, not {update_freq!r}"
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq, self.write_graph, self.write_images = histogram_freq, write_graph, write_images
        self.write_steps_per_second, self.update_freq = write_steps_per_second, update_freq
        self.embeddings_freq, self.embeddings_metadata = embeddings_freq, embeddings_metadata
        self._writers: dict[str, FileWriter] = {}
        self._train_batches = self._test_batches = 0
        self._graph_is_due = False
        self._batch_began = self._epoch_began = 0.0
        self._epoch_batches = 0

    def _writer(self, run: str) -> FileWriter:
        """The writer of a run; its file is made with the first event."""
        return self._writers.setdefault(run, FileWriter(os.path.join(self.log_dir, run)))

    # ---- training ----

    def on_train_begin(self, logs: Any = None) -> None:
        self._train_batches = 0
        self._graph_is_due = self.write_graph
        if self.embeddings_freq and isinstance(self.embeddings_metadata, dict):
            unknown = set(self.embeddings_metadata) - {layer.name for layer in self._embeddings()}
            if unknown:
                raise ValueError(f"TensorBoard: embeddings_metadata names {sorted(unknown)}, which are no embeddings")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_batches, self._epoch_began = self._train_batches, time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._train_batches += 1
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._graph_is_due:  # not earlier: now the model is built
            self._graph_is_due = False
            self._write_graph()
        if self.update_freq == "epoch" or self._train_batches % self.update_freq:
            return
        speed = {"steps_per_second": 1 / max(time.perf_counter() - self._batch_began, 1e-9)}
        shown = {**(logs or {}), **(speed if self.write_steps_per_second else {})}
        self._write_numbers("train", shown, "batch_{}", self._train_batches)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        validation = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        if logs and self.model.optimizer is not None:
            train["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            seconds = max(time.perf_counter() - self._epoch_began, 1e-9)
            train["steps_per_second"] = (self._train_batches - self._epoch_batches) / seconds
        self._write_numbers("train", train, "epoch_{}", epoch)
        self._write_numbers("validation", validation, "epoch_{}", epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()

    def on_train_end(self, logs: Any = None) -> None:
        for writer in self._writers.values():
            writer.close()

    # ---- evaluation ----

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._test_batches += 1

    def on_test_end(self, logs: Any = None) -> None:
        if self.model.optimizer is not None:
            step = int(self.model.optimizer.iterations)
            self._write_numbers("validation", logs or {}, "evaluation_{}_vs_iterations", step)

    # ---- what is written ----

    def _write_numbers(self, run: str, logs: dict[str, Any], tag: str, step: int) -> None:
        for name, value in logs.items():
            if isinstance(value, (int, float)):  # others cannot be points of a curve
                self._writer(run).scalar(tag.format(name), value, step)

    def _write_graph(self) -> None:
        writer = self._writer("train")
        writer.graph(self.model)
        try:
            config = json.dumps(registry.serialize(self.model))
        except (TypeError, ValueError):  # a model of the user's own that cannot be saved; its layers are shown anyway
            return
        if "layers" in self.model.get_config():
            writer.keras_model("keras", config)

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                name = weight.path.replace(":", "_")
                writer.histogram(f"{name}/histogram", weight, epoch)
                pictures = weight_as_images(array_of(weight)) if self.write_images else None
                if pictures is not None:
                    writer.image(f"{name}/image", pictures, epoch)

    def _embeddings(self) -> list[Any]:
        return [layer for layer in self.model.layers if hasattr(layer, "embeddings")]

    def _write_embeddings(self) -> None:
        """The tables, and a file that tells the projector where they are."""
        lines = []
        os.makedirs(self.log_dir, exist_ok=True)
        for layer in self._embeddings():
            table = f"{layer.name}.tsv"
            with replacing(os.path.join(self.log_dir, table)) as file:
                np.savetxt(file, array_of(layer.embeddings), fmt="%.7g", delimiter="\t")
            metadata = self.embeddings_metadata
            labels = metadata.get(layer.name) if isinstance(metadata, dict) else metadata
            named = {"tensor_name": layer.name, "tensor_path": table, **({"metadata_path": labels} if labels else {})}
            fields = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in named.items())
            lines.append(f"embeddings {{\n{fields}}}\n")
        write_text(os.path.join(self.log_dir, "projector_config.pbtxt"), "".join(lines))


def weight_as_images(weight: np.ndarray) -> np.ndarray | None:
    """A weight as pictures (number, height, width, channels), as Keras shows it; None where it has too many axes.

    Axes of length 1 are dropped. A vector is a column; a matrix lies on its longer side; of three axes, the last counts
    the pictures; of four, the first one does, and the last must be 1, 3 or 4 channels. Values from 0 to 1 are shown.
    """
    array = np.squeeze(weight)
    if array.ndim == 1:
        array = array[None, :, None, None]
    elif array.ndim == 2:
        array = (array.T if array.shape[0] > array.shape[1] else array)[None, ..., None]
    elif array.ndim == 3:
        array = np.moveaxis(array, -1, 0)[..., None]
    return array if array.ndim == 4 and array.shape[-1] in (1, 3, 4) else None
