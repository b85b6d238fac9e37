"""What is told of decisions, and where."""

import json
from collections import Counter
from pathlib import Path

import structlog
from offenders.judging import NOW, judge_by, scan
from structlog.testing import capture_logs

from logwatch.audit import AuditLog, Teller
from logwatch.audit.teller import TOLD_MOST
from logwatch.config import Brakes


def test_of_many_decisions_at_once_the_log_sums_up_and_the_audit_log_does_not(
    tmp_path: Path,
) -> None:
    number = TOLD_MOST + 12
    judge = judge_by(limits=Brakes(bans=2 * number, bans_per_minute=2 * number, share_percent=100))
    path = tmp_path / "audit.jsonl"
    audit = AuditLog(path, {}, "enforce")
    counts: Counter[str] = Counter()
    teller = Teller(judge, audit, structlog.get_logger(), lambda family, _: counts.update([family]))
    sources = [f"203.0.{each}.7" for each in range(number)]
    with capture_logs() as logs:
        decided = judge.see([sent for each in sources for sent in scan(each)], NOW, NOW)
        assert teller.offences(decided)
    audit.write()
    assert Counter({"offences": number, "bans": number}) == counts
    networks = {f"{each}/32" for each in sources}
    assert networks == {json.loads(line)["network"] for line in path.read_text().splitlines()}
    events = Counter(each["event"] for each in logs)
    assert {"ban decided": TOLD_MOST, "more decided at once": 1} == events
    more = logs[-1]
    assert (12, "and 2 more") == (more["number"], more["networks"][-1])
    told = {each["network"] for each in logs[:-1]} | set(more["networks"][:-1])
    assert (TOLD_MOST + 10, True) == (len(told), told < networks)
