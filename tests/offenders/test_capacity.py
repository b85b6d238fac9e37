"""Evidence of so many sources, and no more."""

from offenders.packets import Sent, policies, summary

from logwatch.config import Brakes
from logwatch.offenders import Offenders, Protected
from logwatch.offenders.language import read

(RULE,) = read(b"rule ports\n    when distinct ports >= 9 within 1h\n    ban 1h\n", "a.rules").rules
NOON = 1_700_000_000.0


def test_capacity_bounds_the_sources_and_evictions_are_counted() -> None:
    """A source that comes back makes the dullest one give up its place; one seen once does not."""
    offenders = Offenders(
        [RULE], Protected((), own=list), mode="observe", limits=Brakes(), capacity=100
    )
    for second in range(2):
        sent = [Sent(f"203.0.{number // 250}.{number % 250}") for number in range(300)]
        counted = summary(sent)
        offenders.observe(counted, NOON + second, NOON + second, policies(counted))
        assert 100 == offenders.tracked
        assert (offenders.evictions > 0) is (second == 1)
