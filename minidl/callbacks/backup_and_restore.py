"""BackupAndRestore: a training that was interrupted goes on where it was."""

import json
import os
import shutil
import warnings
import zlib
from pathlib import Path
from typing import Any

from minidl.atomic import replacing

from .callback import Callback
from .model_checkpoint import BatchCounter, check_save_freq

__all__ = ["BackupAndRestore"]


class BackupAndRestore(Callback):
    """Keeps the state of a training in a folder; the next ``fit`` with this callback goes on from there.

    Weights, the optimizer's state, the epoch, and (other than in Keras, which begins the epoch anew) the batch, the
    metrics so far, and the order of the data: the end is the same as without an interruption. The batches of a
    generator are passed over, so it must make the same ones again. What other callbacks keep is theirs.

    Args:
        backup_dir: a folder for this alone.
        save_freq: "epoch" (default), or a number of batches; False: never.
        double_checkpoint: keep the state before the last one, too, for the case that the last one cannot be read.
        delete_checkpoint: remove the folder when the training is complete; default True.

    Raises:
        ValueError: no backup_dir, another save_freq; when training begins: the model is not built, or the folder holds
            the weights of another model.
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        if not backup_dir:
            raise ValueError("BackupAndRestore: backup_dir must name a folder")
        if save_freq is not False:
            check_save_freq("BackupAndRestore", save_freq)
        self.backup_dir, self.save_freq = os.fspath(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        folder = Path(self.backup_dir)
        self._weights = folder / "latest.weights.h5"
        self._metadata = folder / "training_metadata.json"
        self._next = folder / "training_metadata.json.next"
        self._older = folder / "latest.weights.h5.bkp", folder / "training_metadata.json.bkp"
        self._counter = BatchCounter(save_freq)
        self._epoch = 0

    def on_train_begin(self, logs: Any = None) -> None:
        if not self.model.built:
            raise ValueError(
                f"BackupAndRestore: model {self.model.name!r} has no weights yet; call it on a batch, or build() it, "
                f"before fit()"
            )
        self._counter = BatchCounter(self.save_freq)
        found = self._read()
        if found is not None:
            self.model._resumed = found
            self._counter.go_on_after(found.get("batch", 0))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._counter.is_due(batch):
            self._save(self._epoch, batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0, None)

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            shutil.rmtree(self.backup_dir)

    # ---- writing ----

    def _save(self, epoch: int, batch: int, logs: Any) -> None:
        # Two files cannot take their places at once. So the new metadata, which hold the checksum of the new weights,
        # are there before these are; whenever the process dies, some metadata fit the weights that are there.
        from minidl.saving.weights import image_of_weights  # saving stands on models, which stand on callbacks

        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and self._weights.exists():
            for path, older in zip((self._metadata, self._weights), reversed(self._older), strict=True):
                with replacing(older) as file:
                    file.write(path.read_bytes())
        image = image_of_weights(self.model)
        metrics = [variable.numpy().tolist() for variable in self.model._metric_variables()]
        state = {
            "epoch": epoch,
            "batch": batch,
            "position": self.model._data.position(),
            "metrics": metrics if batch else [],
            "logs": {name: value for name, value in (logs or {}).items() if isinstance(value, float)},
            "weights": image.checksum(),
        }
        with replacing(self._next) as file:
            file.write(json.dumps(state).encode())
        with replacing(self._weights) as file:
            image.write(file)
        os.replace(self._next, self._metadata)

    # ---- reading ----

    def _read(self) -> dict[str, Any] | None:
        """Load the weights, and return what belongs to them; None where there is no backup."""
        older, _ = self._older
        if not self._weights.exists() and not older.exists():
            return None
        try:
            return self._loaded(self._weights)
        except (OSError, ValueError) as error:
            if not older.exists():
                raise
            text = f"BackupAndRestore: the last backup cannot be read, the one before is used: {error}"
            warnings.warn(text, stacklevel=2)
            return self._loaded(older)

    def _loaded(self, weights: Path) -> dict[str, Any]:
        from minidl.saving.weights import assign_weights

        state = self._metadata_of(zlib.crc32(weights.read_bytes()))
        with open(weights, "rb") as file:
            assign_weights(self.model, file, weights)
        return state

    def _metadata_of(self, checksum: int) -> dict[str, Any]:
        """The metadata that belong to weights; those that Keras wrote name none, and are taken for the last ones."""
        for path in (self._metadata, self._next, self._older[1]):
            if path.exists():
                state = json.loads(path.read_text(encoding="utf-8"))
                if state.get("weights", checksum) == checksum:
                    return state
        raise ValueError(f"{self.backup_dir} holds no training_metadata.json that belongs to its weights")
