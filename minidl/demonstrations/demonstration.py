"""What a demonstration gives: a claim, numbers that prove it, and a page."""

from dataclasses import dataclass, field
from typing import Any

from minidl.visualize import Page, Section, Words

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
        width = max(len(label.en) for label in self.labels.values())
        lines = [f"  {label.en:{width}}  {self.numbers[key]:.4g}" for key, label in self.labels.items()]
        return "\n".join([f"{self.name}: {self.claim.en}", *lines])

    def page(self) -> Page:
        """The page, with the numbers on top."""
        facts: list[tuple[Any, Any]] = [(label, f"{self.numbers[key]:.4g}") for key, label in self.labels.items()]
        return Page(self.title, self.claim, facts, self.sections)
