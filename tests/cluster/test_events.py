"""Events as the API keeps them."""

from collections.abc import Callable
from datetime import UTC, datetime

from lab.api_server import ApiServer
from lab.identity import Identity
from lab.rsyslog import eventually
from lab.silent_proxy import SilentProxy

from logwatch.cluster import About, Api, Events, Kind
from logwatch.cluster.events import MOST_NOTE, MOST_SERIES, REPEAT_SECONDS, SERIES_SECONDS

EVENTS = Kind("events.k8s.io", "v1", "events", "default")
ENTRY = About("calico-logwatch.io/v1alpha1", "BlacklistEntry", "203.0.113.7-32")
NOTE = "203.0.113.7/32 is banned: 15 distinct ports within 1m"


class Teller:
    """Events of a process whose clock the test sets."""

    def __init__(self, api: Api) -> None:
        self.seconds = 0.0
        self.events = Events(
            api,
            "calico-logwatch.io/escalator",
            "escalator-1",
            clock=lambda: self.seconds,
            now=lambda: datetime(2026, 11, 28, tzinfo=UTC),
        )

    def tell(self, note: str = NOTE, *, after: float = 0.0, about: About = ENTRY) -> None:
        self.seconds += after
        self.events.tell("Banned", note, about, action="Ban")
        self.events.flush()


def told(api: Api) -> list[dict]:
    return [event for event in api.list(EVENTS).items if event["reason"] == "Banned"]


def test_an_event_about_a_cluster_scoped_object_is_in_the_default_namespace(api: Api) -> None:
    Teller(api).tell()
    (event,) = told(api)
    expected = {
        "eventTime": "2026-11-28T00:00:00.000000Z",
        "reportingController": "calico-logwatch.io/escalator",
        "reportingInstance": "escalator-1",
        "type": "Normal",
        "action": "Ban",
        "note": NOTE,
        "regarding": ENTRY.reference(),
    }
    assert expected == {name: event[name] for name in expected}


def test_an_event_about_an_object_of_a_namespace_is_there(api_server: ApiServer, api: Api) -> None:
    api_server.namespace("logwatch")
    Teller(api).tell(about=About("v1", "ConfigMap", "state", "logwatch"))
    place = Kind(EVENTS.group, EVENTS.version, EVENTS.plural, "logwatch")
    assert ["state"] == [event["regarding"]["name"] for event in api.list(place).items]


def test_what_repeats_is_one_event_that_counts_and_is_written_seldom(api: Api) -> None:
    teller = Teller(api)
    for _ in range(5):
        teller.tell()
    assert 1 == teller.events.written
    teller.tell(after=REPEAT_SECONDS)
    (event,) = told(api)
    assert 6 == event["series"]["count"]
    assert 2 == teller.events.written


def test_what_comes_again_after_long_is_an_event_of_its_own(api: Api) -> None:
    teller = Teller(api)
    teller.tell()
    teller.tell(after=SERIES_SECONDS)
    assert 2 == len(told(api))


def test_a_series_whose_event_the_server_has_forgotten_goes_on_in_a_new_one(api: Api) -> None:
    teller = Teller(api)
    teller.tell()
    api.delete(EVENTS, told(api)[0]["metadata"]["name"])
    teller.tell(after=REPEAT_SECONDS)
    assert 1 == len(told(api))


def test_a_long_note_is_cut_to_what_the_api_takes(api: Api) -> None:
    Teller(api).tell("ü" * 2000)
    assert ["ü" * (MOST_NOTE // 2)] == [event["note"] for event in told(api)]


def test_an_api_server_that_is_away_costs_the_event_and_nothing_else(
    api_server: ApiServer, connect: Callable[[Identity], Api], proxy: SilentProxy
) -> None:
    teller = Teller(connect(api_server.admin.through(proxy.url)))
    proxy.refuse()
    teller.tell()
    assert (0, 1) == (teller.events.written, teller.events.lost)
    assert "no answer" in str(teller.events.problem)
    proxy.resume()
    teller.tell("another")
    assert (1, 1, None) == (teller.events.written, teller.events.lost, teller.events.problem)


def test_more_than_can_wait_are_lost_and_counted(api: Api) -> None:
    teller = Teller(api)
    for number in range(MOST_SERIES + 3):
        teller.events.tell("Banned", str(number), ENTRY, action="Ban")
    assert 3 == teller.events.lost


def test_what_is_written_makes_room(api: Api) -> None:
    teller = Teller(api)
    teller.tell()
    for number in range(MOST_SERIES):
        teller.events.tell("Banned", str(number), ENTRY, action="Ban")
    assert 0 == teller.events.lost


def test_its_thread_writes_and_ends_with_everything_written(api: Api) -> None:
    events = Events(api, "calico-logwatch.io/escalator", "escalator-1")
    events.start()
    events.tell("Banned", NOTE, ENTRY, action="Ban")
    assert eventually(lambda: len(told(api)) == 1, 5)
    events.tell("Banned", NOTE, ENTRY, action="Ban")
    events.tell("Banned", "another", ENTRY, action="Ban", warning=True)
    events.stop()
    assert {(NOTE, 2, "Normal"), ("another", 1, "Warning")} == {
        (event["note"], event.get("series", {}).get("count", 1), event["type"])
        for event in told(api)
    }
