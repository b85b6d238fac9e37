"""The text of a policy file before and after our networks are put in, without any file."""

from collections.abc import Sequence

from logwatch.blacklist import Network, Shape
from logwatch.blacklist.arrange import arranged, contents_of
from logwatch.blacklist.merge import held as held_in
from logwatch.blacklist.ownership import Held
from logwatch.blacklist.spans import Span


def held(text: str) -> Held:
    """What the policy's own rules deny."""
    return held_in(contents_of(text).found)


def merge(text: str, networks: Sequence[Network], shape: Shape = "policy") -> tuple[str, Held]:
    """The text with exactly these networks as ours, and what the policy's own rules then deny."""
    contents = contents_of(text)
    after = arranged(contents, [Span.of(network) for network in networks], shape)
    return (text if after is contents else after.text), held_in(after.found)
