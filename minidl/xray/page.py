"""The page: one HTML file with the recorded step, its styles and its scripts inside. It asks for nothing outside."""

import json
from pathlib import Path
from typing import Any

from .encode import MOST_BYTES, Tensors
from .step import Step
from .story import story

__all__ = ["LANGUAGES", "SCRIPTS", "render"]

LANGUAGES = ("en", "ko")
SCRIPTS = (
    "words", "data", "arrays", "elementwise", "products", "windows", "rows", "recompute", "optimizers", "terms",
    "tensor_view", "sections", "steps", "main",
)  # fmt: skip
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
    content = {**made, "language": language, "tensors": tensors.encoded(MOST_BYTES)}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    scripts = "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    parts = {
        "language": language,
        "title": _escaped(f"{step.name} — minidl explain"),
        "css": _read("page.css"),
        "data": text.replace("<", "\\u003c"),  # or a </script> in a docstring would end it
        "scripts": scripts,
    }
    page = _read("page.html")
    for name, part in parts.items():
        before, _, after = page.partition("{{ " + name + " }}")
        page = before + part + after
    return page


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _escaped(text: Any) -> str:
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def tensors_of(step: Step) -> Tensors:
    """The arrays of the page by number, as the engine made them."""
    return story(step)[1]
