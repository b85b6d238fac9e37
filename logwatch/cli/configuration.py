"""The configuration of a daemon: a file, and above it what its command line says."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from logwatch.config import Config, Part, check


def configured(path: Path | None, options: Mapping[str, Any], part: Part) -> Config:
    """Read and check it; without a file all else is as it comes. Raises ConfigError."""
    given = {key: value for key, value in options.items() if value is not None}
    if path is None:
        return check(msgspec.structs.replace(Config(), **given), named=given, part=part)
    from logwatch.config.file import load

    return load(path, given, part=part, environment=os.environ)
