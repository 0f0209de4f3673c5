"""Config: a dictionary whose entries are attributes too."""

import difflib
import json
from collections.abc import Iterator
from typing import Any

__all__ = ["Config"]


class Config:
    """Named values, as ``config.seed`` and ``config["seed"]``; iterated over in the order of their names.

    Args:
        kwargs: the first entries.

    Raises:
        ValueError: an entry is changed while the object is frozen.
        AttributeError: an attribute that is no entry.
    """

    def __init__(self, **kwargs: Any):
        object.__setattr__(self, "_entries", kwargs)
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether nothing may be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Let nothing be changed from here on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Let entries be changed again."""
        object.__setattr__(self, "_frozen", False)

    def as_dict(self) -> dict[str, Any]:
        """A dictionary of the entries."""
        return dict(self._entries)

    def to_json(self) -> str:
        """The entries as JSON."""
        return json.dumps(self._entries)

    def keys(self) -> Any:
        """The names."""
        return self._entries.keys()

    def values(self) -> Any:
        """The values."""
        return self._entries.values()

    def items(self) -> Any:
        """The (name, value) pairs."""
        return self._entries.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """An entry, or ``value`` where there is none."""
        return self._entries.get(keyname, value)

    def pop(self, *args: Any) -> Any:
        """Take an entry out: pop(name), or pop(name, what to return where there is none)."""
        return self._open().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several entries, as ``dict.update`` does."""
        self._open().update(*args, **kwargs)

    def _open(self) -> dict[str, Any]:
        if self._frozen:
            raise ValueError("the config is frozen; call unfreeze() to change its entries")
        return self._entries

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"{name!r} is a method of Config and cannot be an attribute; write config[{name!r}]")
        self._open()[name] = value

    def __getattr__(self, name: str) -> Any:
        entries = object.__getattribute__(self, "__dict__").get("_entries", {})  # empty while a copy is being made
        if name in entries:
            return entries[name]
        alike = difflib.get_close_matches(name, entries, n=1, cutoff=0.7)
        raise AttributeError(f"no entry {name!r}" + (f"; did you mean {alike[0]!r}?" if alike else ""))

    def __setitem__(self, key: str, item: Any) -> None:
        self._open()[key] = item

    def __delitem__(self, key: str) -> None:
        del self._open()[key]

    def __getitem__(self, key: str) -> Any:
        return self._entries[key]

    def __contains__(self, item: Any) -> bool:
        return item in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<Config {self._entries}>"
