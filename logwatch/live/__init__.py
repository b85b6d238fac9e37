"""What the live page shows: numbers by time, who is banned and who is near it, what is wrong.

Made when somebody looks, from what is counted anyway; nothing of it is saved.
"""

from logwatch.live.explain import explained
from logwatch.live.facts import Decided, Known, decided, known
from logwatch.live.health import Finding, Health, decision_findings, findings_of, health_of
from logwatch.live.history import History, by_policy
from logwatch.live.questions import Questions
from logwatch.live.services import service
from logwatch.live.source import Commands, commands_of, counted_as, source_page, target_of
from logwatch.live.summary import Host, Node, NodeState, summary_page

__all__ = [
    "Commands",
    "Decided",
    "Finding",
    "Health",
    "History",
    "Host",
    "Known",
    "Node",
    "NodeState",
    "Questions",
    "by_policy",
    "commands_of",
    "counted_as",
    "decided",
    "decision_findings",
    "explained",
    "findings_of",
    "health_of",
    "known",
    "service",
    "source_page",
    "summary_page",
    "target_of",
]
