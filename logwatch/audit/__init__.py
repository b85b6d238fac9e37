"""What was decided, and what became of it: the audit log, and who tells of it."""

from logwatch.audit.log import AuditError, AuditLog
from logwatch.audit.rules import rules_in_force
from logwatch.audit.teller import Teller, possible_bans, shortened

__all__ = ["AuditError", "AuditLog", "Teller", "possible_bans", "rules_in_force", "shortened"]
