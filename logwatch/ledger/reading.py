"""Looks into a state file that no agent has open, and changes nothing in it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from logwatch.ledger.errors import StateError
from logwatch.ledger.store import BUSY_SECONDS, FILE_NAME


def saved_documents(directory: Path, collection: str) -> dict[str, bytes] | None:
    """Return the documents of a collection by name; None where there is no state file.

    Raises StateError when it can't be read.
    """
    path = directory / FILE_NAME
    try:
        path.stat()
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)
        with closing(connection):
            rows = connection.execute(
                "SELECT name, body FROM documents WHERE collection = ?", [collection]
            )
            return {json.loads(name): bytes(body) for name, body in rows}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StateError(
            f"The state directory {directory} can't be read ({error.strerror}): run the command as"
            " root or as the agent's user."
        ) from error
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise StateError(
            f"The state file {path} can't be read ({error}): run the command as root or as the"
            " agent's user; an agent that starts sets a damaged one aside."
        ) from error
