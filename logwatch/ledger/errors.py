"""What can go wrong with the state directory, as a person is told it."""

from logwatch.errors import LogwatchError


class StateError(LogwatchError):
    """The state can't be opened or written; nothing that was counted is lost by it."""
