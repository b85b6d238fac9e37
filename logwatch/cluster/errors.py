"""What can go wrong with the API server, as a person is told it.

A tree small enough to handle by kind: who lost a race (Conflict) reads again, who hears nothing
(Unreachable) waits. Messages name the verb and the path; what the server said is cut, so that
neither a page of a proxy nor a whole object ends in a log.
"""

from http import HTTPStatus

import msgspec

from logwatch.errors import LogwatchError

MOST_TEXT = 300
"""Characters kept of what a server said: its sentence and the first few causes."""


class Details(msgspec.Struct):
    """What a Status says of the object: its name, and how many seconds to leave it alone."""

    name: str = ""
    after: float = msgspec.field(default=0.0, name="retryAfterSeconds")


class Status(msgspec.Struct):
    """meta.k8s.io/v1 Status: an answer that is an error, or the object of an ERROR event."""

    code: int = 0
    message: str = ""
    reason: str = ""
    details: Details = msgspec.field(default_factory=Details)


class ClusterError(LogwatchError):
    """The API server said no. The base is for answers that nobody handles by kind."""

    def __init__(self, message: str, status: Status | None = None) -> None:
        super().__init__(message)
        status = status or Status()
        self.status = status.code
        """The HTTP status; 0 where there was no answer."""
        self.reason = status.reason
        """The API's word for it, such as `AlreadyExists`; empty where there is none."""
        self.after = status.details.after
        """How many seconds the server wants to be left alone."""


class NotFound(ClusterError):
    """404: there is no object of that name."""


class NotServed(NotFound):
    """404: the API server doesn't know the kind: no CRD, or another version of it."""


class Conflict(ClusterError):
    """409: the object exists already, has changed since, or fields of it belong to others.

    Also a JSON patch that doesn't fit the object as it is now (a 422): the race was lost, too.
    """


class Forbidden(ClusterError):
    """403: RBAC or an admission policy doesn't let this identity do it."""


class Unauthorized(ClusterError):
    """401: the token is not, or no longer, good."""


class Invalid(ClusterError):
    """400, 413 or 422: the object breaks its schema, a rule of its CRD, or a limit."""


class Gone(ClusterError):
    """410: what was asked for is compacted; list anew."""


class Unavailable(ClusterError):
    """429 or 5xx: not now."""


class Unreachable(ClusterError):
    """No answer: refused, reset, cut off, a certificate that is not trusted, or a timeout."""


class ConnectError(ClusterError):
    """There is nothing to connect by: no kubeconfig, no mounted token, or a broken one."""


# All that the API server (1.34) says of a JSON patch that can't be applied: a `test` failed, or a
# path is not there. What breaks a schema is said in other words.
_UNFIT_PATCH = "the server rejected our request due to an error in our request"

_KINDS: dict[int, tuple[type[ClusterError], str]] = {
    HTTPStatus.BAD_REQUEST: (Invalid, "put the request right"),
    HTTPStatus.UNAUTHORIZED: (Unauthorized, "give a token that is good at this API server"),
    HTTPStatus.FORBIDDEN: (Forbidden, "grant it to this identity"),
    HTTPStatus.CONFLICT: (Conflict, "read again, then write"),
    HTTPStatus.GONE: (Gone, "list anew"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (Invalid, "make the object smaller"),
    HTTPStatus.UNPROCESSABLE_ENTITY: (Invalid, "put the object right"),
}


def refusal(action: str, status: Status) -> ClusterError:
    """Give the error for an answer from 400 on; `action` is its verb and path."""
    code, details = status.code, status.details
    if code == HTTPStatus.NOT_FOUND:
        if details.name:
            return NotFound(_sentence(action, status, "create it"), status)
        return NotServed(_sentence(action, status, "install its CRD, or its API server"), status)
    if code == HTTPStatus.TOO_MANY_REQUESTS or code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(_sentence(action, status, "try again later"), status)
    if code == HTTPStatus.UNPROCESSABLE_ENTITY and status.message == _UNFIT_PATCH:
        return Conflict(_sentence(action, status, "read again, then write"), status)
    kind, right = _KINDS.get(code, (ClusterError, "this is not foreseen"))
    return kind(_sentence(action, status, right), status)


def status_of(body: bytes, code: int, *, after: float = 0.0) -> Status:
    """Read the body of an answer with that HTTP status, whoever wrote it.

    `after` is its Retry-After, in seconds.
    """
    try:
        status = msgspec.json.decode(body, type=Status)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        status = Status(message=body.decode(errors="replace"))
    status.code = code
    status.details.after = max(status.details.after, after)
    return status


def cut(text: str) -> str:
    """Give one line of at most MOST_TEXT characters."""
    text = " ".join(text.split())
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _sentence(action: str, status: Status, right: str) -> str:
    return f"{action} was answered with {status.code} ({cut(status.message)}): {right}"
