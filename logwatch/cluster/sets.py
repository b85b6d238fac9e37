"""Brings the decided networks into our GlobalNetworkSets, and tells what the API has of them.

1. Our sets are read from a watch. Where it hasn't seen our last write yet, or fails, they are
   listed: a plan is never made of what is older than what we did ourselves.
2. Each change is one JSON patch that tests the resourceVersion, so that labels, annotations
   (`projectcalico.org/metadata` above all) and whatever else others wrote stay as they are.
3. A lost race reads again and plans again.

Networks that lie in a set of others with our label are denied by that one, and left out of ours.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from logwatch.blacklist import (
    MOST,
    SET_LABEL,
    SET_PREFIX,
    Enforced,
    NetworkError,
    Span,
    Spans,
    disjoint,
    outside,
    set_document,
)
from logwatch.cluster.api import Api
from logwatch.cluster.cache import Cache, Pace
from logwatch.cluster.calico import STORED_METADATA, Calico
from logwatch.cluster.errors import ClusterError, Conflict, Forbidden, Invalid, NotFound, NotServed
from logwatch.cluster.kind import Kind
from logwatch.cluster.set_object import SetObject, decoder, operations, shard_of
from logwatch.cluster.shards import Change, Shard, changes
from logwatch.cluster.writer import ATTEMPTS, Fence, Tally, Written, accepted

PLURAL = "globalnetworksets"
PACE = Pace()


class SetWriter:
    """A Writer (see there) of the shape `sets`. `on_change` is called when a set has changed."""

    def __init__(
        self,
        api: Api,
        calico: Calico,
        *,
        on_change: Callable[[], None] = lambda: None,
        pace: Pace = PACE,
    ) -> None:
        self._api = api
        self._calico = calico
        self._on_change = on_change
        self._pace = pace
        self._spans = Spans()
        self._cache: Cache[Shard] | None = None
        self._version = ""  # of the last write or list of ours: no older state is planned on
        self._left: dict[int, frozenset[str]] | None = None
        self._decided: tuple[str, ...] | None = None
        self._problem: str | None = None
        self._settled: tuple[object, ...] = ()  # what was asked for when all was right
        self._known: tuple[object, ...] = ()  # what `_enforced` was made of
        self._enforced = Enforced()

    def start(self) -> None:
        """Begin to watch; what fails is told by the next write."""
        try:
            self._follow()
        except ClusterError as error:
            self._problem = str(error)

    def stop(self) -> None:
        """End the watch."""
        if self._cache is not None:
            self._cache.stop()
            self._cache = None

    def forget(self) -> None:
        """Forget what this process left: another one may have written since."""
        self._left = None
        self._settled = ()

    @property
    def problem(self) -> str | None:
        """What the last write couldn't do, or why nothing is heard of the sets."""
        if self._problem is None and self._cache is not None:
            return self._cache.problem
        return self._problem

    def write(self, networks: Sequence[str], fence: Fence) -> Written:
        """Make our sets hold exactly `networks`, each once."""
        tally = Tally()
        try:
            cache = self._follow()
            asked = (tuple(networks), cache, cache.snapshot().generation, cache.problem)
            if asked == self._settled:
                return Written()
            self._settled = ()
            wanted = accepted(self._spans, networks, MOST["sets"], "sets", tally)
            self._decided = tuple(span.text for span in wanted)
            changed = self._write(cache, wanted, fence, tally)
            if not (changed or tally.problems or cache.problem):
                self._settled = asked
        except ClusterError as error:
            self._calico.note(error)
            tally.tell(str(error))
        self._problem = tally.problems[0] if tally.problems else None
        return tally.written()

    def enforced(self) -> Enforced:
        """Tell what the watched sets deny, ours and those of others."""
        if self._cache is None:
            return Enforced()
        snapshot = self._cache.snapshot()
        known = (self._cache, snapshot.generation, self._decided)
        if known != self._known:
            shards = [shard for shard in snapshot.objects.values() if shard.is_denied]
            ours = {text for shard in shards if shard.number is not None for text in shard.networks}
            decided = self._decided
            self._enforced = Enforced(
                own=tuple(text for text in decided if text in ours)
                if decided is not None
                else _texts(_spans(ours)),
                other=_texts(_theirs(shards)),
            )
            self._known = known
        return self._enforced

    def _write(
        self, cache: Cache[Shard], wanted: Sequence[Span], fence: Fence, tally: Tally
    ) -> bool:
        """Bring our sets to what is wanted; False where they are so already."""
        kind = cache.kind
        is_ready = False
        for attempt in range(ATTEMPTS):
            shards = self._read(cache, anew=attempt > 0)
            theirs = _theirs(shard for shard in shards if shard.is_denied)
            ours = {shard.number: shard for shard in shards if shard.number is not None}
            texts = [span.text for span in outside(wanted, theirs)]
            plan = changes(ours, texts, self._left)
            if plan and not is_ready:
                self._calico.require_ready()
                is_ready = True
            refused: set[int] = set()
            try:
                for change in plan:
                    fence()
                    try:
                        self._carry_out(kind, change, tally)
                    except (Forbidden, Invalid) as error:  # which keeps back no other set
                        tally.tell(str(error))
                        refused.add(change.number)
            except (Conflict, NotFound) as error:  # changed meanwhile, or deleted
                if isinstance(error, NotServed):
                    raise
                continue
            left = {number: shard.members for number, shard in ours.items()}
            left |= {change.number: frozenset(change.networks) for change in plan}
            self._left = {
                number: inside for number, inside in left.items() if number not in refused
            }
            return bool(plan) or attempt > 0
        raise Conflict(
            f"{kind} {SET_PREFIX}* were changed by somebody else {ATTEMPTS} times while they were"
            " to be written: besides people, only one program may write them"
        )

    def _carry_out(self, kind: Kind, change: Change, tally: Tally) -> None:
        shard = change.shard
        if shard is None:
            body = set_document(change.number, change.networks, kind.api_version)
            document = self._api.create(kind, body)
        else:
            patch = operations(shard, change.networks)
            document = self._api.json_patch(kind, shard.name, patch)
        written = shard_of(msgspec.convert(document, SetObject), kind)
        self._version = written.version
        if not written.is_denied:
            tally.tell(
                f"{kind} {written.name} is not denied: its annotation {STORED_METADATA} says"
                f" otherwise of the label {SET_LABEL}; set it to true there, with calicoctl"
            )
        if written.members != frozenset(change.networks):
            raise Invalid(
                f"{kind} {written.name} is kept otherwise than it was written: see what changes"
                " objects on their way into the API server"
            )
        tally.count(frozenset() if shard is None else shard.members, written.members)
        if change.drift is not None:
            tally.drift.append(change.drift)
        if self._left is not None:
            self._left[change.number] = written.members

    def _follow(self) -> Cache[Shard]:
        """Watch the sets of the group that is used now."""
        if self._cache is not None and self._cache.problem is not None:
            self._calico.forget()
        kind = self._calico.kind(PLURAL)
        if self._cache is None or self._cache.kind != kind:
            self.stop()
            self._left, self._version = None, ""
            self._cache = Cache(
                self._api, kind, decoder(kind), on_change=self._on_change, pace=self._pace
            )
            self._cache.start()
        return self._cache

    def _read(self, cache: Cache[Shard], *, anew: bool) -> list[Shard]:
        """Give all sets, not older than what we wrote last."""
        if not anew and cache.problem is None:
            reached = cache.reached  # first: the snapshot is of then or later
            snapshot = cache.snapshot()
            if snapshot.synced and is_reached(self._version, reached):
                return list(snapshot.objects.values())
        decode = decoder(cache.kind)
        shards: list[Shard] = []
        for page in self._api.pages(cache.kind):
            shards += [decode(item) for item in page.items]
            self._version = page.resource_version
        return shards


def is_reached(version: str, reached: str) -> bool:
    """Whether a watch has seen a write.

    The versions of one collection are numbers that grow, as Kubernetes guarantees from 1.35 on. If
    they are none, this says no, and the sets are listed.
    """
    if not version:
        return bool(reached)
    return version.isdecimal() and reached.isdecimal() and int(version) <= int(reached)


def _theirs(shards: Iterable[Shard]) -> list[Span]:
    """What denied sets of others hold; nothing of one that holds no network, as Felix drops it."""
    result: list[Span] = []
    for shard in shards:
        if shard.number is None and shard.is_denied:
            try:
                result += [Span.read(text) for text in shard.networks]
            except NetworkError:
                continue
    return result


def _spans(texts: Iterable[str]) -> Iterable[Span]:
    for text in texts:
        try:
            yield Span.read(text)
        except NetworkError:
            continue  # put in by somebody else; the next write takes it out


def _texts(spans: Iterable[Span]) -> tuple[str, ...]:
    return tuple(span.text for span in disjoint(spans))
