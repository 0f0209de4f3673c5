"""Files of strangers: `python -m benchmarks.fuzz_files --count 20000` spoils real files and opens them.

Every format is spoiled at random (``mutations.py``) and opened in a child process under a watchdog. What may come of
it is a model, or a FormatError (or, where weights do not fit, the ValueError that says so). What may not: the end of
the process, more than 2 s of its time (and no answer for 20 s is a hang), more memory than 10 times the file and
64 MiB, another exception, a file written, a process started, a connection. The record, with the numbers of all failures
(the number makes the file), goes to ``benchmarks/results/fuzz_files.json``.
"""

import argparse
import io
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from . import common
from .mutations import spoiled

MOST_SECONDS, MOST_FACTOR, MOST_BASE = 2.0, 10, 64 << 20
PATIENCE = 20.0  # seconds after which a child is ended
TEXT_LIMIT = 16 << 20  # bytes of weights that a text may describe here; on its own it may take half of the memory


class Format(NamedTuple):
    """A kind of file.

    Attributes:
        ending: of the file's name.
        kind: how it is spoiled, see ``mutations.spoiled``.
        make: writes whole files of this kind.
        open: opens one.
    """

    ending: str
    kind: str
    make: Callable[[Path], None]
    open: Callable[[Path], Any]


# ---- the files ----


def _model() -> Any:
    """A small compiled model with a state of its optimizer; no step is made, so nothing is compiled."""
    import minidl
    from minidl import layers

    model = minidl.Sequential(
        [
            minidl.Input((6, 6, 1)), layers.Conv2D(2, 3, activation="relu"), layers.BatchNormalization(),
            layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.5), layers.Dense(3, activation="softmax"),
        ],
        name="spoiled",
    )  # fmt: skip
    return _with_state(model)


def _graph() -> Any:
    import minidl
    from minidl import layers

    x = minidl.Input((5,), dtype="int32", name="words")
    y = layers.GlobalAveragePooling1D()(layers.Conv1D(4, 3, padding="same")(layers.Embedding(7, 3)(x)))
    z = layers.Add()([layers.Dense(4, kernel_regularizer="l2")(y), y])
    outputs = layers.Dense(2, name="out")(layers.LayerNormalization()(z))
    return _with_state(minidl.Model(x, outputs, name="graph"))


def _with_state(model: Any) -> Any:
    import minidl

    metrics = [minidl.metrics.AUC(num_thresholds=5), "accuracy"]
    model.compile(minidl.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=metrics)
    model.optimizer.build(model.trainable_variables)
    return model


def _rewritten(path: Path, **settings: Any) -> None:
    """An HDF5 file copied into one with other structures inside: compressed chunks, the newer groups."""
    import h5py

    compressed = settings.pop("compressed", False)
    image = io.BytesIO()
    with h5py.File(path) as source, h5py.File(image, "w", **settings) as target:

        def copy(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                more = {"compression": "gzip", "shuffle": True, "chunks": True} if compressed and item.shape else {}
                made = target.create_dataset(name, data=item[()], **more)
            else:
                made = target.require_group(name)
            made.attrs.update(item.attrs)

        source.visititems(copy)
        target.attrs.update(source.attrs)
    path.write_bytes(image.getvalue())


def _save(folder: Path, ending: str, how: str = "save", **settings: Any) -> None:
    for name, make in (("model", _model), ("graph", _graph)):
        path = folder / f"{name}{ending}"
        getattr(make(), how)(path)
        if settings:
            _rewritten(path, **settings)


def _copy_keras_2(folder: Path) -> None:
    for path in (common.ROOT / "tests" / "saving" / "keras2").glob("*.h5"):
        (folder / path.name).write_bytes(path.read_bytes())


def _write_text(folder: Path, ending: str) -> None:
    for name, make in (("model", _model), ("graph", _graph)):
        model = make()
        (folder / f"{name}{ending}").write_text(model.to_json() if ending == ".json" else model.to_yaml(), "utf-8")


def _load_model(path: Path) -> Any:
    from minidl import saving

    return saving.load_model(path)


def _load_weights(path: Path) -> Any:
    (_graph if path.name.startswith("graph") else _model)().load_weights(path)


def _read_text(path: Path) -> Any:
    from minidl import opening, saving

    read = saving.model_from_json if path.suffix == ".json" else saving.model_from_yaml
    with opening.limited(TEXT_LIMIT, "the limit of this test"):
        return read(path)


NEWER = {"track_order": True, "compressed": True}
FORMATS: dict[str, Format] = {
    "keras": Format(".keras", "keras", lambda folder: _save(folder, ".keras"), _load_model),
    "h5 model": Format(".h5", "hdf5 model", lambda folder: _save(folder, ".h5"), _load_model),
    "h5 of Keras 2": Format(".h5", "hdf5 model", _copy_keras_2, _load_model),
    "h5 weights": Format(".h5", "hdf5", lambda folder: _save(folder, ".h5", "save_weights"), _load_weights),
    "weights.h5": Format(
        ".weights.h5", "hdf5", lambda folder: _save(folder, ".weights.h5", "save_weights"), _load_weights
    ),
    "weights.h5, compressed": Format(
        ".weights.h5", "hdf5", lambda folder: _save(folder, ".weights.h5", "save_weights", **NEWER), _load_weights
    ),
    "weights.h5, libver 1.8": Format(
        ".weights.h5", "hdf5", lambda folder: _save(folder, ".weights.h5", "save_weights", libver="v108"), _load_weights
    ),
    "safetensors": Format(
        ".safetensors", "safetensors", lambda folder: _save(folder, ".safetensors", "save_weights"), _load_weights
    ),
    "json": Format(".json", "json", lambda folder: _write_text(folder, ".json"), _read_text),
    "yaml": Format(".yaml", "yaml", lambda folder: _write_text(folder, ".yaml"), _read_text),
}


def whole_files(folder: Path) -> dict[str, list[Path]]:
    """Write whole files of every format; their paths by format."""
    found = {}
    for number, (name, format_) in enumerate(FORMATS.items()):
        place = folder / f"whole{number}"
        place.mkdir(parents=True)
        format_.make(place)
        found[name] = sorted(place.iterdir())
    return found


# ---- one file ----


def spoil(name: str, number: int, whole: dict[str, list[Path]], folder: Path) -> Path:
    """The spoiled file of a number: always the same one."""
    choice = random.Random(f"{name} {number}")
    source = choice.choice(whole[name])
    target = folder / source.name
    target.write_bytes(spoiled(source.read_bytes(), FORMATS[name].kind, choice))
    return target


def outcome(name: str, path: Path) -> tuple[str, str]:
    """What comes of opening a file: "opened", "refused", or what may not be, and the message."""
    from minidl.saving import FormatError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            FORMATS[name].open(path)
        except FormatError as error:
            cause: Any = error
            while cause is not None:
                if isinstance(cause, MemoryError):
                    return "memory", str(error)
                cause = cause.__cause__
            named = str(path) in str(error) or path.suffix in (".json", ".yaml")
            return ("refused" if named else "unnamed"), str(error)
        except ValueError as error:
            told = "the weights of another model" in str(error) or "holds weights of" in str(error)
            return ("refused" if told else "exception"), f"{type(error).__name__}: {error}"
        except Exception as error:
            return "exception", f"{type(error).__name__}: {error}"
    return "opened", ""


# ---- the child ----


def serve(folder: Path) -> None:
    """Open what the parent asks for: a line of JSON for each file, a line back."""
    import resource

    from minidl.saving.hdf5_reader import dense, headers, superblock

    checks = {module: module.check for module in (dense, headers, superblock)}
    whole = {name: sorted((folder / f"whole{i}").iterdir()) for i, name in enumerate(FORMATS)}
    for name in FORMATS:  # so that modules and caches are there
        for path in whole[name]:
            state = outcome(name, path)
            if state[0] != "opened":
                raise RuntimeError(f"{path} should open: {state}")
    place = folder / f"child{os.getpid()}"
    place.mkdir()
    os.chdir(place)
    watched: list[str] = []
    _watch(watched)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), used + (1 << 30)))
    for line in sys.stdin:
        name, number = json.loads(line)
        path = spoil(name, number, whole, place)
        print("made", flush=True)
        for module, check in checks.items():  # half of them get past the checksums
            module.check = check if number % 2 else lambda *given: None  # type: ignore[attr-defined]
        size = path.stat().st_size
        before = _memory("VmRSS", reset=True)
        watched.clear()
        watched.append("on")
        start = time.process_time()
        state, message = outcome(name, path)
        seconds = time.process_time() - start
        watched.remove("on")
        memory = _memory("VmHWM") - before
        if watched:
            state, message = "side effect", watched[0]
        elif seconds > MOST_SECONDS and state in ("opened", "refused"):
            state = "slow"
        elif memory > MOST_FACTOR * size + MOST_BASE:
            state = "memory"
        answer = {"state": state, "message": message[:500], "seconds": seconds, "memory": memory, "size": size}
        print(json.dumps(answer), flush=True)


def _watch(watched: list[str]) -> None:
    """Note what an opened file must not lead to, while "on" is in the list."""
    always = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "pickle.find_class")
    paths = ("os.remove", "os.rename", "os.mkdir", "os.link", "os.symlink", "shutil.copyfile")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watched or watched[0] != "on":
            return
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in always or event in paths:
            watched.append(f"{event}{arguments!r}"[:300])

    sys.addaudithook(hook)


def _memory(field: str, reset: bool = False) -> int:
    """Bytes that this process has (VmRSS), or had at most since the last reset (VmHWM)."""
    if reset:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(lines[field].split()[0]) * 1024


# ---- the parent ----


class Watched:
    """A child that is replaced when it ends, or does not answer."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._start()

    def _start(self) -> None:
        self.read = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.fuzz_files", "--serve", str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=common.child_environment(), cwd=common.ROOT,
        )  # fmt: skip

    def ask(self, name: str, number: int) -> dict[str, Any]:
        """What came of one file; "crash" or "hang" where the child had to be replaced."""
        assert self.process.stdin and self.process.stdout
        start = time.perf_counter()
        with suppress(BrokenPipeError):
            print(json.dumps([name, number]), file=self.process.stdin, flush=True)
        ready, answer = True, ""
        for seconds in (120.0, PATIENCE):  # until the file is made (and the child is ready), and until it was opened
            ready, answer = self._line(seconds)
            if not answer:
                break
        if answer:
            return json.loads(answer)
        state = "crash" if ready else "hang"
        self.process.kill()
        code = self.process.wait()
        self._start()
        return {
            "state": state,
            "message": f"code {code}",
            "seconds": time.perf_counter() - start,
            "memory": 0,
            "size": 0,
        }

    def _line(self, seconds: float) -> tuple[bool, str]:
        """(whether there was anything in time, a line): by hand, because select() does not see what Python has read."""
        assert self.process.stdout
        while b"\n" not in self.read:
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                return False, ""
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                return True, ""
            self.read += more
        line, _, self.read = self.read.partition(b"\n")
        return True, line.decode()

    def close(self) -> None:
        """End the child."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def measure(count: int, first: int, folder: Path, jobs: int) -> dict[str, Any]:
    """The record of so many spoiled files, in turns over the formats, in several children at once."""
    whole_files(folder)
    names = list(FORMATS)
    records: dict[str, Any] = {
        name: {"outcomes": Counter(), "slowest": 0.0, "most_memory": 0, "most_share_of_allowed": 0.0} for name in names
    }
    failures: list[dict[str, Any]] = []
    lock = threading.Lock()

    def note(name: str, number: int, answer: dict[str, Any]) -> None:
        record = records[name]
        record["outcomes"][answer["state"]] += 1
        record["slowest"] = max(record["slowest"], round(answer["seconds"], 3))
        record["most_memory"] = max(record["most_memory"], answer["memory"])
        share = answer["memory"] / (MOST_FACTOR * answer["size"] + MOST_BASE)
        record["most_share_of_allowed"] = max(record["most_share_of_allowed"], round(share, 3))
        if answer["state"] not in ("opened", "refused"):
            failures.append({"format": name, "number": number, **answer})
            print(f"{name} {number}: {answer}", file=sys.stderr, flush=True)

    def work(job: int) -> None:
        child = Watched(folder)
        for place in range(job, count, jobs):
            name, number = names[place % len(names)], first + place // len(names)
            answer = child.ask(name, number)
            with lock:
                note(name, number, answer)
        child.close()

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, range(jobs)))
    return {
        "count": count, "first": first, "limits": {"seconds": MOST_SECONDS, "memory": "10 x file + 64 MiB"},
        "formats": records, "failures": failures, "versions": common.versions("numpy", "minidl"),
        "machine": common.machine(),
    }  # fmt: skip


def text_of(record: dict[str, Any]) -> str:
    """The table."""
    rows = []
    for name, one in record["formats"].items():
        outcomes = dict(one["outcomes"])
        opened, refused = outcomes.pop("opened", 0), outcomes.pop("refused", 0)
        megabytes = one["most_memory"] / (1 << 20)
        rows.append([name, opened + refused + sum(outcomes.values()), opened, refused, sum(outcomes.values()),
                     common.time_text(one["slowest"]), f"{megabytes:.0f} MiB"])  # fmt: skip
    headers = ["format", "spoiled files", "opened", "FormatError", "anything else", "slowest", "most memory"]
    return common.table(headers, rows)


def main() -> int:
    """Run, print and save; 1 where something came of a file that may not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="how many files, of all formats together")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one of each format")
    parser.add_argument("--jobs", type=int, default=2, help="how many children at once")
    parser.add_argument("--json", type=Path, default=common.RESULTS / "fuzz_files.json")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        record = measure(options.count, options.first, Path(folder), options.jobs)
    text = text_of(record)
    print(text)
    common.save(options.json, record, text)
    return 1 if record["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
