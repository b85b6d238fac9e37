"""Who speaks to the lab's API server: a bearer token, as a client, a plain call or a kubeconfig."""

import base64
import json
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import urllib3
from kubernetes import client

TIMEOUT = 30.0


class RefusedError(Exception):
    """The API server's answer was no: its HTTP status, and its sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Identity:
    """A token and where it is good: `url`, whose certificate `certificate` (a file) vouches for."""

    url: str
    certificate: Path
    token: str

    def through(self, url: str) -> "Identity":
        """Give the same identity, speaking through a proxy."""
        return replace(self, url=url)

    def client(self) -> client.ApiClient:
        """Give a client of the kubernetes package, without retries; the caller closes it."""
        configuration = client.Configuration(
            host=self.url,
            ssl_ca_cert=str(self.certificate),
            api_key={"authorization": self.token},
            api_key_prefix={"authorization": "Bearer"},
            retries=False,
        )
        return client.ApiClient(configuration)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content: str = "application/json",
        accept: str = "application/json",
    ) -> dict:
        """Send one request, and give the object that is answered; RefusedError from 400 on.

        `content` is the type of a PATCH, such as `application/apply-patch+yaml`.
        """
        with urllib3.PoolManager(ca_certs=str(self.certificate)) as pool:
            answer = pool.request(
                method,
                self.url + path,
                body=None if body is None else json.dumps(body),
                headers={
                    "Authorization": f"Bearer {self.token}",
                    "Content-Type": content,
                    "Accept": accept,
                },
                timeout=TIMEOUT,
                retries=False,
            )
        try:
            found = json.loads(answer.data)
        except ValueError:  # /readyz and its like answer in plain text
            found = {"message": answer.data.decode(errors="replace")}
        if answer.status >= 400:
            raise RefusedError(answer.status, found.get("message", ""))
        return found

    def user(self) -> dict:
        """Give who the API server takes this for: username, groups, and extra."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        return self.call("POST", path, review)["status"]["userInfo"]

    def has(self, path: str) -> bool:
        """Whether there is what a path names."""
        try:
            self.call("GET", path)
        except RefusedError as error:
            if error.status != 404:
                raise
            return False
        return True

    def accepted(self) -> bool:
        """Whether the API server takes the token."""
        try:
            self.user()
        except RefusedError as error:
            if error.status != 401:
                raise
            return False
        return True

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig file for this identity, for kubectl and for programs."""
        configuration = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "clusters": [
                {
                    "name": "lab",
                    "cluster": {
                        "server": self.url,
                        "certificate-authority": str(self.certificate),
                    },
                }
            ],
            "users": [{"name": "lab", "user": {"token": self.token}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        }
        path.write_text(json.dumps(configuration))
        path.chmod(0o600)  # kubectl and Helm complain of a token that others can read
        return path

    def mounted(self, directory: Path) -> Path:
        """Write what a Pod finds in /var/run/secrets/kubernetes.io/serviceaccount."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "token").write_text(self.token)
        (directory / "ca.crt").write_bytes(self.certificate.read_bytes())
        return directory


def aged(identity: Identity, key: Path, seconds: int) -> Identity:
    """Give a ServiceAccount's identity whose token ends in `seconds`, which may be negative.

    The API itself makes none that lives less than 600 s, so this signs one as the API server does,
    with its `key`. The server allows a minute for clocks that differ: with -60 it is over now.
    """
    header, claims, _ = identity.token.split(".")
    ending = int(time.time()) + seconds
    content = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    content |= {"exp": ending, "iat": ending - 3600, "nbf": ending - 3600}
    signed = f"{header}.{_base64(json.dumps(content).encode())}"
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", str(key)],
        input=signed.encode(),
        capture_output=True,
        check=True,
    ).stdout
    return replace(identity, token=f"{signed}.{_base64(signature)}")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
