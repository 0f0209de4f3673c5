"""SVG and HTML elements as text. What is not markup already is escaped, so that no class name can break a page."""

import os
from typing import Any

from markupsafe import Markup, escape

from minidl.atomic import write_text

__all__ = ["Figure", "element", "number", "text"]


class Figure(Markup):
    """Markup that a notebook shows and that ``save`` writes; made by the functions of ``minidl.visualize``."""

    def _repr_html_(self) -> str:
        return str(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file (.svg for charts, .html for the rest), as UTF-8."""
        write_text(path, str(self))


def number(value: float) -> str:
    """A coordinate with at most two decimals: 12.5, not 12.50."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(tag: str, *children: Any, **attributes: Any) -> Figure:
    """``<tag attributes>children</tag>``.

    Args:
        children: markup, or plain values, which are escaped.
        attributes: ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``; ``None`` is left out.
    """
    written = []
    for name, value in attributes.items():
        if value is not None:
            shown = number(value) if isinstance(value, (int, float)) else value
            written.append(f' {name.rstrip("_").replace("_", "-")}="{escape(shown)}"')
    inside = "".join(escape(child) for child in children)
    if tag == "img":  # HTML has no </img>
        return Figure(f"<img{''.join(written)}>")
    return Figure(f"<{tag}{''.join(written)}>{inside}</{tag}>")


def text(
    x: float, y: float, content: Any, *, anchor: str = "start", size: float = 13, style: str = "", **more: Any
) -> Figure:
    """SVG text at a point, in the colour of the page's text unless ``style`` sets ``fill``."""
    fill = "" if "fill:" in style else "fill:currentColor;"
    return element("text", content, x=x, y=y, text_anchor=anchor, font_size=size, style=fill + style, **more)
