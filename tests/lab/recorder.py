"""The command line of what records cases."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from lab.namespace import LabError


class Named(Protocol):
    """A case."""

    @property
    def name(self) -> str: ...


Case = TypeVar("Case", bound=Named)


def record_named(cases: Iterable[Case], record: Callable[[Case], str]) -> int:
    """Record the cases named on the command line, or all; return the exit code."""
    program = Path(sys.argv[0]).name
    known = {case.name: case for case in cases}
    names = sys.argv[1:] or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"{program}: no case {' '.join(unknown)}; there are {' '.join(known)}\n")
        return 2
    failures = 0
    for name in names:
        try:
            sys.stdout.write(f"{record(known[name])}\n")
            sys.stdout.flush()
        except LabError as error:
            failures += 1
            sys.stderr.write(f"{program}: {error}\n")
    return 1 if failures else 0
