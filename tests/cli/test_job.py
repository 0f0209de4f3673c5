"""Trainings from the command line, on folders so simple that seconds are enough."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import minidl
from minidl.callbacks import LambdaCallback
from minidl.cli import main, train
from minidl.cli.job import Decay
from minidl.cli.results import duration

WORDS = ["--model", "mlp", "--image-size", "8", "--batch-size", "8", "--learning-rate", "0.01"]


def options(*words):
    from minidl.cli import _parser

    return _parser().parse_args(list(words))


def test_a_folder_is_learned_and_everything_is_left_in_place(make_folder, tmp_path, capsys):
    folder, out = make_folder("pictures", 20), tmp_path / "a" / "b"
    assert main(["train", "--data", str(folder), *WORDS, "--epochs", "6", "--out", str(out)]) == 0
    said, err = capsys.readouterr()
    assert err == "" and "\x1b" not in said and "\r" not in said  # not a terminal: plain lines
    assert sum(line.startswith("Epoch ") for line in said.splitlines()) == 6
    assert "test accuracy   1.0000 after epoch 6, the last (best: 1.0000 after epoch " in said
    assert f"{out / 'model.keras'}\n" in said and f"{out / 'report.html'}\n" in said
    assert sorted(os.listdir(out)) == ["model.keras", "report.html"]
    model = minidl.saving.load_model(out / "model.keras")
    colours = np.array([[0.1, 0.1, 0.9], [0.1, 0.8, 0.2], [0.9, 0.1, 0.1]], np.float32)
    pictures = np.broadcast_to(colours[:, None, None], (3, 8, 8, 3))
    np.testing.assert_array_equal(model.predict(pictures, verbose=0).argmax(1), [0, 1, 2])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "12 of 12 right" in page and "What the first layer looks for" in page and "What the layers see" not in page


def test_quiet_prints_the_results_alone(make_folder, tmp_path, capsys):
    test = make_folder("test pictures", 2)
    words = ["--data", str(make_folder("pictures", 5)), "--test", str(test), "--epochs", "1", "--quiet"]
    assert main(["train", *words, *WORDS, "--optimizer", "sgd", "--out", str(tmp_path / "out")]) == 0
    said = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert said == ["test accuracy", "gradient check", "model", "report"]


@pytest.mark.parametrize("network", ["mlp", pytest.param("cnn", marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_model(make_folder, tmp_path, network):
    folder = str(make_folder("pictures", 4, size=20))
    weights = []
    for seed in ("1", "1", "2"):
        out = tmp_path / f"out{len(weights)}"
        words = ["--data", folder, "--model", network, "--image-size", "20", "--epochs", "1", "--seed", seed, "--quiet"]
        assert main(["train", *words, "--out", str(out)]) == 0
        weights.append(minidl.saving.load_model(out / "model.keras").get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_ctrl_c_keeps_the_model(make_folder, tmp_path, capsys):
    words = ["--data", str(make_folder("pictures", 20)), *WORDS, "--epochs", "50", "--out", str(tmp_path / "out")]
    job = train.job(options("train", *words))

    def press(batch, logs):
        if job.callbacks[0].model.optimizer.iterations.numpy() == 15:  # 48 pictures are 6 steps an epoch
            raise KeyboardInterrupt

    job.callbacks = [LambdaCallback(on_train_batch_end=press)]
    assert job.run() == 130
    err = capsys.readouterr().err
    assert "stopped in epoch 3 of 50" in err and "after epoch 2, the last full one" in err
    assert str(tmp_path / "out" / "model.keras") in err and os.listdir(tmp_path / "out") == ["model.keras"]
    model = minidl.saving.load_model(tmp_path / "out" / "model.keras")
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)  # and not what it had fallen to
    assert model.evaluate(job.data.x_test, job.data.y_test, verbose=0)[1] > 0.5


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
def test_ctrl_c_on_a_real_process(make_folder, tmp_path):
    out = tmp_path / "out"
    words = ["--data", str(make_folder("pictures", 20)), *WORDS, "--epochs", "100000", "--out", str(out)]
    # Where these tests run in the background of a shell, SIGINT is ignored, and a child inherits that.
    start = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    start += "from minidl.cli import main; sys.exit(main(sys.argv[1:]))"
    running = subprocess.Popen(
        [sys.executable, "-c", start, "train", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        for line in running.stdout:
            if line.startswith("Epoch 3/"):
                running.send_signal(signal.SIGINT)
                break
        _, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130 and "Traceback" not in err and "was saved to" in err
    assert minidl.saving.load_model(out / "model.keras").count_params() > 0


def test_the_rate_falls_in_a_straight_line_and_comes_back():
    rates = []
    model = minidl.Sequential([minidl.layers.Input((2,)), minidl.layers.Dense(1)])
    model.compile(optimizer=minidl.optimizers.SGD(0.5), loss="mse")
    decay = Decay()
    look = LambdaCallback(on_train_batch_end=lambda batch, logs: rates.append(float(model.optimizer.learning_rate)))
    model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=4, epochs=3, verbose=0, callbacks=[decay, look])
    np.testing.assert_allclose(rates, 0.5 * (1 - np.arange(6) / 6), rtol=1e-6)
    decay.restore()
    assert model.optimizer.learning_rate == 0.5


def test_a_place_where_nothing_can_be_written(make_folder, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    words = ["--data", str(make_folder("pictures", 5)), *WORDS, "--out", str(tmp_path / "file")]
    assert main(["train", *words]) == 2
    assert "--out" in capsys.readouterr().err


def test_pictures_too_small_for_the_network(make_folder, tmp_path, capsys):
    words = ["--data", str(make_folder("pictures", 5)), "--image-size", "8", "--out", str(tmp_path / "out")]
    assert main(["train", *words]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "(8, 8, 3)" in err


def test_warnings_are_one_line(make_folder, tmp_path, capsys):
    folder = make_folder("pictures", 5)
    (folder / "notes.txt").write_text("no picture")
    words = ["--data", str(folder), *WORDS, "--epochs", "1", "--quiet", "--out", str(tmp_path / "out")]
    assert main(["train", *words]) == 0
    err = capsys.readouterr().err
    assert err.startswith("minidl: warning: ") and "notes.txt" in err and err.count("\n") == 1


def test_warmup_says_what_it_did(capsys):
    assert main(["warmup"]) == 0
    assert "kernels" in capsys.readouterr().out


@pytest.mark.parametrize(
    "seconds, en, ko",
    [
        (0.04, "0.0 s", "0.0초"),
        (119.4, "119.4 s", "119.4초"),
        (120.0, "2 min 0 s", "2분 0초"),
        (725.2, "12 min 5 s", "12분 5초"),
    ],
)
def test_durations(seconds, en, ko):
    assert duration(seconds) == (en, ko)


@pytest.mark.parametrize(
    "words, locale, language",
    [
        ([], "ko_KR.UTF-8", "ko"),
        ([], "C.UTF-8", "en"),
        (["--language", "en"], "ko_KR.UTF-8", "en"),
        (["--language", "ko"], "C", "ko"),
    ],
)
def test_the_report_opens_in_the_language_of_the_locale_or_the_one_asked_for(
    make_folder, tmp_path, monkeypatch, words, locale, language
):
    monkeypatch.setenv("LC_ALL", locale)
    folder = make_folder("pictures", 5)
    out = tmp_path / "out"
    assert main(["train", "--data", str(folder), *WORDS, "--epochs", "1", "--quiet", "--out", str(out), *words]) == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in page and page.count(" checked>") == 1
    assert f'id="{language}" autocomplete="off" checked>' in page
    assert "기울기 검사" in page and "gradient check" in page


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_reaches_its_accuracy_and_its_gradients_are_right(tmp_path, capsys):
    start = time.perf_counter()
    assert main(["demo", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    accuracy = float(said.split("test accuracy")[1].split()[0])
    assert accuracy >= 0.87
    assert "gradient check  passed" in said
    print(f"{accuracy:.4f} in {time.perf_counter() - start:.1f} s")


@pytest.mark.slow
def test_colour_pictures(cifar_folder, tmp_path, capsys):
    words = ["--data", str(cifar_folder / "train"), "--test", str(cifar_folder / "test"), "--epochs", "10"]
    assert main(["train", *words, "--out", str(tmp_path)]) == 0
    accuracy = float(capsys.readouterr().out.split("test accuracy")[1].split()[0])
    assert accuracy >= 0.3  # with 100 pictures of each class; guessing gives 0.1, all 50,000 pictures 0.72


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("network, epochs, accuracy", [("mlp", 10, 0.88), ("cnn", 1, 0.80)])
def test_the_whole_of_fashion_mnist(network, epochs, accuracy, tmp_path, capsys):
    words = ["--data", "fashion_mnist", "--model", network, "--epochs", str(epochs)]
    assert main(["train", *words, "--out", str(tmp_path)]) == 0  # ten epochs of the cnn reach 0.92
    said, err = capsys.readouterr()
    if "subset" in err:
        pytest.skip("the full set is not here and could not be downloaded")
    assert float(said.split("test accuracy")[1].split()[0]) >= accuracy
