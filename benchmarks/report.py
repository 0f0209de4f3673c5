"""The record of `python -m benchmarks run` as Markdown and as a plot."""

from typing import Any

from . import plots
from .common import table, time_text
from .peers import PEERS, REFERENCE

_PEAK = (
    "Operations of a step's products and convolutions as they are defined, the time they take at the peak of the "
    "processor's multiply-adds (measured in turn with the sides), and that time as a share of each side's. "
    "Winograd's convolutions have fewer operations, so their share may come out above the peak."
)


def text(record: dict[str, Any]) -> str:
    """All tables."""
    parts = [
        f"Time of a step on {_device(record)}, {record['threads']} threads, medians of {record['rounds']} rounds in "
        "turn. Ratio: the other side's time divided by minidl's; larger is faster. Beside it the middle half of the "
        "rounds.",
        _ratios(record),
        f"Every side's time of a step, and in brackets {REFERENCE}'s time divided by it.",
        _sides(record),
        *([_PEAK, _limits(record)] if "gpu" not in record else []),
        "The first step with its kernels in the cache, the import, the most memory above that after it"
        f"{', the most memory that was held on the GPU' if 'gpu' in record else ''}, threads.",
        _costs(record),
        *_notes(record),
        _setting(record),
    ]
    return "\n\n".join(parts)


def _device(record: dict[str, Any]) -> str:
    """Where it was measured: the processor, or a GPU with its setting of TF32."""
    if "gpu" not in record:
        return "the processor"
    return f"{record['device']} ({record['gpu']['name']}, TF32 {'on' if record['tf32'] else 'off'})"


def picture(record: dict[str, Any]) -> str:
    """Bars of the ratios: to PyTorch eager where it was measured, else to the best peer."""
    rows = []
    for name, one in record["workloads"].items():
        found = one["ratio"].get("minidl") or one["ratio to the best peer"]
        if found:
            rows.append((name, found["low"], found["median"], found["high"]))
    against = "PyTorch eager" if any(one["ratio"] for one in record["workloads"].values()) else "the best peer"
    where = f" on {_device(record)}" if "gpu" in record else ""
    return plots.bars(f"Speed of a step{where}, {against} = 1", rows, 1.0)


def _ratios(record: dict[str, Any]) -> str:
    rows = []
    for name, one in record["workloads"].items():
        ours, best = one["ratio"].get("minidl"), one["ratio to the best peer"]
        rows.append([
            f"{name}: {one['workload']}", time_text(one["sides"]["minidl"]["seconds"]["median"]),
            *_ratio_cells(ours), _goal(one["goal"]), one["best peer"] or "-",
            *_ratio_cells(best), _goal(one["goal of all"]),
        ])  # fmt: skip
    headers = ["workload", "minidl", f"ratio to {REFERENCE}", "middle half", "goal", "best peer", "ratio to it"]
    return table([*headers, "middle half", "goal"], rows)


def _ratio_cells(ratio: dict[str, float] | None) -> list[str]:
    return [f"**{ratio['median']:.2f}**", f"{ratio['low']:.2f} to {ratio['high']:.2f}"] if ratio else ["-", "-"]


def _goal(goal: float | None) -> str:
    return f"{goal:.2f}" if goal else ""


def _measured(record: dict[str, Any]) -> list[str]:
    found = {side for one in record["workloads"].values() for side in one["sides"]}
    return [side for side in ("minidl", *PEERS) if side in found]


def _sides(record: dict[str, Any]) -> str:
    sides, rows = _measured(record), []
    for name, one in record["workloads"].items():
        row = [name]
        for side in sides:
            if side not in one["sides"]:
                row.append("-")
                continue
            ratio = one["ratio"].get(side)
            shown = time_text(one["sides"][side]["seconds"]["median"])
            row.append(f"{shown} ({ratio['median']:.2f})" if ratio else shown)
        rows.append(row)
    return table(["workload", *sides], rows)


def _limits(record: dict[str, Any]) -> str:
    sides, rows = _measured(record), []
    for name, one in record["workloads"].items():
        shares = {side: f"{found['median']:.0%}" for side, found in one["share of the peak"].items()}
        rows.append([
            name, f"{one['operations of a step'] / 1e6:,.1f} million",
            time_text(one["seconds at the peak"]["median"]), *(shares.get(side, "-") for side in sides),
        ])  # fmt: skip
    return table(["workload", "operations", "at the peak", *sides], rows)


def _costs(record: dict[str, Any]) -> str:
    rows, on_gpu = [], "gpu" in record
    for name, one in record["workloads"].items():
        for side, found in one["sides"].items():
            first = time_text(found["first step"])
            if "first step, cold" in found:
                first += f" (cold cache: {time_text(found['first step, cold'])})"
            memory = found["MiB"]
            above = memory["at most"] - memory["after the import"]
            there = [f"{memory['of the GPU']:.0f} MiB"] if on_gpu else []
            rows.append(
                [f"{name}: {side}", first, time_text(found["import"]), f"{above:.0f} MiB", *there, found["threads"]]
            )
    there = ["memory of the GPU"] if on_gpu else []
    return table(["workload and side", "first step", "import", "memory", *there, "threads"], rows)


def _notes(record: dict[str, Any]) -> list[str]:
    lines = [f"* {side}: left out; {why}" for side, why in record["left out"].items()]
    for name, one in record["workloads"].items():
        lines += [f"* {name}, {side}: {why}" for side, why in one["notes"].items()]
    lines += [f"* {name} failed: {why}" for name, why in record["failed"].items()]
    if record.get("stopped early"):
        lines.append("* The run was stopped before its end.")
    return ["\n".join(lines)] if lines else []


def _setting(record: dict[str, Any]) -> str:
    machine = record["machine"]
    found = machine["found in the environment"] or "none"
    children = {side: one["BLAS settings"] or "none" for side, one in record["sides"].items()}
    known = "; ".join(f"{side} {one['versions']}" for side, one in record["sides"].items())
    if (gpu := record.get("gpu")) is not None:
        used = {side: one.get("CUDA", one["device"]) for side, one in record["sides"].items()}
        known += f". GPU: {gpu['name']}, driver {gpu['driver']} for CUDA {gpu['CUDA of the driver']}; used: {used}"
    return (
        f"{machine['processor']}, {machine['vectors']}, {machine['cores']} cores, {machine['system']}, load "
        f"{machine['load']} before and {machine['load at the end']} after. {known}. BLAS settings found here: {found}, "
        f"in the children: {children}; OpenBLAS core: {record['sides']['minidl']['OpenBLAS core']}."
    )
