"""Every family of kernels on the shapes of workload C: `python benchmarks/kernels.py [families] [--rounds 7]`.

The Numba implementation ("cpu") against the vectorised one ("array"), each in a process of its own, in turns, results
written into memory that is there already. Beside the ratio: what a kernel reaches (GFLOP/s of the textbook's
multiplications and additions, or GB/s, every array read and written once), and which share that is of what this machine
can do, measured in the same run (see limits.py): of its multiply-adds, or of its copies. More than 100% means that the
data was in the cache.

The goal is twice "array" for convolution, pooling, batch norm, dropout and Adam.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import common

common.forget_blas_settings()

import numpy as np  # noqa: E402
from limits import bytes_per_second, flops_per_second  # noqa: E402

import minidl_kernels as kernels  # noqa: E402
from minidl_kernels import config  # noqa: E402

GOAL = 2.0
WITH_GOAL = ("conv", "pool", "norm", "random", "adam")
SECONDS = 0.02  # that a side runs in a round, at least


class Case(NamedTuple):
    """A call of a kernel; ``flops`` None: it is memory that counts."""

    kernel: kernels.Kernel
    text: str
    arrays: tuple[Any, ...]
    settings: dict[str, Any]
    flops: float | None = None

    def family(self) -> str:
        """The folder that the kernel is in; Adam is one of its own."""
        return "adam" if self.kernel.name == "adam" else self.kernel.__module__.rpartition(".")[2]


def cases(batch: int) -> Iterator[Case]:
    """The calls of a training step of workload C; batch norm and averages stand where it might have them."""
    random = np.random.default_rng(0)

    def array(*shape: int) -> np.ndarray:
        return random.standard_normal(shape, dtype=np.float32)

    key = np.array([1, 2], np.uint32)
    for size, channels, filters, padding in (
        (32, 3, 32, "same"),
        (32, 32, 32, "valid"),
        (15, 32, 64, "same"),
        (15, 64, 64, "valid"),
    ):
        out = size if padding == "same" else size - 2
        x, w, g = array(batch, size, size, channels), array(3, 3, channels, filters), array(batch, out, out, filters)
        flops = 2.0 * g.size * 9 * channels
        text = f"{size}x{size}x{channels} to {filters}, {padding}"
        yield Case(kernels.conv2d, text, (x, w), {"padding": padding}, flops)
        if channels > 3:  # the first layer needs none
            yield Case(kernels.conv2d_input_grad, text, (g, w), {"input_shape": x.shape, "padding": padding}, flops)
        yield Case(kernels.conv2d_kernel_grad, text, (x, g), {"kernel_shape": w.shape, "padding": padding}, flops)
    window = {"pool_size": (2, 2), "strides": (2, 2)}
    for size, channels in ((30, 32), (13, 64)):
        x, g = array(batch, size, size, channels), array(batch, size // 2, size // 2, channels)
        text = f"{size}x{size}x{channels}"
        yield Case(kernels.max_pool, text, (x,), window)
        yield Case(kernels.max_pool_scatter, text, (g, x), window)
    yield Case(kernels.average_pool, text, (x,), window)
    yield Case(kernels.average_pool_grad, text, (g,), {**window, "input_shape": x.shape})
    x, channel = array(batch, 30, 30, 32), array(32)
    yield Case(kernels.bias_relu, "30x30x32", (x, channel), {})
    yield Case(kernels.relu_grad, "30x30x32", (x, x), {})
    yield Case(kernels.column_sum, "30x30x32", (x,), {})
    yield Case(kernels.batch_norm, "30x30x32", (x, channel, channel), {"epsilon": 1e-3})
    yield Case(kernels.batch_norm_grad, "30x30x32", (x, x, channel, channel, np.square(channel)), {"epsilon": 1e-3})
    yield Case(kernels.scale_shift, "30x30x32", (x, channel, channel), {})
    yield Case(kernels.dropout, "15x15x32", (array(batch, 15, 15, 32), key), {"rate": 0.25})
    for inputs, units in ((2304, 512), (512, 10)):
        x, w, g = array(batch, inputs), array(inputs, units), array(batch, units)
        flops, text = 2.0 * batch * inputs * units, f"{inputs} to {units}"
        yield Case(kernels.dense, text, (x, w, array(units)), {}, flops)
        yield Case(kernels.matmul, f"{text}, to x", (g, w), {"transpose_b": True}, flops)
        yield Case(kernels.matmul, f"{text}, to w", (x, g), {"transpose_a": True}, flops)
    logits, labels = array(batch, 10), random.integers(0, 10, batch)
    yield Case(kernels.softmax, "10 classes", (logits,), {})
    yield Case(kernels.softmax_cross_entropy, "10 classes", (logits, labels), {})
    sizes = (896, 9248, 18496, 36928, 1180160, 5130)  # the weights of C, with their biases
    lists = tuple([abs(array(n)) for n in sizes] for _ in range(4))
    settings = {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "step": 10}
    yield Case(kernels.adam, f"{sum(sizes)} weights", lists, settings)
    yield Case(kernels.sgd, f"{sum(sizes)} weights", lists[:2], {"learning_rate": 1e-6})


SIDES = ("array", "cpu")


def serve(implementation: str, options: argparse.Namespace) -> None:
    """The child: one implementation only, for NumPy's BLAS and Numba each keep threads that wait busily for work."""
    config.set_threads(options.threads)
    chosen = list(cases(options.batch))
    outs: dict[int, Any] = {}

    def answer(question: dict[str, Any]) -> float:
        place = question["case"]
        case = chosen[place]
        given = {} if isinstance(case.arrays[0], list) else {"out": outs.get(place)}
        with case.kernel.use(implementation):
            if given and outs.get(place) is None:
                given["out"] = outs[place] = case.kernel(*case.arrays, **case.settings)
            return common.seconds(lambda: case.kernel(*case.arrays, **given, **case.settings), question["times"])

    common.answer_questions(answer)


def measure(place: int, case: Case, rounds: int, children: dict[str, common.Child]) -> dict[str, Any]:
    """Time both implementations in turns."""

    def run(side: str, times: int) -> float:
        return float(children[side].ask({"case": place, "times": times}))

    once = {side: min(run(side, 1) for _ in range(4)) for side in SIDES}
    times = {side: max(1, int(SECONDS / seconds)) for side, seconds in once.items()}
    found = common.interleaved({side: (lambda side=side: run(side, times[side])) for side in SIDES}, rounds)
    return {
        "kernel": case.kernel.name, "family": case.family(), "case": case.text, "flops": case.flops,
        "bytes": _bytes(case), "seconds": {side: common.spread(values) for side, values in found.items()},
        "ratio": common.ratio(found["array"], found["cpu"]),
    }  # fmt: skip


def _bytes(case: Case) -> int:
    """Every array once; what is updated in place is read and written."""
    if isinstance(case.arrays[0], list):
        sizes = [sum(one.nbytes for one in several) for several in case.arrays]
        return 2 * sum(sizes) - sizes[1]  # all but the gradients
    out = case.kernel(*case.arrays, **case.settings)
    outputs = out if isinstance(out, tuple) else (out,)
    return sum(one.nbytes for one in (*case.arrays, *outputs))


def report(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    rows = []
    limits = record["limits"]
    for one in record["cases"]:
        array, cpu, ratio = one["seconds"]["array"]["median"], one["seconds"]["cpu"]["median"], one["ratio"]["median"]
        what, unit, limit = one["bytes"], "GB/s", limits["bytes"]
        if one["flops"]:
            what, unit, limit = one["flops"], "GFLOP/s", limits["flops"]
        goal = "" if one["family"] not in WITH_GOAL else "yes" if ratio >= GOAL else "no"
        times = [common.time_text(array), common.time_text(cpu), f"{ratio:.1f}", goal]
        reached = [f"{what / cpu / 1e9:.0f} {unit}", f"{what / cpu / limit:.0%}"]
        rows.append([f"{one['kernel']} {one['case']}", *times, *reached])
    machine = record["machine"]
    return "\n\n".join([
        f"Kernels on the shapes of workload C, batch {record['batch']}, {record['threads']} threads, medians of "
        f"{record['rounds']} rounds in turn. The machine's limits in this run: {limits['flops'] / 1e9:.0f} GFLOP/s of "
        f"multiply-adds in registers, {limits['bytes'] / 1e9:.0f} GB/s of copies.",
        common.table(["kernel", "array", "cpu", "ratio", f"at least {GOAL:.0f}", "reached", "of the limit"], rows),
        f"{machine['processor']}, {machine['vectors']}, load {machine['load']}; {record['versions']}.",
    ])  # fmt: skip


def main() -> None:
    """Measure, print, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", help="conv, pool, activation, norm, matmul, random, loss, update, adam")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--json", type=Path, default=common.RESULTS / "kernels.json", help="where results are written")
    parser.add_argument("--serve", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options)
        return
    config.set_threads(options.threads)
    chosen = {
        place: case
        for place, case in enumerate(cases(options.batch))
        if not options.families or case.family() in options.families
    }
    if not chosen:
        parser.error(f"no such family: {options.families}")
    record: dict[str, Any] = {
        "what": "kernels", "batch": options.batch, "rounds": options.rounds, "threads": options.threads, "goal": GOAL,
        "machine": common.machine(), "versions": common.versions("numpy", "numba", "minidl"),
        "limits": {"flops": flops_per_second(options.threads), "bytes": bytes_per_second(options.threads)},
    }  # fmt: skip
    settings = ["--threads", str(options.threads), "--batch", str(options.batch)]
    children = {side: common.Child(__file__, "--serve", side, *settings) for side in SIDES}
    try:
        record["cases"] = [measure(place, case, options.rounds, children) for place, case in chosen.items()]
    finally:
        for child in children.values():
            child.close()
    text = report(record)
    common.save(options.json, record, text)
    print(text)


if __name__ == "__main__":
    main()
