"""The image's steps, and what runs in it as our Pods do: without root, capabilities, or files."""

import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.image import Mount, Stage, User, build
from deploy.manifests import DEPLOY, Object, found
from lab.namespace import LabError, require
from lab.process import free_port
from lab.rsyslog import eventually

LINES = DEPLOY.parent / "fixtures" / "scan" / "lines.log"
ADM = 4


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Give the image, built anew."""
    try:
        require()
        return build(DEPLOY / "Dockerfile", DEPLOY.parent, tmp_path_factory.mktemp("image"))
    except LabError as error:
        raise pytest.fail.Exception(f"the image can't be built: {error}", pytrace=False) from None


@pytest.fixture
def agent(objects: list[Object]) -> Object:
    """Give the spec of an agent's Pod."""
    return found(objects, "DaemonSet", "logwatch-agent")["spec"]["template"]["spec"]


def user_of(pod: Object, container: Object) -> User:
    """Who a container runs as. Its own securityContext stands above that of the Pod."""
    context = pod["securityContext"] | container["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert {"drop": ["ALL"]} == context["capabilities"]
    groups = [context["fsGroup"], *context["supplementalGroups"]]
    return User(context["runAsUser"], context["runAsGroup"], groups)


@pytest.fixture
def state(tmp_path: Path, image: Stage, agent: Object) -> Path:
    """Give the state's directory as the kubelet makes it and the initContainer leaves it."""
    directory = tmp_path / "state"
    directory.mkdir(mode=0o755)
    _prepare(image, agent, directory)
    return directory


def _prepare(image: Stage, agent: Object, directory: Path) -> None:
    [container] = agent["initContainers"]
    [mount] = container["volumeMounts"]
    assert (0, "", "") == image.run(
        container["command"],
        mounts=[Mount(directory, mount["mountPath"], writable=True)],
        user=user_of(agent, container),
    )


def test_only_logwatch_and_what_it_needs_is_in_the_image(image: Stage) -> None:
    """Neither sources nor compiler nor pip."""
    assert ["logwatch"] == sorted(path.name for path in (image.root / "opt").iterdir())
    assert not (image.root / "source").exists()
    assert not (image.root / "opt/logwatch/bin/pip").exists()


def test_the_page_and_its_chart_library_are_in_the_image(image: Stage) -> None:
    """What npm gets in the build reaches the package that is installed."""
    installed = "python3*/site-packages/logwatch/export/static"
    [static] = (image.root / "opt/logwatch/lib").glob(installed)
    chart_library = ["uPlot.LICENSE.txt", "uPlot.esm.js", "uPlot.min.css"]
    assert chart_library == sorted(path.name for path in (static / "vendor").iterdir())
    assert (static / "index.html").exists()


def test_its_user_is_that_of_the_pods(image: Stage, agent: Object) -> None:
    context = agent["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == image.user


def test_root_without_capabilities_gives_the_state_s_directory_to_the_agent(
    image: Stage, agent: Object, state: Path
) -> None:
    group = agent["securityContext"]["runAsGroup"]
    assert (0, group, 0o770) == (
        state.stat().st_uid,
        state.stat().st_gid,
        state.stat().st_mode & 0o7777,
    )
    _prepare(image, agent, state)  # as whenever the Pod starts


def test_a_directory_that_the_node_s_administrator_prepared_is_left_alone(
    tmp_path: Path, image: Stage, agent: Object
) -> None:
    directory = tmp_path / "prepared"
    directory.mkdir(mode=0o700)
    user = agent["securityContext"]["runAsUser"]
    os.chown(directory, user, user)
    _prepare(image, agent, directory)
    assert (user, user, 0o700) == (
        directory.stat().st_uid,
        directory.stat().st_gid,
        directory.stat().st_mode & 0o7777,
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a directory as /var/log is on Ubuntu: its syslog is for the group adm."""
    directory = tmp_path / "log"
    directory.mkdir()
    shutil.copy(LINES, directory / "syslog")
    os.chown(directory / "syslog", 0, ADM)
    (directory / "syslog").chmod(0o640)
    return directory


@pytest.fixture
def running(
    image: Stage, agent: Object, state: Path, log: Path
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Give where the agent serves, and its process, in the image as the Pod has it."""
    port = free_port()
    [container] = agent["containers"]
    with image.start(
        [
            *(*image.entrypoint, "agent", "--log", "/var/log/syslog", "--from", "start"),
            *("--state", "/var/lib/logwatch", "--listen", f"127.0.0.1:{port}"),
        ],
        mounts=[Mount(log, "/var/log"), Mount(state, "/var/lib/logwatch", writable=True)],
        user=user_of(agent, container),
    ) as process:
        yield f"http://127.0.0.1:{port}", process
        if process.poll() is None:
            process.kill()


def answer(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=10) as found:
            return found.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return ""


def test_an_agent_counts_is_ready_and_ends_in_time(
    running: tuple[str, subprocess.Popen[str]], agent: Object
) -> None:
    url, process = running
    assert eventually(lambda: process.poll() is not None or answer(f"{url}/healthz") == "ok\n", 30)
    assert eventually(lambda: 'port="30080",protocol="tcp"} 24' in answer(f"{url}/metrics"), 30)
    assert "ok\n" == answer(f"{url}/readyz")
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(agent["terminationGracePeriodSeconds"])


def test_it_can_write_its_state_and_tmp_alone(
    image: Stage, agent: Object, state: Path, log: Path
) -> None:
    [container] = agent["containers"]
    _, _, errors = image.run(
        ["sh", "-c", "touch /x /opt/logwatch/x /var/log/x; touch /var/lib/logwatch/x"],
        mounts=[Mount(log, "/var/log"), Mount(state, "/var/lib/logwatch", writable=True)],
        user=user_of(agent, container),
    )
    assert 3 == errors.count("Read-only file system")
    assert ["x"] == [path.name for path in state.iterdir()]


def test_stamps_are_read_in_the_zone_of_the_node(image: Stage, agent: Object, log: Path) -> None:
    """They tell none; Kolkata is 5:30 ahead of UTC, all year."""
    [container] = agent["containers"]
    [zone] = [each["value"] for each in container["env"] if each["name"] == "TZ"]
    [place] = [
        each["mountPath"] for each in container["volumeMounts"] if each["name"] == "localtime"
    ]
    assert f":{place}" == zone
    times = []
    for name in ("UTC", "Asia/Kolkata"):
        _, output, _ = image.run(
            [*image.entrypoint, "report", "/var/log/syslog", "--format", "json"],
            mounts=[Mount(log, "/var/log"), Mount(Path("/usr/share/zoneinfo", name), place)],
            user=user_of(agent, container),
            environment={"TZ": zone},
        )
        times.append(json.loads(output)["sources"][0]["first"])
    assert ("11:48:17", "06:18:17") == (times[0][11:19], times[1][11:19])
