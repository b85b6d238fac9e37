"""What `deploy/` installs, on the lab's API server: definitions, ServiceAccounts, rights."""

from pathlib import Path

import yaml
from lab.api_server import ApiServer, kubectl
from lab.definitions import wait_until_served
from lab.identity import Identity

DEPLOY = Path(__file__).parents[2] / "deploy"
NAMESPACE = "calico-logwatch"
PARTS = ("namespace.yaml", "crds", "rbac.yaml", "lease.yaml", "admission.yaml")


def install(server: ApiServer, directory: Path) -> None:
    """Install all but the workloads; `directory` is for kubectl's own files."""
    files = [f"--filename={DEPLOY / part}" for part in PARTS]
    kubectl(server.admin, directory, "apply", "--server-side", *files)
    wait_until_served(server.admin, own_definitions())


def allow_policies(server: ApiServer, directory: Path) -> None:
    """Let the escalator write the policy as well, as the component `policy-shape` does."""
    role = DEPLOY / "policy-shape" / "rbac.yaml"
    kubectl(server.admin, directory, "apply", "--server-side", f"--filename={role}")


def take_rights(admin: Identity) -> None:
    """Take all rights in the whole cluster from the escalator."""
    for name in ("logwatch-escalator", "logwatch-escalator-policy"):
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}"
        admin.call("PUT", path, {"metadata": {"name": name}, "rules": []})


def own_definitions() -> list[dict]:
    """Give the definitions of logwatch's own kinds."""
    return [yaml.safe_load(path.read_text()) for path in (DEPLOY / "crds").glob("*.yaml")]


def escalator(server: ApiServer) -> Identity:
    """Give the escalator's ServiceAccount."""
    return server.identity(NAMESPACE, "logwatch-escalator")


def agent(server: ApiServer, node: str) -> Identity:
    """Give the agent's ServiceAccount as its Pod on a Node has it; the Node is made."""
    server.node(node)
    return server.identity(NAMESPACE, "logwatch-agent", node=node)
