"""Asks again and again, on a thread of its own: a server that hangs does not stop a key."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from logwatch.errors import LogwatchError
from logwatch.top.origin import Origin, UnknownError
from logwatch.top.summary import Details, Order, Summary

END_SECONDS = 1.0
"""What an answer in progress gets to come in when nobody wants it any more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be asked for."""

    top: int = 100
    order: Order = "packets"
    query: str = ""
    source: str | None = None
    """Whose details are asked for as well."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking."""

    wanted: Wanted
    summary: Summary | None = None
    details: Details | None = None
    problem: str | None = None
    """Why there is no summary."""
    unknown: str | None = None
    """Why there are no details of a source."""


class Poller:
    """Tells each answer to `tell`, on its thread, until it is closed."""

    def __init__(self, origin: Origin, seconds: float, tell: Callable[[Answer], None]) -> None:
        self._origin = origin
        self._seconds = seconds
        self._tell = tell
        self._wanted = Wanted()
        self._is_over = False
        self._woken = threading.Event()
        # As a daemon: the end of the program does not wait for a server that hangs.
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)

    @property
    def wanted(self) -> Wanted:
        """What is asked for now."""
        return self._wanted

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def want(self, wanted: Wanted) -> None:
        """Ask for something else from now on, and at once."""
        self._wanted = wanted
        self._woken.set()

    def close(self) -> None:
        """Ask no more."""
        self._is_over = True
        self._woken.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        while not self._is_over:
            self._woken.clear()
            answer = ask(self._origin, self._wanted)
            if not self._is_over:
                self._tell(answer)
                self._woken.wait(self._seconds)
        self._origin.close()


def ask(origin: Origin, wanted: Wanted) -> Answer:
    """Ask once; an error is an answer too."""
    try:
        summary = origin.summary(top=wanted.top, order=wanted.order, query=wanted.query)
        answer = Answer(wanted, summary)
        if wanted.source is not None:
            answer = replace(answer, details=origin.details(wanted.source))
    except UnknownError as error:
        return replace(answer, unknown=str(error))
    except LogwatchError as error:
        return Answer(wanted, problem=str(error))
    except Exception as error:  # noqa: BLE001 - told, instead of a page that stands still
        return Answer(wanted, problem=f"{type(error).__name__}: {error}; please report this")
    return answer
