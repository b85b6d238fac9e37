"""Counts the packets that Calico denies, exports metrics, and escalates repeat offenders."""

from logwatch._core import __version__

__all__ = ["__version__"]
