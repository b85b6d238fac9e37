"""The one configuration: typed, validated, from the command line and a file (`config.file`).

Nothing here reads the environment.
"""

from logwatch.config.values import (
    Config,
    ConfigError,
    Mode,
    Network,
    Prefix,
    Rules,
    RuleSettings,
    Series,
    Verdict,
    check,
    parse_duration,
    split_address,
)

__all__ = [
    "Config",
    "ConfigError",
    "Mode",
    "Network",
    "Prefix",
    "RuleSettings",
    "Rules",
    "Series",
    "Verdict",
    "check",
    "parse_duration",
    "split_address",
]
