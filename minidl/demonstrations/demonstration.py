"""What a demonstration gives: a claim, numbers that prove it, and a page."""

from dataclasses import dataclass, field
from typing import Any
from unicodedata import east_asian_width

from minidl.visualize import Page, Section, Words
from minidl.visualize.words import in_language

__all__ = ["Demonstration"]


@dataclass
class Demonstration:
    """A claim and its proof.

    Attributes:
        name: as on the command line.
        title, claim: in both languages.
        numbers: key -> value, for programs.
        labels: key -> what the number is, in both languages; in the order in which they are shown.
        sections: of the page.
    """

    name: str
    title: Words
    claim: Words
    numbers: dict[str, float]
    labels: dict[str, Words]
    sections: list[Section] = field(default_factory=list)

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: str) -> str:
        """The claim and the numbers, in "en" or "ko"."""
        labels = {key: in_language(label, language) for key, label in self.labels.items()}
        width = max(map(_columns, labels.values()))
        lines = [f"  {said}{' ' * (width - _columns(said))}  {self.numbers[key]:.4g}" for key, said in labels.items()]
        return "\n".join([f"{self.name}: {in_language(self.claim, language)}", *lines])

    def page(self) -> Page:
        """The page, with the numbers on top."""
        facts: list[tuple[Any, Any]] = [(label, f"{self.numbers[key]:.4g}") for key, label in self.labels.items()]
        return Page(self.title, self.claim, facts, self.sections)


def _columns(text: str) -> int:
    """How wide a text is in a terminal, where a Korean letter takes two columns."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
