"""A page in English and Korean: sections of words, charts and tables in one file that needs nothing outside itself."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minidl.atomic import write_text
from minidl.markup import framed

from .head import head
from .svg import Figure
from .words import check_language, in_language, shown

__all__ = ["Page", "Section"]

_HERE = Path(__file__).parent


@dataclass
class Section:
    """A heading, a paragraph, figures with captions, a table (its first row names the columns).

    Texts are Words, or plain text where both languages have the same.
    """

    title: Any
    text: Any = ""
    figures: Sequence[tuple[Any, Figure]] = ()
    rows: Sequence[Sequence[Any]] = ()


@dataclass
class Page:
    """A page.

    Attributes:
        title, lead: the head.
        facts: (name, value): the few most important numbers.
        sections: what follows.
    """

    title: Any
    lead: Any
    facts: Sequence[tuple[Any, Any]] = ()
    sections: list[Section] = field(default_factory=list)

    def render(self, language: str = "en") -> str:
        """The HTML, with both languages in it. It runs no script and asks for nothing; its own policy forbids both.

        Args:
            language: "en" or "ko", the one that is shown first.

        Raises:
            ValueError: another language.
        """
        check_language(language)
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        pages = Environment(
            loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        pages.filters["words"] = shown
        styles = (_HERE / name for name in ("report.css", "language.css", "page.css"))
        top = head(in_language(self.title, language), *styles, language=language)
        return pages.get_template("page.html").render(page=self, language=language, head=top)

    def save(self, path: str | os.PathLike[str], language: str = "en") -> Path:
        """Write the page into a file, which appears whole or not at all; returns its path."""
        write_text(path, self.render(language))
        return Path(path)

    def _repr_html_(self) -> str:
        return framed(self.render(), in_language(self.title, "en"))
