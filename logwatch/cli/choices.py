"""Values that options can take."""

from enum import StrEnum


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Mode(StrEnum):
    """What becomes of an offender."""

    OBSERVE = "observe"
    PROPOSE = "propose"
    ENFORCE = "enforce"


class Start(StrEnum):
    """Where to begin in a file that was never read before."""

    START = "start"
    END = "end"
