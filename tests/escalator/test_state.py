"""What was undone, as it is remembered."""

from logwatch.escalator.state import UNDONE_MOST, Undone


def test_what_was_undone_is_forgotten_when_no_rule_sees_it() -> None:
    """The oldest first."""
    undone = Undone({"203.0.113.2/32": 20.0, "203.0.113.1/32": 10.0}, seconds=60.0)
    undone.forget(70.5)
    assert {"203.0.113.2/32": 20.0} == dict(undone)


def test_the_latest_of_too_many_are_remembered() -> None:
    """So that the ConfigMap keeps within what the API takes."""
    undone = Undone({}, seconds=60.0)
    for number in range(UNDONE_MOST + 2):
        undone.add(f"2001:db8:0:{number:x}::/64", 1.0)
    undone.forget(1.0)
    assert (UNDONE_MOST, "2001:db8:0:2::/64") == (len(undone), next(iter(undone)))


def test_only_what_is_added_has_to_be_saved_at_once() -> None:
    """What is forgotten would be forgotten again."""
    undone = Undone({"203.0.113.1/32": 10.0}, seconds=60.0)
    undone.forget(100.0)
    assert (0, 0) == (len(undone), undone.revision)
    undone.add("203.0.113.1/32", 100.0)
    assert 1 == undone.revision
