"""What is done with a trained model: test it, check its gradients, write the report, and say what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl import visualize

from .gather import feature_maps, first_kernels, layer_rows, versions, where_it_looks
from .gradients import check_gradients
from .warmup import compile_seconds

if TYPE_CHECKING:
    from .job import Job

__all__ = ["duration", "finish"]

_CHECKED = 4  # pictures on which gradients are checked
_KINDS = {"cnn": "A convolutional network", "mlp": "A network of dense layers"}


def finish(job: "Job", model: Any, history: dict[str, list[float]], seconds: float, folder: Path) -> int:
    """Test, check, report and tell. Returns 0, or 1 where the gradient check failed."""
    probabilities = model.predict(job.data.x_test, batch_size=256, verbose=0)
    accuracy = float(np.mean(probabilities.argmax(-1) == job.data.y_test))
    check = check_gradients(model, job.data.x_test[:_CHECKED], job.data.y_test[:_CHECKED])
    report = _report(job, model, probabilities, check)
    report.history = history
    report.facts = {
        "test accuracy": f"{accuracy:.1%}",
        "test loss": f"{history['val_loss'][-1]:.3f}",
        "parameters": f"{model.count_params():,}",
        "training": duration(seconds),
        "gradient check": "passed" if check.passed else "failed",
    }
    page = visualize.write(report, folder / "report.html")
    _tell(job, history["val_accuracy"], accuracy, check, seconds)
    print(f"model           {folder / 'model.keras'}")
    print(f"report          {page}")
    return 0 if check.passed else 1


def duration(seconds: float) -> str:
    """Seconds in words: 24.3 s; from two minutes on 12 min 5 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{seconds:.1f} s" if minutes < 2 else f"{minutes} min {rest} s"


def _tell(job: "Job", accuracies: list[float], accuracy: float, check: visualize.Check, seconds: float) -> None:
    best = int(np.argmax(accuracies))
    others = "and the best" if best + 1 == job.epochs else f"(best: {accuracies[best]:.4f} after epoch {best + 1})"
    print(f"test accuracy   {accuracy:.4f} after epoch {job.epochs}, the last {others}")
    print(f"gradient check  {'passed' if check.passed else 'FAILED'}. {check.summary}")
    compiling = compile_seconds()
    once = f"{compiling:.1f} s of it to compile kernels, once for this computer" if compiling else "kernels were ready"
    job.say(f"training        {duration(seconds)}, {once}")


def _report(job: "Job", model: Any, probabilities: np.ndarray, check: visualize.Check) -> visualize.Report:
    data = job.data
    sample = int(np.flatnonzero(probabilities.argmax(-1) == data.y_test)[:1].sum())  # the first right answer, or 0
    return visualize.Report(
        title=job.title,
        subtitle=f"{_KINDS[job.network]} that learned from {len(data.x_train):,} pictures ({data.name}) and was tested "
        f"on {len(data.x_test):,} others.",
        class_names=data.class_names,
        pictures=data.x_test,
        labels=data.y_test,
        probabilities=probabilities,
        kernels=first_kernels(model, data.shape),
        sample=sample,
        maps=feature_maps(model, data.x_test[sample : sample + 1]),
        where=where_it_looks(model, data.x_test[sample : sample + 1]),
        layers=layer_rows(model),
        check=check,
        settings={
            "data": data.name,
            "network": job.network,
            "optimizer": job.optimizer,
            "learning rate": f"{job.learning_rate:g}, falling to zero",
            "batch size": job.batch_size,
            "epochs": job.epochs,
            "seed": job.seed,
        },
        versions=versions(),
    )
