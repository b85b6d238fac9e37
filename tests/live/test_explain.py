"""What `logwatch blacklist why` answers, in words."""

from offenders.judging import NOW, judge_by, nets, scan

from logwatch.control import Explained
from logwatch.live import explained
from logwatch.offenders import Offenders


def why(judge: Offenders, network: str, now: float) -> Explained:
    (target,) = nets(network)
    return explained(judge, target, now)


def test_who_was_banned_before_is_told_with_the_number_of_the_next_ban() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    assert None is why(judge, "203.0.113.7/32", NOW).ended
    judge.expire(NOW + 3600)
    answer = why(judge, "203.0.113.7/32", NOW + 3600)
    assert answer.ended is not None
    assert ("ports", 1, 2) == (answer.ended.rule, answer.ended.offence, answer.next_offence)
    assert "2023-11-14T23:13:20Z" == answer.ended.expires


def test_of_whom_nothing_counts_any_more_no_rule_is_the_nearest() -> None:
    judge = judge_by()
    judge.see(scan(ports=range(7)), NOW, NOW)
    expected = "203.0.113.7/32 is not banned: nearest is rule ports with 7 of 15 ports within 1m"
    assert expected == why(judge, "203.0.113.7/32", NOW).verdict
    judge.see(scan("203.0.113.8", range(7)), NOW + 600, NOW + 600)
    expected = "203.0.113.7/32 is not banned: nothing that counts was seen of it lately ("
    assert why(judge, "203.0.113.7/32", NOW + 600).verdict.startswith(expected)


def test_of_several_sources_nothing_is_said_but_that_they_are_judged_one_by_one() -> None:
    judge = judge_by()
    judge.see(scan(ports=range(7)), NOW, NOW)
    for network in ("203.0.113.0/24", "2001:db8::/48"):
        verdict = why(judge, network, NOW).verdict
        assert f"{network} is not banned: rules judge each address " in verdict
