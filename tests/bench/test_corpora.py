"""The benchmark's files hold what their names promise, the same on every machine."""

import gzip
import hashlib
import random
from pathlib import Path

import pytest
import traffic
from corpora import ALL, MIXED, VERSION, Corpus, make_archive

from logwatch.packets import Scanner, Summary

COUNT = 2_000
DIGESTS = {
    "storm": "109487e44232f5cb",
    "mixed": "09149f4768259449",
    "v4": "ce64dc89a599925e",
    "v6": "9829e4f5d46be169",
    "sources-1000": "f5a396253097e956",
}


def counted(text: str) -> Summary:
    scanner = Scanner(list(traffic.PREFIXES))
    scanner.feed(text.encode())
    return scanner.drain()


def families(summary: Summary) -> set[str]:
    return {"v6" if ":" in source else "v4" for source, *_ in summary.sources()}


@pytest.mark.parametrize("name", DIGESTS)
def test_lines_of_a_version_stay_as_they_are(name: str) -> None:
    """A file made earlier is taken for what would be made now: raise VERSION when lines change."""
    text = "".join(ALL[name].first(COUNT))

    assert (2, DIGESTS[name]) == (VERSION, hashlib.sha256(text.encode()).hexdigest()[:16])


@pytest.mark.parametrize("name", DIGESTS)
def test_as_many_lines_are_packets_as_the_corpus_says(name: str) -> None:
    corpus = ALL[name]
    packets = COUNT * corpus.packets // corpus.lines

    summary = counted("".join(corpus.first(COUNT)))

    assert (packets, COUNT - packets) == (summary.lines["packet"], summary.lines["other"])


@pytest.mark.parametrize(
    ("name", "expected"), [("storm", {"v4", "v6"}), ("v4", {"v4"}), ("v6", {"v6"})]
)
def test_families_are_those_of_the_name(name: str, expected: set[str]) -> None:
    assert expected == families(counted("".join(ALL[name].first(COUNT))))


def test_each_source_of_a_uniform_corpus_sends_equally_often_to_one_port() -> None:
    chance = random.Random(1)
    text = traffic.uniform(chance, sources=50)

    flows = counted("".join(traffic.syslog(150, 1, text, chance))).flows()

    assert 50 == len({source for source, *_ in flows})
    assert [3] * 50 == [packets for _, _, _, packets, *_ in flows]


def test_the_first_lines_do_not_depend_on_how_many_are_asked_for() -> None:
    assert list(MIXED.first(50)) == list(MIXED.first(100))[:50]


def test_a_corpus_has_no_more_lines_than_it_says() -> None:
    corpus = Corpus("few", 40, 4)

    assert 40 == len(list(corpus.first(100)))


def test_an_archive_holds_the_lines_of_its_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    corpus = Corpus("few", 40, 4)
    corpus.path.parent.mkdir(parents=True)
    corpus.path.write_text("a line\n")

    archive = make_archive(corpus, "gz")

    assert f"few-{VERSION}.log.gz" == archive.name
    assert b"a line\n" == gzip.decompress(archive.read_bytes())
