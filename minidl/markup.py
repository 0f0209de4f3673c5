"""Small pieces of HTML that notebooks show: no script, no colours of their own for text, so that they fit any theme."""

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["box", "framed", "mark", "pre", "table"]

_LINE = "1px solid rgba(128,128,128,.45)"
_CELL = "padding:.15em .8em .15em 0;background:none;color:inherit;font-variant-numeric:tabular-nums"


def box(title: str, *parts: str, note: str = "", ok: bool | None = None) -> str:
    """A title with what belongs to it.

    Args:
        title, note: plain text; the note stands behind the title, less loud.
        parts: HTML.
        ok: True or False draw a green or a red edge.
    """
    edge = "rgba(128,128,128,.45)" if ok is None else "#3c9a4a" if ok else "#d64540"
    head = f"<b>{escape(title)}</b>" + f' <span style="opacity:.7">{escape(note)}</span>' * bool(note)
    style = f"border-left:3px solid {edge};padding:.1em 0 .1em .7em;overflow-x:auto;line-height:1.45"
    return f'<div style="{style}"><div>{head}</div>{"".join(parts)}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A table of plain texts; ``right`` are the columns that hold numbers."""
    right = set(right)

    def cell(tag: str, place: int, content: str) -> str:
        align = "right" if place in right else "left"
        weight = ";font-weight:500;opacity:.7" if tag == "th" else ""
        style = f"{_CELL};text-align:{align};border:0;border-bottom:{_LINE};vertical-align:top{weight}"
        return f'<{tag} style="{style}">{escape(content)}</{tag}>'

    lines = [
        "<tr style='background:none'>" + "".join(cell(tag, i, content) for i, content in enumerate(row)) + "</tr>"
        for tag, row in [("th", head), *(("td", row) for row in rows)]
    ]
    return f'<table style="border-collapse:collapse;border:0;margin:.3em 0;color:inherit">{"".join(lines)}</table>'


def pre(content: str, caption: str = "") -> str:
    """Text of equal widths, below a caption."""
    above = f'<div style="opacity:.7">{escape(caption)}</div>' * bool(caption)
    style = "margin:.1em 0;padding:0;border:0;background:none;color:inherit;line-height:1.35"
    text = f'<pre style="{style}">{escape(content)}</pre>'
    return f'<div style="display:inline-block;vertical-align:top;margin-right:2em">{above}{text}</div>'


def mark(ok: bool) -> str:
    """What stands beside something right or wrong; not by colour alone."""
    return "✓" if ok else "✗"


def framed(page: str, title: str, height: int = 640) -> str:
    """A whole page, with its scripts, in a frame of its own: it touches nothing of the notebook around it."""
    style = f"width:100%;height:{height}px;border:{_LINE};border-radius:4px"
    sandbox = "allow-scripts allow-downloads"
    return f'<iframe srcdoc="{escape(page)}" title="{escape(title)}" sandbox="{sandbox}" style="{style}"></iframe>'
