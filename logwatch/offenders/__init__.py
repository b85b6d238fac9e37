"""Offenders: evidence per source, rules that judge it, bans and what is never banned.

Decides only; who writes a policy asks `Offenders.networks`.
"""

from logwatch.offenders.addresses import PROC_NET, AddressesError, own_addresses
from logwatch.offenders.ban import Ban, Evidence, Mode
from logwatch.offenders.offenders import REFUSALS, Offence, Offenders, Refusal
from logwatch.offenders.protected import Protected, Protection
from logwatch.offenders.rules_file import RulesError, read_rules

__all__ = [
    "PROC_NET",
    "REFUSALS",
    "AddressesError",
    "Ban",
    "Evidence",
    "Mode",
    "Offence",
    "Offenders",
    "Protected",
    "Protection",
    "Refusal",
    "RulesError",
    "own_addresses",
    "read_rules",
]
