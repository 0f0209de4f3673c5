"""YAML that a stranger wrote: plain data only, made from the parser's events, without PyYAML's constructors.

Those build a tree of nodes by recursion, which a text of brackets drives out of its stack (in C it ends the process) or
its memory. Events come one by one; so depth, number of values and what aliases stand for are counted on the way.
"""

from collections.abc import Hashable
from typing import Any

__all__ = ["parse_yaml"]

DEEPEST = 200
MOST_VALUES = 1_000_000  # with the aliases written out
LONGEST = 2 << 20  # characters; what is longer takes seconds, and may be written as JSON
MEMORY = 400  # bytes that a value takes, about
MOST_BASE, MOST_FACTOR = 32 << 20, 8  # bytes that all values may take: 8 times the text, and 32 MiB
LONGEST_NUMBER = 100  # what is longer is a text
TAG = "tag:yaml.org,2002:"
LISTS = (None, "!", TAG + "seq", TAG + "python/tuple")  # Keras 2 wrote shapes as tuples; lists they are elsewhere
MAPS = (None, "!", TAG + "map")
TEXTS = (TAG + "str", TAG + "python/unicode", TAG + "python/str", TAG + "timestamp", TAG + "value", TAG + "merge")
NUMBERS = (TAG + "int", TAG + "float", TAG + "bool", TAG + "null")


def parse_yaml(text: str, yaml: Any) -> Any:
    """The values of a YAML text.

    Args:
        yaml: the module.

    Raises:
        ValueError: it is none, has tags that would make other objects, or is nested too deeply or too large.
    """
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters, more than the {LONGEST} that are read as YAML; write JSON")
    reader = _Reader(yaml, MOST_BASE + MOST_FACTOR * len(text))
    try:
        for event in yaml.parse(text, yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):
            reader.take(event)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return reader.result


class _Reader:
    """What was read so far.

    Attributes:
        result: the value of the document.
    """

    def __init__(self, yaml: Any, most_memory: int):
        self.yaml, self.loader, self.left = yaml, yaml.SafeLoader(""), most_memory
        self.result: Any = None
        self.documents = 0
        self.open: list[tuple[Any, str | None, list[Any]]] = []  # lists and mappings: the value, its anchor, a key
        self.anchors: dict[str, Any] = {}
        self.sizes: dict[int, int] = {}  # of what is complete, by id, with the aliases written out
        self.counts: list[int] = [0]  # of what is open, and of the document

    def take(self, event: Any) -> None:
        """One more event."""
        kinds = self.yaml
        if isinstance(event, kinds.ScalarEvent):
            self._add(self._scalar(event), 1, event.anchor)
        elif isinstance(event, kinds.AliasEvent):
            if event.anchor not in self.anchors:
                raise ValueError(f"the alias *{event.anchor} stands for nothing, or for what it is part of")
            value = self.anchors[event.anchor]
            self._add(value, self.sizes.get(id(value), 1), None)
        elif isinstance(event, (kinds.SequenceStartEvent, kinds.MappingStartEvent)):
            known = LISTS if isinstance(event, kinds.SequenceStartEvent) else MAPS
            if event.tag not in known:
                raise ValueError(f"the tag {event.tag!r} would make an object; there may be plain data only")
            if len(self.open) >= DEEPEST:
                raise ValueError(f"it is nested more than {DEEPEST} deep")
            self.open.append(([] if known is LISTS else {}, event.anchor, []))
            self.counts.append(0)
        elif isinstance(event, (kinds.SequenceEndEvent, kinds.MappingEndEvent)):
            value, anchor, _ = self.open.pop()
            count = 1 + self.counts.pop()
            self.sizes[id(value)] = count
            self._add(value, count, anchor)
        elif isinstance(event, kinds.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise ValueError("there are several documents in it")

    def _add(self, value: Any, count: int, anchor: str | None) -> None:
        """Put a value where it belongs: into the innermost list or mapping."""
        self.counts[-1] += count
        self.left -= MEMORY
        if self.counts[-1] > MOST_VALUES:
            raise ValueError(f"its aliases stand for more than {MOST_VALUES} values")
        if self.left < 0:
            raise ValueError("it has too many values for a text of its size")
        if anchor:
            self.anchors[anchor] = value
        if not self.open:
            self.result = value
            return
        holder, _, key = self.open[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif key:
            holder[key.pop()] = value
        elif not isinstance(value, Hashable) or value in holder:
            raise ValueError(f"the key {str(value)[:100]!r} is there twice, or cannot be one")
        else:
            key.append(value)

    def _scalar(self, event: Any) -> Any:
        tag, value = event.tag, event.value
        if tag in (None, "!"):
            plain = event.implicit[0] and len(value) <= LONGEST_NUMBER
            tag = self.loader.resolve(self.yaml.ScalarNode, value, (plain, not plain))
        if tag in TEXTS:
            return value
        if tag not in NUMBERS or len(value) > LONGEST_NUMBER:
            raise ValueError(f"the tag {tag!r} would make an object; there may be plain data only")
        return self.loader.construct_object(self.yaml.ScalarNode(tag, value))
