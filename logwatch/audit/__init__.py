"""What was decided, what became of it, and what fails: the audit log, and who tells of it."""

from logwatch.audit.log import AuditError, AuditLog
from logwatch.audit.problems import Problems
from logwatch.audit.rules import rules_in_force
from logwatch.audit.teller import Teller, possible_bans, shortened

__all__ = [
    "AuditError",
    "AuditLog",
    "Problems",
    "Teller",
    "possible_bans",
    "rules_in_force",
    "shortened",
]
