"""What programs make is what is committed; `make generated` writes it anew."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.parametrize(
    ("made", "program"),
    [
        ("prometheus/prometheus-rule.yaml", "prometheus/wrap.py"),
        ("grafana/logwatch.json", "grafana/dashboard"),
    ],
)
def test_what_is_made_is_what_is_committed(made: str, program: str) -> None:
    command = [sys.executable, str(DEPLOY / program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (DEPLOY / made).read_text()


def panels() -> list[dict]:
    """Give the dashboard's panels, those of closed rows too."""
    board = json.loads((DEPLOY / "grafana" / "logwatch.json").read_text())
    nested = [inner for panel in board["panels"] for inner in panel.get("panels", [])]
    return [panel for panel in [*board["panels"], *nested] if panel["type"] != "row"]


def test_every_panel_tells_what_it_is_and_asks_the_chosen_source() -> None:
    for panel in panels():
        assert panel["description"].endswith("."), panel["title"]
        looks = panel["fieldConfig"]
        units = [each for look in looks["overrides"] for each in look["properties"]]
        assert looks["defaults"].get("unit") or "unit" in {each["id"] for each in units}
        for asked in (panel, *panel["targets"]):
            assert {"type": "prometheus", "uid": "${datasource}"} == asked["datasource"]


def test_links_lead_to_the_live_page_that_is_chosen() -> None:
    """An address in a table to the page of this source."""
    board = json.loads((DEPLOY / "grafana" / "logwatch.json").read_text())
    assert ["${page}", "${page}readyz"] == [link["url"] for link in board["links"]]
    [page] = [each for each in board["templating"]["list"] if each["name"] == "page"]
    assert page["query"].endswith("/")
    with_sources = [panel for panel in panels() if "source" in str(panel.get("transformations"))]
    assert 3 == len(with_sources)
    for panel in with_sources:
        [look] = [
            each
            for each in panel["fieldConfig"]["overrides"]
            if each["matcher"] == {"id": "byName", "options": "Source"}
        ]
        [links] = look["properties"]
        assert "${page}#/source/${__value.text}" == links["value"][0]["url"]


def test_every_panel_is_known_by_a_number_of_its_own() -> None:
    """Links to a panel hold it."""
    numbers = [panel["id"] for panel in panels()]
    assert sorted(set(numbers)) == sorted(numbers)
    assert len({panel["title"] for panel in panels()}) == len(numbers)
