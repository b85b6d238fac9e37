"""The one configuration: typed, validated, from the command line and a file (`config.file`).

Nothing here reads the environment.
"""

from logwatch.config.values import (
    Brakes,
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
    "Brakes",
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
