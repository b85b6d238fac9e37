"""Values by key, and which keys changed since they were last written.

Values are absolute, never increments: writing one twice, after a commit whose outcome was unclear,
changes nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Record(Generic[Key, Value]):
    """A mapping that knows what of it is not written yet."""

    def __init__(self, values: Mapping[Key, Value] | None = None) -> None:
        self.values: dict[Key, Value] = dict(values or {})
        self._changed: set[Key] = set()

    def put(self, key: Key, value: Value) -> None:
        """Set a value; the same value again is no change."""
        if key not in self.values or self.values[key] != value:
            self.values[key] = value
            self._changed.add(key)

    def drop(self, key: Key) -> None:
        """Remove a key that may or may not be there."""
        if key in self.values:
            del self.values[key]
            self._changed.add(key)

    def touch_all(self) -> None:
        """Have everything written again, as into a new file."""
        self._changed.update(self.values)

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return bool(self._changed)

    def changes(self) -> Iterator[tuple[Key, Value | None]]:
        """Keys that changed with their values; None where the key is gone."""
        return ((key, self.values.get(key)) for key in self._changed)

    def settle(self) -> None:
        """Take note that all changes are written."""
        self._changed.clear()
