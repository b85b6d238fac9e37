"""What can go wrong with what is served, as a person is told it."""

from logwatch.errors import LogwatchError


class ListenError(LogwatchError):
    """The address of the metrics can't be listened on."""


class WebError(LogwatchError):
    """A certificate, a key or a token can't be used."""
