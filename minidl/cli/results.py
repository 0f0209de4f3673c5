"""What is done with a trained model: test it, check its gradients, write the report, and say what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl import visualize
from minidl.checking.diagnosis.messages import chosen_language
from minidl.visualize.words import Words, in_language

from .gather import feature_maps, first_kernels, layer_rows, versions, where_it_looks
from .gradients import check_gradients
from .warmup import compile_seconds

if TYPE_CHECKING:
    from .job import Job

__all__ = ["duration", "finish"]

_CHECKED = 4  # pictures on which gradients are checked
_KINDS = {
    "cnn": Words("A convolutional network", "합성곱 신경망"),
    "mlp": Words("A network of dense layers", "완전 연결 층으로 된 신경망"),
}


def finish(job: "Job", model: Any, history: dict[str, list[float]], seconds: float, folder: Path) -> int:
    """Test, check, report and tell. Returns 0, or 1 where the gradient check failed."""
    probabilities = model.predict(job.data.x_test, batch_size=256, verbose=0)
    accuracy = float(np.mean(probabilities.argmax(-1) == job.data.y_test))
    check = check_gradients(model, job.data.x_test[:_CHECKED], job.data.y_test[:_CHECKED])
    report = _report(job, model, probabilities, check)
    report.history = history
    report.facts = {
        Words("test accuracy", "시험 정확도"): f"{accuracy:.1%}",
        Words("test loss", "시험 손실"): f"{history['val_loss'][-1]:.3f}",
        Words("parameters", "매개변수"): f"{model.count_params():,}",
        Words("training", "학습 시간"): duration(seconds),
        Words("gradient check", "기울기 검사"): Words("passed", "통과") if check.passed else Words("failed", "실패"),
    }
    page = visualize.write(report, folder / "report.html", chosen_language(job.language))
    _tell(job, history["val_accuracy"], accuracy, check, seconds)
    print(f"model           {folder / 'model.keras'}")
    print(f"report          {page}")
    return 0 if check.passed else 1


def duration(seconds: float) -> Words:
    """Seconds in words: 24.3 s; from two minutes on 12 min 5 s."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 2:
        return Words(f"{seconds:.1f} s", f"{seconds:.1f}초")
    return Words(f"{minutes} min {rest} s", f"{minutes}분 {rest}초")


def _tell(job: "Job", accuracies: list[float], accuracy: float, check: visualize.Check, seconds: float) -> None:
    best = int(np.argmax(accuracies))
    others = "and the best" if best + 1 == job.epochs else f"(best: {accuracies[best]:.4f} after epoch {best + 1})"
    print(f"test accuracy   {accuracy:.4f} after epoch {job.epochs}, the last {others}")
    print(f"gradient check  {'passed' if check.passed else 'FAILED'}. {check.summary.en}")
    compiling = compile_seconds()
    once = f"{compiling:.1f} s of it to compile kernels, once for this computer" if compiling else "kernels were ready"
    job.say(f"training        {duration(seconds).en}, {once}")


def _subtitle(job: "Job") -> Words:
    kind, learned, tested = _KINDS[job.network], f"{len(job.data.x_train):,}", f"{len(job.data.x_test):,}"
    en, ko = (in_language(job.data.name, language) for language in Words._fields)
    return Words(
        f"{kind.en} that learned from {learned} pictures ({en}) and was tested on {tested} others.",
        f"그림 {learned}장({ko})으로 학습하고 다른 {tested}장으로 시험한 {kind.ko}.",
    )


def _report(job: "Job", model: Any, probabilities: np.ndarray, check: visualize.Check) -> visualize.Report:
    data = job.data
    sample = int(np.flatnonzero(probabilities.argmax(-1) == data.y_test)[:1].sum())  # the first right answer, or 0
    return visualize.Report(
        title=job.title,
        subtitle=_subtitle(job),
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
            Words("data", "데이터"): data.name,
            Words("network", "신경망"): job.network,
            Words("optimizer", "옵티마이저"): job.optimizer,
            Words("learning rate", "학습률"): Words(
                f"{job.learning_rate:g}, falling to zero", f"{job.learning_rate:g}에서 0까지 내려감"
            ),
            Words("batch size", "배치 크기"): job.batch_size,
            Words("epochs", "에포크"): job.epochs,
            Words("seed", "시드"): job.seed,
        },
        versions=versions(),
    )
