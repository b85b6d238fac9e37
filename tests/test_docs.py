"""What the documents show is what the commands print."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from logwatch.config import Config
from logwatch.config.file import parse
from logwatch.export.families import FAMILIES

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def consoles() -> list[tuple[str, str, str]]:
    """(document, command, output) of every block of console."""
    found = []
    for document in DOCUMENTS:
        for block in re.findall(r"```console\n(.*?)```", document.read_text(), re.DOTALL):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((document.name, command, output))
    return found


@pytest.mark.parametrize(("document", "command", "output"), consoles())
def test_a_command_in_a_document_prints_what_is_written_there(
    document: str, command: str, output: str
) -> None:
    del document
    name, *arguments = shlex.split(command)
    assert "logwatch" == name
    done = subprocess.run(
        [sys.executable, "-m", "logwatch", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        # The recorded lines have stamps without a zone.
        env={**os.environ, "TZ": "UTC"},
        check=False,
    )
    assert (output, "") == (done.stdout, done.stderr)


def test_the_configuration_that_is_shown_is_the_default() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    [shown] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert Config() == parse(shown.encode(), "docs/configuration.md")


def anchors(document: Path) -> set[str]:
    """Give what GitHub calls the headings: small letters, blanks as dashes, only words else."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_between_documents_lead_somewhere() -> None:
    """To a file that is there, and to a heading in it."""
    links = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
    for document in DOCUMENTS:
        for target, anchor in links.findall(document.read_text()):
            leads_to = document.parent / target if target else document
            assert leads_to.exists(), f"{document.name}: {target}"
            if anchor:
                assert anchor in anchors(leads_to), f"{document.name}: {target}#{anchor}"


def test_every_metric_has_its_row() -> None:
    """`make generated` writes the page anew."""
    page = ROOT / "docs" / "metrics.md"
    made = subprocess.run(
        [sys.executable, page.with_suffix(".py")], capture_output=True, text=True, check=True
    )
    assert made.stdout == page.read_text()


def test_no_metric_is_left_out() -> None:
    """The methods that make families name them; the bounded ones are rows of a table."""
    sources = [path.read_text() for path in (ROOT / "logwatch" / "export").glob("*.py")]
    methods = [name for text in sources for name in re.findall(r'"""`(logwatch_\w+)`\."""', text)]
    assert len(methods) > 30
    names = [*methods, *(f"{shown.name}_total" for shown in FAMILIES)]
    page = (ROOT / "docs" / "metrics.md").read_text()
    assert sorted(names) == sorted(re.findall(r"^\| `(logwatch_\w+)`", page, re.MULTILINE))
