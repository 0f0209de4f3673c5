"""Words in English and Korean, side by side: a page holds both, and its reader chooses."""

from typing import Any, NamedTuple

from .svg import Figure, element, text

__all__ = ["Words", "plain", "shown", "svg_words"]


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    ko: str


def shown(words: Any) -> Figure:
    """Words (or text that is the same in both) as HTML."""
    if not isinstance(words, Words):
        return element("span", words)
    return Figure(element("span", words.en, lang="en") + element("span", words.ko, lang="ko"))


def plain(words: Any) -> str:
    """Words as one text, for where a page cannot choose: both languages, or once what is the same in both."""
    return " / ".join(dict.fromkeys(words)) if isinstance(words, Words) else str(words)


def svg_words(x: float, y: float, words: Any, **more: Any) -> Figure:
    """The same as SVG text; outside a page, where no style sheet chooses, English is seen."""
    if not isinstance(words, Words):
        return text(x, y, words, **more)
    return Figure(text(x, y, words.en, lang="en", **more) + text(x, y, words.ko, lang="ko", display="none", **more))
