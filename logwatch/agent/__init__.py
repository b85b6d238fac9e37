"""The node's daemon: joins the rooms, supervises them, stops cleanly; nothing else."""

from logwatch.agent.daemon import Agent, boot_id

__all__ = ["Agent", "boot_id"]
