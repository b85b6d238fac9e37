"""The one configuration: typed, validated, from the command line and a file (`config.file`).

Nothing here reads the environment.
"""

from logwatch.config.cluster import Cluster, Part
from logwatch.config.values import (
    BANS_MOST,
    Blacklist,
    Brakes,
    Config,
    ConfigError,
    Mode,
    Network,
    Prefix,
    Series,
    Shape,
    Verdict,
    check,
    split_address,
)
from logwatch.config.web import Web

__all__ = [
    "BANS_MOST",
    "Blacklist",
    "Brakes",
    "Cluster",
    "Config",
    "ConfigError",
    "Mode",
    "Network",
    "Part",
    "Prefix",
    "Series",
    "Shape",
    "Verdict",
    "Web",
    "check",
    "split_address",
]
