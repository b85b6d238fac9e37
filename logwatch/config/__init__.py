"""The one configuration: typed, validated, from the command line and a file (`config.file`).

Nothing here reads the environment.
"""

from logwatch.config.values import (
    Config,
    ConfigError,
    Mode,
    Network,
    Prefix,
    Series,
    Verdict,
    check,
    split_address,
)

__all__ = [
    "Config",
    "ConfigError",
    "Mode",
    "Network",
    "Prefix",
    "Series",
    "Verdict",
    "check",
    "split_address",
]
