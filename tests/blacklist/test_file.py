"""The policy file on a real file system."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from logwatch.blacklist import (
    Change,
    Enforced,
    NetworkError,
    PolicyError,
    PolicyFile,
    blacklist_policy,
)
from logwatch.blacklist.storage import MAX_SIZE, Content, TextFile, Version

Load = Callable[[str], list[Any]]

OFFENDER = "203.0.113.7/32"
POLICY = [blacklist_policy([IPv4Network(OFFENDER)])]


FOREIGN = b"""\
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: blacklist}
spec:
  preDNAT: true
  ingress:
  - action: Allow
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "blacklist.yaml"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 16 KiB, which needs root."""
    directory = tmp_path / "disk"
    directory.mkdir()
    options = ["-t", "tmpfs", "-o", "size=16k", "none"]
    subprocess.run(["mount", *options, str(directory)], check=True)
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def test_the_file_is_made_changed_and_emptied(path: Path, load: Load) -> None:
    file = PolicyFile(path)
    assert Enforced() == file.read()
    assert Change(written=True, added=(OFFENDER,)) == file.write([OFFENDER])
    assert POLICY == load(path.read_text())
    assert 0o644 == stat.S_IMODE(path.stat().st_mode)
    got = file.write(["2001:db8::/64", "203.0.113.9/32"])
    assert (
        Change(written=True, added=("203.0.113.9/32", "2001:db8::/64"), removed=(OFFENDER,)) == got
    )
    assert ("203.0.113.9/32", "2001:db8::/64") == file.read().own
    assert ("203.0.113.9/32", "2001:db8::/64") == PolicyFile(path).read().own
    assert Change(written=True, removed=("203.0.113.9/32", "2001:db8::/64")) == file.write([])
    assert [] == load(path.read_text())[0]["spec"]["ingress"]
    assert ["blacklist.yaml"] == names(path.parent)


def test_without_networks_no_file_is_made(path: Path) -> None:
    assert Change(written=False) == PolicyFile(path).write([])
    assert not path.exists()


def test_nothing_is_written_when_nothing_changed(path: Path) -> None:
    file = PolicyFile(path)
    file.write([OFFENDER, "203.0.113.9/32"])
    before = path.stat()
    for each in (file, PolicyFile(path)):
        assert Change(written=False) == each.write(["203.0.113.9/32", OFFENDER, OFFENDER])
        assert Change(written=False) == each.write(["203.0.113.9", OFFENDER])
    assert before == path.stat()


def test_drift_is_seen_and_repaired(path: Path) -> None:
    file = PolicyFile(path)
    file.write([OFFENDER])
    right = path.read_text()
    path.write_text(right.replace("protocol: UDP", "protocol: SCTP"))
    assert () == file.read().own
    assert Change(written=True, added=(OFFENDER,)) == file.write([OFFENDER])
    path.unlink()
    assert () == file.read().own
    assert Change(written=True, added=(OFFENDER,)) == file.write([OFFENDER])
    assert right == path.read_text()


def test_what_others_deny_counts_as_enforced(path: Path) -> None:
    path.write_text(
        "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: blacklist}\n"
        "spec: {preDNAT: true, ingress: [{action: Deny, source: {nets: [203.0.113.0/24]}}]}\n"
    )
    file = PolicyFile(path)
    assert Change(written=False) == file.write([OFFENDER])
    enforced = file.read()
    assert ((), ("203.0.113.0/24",)) == (enforced.own, enforced.other)
    assert enforced.holds(OFFENDER)
    assert not enforced.holds("203.0.112.7/32")


def test_nested_networks_collapse_and_neighbours_stay(path: Path) -> None:
    file = PolicyFile(path)
    file.write(["203.0.113.0/24", OFFENDER, "198.51.100.7/32", "198.51.100.6/32"])
    assert ("198.51.100.6/32", "198.51.100.7/32", "203.0.113.0/24") == file.read().own


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "203.0.112.0/23", "::ffff:0:0/96"])
def test_nothing_wider_than_the_floor_is_written(path: Path, network: str) -> None:
    with pytest.raises(PolicyError, match="is too wide to be denied"):
        PolicyFile(path).write([OFFENDER, network])
    assert not path.exists()


def test_more_networks_than_a_policy_takes_are_refused(path: Path) -> None:
    networks = [f"203.{number >> 8}.{number & 255}.1/32" for number in range(2049)]
    file = PolicyFile(path)
    with pytest.raises(PolicyError, match=r"2049 networks are too many.*blacklist.shape: sets"):
        file.write(networks)
    assert 2048 == len(file.write(networks[:2048]).added)
    with pytest.raises(NetworkError):
        file.write(["everyone"])


@pytest.mark.parametrize(("number", "sizes"), [(256, [256] * 2), (257, [256, 256, 1, 1])])
def test_a_rule_takes_256_networks_and_the_rest_goes_into_others(
    path: Path, load: Load, number: int, sizes: list[int]
) -> None:
    PolicyFile(path).write([f"10.0.{each >> 8}.{each & 255}/32" for each in range(number)])
    (policy,) = load(path.read_text())
    assert sizes == [len(rule["source"]["nets"]) for rule in policy["spec"]["ingress"]]


def test_a_policy_larger_than_its_annotations_may_be_is_refused(path: Path) -> None:
    """Networks of IPv6 addresses in full length are twice as long as those of /64."""
    networks = [f"2001:db8:1111:2222:3333:4444:5555:{each:x}/128" for each in range(4096, 6144)]
    with pytest.raises(PolicyError, match="larger than the 262144 bytes"):
        PolicyFile(path).write(networks)
    assert not path.exists()


def test_mode_and_owner_stay(path: Path) -> None:
    path.write_text("# mine\n")
    path.chmod(0o640)
    os.chown(path, 1234, 2345)
    PolicyFile(path).write([OFFENDER])
    status = path.stat()
    assert (0o640, 1234, 2345) == (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def test_a_symbolic_link_stays_and_its_target_is_replaced(path: Path, load: Load) -> None:
    target = path.parent / "real" / "policy.yaml"
    target.parent.mkdir()
    path.symlink_to("real/policy.yaml")
    file = PolicyFile(path)
    file.write([OFFENDER])  # a dangling link at first
    assert path.is_symlink()
    assert POLICY == load(target.read_text())
    other = path.parent / "other.yaml"
    other.write_text("")
    path.unlink()
    path.symlink_to(other)
    assert () == file.read().own
    file.write([OFFENDER])
    assert POLICY == load(other.read_text())
    assert ["policy.yaml"] == names(target.parent)


def test_line_ends_and_byte_order_mark_stay(path: Path) -> None:
    PolicyFile(path).write([OFFENDER])
    text = path.read_text() + "# end\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    PolicyFile(path).write([OFFENDER, "203.0.113.9/32"])
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf# Written by")
    assert data.endswith(b"\r\n# end\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")
    PolicyFile(path).write([OFFENDER])
    assert b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() == path.read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: [1\n", "line 2: this is not valid YAML"),
        (b"# fine\n- a\n- b\n", "no Kubernetes object"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "control character"),
        (b"a: 1\nb: \xff\xfe\n", "line 2: this is not UTF-8 text"),
        (b"#" * (MAX_SIZE + 1), "larger than 4 MiB"),
        (
            FOREIGN,
            "line 7: a rule of policy 'blacklist' has action 'Allow'",
        ),
    ],
    ids=["broken", "list", "binary", "latin", "huge", "foreign"],
)
def test_a_file_that_can_not_be_used_stays_as_it_is(path: Path, data: bytes, words: str) -> None:
    path.write_bytes(data)
    file = PolicyFile(path)
    for attempt in (file.read, lambda: file.write([OFFENDER]), lambda: file.write([])):
        with pytest.raises(PolicyError, match=r"^[^\n]+$") as caught:
            attempt()
        assert words in str(caught.value)
        assert str(caught.value).startswith(str(path))
    assert data == path.read_bytes()
    assert ["blacklist.yaml"] == names(path.parent)


def test_what_is_no_file_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(PolicyError, match="is not a regular file"):
        PolicyFile(path).read()
    fifo = path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(PolicyError, match="is not a regular file"):
        PolicyFile(fifo).write([OFFENDER])
    with pytest.raises(PolicyError, match=r"directory .*/none does not exist; create it"):
        PolicyFile(path / "none" / "blacklist.yaml").read()
    file = path / "file"
    file.write_text("")
    with pytest.raises(PolicyError, match="name a file in a directory"):
        PolicyFile(file / "blacklist.yaml").read()


def test_a_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    path = small_disk / "blacklist.yaml"
    file = PolicyFile(path)
    file.write([OFFENDER])
    before = path.read_bytes()
    (small_disk / "rest").write_bytes(b"x" * 4096)
    networks = [f"203.0.{number >> 8}.{number & 255}/32" for number in range(512)]
    with pytest.raises(PolicyError, match=r"can't be replaced \(No space left.*free some space"):
        file.write(networks)
    assert before == path.read_bytes()
    assert ["blacklist.yaml", "rest"] == names(small_disk)
    assert (OFFENDER,) == file.read().own


def test_a_read_only_file_system_is_told(small_disk: Path) -> None:
    path = small_disk / "blacklist.yaml"
    file = PolicyFile(path)
    file.write([OFFENDER])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(PolicyError, match="writable file system"):
        file.write([])
    assert (OFFENDER,) == file.read().own


class _EditedFile(TextFile):
    """Lets somebody edit the file between reading and replacing it, some times."""

    def __init__(self, path: Path, edits: list[Callable[[], object]]) -> None:
        super().__init__(path)
        self._edits = edits

    def replace(self, content: Content, data: bytes) -> Version | None:
        if self._edits:
            self._edits.pop(0)()
        return super().replace(content, data)


class _Editor(PolicyFile):
    """A policy file that somebody edits as well."""

    def __init__(self, path: Path, edits: list[Callable[[], object]]) -> None:
        super().__init__(path)
        self._source = self._target = _EditedFile(path, edits)


def test_an_edit_in_between_is_merged(path: Path, load: Load) -> None:
    """In place, replaced, removed, or made where no file was."""

    def in_place() -> None:
        path.write_text("# theirs\n" + path.read_text())

    def replaced() -> None:
        path.with_suffix(".new").write_text("# theirs\n" + path.read_text())
        path.with_suffix(".new").rename(path)

    for edit in (in_place, replaced):
        path.unlink(missing_ok=True)
        PolicyFile(path).write([OFFENDER])
        _Editor(path, [edit]).write([OFFENDER, "203.0.113.9/32"])
        assert path.read_text().startswith("# theirs\n")
        assert (OFFENDER, "203.0.113.9/32") == PolicyFile(path).read().own

    _Editor(path, [path.unlink]).write([OFFENDER])
    assert POLICY == load(path.read_text())

    path.unlink()
    _Editor(path, [lambda: path.write_text("# theirs\n")]).write([OFFENDER])
    assert path.read_text().startswith("# theirs\n")
    assert POLICY == load(path.read_text())
    assert ["blacklist.yaml"] == names(path.parent)


def test_edits_again_and_again_are_given_way_to(path: Path) -> None:
    def edit() -> None:
        path.write_text(path.read_text() + "# theirs\n")

    PolicyFile(path).write([OFFENDER])
    with pytest.raises(PolicyError, match="changed by someone else"):
        _Editor(path, [edit, edit]).write([])
    assert path.read_text().endswith("# theirs\n# theirs\n")
    assert ["blacklist.yaml"] == names(path.parent)


def test_a_reader_never_sees_half_a_file(path: Path, load: Load) -> None:
    networks = [f"203.0.113.{number}/32" for number in range(40)]
    file = PolicyFile(path)
    file.write(networks[:1])
    is_over = threading.Event()
    seen: list[str] = []

    def read() -> None:
        while not is_over.is_set():
            text = path.read_text()
            if not seen or seen[-1] != text:
                seen.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    for count in range(2, 40):
        file.write(networks[:count])
    is_over.set()
    reader.join()
    assert len(seen) > 1
    for text in seen:
        (policy,) = load(text)
        count = len(policy["metadata"]["annotations"]["calico-logwatch.io/networks"].split())
        assert [networks[:count]] * 2 == [
            rule["source"]["nets"] for rule in policy["spec"]["ingress"]
        ]


OTHERS = """\
# theirs
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: blacklist}
spec:
  preDNAT: true
  ingress:
  - action: Deny
    source:
      nets: [198.51.100.7/32]
---
apiVersion: v1
kind: Namespace
metadata: {name: theirs}
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "blacklist.proposed.yaml"


def test_a_proposal_is_the_whole_policy_file(path: Path, target: Path) -> None:
    path.write_text(OTHERS)
    path.chmod(0o640)
    before = Version.of(path.stat())
    file = PolicyFile(path, target=target)
    assert Change(written=True, added=(OFFENDER,)) == file.write([OFFENDER])
    assert () == file.read().own
    assert before == Version.of(path.stat())
    proposed = PolicyFile(target).read()
    assert ((OFFENDER,), ("198.51.100.7/32",)) == (proposed.own, proposed.other)
    assert target.read_text().startswith("# theirs\n")
    assert target.read_text().endswith(OTHERS.partition("---\n")[2])
    assert 0o640 == stat.S_IMODE(target.stat().st_mode)
    wanted = ["203.0.113.9/32"]
    change = Change(written=True, added=("203.0.113.9/32",), removed=(OFFENDER,))
    assert change == file.write(wanted)
    first = Version.of(target.stat())
    for each in (file, PolicyFile(path, target=target)):
        assert Change(written=False) == each.write(wanted)
    assert first == Version.of(target.stat())


def test_a_proposal_follows_what_others_do(path: Path, target: Path) -> None:
    """To the policy file, which may be absent, and to the proposal."""
    file = PolicyFile(path, target=target)
    assert Change(written=True, added=(OFFENDER,)) == file.write([OFFENDER])
    assert not path.exists()
    path.write_text(OTHERS)
    assert Change(written=True) == file.write([OFFENDER])
    assert target.read_text().startswith("# theirs\n")
    right = target.read_bytes()
    for damage in (b"", b"a: [1\n", OTHERS.encode()):
        target.write_bytes(damage)
        assert Change(written=True, added=(OFFENDER,)) == file.write([OFFENDER])
        assert right == target.read_bytes()
    target.rename(path)
    assert Change(written=False) == file.write([OFFENDER])
    assert ["blacklist.yaml"] == names(path.parent)


def test_without_anything_to_propose_no_proposal_is_made(path: Path, target: Path) -> None:
    file = PolicyFile(path, target=target)
    assert Change(written=False) == file.write([])
    path.write_text(OTHERS)
    assert Change(written=False) == file.write([])
    assert ["blacklist.yaml"] == names(path.parent)
    file.write([OFFENDER])
    assert Change(written=True, removed=(OFFENDER,)) == file.write([])
    assert OTHERS == target.read_text()


def test_nothing_is_proposed_for_a_broken_policy_file(path: Path, target: Path) -> None:
    path.write_bytes(b"a: [1\n")
    with pytest.raises(PolicyError, match=rf"^{path}, line 2: this is not valid YAML"):
        PolicyFile(path, target=target).write([OFFENDER])
    assert ["blacklist.yaml"] == names(path.parent)


@pytest.mark.parametrize("name", [None, "blacklist.proposed.yaml"], ids=["enforce", "propose"])
def test_the_same_networks_again_are_not_even_parsed(path: Path, name: str | None) -> None:
    path.write_text(OTHERS)
    file = PolicyFile(path, target=None if name is None else path.with_name(name))
    networks = tuple(f"203.0.{number}.7/32" for number in range(256))
    file.write(networks)
    calls: list[str] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls.append(frame.f_code.co_name)

    for again in (networks, (*networks[:1], *networks[1:])):
        calls.clear()
        sys.setprofile(profile)
        try:
            change = file.write(again)
        finally:
            sys.setprofile(None)
        assert Change(written=False) == change
        assert not {"parse_network", "load", "collapse"} & set(calls)
        assert (1 if name is None else 2) == calls.count("stat")


def test_temporary_files_of_a_killed_writer_are_removed(path: Path) -> None:
    """Only old ones, of this very file, named as ours are."""
    stale = path.with_name(".blacklist.yaml.a1b2_c3d.tmp")
    kept = [".blacklist.yaml.young_00.tmp", ".blacklist.yaml.bak.tmp", ".other.yaml.a1b2_c3d.tmp"]
    for name in (stale.name, *kept):
        path.with_name(name).write_text("half")
        if "young" not in name:
            hour_ago = path.with_name(name).stat().st_mtime - 3600
            os.utime(path.with_name(name), (hour_ago, hour_ago))
    PolicyFile(path).write([OFFENDER])
    assert sorted(["blacklist.yaml", *kept]) == names(path.parent)
