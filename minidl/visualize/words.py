"""Words in English and Korean, side by side: a page holds both, and its reader chooses."""

from typing import Any, NamedTuple

from .svg import Figure, element, text

__all__ = ["Words", "check_language", "followed", "in_language", "plain", "shown", "svg_words"]


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    ko: str


def check_language(language: str) -> None:
    """See that pages know the language.

    Raises:
        ValueError: it is neither "en" nor "ko".
    """
    if language not in Words._fields:
        raise ValueError(f"language must be 'en' or 'ko', not {language!r}")


def in_language(words: Any, language: str) -> str:
    """Words in one language, and text as it is."""
    return getattr(words, language) if isinstance(words, Words) else str(words)


def followed(words: Any, *more: Any) -> Any:
    """Words (or texts) one behind the other."""
    joined = Words(*("".join(in_language(one, language) for one in (words, *more)) for language in Words._fields))
    return joined if any(isinstance(one, Words) for one in (words, *more)) else joined.en


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
