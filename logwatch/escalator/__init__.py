"""The escalator: what all nodes saw, judged as one, and Calico's policy as it decides.

Only the replica that holds the Lease decides and writes. What it decided is kept in BlacklistEntry
objects: another one goes on from there.
"""

from logwatch.escalator.counts import Requests
from logwatch.escalator.daemon import Escalator

__all__ = ["Escalator", "Requests"]
