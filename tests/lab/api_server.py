"""The real kube-apiserver with the real etcd, RBAC on, on free ports of 127.0.0.1.

There is no controller-manager, no scheduler and no kubelet. What follows from that, and what else
was found with kube-apiserver 1.34.4 and etcd 3.4.23:

- A Namespace that is deleted stays Terminating. `reset` cleans by removing keys from etcd.
- No Namespace gets the ServiceAccount `default`: make what is needed with `service_account`. Pods
  are accepted and stay Pending, Deployments make no Pods, owner references collect nothing.
- A token bound to a Pod carries `authentication.kubernetes.io/node-name` (and node-uid, pod-name,
  pod-uid) in the user's extra, if the Pod has a spec.nodeName and that Node exists.
- A token is believed for 10 s after the server has last judged it, whatever happens to it, and for
  a minute after its end, since clocks may differ.
- A ValidatingAdmissionPolicy holds a second after it was made: see `admission`. Roles hold at once.
- etcd away: requests hang for as long as their client waits, 60 s at most, `/readyz` says so after
  some seconds; with etcd back after half a minute it takes the server another 20 s to see it.
- 410: after `kill` and `start` a watch from a version before the last change gets it, as an ERROR
  event with status 200. etcd itself is compacted every 5 minutes only.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Self

import urllib3
from lab import admission
from lab.etcd import Etcd
from lab.identity import Identity, RefusedError
from lab.namespace import LabError, run
from lab.process import Server, free_port
from lab.rsyslog import eventually

MODULE = Path(__file__).parent / "apiserver"
# Where the Service `default/kubernetes` leads. Loopback addresses are refused there, and a machine
# without a default route would have no other.
ADVERTISED = "198.51.100.10"
SERVICES = "10.96.0.0/16"
KUBERNETES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
ADMINISTRATOR = "administrator"
AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


class Call(NamedTuple):
    """One request as the API server saw it. `resource` is `group/resource/subresource`."""

    user: str
    verb: str
    resource: str
    name: str
    namespace: str
    code: int


class ApiServer:
    """An API server and its etcd in `directory`; a context manager.

    audit     False: no request is written down (for benchmarks)
    options   more options of kube-apiserver
    """

    def __init__(self, directory: Path, *options: str, audit: bool = True) -> None:
        self.directory = directory
        self.etcd = Etcd(directory)
        port = free_port()
        self.url = f"https://127.0.0.1:{port}"
        self.certificate = directory / "certificates" / "apiserver.crt"
        self.key = directory / "service-accounts.key"  # what tokens are signed with
        self.admin = Identity(self.url, self.certificate, "the-administrators-token")
        self._kinds: set[tuple[str, str, str]] = set()
        self._audit = directory / "audit.log"
        self._server = Server(
            [
                *(str(program("kube-apiserver")), f"--etcd-servers={self.etcd.url}"),
                *(f"--secure-port={port}", "--bind-address=127.0.0.1"),
                *(f"--advertise-address={ADVERTISED}", f"--service-cluster-ip-range={SERVICES}"),
                *(f"--cert-dir={self.certificate.parent}", "--authorization-mode=RBAC"),
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={self.key}",
                f"--service-account-signing-key-file={self.key}",
                f"--token-auth-file={directory / 'tokens.csv'}",
                "--shutdown-delay-duration=0s",
                *(self._auditing() if audit else ()),
                *options,
            ],
            directory / "apiserver.log",
        )

    def _auditing(self) -> list[str]:
        policy = self.directory / "audit-policy.json"
        return [f"--audit-policy-file={policy}", f"--audit-log-path={self._audit}"]

    def __enter__(self) -> Self:
        if shutil.which("etcd") is None:
            raise LabError("etcd is missing: run tests/lab/install.sh")
        (self.directory / "audit-policy.json").write_text(json.dumps(AUDIT))
        (self.directory / "tokens.csv").write_text(
            f'{self.admin.token},{ADMINISTRATOR},0,"system:masters"\n'
        )
        subprocess.run(
            ["openssl", "genrsa", "-out", str(self.key), "2048"], check=True, capture_output=True
        )
        try:
            self.etcd.start()
            self.start()
            self._wait_for_the_rest()
        except BaseException:
            self.__exit__()
            raise
        self.mark()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()
        self.etcd.close()

    def _wait_for_the_rest(self) -> None:
        # Readiness doesn't wait for the Service `default/kubernetes`; its slice comes last.
        if not eventually(lambda: self.admin.has(KUBERNETES), 30):
            raise LabError(f"there is no {KUBERNETES} after 30 s")

    def start(self) -> None:
        """Start it, again after `stop` or `kill` on the same data, and return when it is ready."""
        self._server.start(self.ready)

    def ready(self) -> bool:
        """Whether it says that it is ready: what it sets up at the start is there, too."""
        try:
            return self.admin.has("/readyz")
        except (RefusedError, urllib3.exceptions.HTTPError):
            return False

    def wait_until_ready(self, seconds: float = 30.0) -> None:
        """Return when it is ready again after etcd was away; its process has gone on."""
        if not eventually(self.ready, seconds):
            raise LabError(f"the API server is not ready after {seconds:g} s")

    def stop(self) -> None:
        """Let it end in order: watches are closed, requests answered."""
        self._server.stop()

    def kill(self) -> None:
        """Take it off without a word; etcd stays."""
        self._server.kill()

    @property
    def process_id(self) -> int:
        """The number of its process."""
        return self._server.process_id

    def mark(self) -> None:
        """Take the objects that there are now for the clean state."""
        self.etcd.mark()
        self._kinds = self._served()

    @contextmanager
    def more(self) -> Iterator[None]:
        """Let more belong to the clean state, by `mark`; afterwards all of it goes."""
        kinds, marked = self._kinds, self.etcd.marked
        yield
        self._kinds, self.etcd.marked = kinds, marked
        self.reset()

    def reset(self) -> None:
        """Go back to the clean state, and return when its kinds are served and its policies hold.

        Watches get events of what went, as with any other writer.
        """
        touched = self.etcd.reset()
        if any(key.startswith(admission.KEYS) for key in touched):
            admission.wait_until_policies_hold(self.admin)
        if not eventually(lambda: self._served() == self._kinds, 20):
            raise LabError("the kinds that are served are not those of the clean state after 20 s")

    def _served(self) -> set[tuple[str, str, str]]:
        return {
            (group["metadata"]["name"], version["version"], resource["resource"])
            for group in self.admin.call("GET", "/apis", accept=DISCOVERY)["items"]
            for version in group["versions"]
            for resource in version.get("resources", [])
        }

    def namespace(self, name: str, security: str = "restricted") -> None:
        """Make a Namespace that enforces a level of Pod Security."""
        labels = {"pod-security.kubernetes.io/enforce": security}
        self.admin.call(
            "POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}}
        )

    def service_account(self, namespace: str, name: str) -> None:
        """Make a ServiceAccount, without any right."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self.admin.call("POST", path, {"metadata": {"name": name}})

    def node(self, name: str, **spec: object) -> None:
        """Make a Node; its addresses are in `status`, a subresource."""
        self.admin.call("POST", "/api/v1/nodes", {"metadata": {"name": name}, "spec": spec})

    def identity(
        self, namespace: str, service_account: str, *, node: str | None = None, seconds: int = 3600
    ) -> Identity:
        """Give a ServiceAccount with a token of the TokenRequest API (600 s at least).

        With `node` as a Pod on that Node has it: the Pod is made, and the token bound to it.
        """
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        spec: dict[str, object] = {"audiences": [], "expirationSeconds": seconds}
        if node is not None:
            pod = self._pod(namespace, service_account, node)["metadata"]
            spec["boundObjectRef"] = {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": pod["name"],
                "uid": pod["uid"],
            }
        answer = self.admin.call("POST", f"{accounts}/{service_account}/token", {"spec": spec})
        made = replace(self.admin, token=answer["status"]["token"])
        # Tokens are judged by caches that may still know an earlier ServiceAccount of this name.
        if not eventually(made.accepted, 10):
            raise LabError(f"the token of {namespace}/{service_account} is not accepted")
        return made

    def _pod(self, namespace: str, service_account: str, node: str) -> dict:
        container = {
            "name": "logwatch",
            "image": "logwatch",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
        pod = {
            "metadata": {"generateName": f"{service_account}-"},
            "spec": {
                "nodeName": node,
                "serviceAccountName": service_account,
                "containers": [container],
            },
        }
        return self.admin.call("POST", f"/api/v1/namespaces/{namespace}/pods", pod)

    def calls(self, user: str = "") -> list[Call]:
        """Give the requests so far, all or of one user, as the audit log has them."""
        lines = self._audit.read_text().splitlines()
        calls = (_call(json.loads(line)) for line in lines)
        return [call for call in calls if user in {"", call.user}]


def _call(event: dict) -> Call:
    about = event.get("objectRef", {})
    parts = (about.get("apiGroup"), about.get("resource"), about.get("subresource"))
    return Call(
        user=event["user"].get("username", ""),  # nobody's, where the token is not accepted
        verb=event["verb"],
        resource="/".join(part for part in parts if part) or event["requestURI"].partition("?")[0],
        name=about.get("name", ""),
        namespace=about.get("namespace", ""),
        code=event["responseStatus"]["code"],
    )


def program(name: str) -> Path:
    """Give the path of `kube-apiserver` or `kubectl` as `make apiserver` has built it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "calico-logwatch"
    built = Path(run(str(MODULE / "build.sh"), "--path", str(cache)).strip()) / name
    if not built.exists():
        raise LabError(f"{built} is missing: run make apiserver (6 to 10 minutes, once)")
    return built


def kubectl(identity: Identity, directory: Path, *arguments: str, text: str | None = None) -> str:
    """Run kubectl as somebody, and give what it prints; its complaint is in the LabError."""
    configuration = identity.kubeconfig(directory / "kubeconfig")
    options = (f"--kubeconfig={configuration}", f"--cache-dir={directory / 'kubectl'}")
    return run(str(program("kubectl")), *options, *arguments, text=text)
