"""A Dockerfile's steps and a Pod's containers, run without a registry and a container runtime.

A base image is this machine's system, mounted read-only under a root of its own: what a step writes
and the next one finds is as in an image. What this can't show is that the base images hold what
this machine does. `apt-get` is left out, since the system is not to be written to. Needs root.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.namespace import LabError

SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64")
# Copied, since places in /etc are mounted over: who is who, libraries, names, certificates, pip,
# and where a name such as `cc` leads.
CONFIGURATION = (
    *("passwd", "group", "ld.so.cache", "nsswitch.conf", "hosts", "resolv.conf"),
    *("ssl", "pip.conf", "alternatives"),
)
# Where this machine has Python, and Rust with what it has compiled already.
TOOLS = (
    Path(sys.base_prefix),
    Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")),
    Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup")),
)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "calico-logwatch/cargo"


@dataclass(frozen=True, slots=True)
class Mount:
    """What of this machine is seen at a place of the root."""

    source: Path
    place: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """Who a process is; it has no capability and can't get one."""

    user: int
    group: int
    groups: Sequence[int] = ()

    @property
    def command(self) -> list[str]:
        """What makes the command behind it run so."""
        groups = ",".join(map(str, [self.group, *self.groups]))
        return [
            *("setpriv", f"--reuid={self.user}", f"--regid={self.group}", f"--groups={groups}"),
            *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"),
        ]


@dataclass(slots=True)
class Stage:
    """One stage: its root, and what its instructions have set."""

    root: Path
    directory: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)

    def command(
        self,
        command: Sequence[str],
        *,
        mounts: Sequence[Mount] = (),
        user: User | None = None,
    ) -> list[str]:
        """Give what runs a command in it; as a user the root is read-only, as in our Pods."""
        root = shlex.quote(str(self.root))
        lines = [f"mount --bind {root} {root}"]
        for mount in [*_system(self.root), *mounts]:
            place = self.root / mount.place.lstrip("/")
            if mount.source.is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            at = shlex.quote(str(place))
            lines.append(f"mount --rbind {shlex.quote(str(mount.source))} {at}")
            if not mount.writable:
                lines.append(f"mount -o remount,bind,ro {at}")
        lines += [f"mount -t proc proc {root}/proc", f"mount -t tmpfs tmpfs {root}/tmp"]
        if user is not None:
            lines.append(f"mount -o remount,bind,ro {root}")
        within = f"cd {shlex.quote(self.directory)} && exec {shlex.join(command)}"
        as_user = user.command if user is not None else []
        lines.append(f"exec {shlex.join(['chroot', str(self.root), *as_user, 'sh', '-c', within])}")
        return ["unshare", "--mount", "--propagation=private", "sh", "-euc", "\n".join(lines)]

    def start(
        self,
        command: Sequence[str],
        *,
        mounts: Sequence[Mount] = (),
        user: User | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a command in it, with its output in pipes."""
        return subprocess.Popen(
            self.command(command, mounts=mounts, user=user),
            env={"PATH": _path(), **self.environment, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        command: Sequence[str],
        *,
        mounts: Sequence[Mount] = (),
        user: User | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[int, str, str]:
        """Run a command in it to its end; give the exit code, the output and the errors."""
        started = self.start(command, mounts=mounts, user=user, environment=environment)
        with started as process:
            output, errors = process.communicate()
        return process.returncode, output, errors


def build(dockerfile: Path, context: Path, work: Path) -> Stage:
    """Carry out the instructions, and give the last stage."""
    stages: dict[str, Stage] = {}
    arguments: dict[str, str] = {}
    stage = Stage(work)
    for instruction, text in _instructions(dockerfile.read_text()):
        match instruction:
            case "ARG":
                name, _, value = text.partition("=")
                arguments[name] = value
            case "FROM":
                _, _, name = text.partition(" AS ")
                stage = stages[name] = Stage(_root(work / (name or "image")))
            case "WORKDIR":
                stage.directory = text
                (stage.root / text.lstrip("/")).mkdir(parents=True)
            case "ENV":
                stage.environment |= dict(pair.split("=", 1) for pair in shlex.split(text))
            case "USER":
                stage.user = text
            case "ENTRYPOINT":
                stage.entrypoint = shlex.split(re.sub(r'[][",]', " ", text))
            case "COPY":
                _copy(text, stage, stages, context)
            case "RUN" if not text.startswith("apt-get"):
                _step(text, stage)
    return stage


def _instructions(text: str) -> list[tuple[str, str]]:
    whole = text.replace("\\\n", " ")
    lines = [line for line in whole.splitlines() if line and not line.startswith("#")]
    return [(name, " ".join(rest.split())) for name, _, rest in (x.partition(" ") for x in lines)]


def _root(path: Path) -> Path:
    for name in ("proc", "dev", "tmp"):
        (path / name).mkdir(parents=True)
    for name in SYSTEM:
        here = Path("/", name)
        if here.is_symlink():
            (path / name).symlink_to(here.readlink())
    (path / "etc").mkdir()
    for name in CONFIGURATION:
        here = Path("/etc", name)
        if here.is_dir():
            shutil.copytree(here, path / "etc" / name, symlinks=True)
        elif here.exists():
            shutil.copy(here, path / "etc" / name)
    return path


def _system(root: Path) -> list[Mount]:
    paths = [Path("/", name) for name in SYSTEM if not (root / name).is_symlink()]
    paths += [path for path in TOOLS if not path.is_relative_to("/usr")]
    return [Mount(path, str(path)) for path in paths if path.exists()] + [
        Mount(Path("/dev"), "/dev", writable=True)
    ]


def _path() -> str:
    programs = [str(path / "bin") for path in TOOLS]
    return ":".join([*programs, "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"])


def _step(text: str, stage: Stage) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    registry = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    code, output, errors = stage.run(
        ["sh", "-c", text],
        mounts=[
            Mount(CACHE, "/cache", writable=True),
            Mount(TOOLS[1], str(TOOLS[1]), writable=True),  # where cargo keeps what it fetches
        ],
        environment={"CARGO_TARGET_DIR": "/cache", "HOME": str(Path.home()), **registry},
    )
    if code != 0:
        raise LabError(f"RUN {text}: {output}{errors}")


def _copy(text: str, stage: Stage, stages: Mapping[str, Stage], context: Path) -> None:
    *sources, place = text.split()
    source_root = context
    if sources[0].startswith("--from="):
        source_root = stages[sources.pop(0).removeprefix("--from=")].root
    target = stage.root / Path(stage.directory, place).relative_to("/")
    for name in sources:
        source = source_root / name.lstrip("/")
        if source.is_dir():
            # What Dockerfile.dockerignore leaves out.
            left_out = ("__pycache__", "target", "*.so", "fuzz", "node_modules", "vendor")
            ignored = shutil.ignore_patterns(*left_out)
            is_ours = source_root == context
            shutil.copytree(source, target, symlinks=True, ignore=ignored if is_ours else None)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
