"""Offenders: evidence per source, rules that judge it, bans and what is never banned.

Decides only; who writes a policy asks `Offenders.networks`.
"""

from logwatch.offenders.addresses import PROC_NET, AddressesError, own_addresses, resolvers
from logwatch.offenders.ban import BY_HAND, Ban, Evidence, Mode
from logwatch.offenders.book import BANS, open_bans
from logwatch.offenders.freeze import CALM_SECONDS, Frozen
from logwatch.offenders.language import Rule
from logwatch.offenders.manual import (
    Decided,
    ManualError,
    TargetError,
    check_request,
    lie,
    named,
    read_target,
)
from logwatch.offenders.memory import Excerpt, Memory
from logwatch.offenders.offence import NearMiss, Offence
from logwatch.offenders.offenders import Offenders
from logwatch.offenders.plan import plan
from logwatch.offenders.protected import Protected, Protection
from logwatch.offenders.refusal import REFUSALS, Refusal
from logwatch.offenders.rules_file import RulesError, read_rules
from logwatch.offenders.why import Near, Stop, Why
from logwatch.offenders.witness import Nearest, Testimony, Witness
from logwatch.offenders.words import sent_in_words

__all__ = [
    "BANS",
    "BY_HAND",
    "CALM_SECONDS",
    "PROC_NET",
    "REFUSALS",
    "AddressesError",
    "Ban",
    "Decided",
    "Evidence",
    "Excerpt",
    "Frozen",
    "ManualError",
    "Memory",
    "Mode",
    "Near",
    "NearMiss",
    "Nearest",
    "Offence",
    "Offenders",
    "Protected",
    "Protection",
    "Refusal",
    "Rule",
    "RulesError",
    "Stop",
    "TargetError",
    "Testimony",
    "Why",
    "Witness",
    "check_request",
    "lie",
    "named",
    "open_bans",
    "own_addresses",
    "plan",
    "read_rules",
    "read_target",
    "resolvers",
    "sent_in_words",
]
