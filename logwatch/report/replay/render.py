"""The outcome of a replay as JSON for programs; times are RFC 3339 in UTC."""

import json

from logwatch.offenders import Ban, NearMiss
from logwatch.report.replay.difference import Difference
from logwatch.report.replay.judge import Refused
from logwatch.report.replay.outcome import SCHEMA, Outcome
from logwatch.report.report import moment


def render_json(outcome: Outcome, top: int = 0) -> str:
    """One JSON document, indented, with a line feed at its end; `top` 0 lists everything.

    Only ASCII: lines of a log may hold what acts on a terminal.
    """
    most = top or None
    decisions, never = outcome.decisions, outcome.never_banned
    document: dict[str, object] = {
        "schema": SCHEMA,
        "rules": outcome.rules,
        "bans": [_ban(ban) for ban in decisions.bans[:most]],
        "near": [_near(miss) for miss in decisions.near[:most]],
        "refused": [_refused(each) for each in decisions.refused[:most]],
    }
    if outcome.difference is not None:
        document["against"] = {
            "rules": outcome.against,
            **_difference(outcome.difference, most),
        }
    document |= {
        "never_banned": {
            "listed": list(never.listed),
            "own": None if never.own is None else list(never.own),
        },
        "totals": outcome.totals._asdict(),
        "first": _time(outcome.first),
        "last": _time(outcome.last),
        "inputs": [entry._asdict() for entry in outcome.inputs],
        "notes": list(outcome.notes),
        "interrupted": outcome.is_interrupted,
    }
    return json.dumps(document, indent=2) + "\n"


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else moment(int(seconds))


def _ban(ban: Ban) -> dict[str, object]:
    evidence = ban.evidence
    return {
        "cidr": ban.network,
        "rule": ban.rule,
        "at": _time(ban.since),
        "expires": _time(ban.expires),
        "offence": ban.offence,
        "reason": ban.reason,
        "evidence": {
            "packets": evidence.packets,
            "ports": list(evidence.ports),
            "destinations": list(evidence.destinations),
            "shapes": list(evidence.shapes),
            "first": _time(evidence.first),
            "last": _time(evidence.last),
            "samples": list(evidence.samples),
        },
    }


def _near(miss: NearMiss) -> dict[str, object]:
    return {
        "cidr": miss.network,
        "rule": miss.rule,
        "reached": miss.reached,
        "threshold": miss.threshold,
        "at": _time(miss.at),
    }


def _refused(refused: Refused) -> dict[str, object]:
    return {
        "cidr": refused.cidr,
        "rule": refused.rule,
        "reason": refused.reason,
        "why": refused.why,
        "did": refused.did,
        "first": _time(refused.first),
        "last": _time(refused.last),
        "times": refused.times,
    }


def _difference(difference: Difference, most: int | None) -> dict[str, object]:
    return {
        "only": [_ban(ban) for ban in difference.only[:most]],
        "only_against": [_ban(ban) for ban in difference.only_other[:most]],
        "changed": [
            {
                "cidr": changed.cidr,
                "ban": None if changed.ban is None else _ban(changed.ban),
                "against": None if changed.other is None else _ban(changed.other),
            }
            for changed in difference.changed[:most]
        ],
        "same": difference.same,
    }
