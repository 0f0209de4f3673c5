"""How every page begins: its language, the policy by which it asks for nothing outside itself, its title and styles."""

from pathlib import Path
from typing import Any

from markupsafe import escape

from .svg import Figure

__all__ = ["head"]

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def head(title: Any, *styles: Path, language: str = "en", scripts: bool = False) -> Figure:
    """The text of a page up to its body.

    Args:
        title: of the window; it is escaped.
        styles: files of CSS that come after ``base.css``.
        language: "en" or "ko".
        scripts: whether the page runs scripts of its own; by default none can run.
    """
    policy = _POLICY + ("; script-src 'unsafe-inline'" if scripts else "")
    css = "\n".join(file.read_text(encoding="utf-8") for file in (_HERE / "base.css", *styles))
    return Figure(f"""<!doctype html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{css}</style>
</head>""")
