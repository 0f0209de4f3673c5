"""The page: one HTML file with the recorded step, its styles and its scripts inside. It asks for nothing outside."""

import json
from pathlib import Path
from typing import Any

from minidl.visualize.head import head

from .step import Step
from .story import MOST_PARAMETERS, story

__all__ = ["LANGUAGES", "SCRIPTS", "render"]

LANGUAGES = ("en", "ko")
SCRIPTS = (
    "words", "data", "arrays", "elementwise", "products", "windows", "rows", "recompute", "optimizers", "terms",
    "tensor_view", "sections", "steps", "main",
)  # fmt: skip
MOST_BYTES = 3_000_000  # of a page
MOST_BYTES_SMALL = 300_000  # of that of a model with at most MOST_PARAMETERS weights
_HERE = Path(__file__).parent


def render(step: Step, language: str = "en") -> str:
    """The text of the page.

    Args:
        step: what was recorded.
        language: "en" or "ko": the language it opens in.

    Raises:
        ValueError: another language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {LANGUAGES}, not {language!r}")
    made, tensors = story(step)
    small = step.model is not None and made["parameters"] <= MOST_PARAMETERS
    bare = _filled({**made, "live": False, "tensors": []}, step, language)
    most = (MOST_BYTES_SMALL if small else MOST_BYTES) - len(bare.encode("utf-8"))
    needed = _leaves(made)
    arrays = tensors.encoded(most, needed)
    made["live"] = made["live"] and not any("part" in arrays[i] for i in needed)
    return _filled({**made, "tensors": arrays}, step, language)


def _leaves(made: dict[str, Any]) -> frozenset[int]:
    """The arrays that all others are computed from after an edit."""
    found = {value["t"] for value in made["values"] if value["maker"] is None}
    found |= {call["mask"] for call in made["calls"] if "mask" in call}
    return frozenset(found | {before for update in made["updates"] for _, before, _ in update["slots"]})


def _filled(content: dict[str, Any], step: Step, language: str) -> str:
    """The template with everything put in."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    parts = {
        "head": str(head(f"{step.name} — minidl explain", _HERE / "page.css", language=language, scripts=True)),
        "data": text.replace("<", "\\u003c"),  # or a </script> in a docstring would end it
        "scripts": "\n".join(_read(f"{name}.js") for name in SCRIPTS),
    }
    page = _read("page.html")
    for name, part in parts.items():
        before, _, after = page.partition("{{ " + name + " }}")
        page = before + part + after
    return page


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
