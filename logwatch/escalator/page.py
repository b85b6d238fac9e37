"""What the escalator tells on its live page: the cluster, as the reports of its nodes tell it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from logwatch import __version__
from logwatch.blacklist import parse_network
from logwatch.cluster import NodeReport, entry_name
from logwatch.cluster import Snapshot as Cached
from logwatch.escalator.counted import ClusterCounts
from logwatch.escalator.nodes import nodes_of, silence
from logwatch.escalator.term import Term
from logwatch.export import Asked, EscalatorView, NotHereError
from logwatch.ledger import Snapshot
from logwatch.live import (
    Commands,
    Decided,
    Finding,
    History,
    Host,
    Known,
    Node,
    Questions,
    decision_findings,
    source_page,
    summary_page,
    target_of,
)
from logwatch.offenders import Ban
from logwatch.printable import printable

LATE = "the loop of the escalator does not come round: look at /healthz and the log"

Reports = Cached[NodeReport]


class EscalatorPage:
    """Shows what reports tell and what is decided. `turn` and `close` are the loop's."""

    def __init__(
        self,
        view: Callable[[], EscalatorView],
        reports: Callable[[], Iterable[NodeReport]],
        present: Callable[[], frozenset[str] | None],
        problems: Callable[[], Mapping[str, str]],
        wake: Callable[[], object],
    ) -> None:
        """`problems` are sentences by part, `present` all nodes, None where they are not known.

        Any thread may ask for these, and for reports.
        """
        self._host = Host("escalator", __version__, time.time())
        self._view = view
        self._reports = reports
        self._present = present
        self._problems = problems
        self._counts = ClusterCounts()
        self._history = History(Snapshot(), time.monotonic())
        self._seen: Reports | None = None
        self._questions = Questions(wake, LATE)
        self._term: Term | None = None

    def turn(self, term: Term | None, reports: Reports) -> None:
        """Sum up what nodes counted, and answer what was asked.

        By the term of this replica; None while another one leads.
        """
        self._term = term
        if reports.synced and reports is not self._seen:
            self._counts.see(reports.objects.values())
            if self._seen is None:  # what was counted before is no growth
                self._history = History(self._shown().snapshot, time.monotonic())
            self._seen = reports
        self._history.see(self._shown().snapshot, time.monotonic())
        self._questions.answer()

    def close(self) -> None:
        """Answer no more."""
        self._questions.close()

    def summary(self, asked: Asked) -> bytes:
        """Give the summary."""
        view = self._shown()
        nodes = nodes_of(self._reports(), self._present(), time.time())
        return summary_page(
            self._host,
            view,
            self._history,
            asked,
            decide=lambda sources: self._questions.ask(lambda: self._decided(asked, sources)),
            findings=self._findings(view, nodes),
            nodes=nodes,
            undo=lambda ban: commands_of(ban).undo or "",
        )

    def source(self, address: str) -> bytes | None:
        """Give what is known of one source, by the leader. Raises NotHereError."""
        network = target_of(address)
        known: Known | None = self._questions.ask(
            lambda: None if self._term is None else self._term.known(network, time.time())
        )
        if known is None:
            raise NotHereError(
                "another replica decides, and it alone knows sources: ask the Service again, or see"
                " the Lease logwatch-escalator"
            )
        return source_page(
            address,
            self._shown(),
            self._history,
            known,
            commands_of(known.ban, network=known.explained.cidr),
            nodes=self._counts.nodes(parse_network(address)),
        )

    def _shown(self) -> EscalatorView:
        """Give the view with what nodes counted, as an agent has it."""
        view = self._view()
        snapshot = Snapshot(view.snapshot.counters, self._counts.snapshot.families)
        return replace(view, snapshot=snapshot, sources=view.tracked)

    def _decided(self, asked: Asked, sources: Sequence[str]) -> Decided:
        if self._term is None:
            return Decided()
        return self._term.decided(asked, sources, time.time())

    def _findings(self, view: EscalatorView, nodes: Sequence[Node]) -> Iterator[Finding]:
        for part, text in self._problems().items():
            yield Finding("problem", part, printable(text))
        if not view.leader:
            yield Finding(
                "warning",
                "leader",
                "another replica decides, or none does: ask the Service, or see the Lease"
                " logwatch-escalator; who is banned is known to the leader alone",
            )
        yield from decision_findings(view)
        if self._seen is not None:
            yield from silence(nodes)
        if left_out := self._history.lately(view.snapshot, "left_out_reports"):
            yield Finding(
                "warning",
                "reports",
                f"in the last hour damaged reports of nodes were left out {left_out:,} times: the"
                " log says of which nodes and why",
            )
        if drift := self._history.lately(view.snapshot, "drift"):
            yield Finding(
                "warning",
                "drift",
                f"in the last hour somebody changed what logwatch keeps in Calico {drift:,} times,"
                " and it was put right: the log names the objects, the API server's audit log who",
            )


def commands_of(ban: Ban | None, *, network: str = "") -> Commands:
    """Give the commands of a cluster's administrator."""
    target = network if ban is None else ban.network
    name = entry_name(target)
    return Commands(
        ban=f"kubectl apply -f - <<< '{{apiVersion: calico-logwatch.io/v1alpha1, kind:"
        f' BlacklistEntry, metadata: {{name: {name}}}, spec: {{cidr: {target}, reason: "..."}}}}\'',
        undo=None if ban is None else f"kubectl delete blacklistentry {name}",
        why=f"kubectl get blacklistentry {name} --output yaml",
    )
