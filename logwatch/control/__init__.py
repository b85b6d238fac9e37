"""The socket beside the state: what a person asks a running agent, and its answers.

Carries messages only; what is done about them is the agent's. `control.server` is a door of its
own: asyncio is imported only by who serves.
"""

from logwatch.control.client import ControlError, NotRunningError, ask
from logwatch.control.messages import (
    Add,
    Answer,
    Approve,
    Done,
    Entries,
    Entry,
    Explained,
    List,
    Proof,
    Refused,
    Remove,
    Request,
    RuleNearness,
    Why,
    entries_of,
    entry_of,
    proof_of,
)
from logwatch.control.moments import moment
from logwatch.control.place import SOCKET_NAME

__all__ = [
    "SOCKET_NAME",
    "Add",
    "Answer",
    "Approve",
    "ControlError",
    "Done",
    "Entries",
    "Entry",
    "Explained",
    "List",
    "NotRunningError",
    "Proof",
    "Refused",
    "Remove",
    "Request",
    "RuleNearness",
    "Why",
    "ask",
    "entries_of",
    "entry_of",
    "moment",
    "proof_of",
]
