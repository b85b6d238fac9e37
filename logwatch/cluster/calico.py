"""What a cluster's Calico speaks: the API group, whether it may be written, a policy's names.

Calico's own API (`projectcalico.org/v3`) is used where it is served, else the resources it is kept
in (`crd.projectcalico.org/v1`). Which of them is there changes while a cluster is upgraded or its
data moved, so no answer holds for long.
"""

import time
from collections.abc import Callable
from typing import Final

from logwatch.blacklist import POLICY_NAME
from logwatch.cluster.api import Api
from logwatch.cluster.errors import ClusterError, NotFound, NotServed, Unavailable
from logwatch.cluster.kind import Kind

V3: Final = ("projectcalico.org", "v3")
V1: Final = ("crd.projectcalico.org", "v1")

HOLDS_SECONDS = 60.0
"""How long an answer holds: v3 may come while all goes well under v1. It costs one small request a
minute."""

STORED_NAME = f"default.{POLICY_NAME}"
"""How Calico before v3.32 keeps a policy of its default tier in v1."""

STORED_METADATA = "projectcalico.org/metadata"
"""In v1 the annotation in which Calico keeps the metadata of an object that was written through v3:
what it says of labels counts more than the object's own."""


class Calico:
    """Calico in one cluster. Used from one thread at a time."""

    def __init__(self, api: Api, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._group: tuple[str, str] | None = None
        self._until = 0.0

    def kind(self, plural: str) -> Kind:
        """Name a collection in the group that is used now. Raises ClusterError."""
        if self._group is None or self._clock() >= self._until:
            self._group = self._resolved()
            self._until = self._clock() + HOLDS_SECONDS
        return Kind(*self._group, plural)

    def forget(self) -> None:
        """Ask anew for the group the next time."""
        self._until = 0.0

    def note(self, error: ClusterError) -> None:
        """Forget the group if an answer may mean that it is another one now: 404 or 5xx."""
        if isinstance(error, NotServed | Unavailable):
            self.forget()

    def require_ready(self) -> None:
        """Raise Unavailable when nothing may be written now, or another ClusterError.

        Calico says so while its data move from one group to the other: what is written then is
        lost. Where it says nothing, it is ready.
        """
        kind = self.kind("clusterinformations")
        try:
            information = self._api.get(kind, "default")
        except NotServed:
            raise
        except NotFound:
            return
        if (information.get("spec") or {}).get("datastoreReady") is False:
            raise Unavailable(
                f"datastoreReady of {kind} default is false: Calico's data are being moved, and"
                " nothing is written until it is true again"
            )

    def policy_names(self) -> tuple[str, ...]:
        """Give the names under which the policy may be found, the likelier first."""
        kind = self.kind("globalnetworkpolicies")
        return (POLICY_NAME,) if kind.group == V3[0] else (POLICY_NAME, STORED_NAME)

    def _resolved(self) -> tuple[str, str]:
        groups = self._api.groups()
        for group, version in (V3, V1):
            if version in groups.get(group, ()):
                return group, version
        raise NotServed(
            f"{self._api.server} serves neither {V3[0]}/{V3[1]} nor {V1[0]}/{V1[1]}: install"
            " Calico, or leave out what writes its sets and policies"
        )
