"""The option `--prefix`, checked as the configuration's prefixes are."""

DEFAULT = "calico-packet"
"""`logwatch.config.Prefix().text`, without the 30 ms that the configuration takes to import."""


def prefix_texts(prefixes: list[str] | None) -> list[str]:
    """Return the texts; Calico's default where none is given. Raises ConfigError."""
    if not prefixes:
        return [DEFAULT]
    from logwatch.config import Config, ConfigError, Prefix, check

    config = Config(prefixes=tuple(Prefix(text=text) for text in prefixes))
    check(config, lambda _, problem: ConfigError(f"--prefix: {problem}"))
    return prefixes
