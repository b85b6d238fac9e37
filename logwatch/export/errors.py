"""What can go wrong with the listening address, as a person is told it."""

from logwatch.errors import LogwatchError


class ListenError(LogwatchError):
    """The address of the metrics can't be listened on."""
