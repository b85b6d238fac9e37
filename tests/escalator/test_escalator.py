"""The escalator on a real API server, as its ServiceAccount, with what nodes report."""

from escalator.conftest import Cluster
from escalator.reports import report, scan, write

from logwatch.offenders import read_rules

RULES = read_rules(None).rules
SCANNER = "203.0.113.7"


def test_a_scanner_of_one_node_is_banned(cluster: Cluster) -> None:
    """The decision is an entry with its evidence, and the set denies its network."""
    escalator = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    escalator.wait_for(lambda: cluster.denied() == {f"{SCANNER}/32"}, "the set")
    escalator.wait_for(lambda: cluster.phases() == {f"{SCANNER}/32": "Enforced"}, "the entry")
    entry = cluster.entries()[f"{SCANNER}/32"]
    assert ("many-ports", 1) == (entry["spec"]["rule"], entry["status"]["offences"])
    assert 20 == entry["status"]["evidence"]["packets"]
