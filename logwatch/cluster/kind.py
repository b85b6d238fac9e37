"""The name of a collection of objects, and its paths in the API."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection: `group` is empty for the core; without a `namespace` all, or cluster-scoped."""

    group: str
    version: str
    plural: str
    namespace: str | None = None

    @property
    def api_version(self) -> str:
        """What its objects carry as `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, name: str | None = None, subresource: str | None = None) -> str:
        """Give the path of the collection, or of one object in it."""
        root = f"/apis/{self.group}" if self.group else "/api"
        namespace = () if self.namespace is None else ("namespaces", self.namespace)
        parts = (self.version, *namespace, self.plural, name, subresource)
        return "/".join([root, *(quote(part, safe="") for part in parts if part is not None)])

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural
