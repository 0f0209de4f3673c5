"""Write cupy_names.txt: what an installed CuPy has, and which arguments it takes. Needs no GPU.

    pip install cupy-cuda13x cuda-pathfinder && python tests/kernels/cupy_names.py

A line is a name of the main namespace, ``linalg.NAME``, ``ndarray.NAME``, or one of streams, graphs and memory such as
``cuda.Stream.NAME``; behind it ``ufunc``, or ``(`` and the
parameters, where these are known: ``axis?`` may be left out, ``*`` parts those that want their names.
"""

import importlib.metadata
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_suffix(".txt")
Parameter = inspect.Parameter
OF_CUDA = ("Device", "Graph", "MemoryPool", "Stream", "get_current_stream", "using_allocator")


def written(signature: inspect.Signature) -> str:
    """The parameters of a signature, without the values of their defaults."""
    parts, before = [], None
    for one in signature.parameters.values():
        if one.name == "self":
            continue
        if one.kind is Parameter.KEYWORD_ONLY and before not in (Parameter.KEYWORD_ONLY, Parameter.VAR_POSITIONAL):
            parts.append("*")
        stars = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}.get(one.kind, "")
        parts.append(stars + one.name + ("?" if one.default is not one.empty else ""))
        before = one.kind
    return " ".join(parts)


def read(text: str) -> inspect.Signature:
    """A signature of what ``written`` made of it."""
    parameters, kind = [], Parameter.POSITIONAL_OR_KEYWORD
    for part in text.split():
        if part == "*":
            kind = Parameter.KEYWORD_ONLY
            continue
        stars = len(part) - len(part.lstrip("*"))
        own = (kind, Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)[stars]
        default = None if part.endswith("?") else Parameter.empty
        parameters.append(Parameter(part.strip("*?"), own, default=default))
        kind = Parameter.KEYWORD_ONLY if stars else kind
    return inspect.Signature(parameters)


def names() -> dict[str, str]:
    """What stands in the file: "ufunc", "(" and parameters, or nothing, by name."""
    lines = TARGET.read_text("utf-8").splitlines()[1:]
    return {name: rest for name, _, rest in (line.partition(" ") for line in lines)}


def described(value: Any) -> str:
    """What stands behind a name."""
    if type(value).__name__ == "ufunc":
        return " ufunc"
    if isinstance(value, type) or not callable(value):
        return ""
    try:
        return f" ( {written(inspect.signature(value))}".rstrip()
    except (TypeError, ValueError):
        pass
    # Cython writes the signature into the first line of the docstring.
    found = re.match(r"[\w.]+\((?:self(?:, )?)?(.*?)\)(?: ->.*)?$", (value.__doc__ or "").split("\n")[0])
    if not found:
        return ""
    parts = [re.sub(r"^(?:bint|Py_ssize_t|size_t|_ndarray_base|str|int) ", "", part) for part in found[1].split(", ")]
    return f" ( {' '.join(re.sub(r'=.*', '?', part) for part in parts if part not in ('', 'self'))}".rstrip()


def lines(cupy: Any) -> Iterator[str]:
    cuda = cupy.cuda
    for prefix, owner in (
        ("", cupy), ("linalg.", cupy.linalg), ("ndarray.", cupy.ndarray), ("cuda.Stream.", cuda.Stream),
        ("cuda.Graph.", cuda.Graph), ("cuda.MemoryPool.", cuda.MemoryPool), ("cuda.", cuda),
    ):  # fmt: skip
        for name in sorted(set(dir(owner)) if prefix != "cuda." else OF_CUDA):
            if not name.startswith("_"):
                yield f"{prefix}{name}{described(getattr(owner, name))}"


def main() -> None:
    import cupy

    packages = importlib.metadata.packages_distributions().get("cupy", ["cupy"])
    header = f"# What {packages[0]} {cupy.__version__} has; written by cupy_names.py."
    TARGET.write_text("\n".join([header, *lines(cupy)]) + "\n", "utf-8")
    print(f"{len(names())} names of {packages[0]} {cupy.__version__} written to {TARGET.name}")


if __name__ == "__main__":
    main()
