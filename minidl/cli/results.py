"""What is done with a trained model: test it, check its gradients, write the report, say where things are."""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl import visualize

from .warmup import compile_seconds

if TYPE_CHECKING:
    from .job import Job

__all__ = ["finish"]

_CHECKED_SAMPLES = 4
_KERNELS_SHOWN = 64


def finish(job: "Job", model: Any, history: dict[str, list[float]], seconds: float, folder: Path) -> int:
    """Test, check, report and tell; the exit code."""
    data = job.data
    probabilities = model.predict(data.x_test, batch_size=256, verbose=0)
    accuracy = float(np.mean(probabilities.argmax(-1) == data.y_test))
    compiling = compile_seconds()
    check = check_gradients(model, data.x_test[:_CHECKED_SAMPLES], data.y_test[:_CHECKED_SAMPLES])
    report = visualize.Report(
        title=job.title,
        subtitle=f"{_KINDS[job.network]} that learned from {len(data.x_train):,} pictures ({data.name}) "
        f"and was tested on {len(data.x_test):,} others.",
        class_names=data.class_names,
        pictures=data.x_test,
        labels=data.y_test,
        probabilities=probabilities,
        history=history,
        facts={
            "test accuracy": f"{accuracy:.1%}",
            "test loss": f"{history['val_loss'][-1]:.3f}",
            "parameters": f"{model.count_params():,}",
            "training": f"{seconds:.1f} s",
            "gradient check": "passed" if check.passed else "failed",
        },
        kernels=first_kernels(model, data.shape),
        maps=feature_maps(model, data.x_test[:1]),
        layers=layer_rows(model),
        check=check,
        settings={
            "data": data.name, "network": job.network, "optimizer": job.optimizer,
            "learning rate": f"{job.learning_rate:g}, falling to zero", "batch size": job.batch_size, "epochs": job.epochs,
            "seed": job.seed, "compiling kernels": f"{compiling:.1f} s",
        },
        versions=versions(),
    )  # fmt: skip
    page = visualize.write(report, folder / "report.html")
    best = int(np.argmax(history["val_accuracy"])) + 1
    print(f"test accuracy   {accuracy:.4f} after epoch {job.epochs}, the last; best after epoch {best}: {max(history['val_accuracy']):.4f}")
    print(f"gradient check  {'passed' if check.passed else 'FAILED'}: {check.summary}")
    job.say(f"time            {seconds:.1f} s for the training; of all, {compiling:.1f} s were compiling kernels"
            if compiling else f"time            {seconds:.1f} s for the training; no kernel had to be compiled")  # fmt: skip
    print(f"model           {folder / 'model.keras'}")
    print(f"report          {page}")
    return 0 if check.passed else 1


_KINDS = {"cnn": "A convolutional network", "mlp": "A network of dense layers"}
