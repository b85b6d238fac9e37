"""The language of rules: text -> checked rules -> words. A door of its own.

Decides nothing about sources: `Rule.counts` and `Condition.matches` say what an engine has to
agree with. Needs pyparsing, so it is imported only by who reads rules.
"""

from logwatch.offenders.language.comments import comment_above
from logwatch.offenders.language.conditions import (
    All,
    Any,
    Condition,
    DestinationIn,
    FamilyIn,
    InterfaceIn,
    Leaf,
    Not,
    Packet,
    PolicyIn,
    PortIn,
    ProtocolIn,
    Reply,
    SourceIn,
    SynOnly,
    TierIn,
    normal,
)
from logwatch.offenders.language.defaults import DEFAULT_NAME, default_rules, default_text
from logwatch.offenders.language.format import (
    format_condition,
    format_duration,
    format_rules,
    summary,
)
from logwatch.offenders.language.problem import Problem, render
from logwatch.offenders.language.read import FILE_MOST, Reading, read
from logwatch.offenders.language.rule import EVIDENCE, Measure, Place, Rule
from logwatch.offenders.language.tree import tree
from logwatch.offenders.language.values import BAN_MOST, Wrong, duration
from logwatch.offenders.language.words import in_words

__all__ = [
    "BAN_MOST",
    "DEFAULT_NAME",
    "EVIDENCE",
    "FILE_MOST",
    "All",
    "Any",
    "Condition",
    "DestinationIn",
    "FamilyIn",
    "InterfaceIn",
    "Leaf",
    "Measure",
    "Not",
    "Packet",
    "Place",
    "PolicyIn",
    "PortIn",
    "Problem",
    "ProtocolIn",
    "Reading",
    "Reply",
    "Rule",
    "SourceIn",
    "SynOnly",
    "TierIn",
    "Wrong",
    "comment_above",
    "default_rules",
    "default_text",
    "duration",
    "format_condition",
    "format_duration",
    "format_rules",
    "in_words",
    "normal",
    "read",
    "render",
    "summary",
    "tree",
]
