"""The whole pages of agent and escalator, in both formats, are those in `golden/`.

`make generated` writes them anew; what changed is then in the diff of the commit.
"""

import os
from difflib import unified_diff
from pathlib import Path

import pytest
from export.views import cluster_view, node_view

from logwatch.export import EscalatorCollector, Metrics

GOLDEN = Path(__file__).with_name("golden")

AGENT = Metrics(node_view, version="1.2.3")
ESCALATOR = Metrics(cluster_view, version="1.2.3", collector=EscalatorCollector, families=())

FORMATS = {"txt": "", "openmetrics": "application/openmetrics-text; version=1.0.0"}


def without_the_moment(page: str) -> str:
    """Put 0 for the process's own numbers, which are those of this moment."""
    return "".join(
        f"{line.split()[0]} 0\n" if line.startswith("process_") else line
        for line in page.splitlines(keepends=True)
    )


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(("name", "metrics"), [("agent", AGENT), ("escalator", ESCALATOR)])
def test_the_whole_page_is_as_promised(name: str, metrics: Metrics, ending: str) -> None:
    """Names, types, help texts, labels, order and values of every family."""
    golden = GOLDEN / f"{name}.{ending}"
    page = without_the_moment(metrics.render(FORMATS[ending])[0].decode())
    if os.environ.get("LOGWATCH_UPDATE_GOLDEN"):
        golden.write_text(page, encoding="utf-8")
    promised = golden.read_text(encoding="utf-8")
    lines = (promised.splitlines(), page.splitlines())
    difference = "\n".join(unified_diff(*lines, golden.name, "now", n=0, lineterm=""))
    assert promised == page, difference
