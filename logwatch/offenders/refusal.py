"""Why an offender is not banned: for good, or for now."""

from dataclasses import dataclass
from typing import Literal, get_args

from logwatch.offenders.brakes import Hold
from logwatch.offenders.protected import Kind

RefusalReason = Kind | Literal["too wide", "past"] | Hold
"""A kind of protection; `too wide`; `past`, the ban would have ended before now; or the brake that
holds the ban back, which is decided later if the source offends on."""

HOLDS: tuple[str, ...] = get_args(Hold)

REFUSALS: tuple[str, ...] = (*get_args(Kind), "too wide", "past", *HOLDS)
"""All reasons for which an offender may not be banned."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an offender is not banned."""

    reason: RefusalReason
    """For metrics."""
    text: str
    """For people."""

    @property
    def is_held(self) -> bool:
        """Whether a brake holds the ban back, and the source waits for its turn."""
        return self.reason in HOLDS
