"""The configuration from a YAML file.

An error names the key, the value and the line. A door of its own: the command line alone needs no
YAML, and its library takes longer to import than a short log takes to count.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from logwatch.config.cluster import Cluster, Part
from logwatch.config.values import (
    Blacklist,
    Brakes,
    Config,
    ConfigError,
    InputKind,
    Mode,
    Prefix,
    Series,
    Shape,
    Verdict,
    check,
    wrong_option,
)
from logwatch.config.web import Web

_FILE_MOST = 1 << 20


NOTHING: Mapping[str, str] = MappingProxyType({})


def load(
    path: Path,
    options: Mapping[str, Any] | None = None,
    *,
    part: Part | None = None,
    environment: Mapping[str, str] = NOTHING,
) -> Config:
    """Read a configuration file; `options` of the command line stand above it.

    `part` is who is to run by it, `environment` where the file is silent on what a Pod is told so.
    Raises ConfigError: no such file, not YAML, unknown key, wrong value.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_MOST + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"can't read the configuration {path}: {reason}") from None
    if len(data) > _FILE_MOST:
        raise ConfigError(f"{path} is larger than 1 MiB: that is no configuration")
    return parse(data, str(path), options, part=part, environment=environment)


def parse(
    data: bytes,
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    part: Part | None = None,
    environment: Mapping[str, str] = NOTHING,
) -> Config:
    """Read a configuration from YAML; `name` is what errors call it. The rest is as for `load`."""
    try:
        tree = YAML(typ="rt").load(data)
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        line = ""
        if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
            line = f", line {error.problem_mark.line + 1}"
        raise ConfigError(f"{name}{line}: not YAML ({_first_line(error)})") from None
    if tree is None:
        tree = CommentedMap()
    if not isinstance(tree, CommentedMap):
        raise ConfigError(f"{name}: the configuration is a mapping of keys such as `mode: observe`")
    return Reader(name, tree).config(options or {}, part, environment)


def _first_line(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return str(problem)


class Reader:
    """One file on its way to a `Config`: knows at which line each key stands."""

    def __init__(self, name: str, tree: CommentedMap) -> None:
        self._name = name
        self._tree = tree

    def config(
        self, options: Mapping[str, Any], part: Part | None, environment: Mapping[str, str]
    ) -> Config:
        """Convert, put the options above it, and check everything."""
        values = self._plain(self._tree)
        try:
            config = msgspec.convert(values, Config)
        except msgspec.ValidationError as error:
            raise self._explained(error) from None
        cluster = config.cluster.at(environment)
        return check(
            msgspec.structs.replace(config, **{"cluster": cluster, **options}),
            lambda keys, problem: (
                wrong_option(keys, problem) if keys[0] in options else self._located(keys, problem)
            ),
            named={*values, *options},
            part=part,
        )

    def _plain(self, node: Any) -> Any:  # noqa: ANN401 - any YAML
        if isinstance(node, Mapping):
            return {str(key): self._plain(value) for key, value in node.items()}
        if isinstance(node, Sequence) and not isinstance(node, str | bytes):
            return [self._plain(value) for value in node]
        # A value with a tag of its own, such as !secret, is its text.
        return node.value if isinstance(node, TaggedScalar) else node

    def _located(self, keys: tuple[str | int, ...], problem: str) -> ConfigError:
        """Make the error of a key, with the line where it stands."""
        node: Any = self._tree
        line = None
        for key in keys:
            if isinstance(node, CommentedMap) and key in node:
                line, node = node.lc.key(key)[0], node[key]
            elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
                line, node = node.lc.item(key)[0], node[key]
            else:
                break
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
        where = self._name if line is None else f"{self._name}, line {line + 1}"
        return ConfigError(f"{where}: {path.removeprefix('.')}: {problem}")

    def _explained(self, error: msgspec.ValidationError) -> ConfigError:
        text, _, path = str(error).partition(" - at `$")
        keys: list[str | int] = [
            int(index) if index else name
            for name, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", path)
        ]
        unknown = re.search(r"unknown field `(.*)`", text)
        if unknown:
            keys.append(unknown[1])
            known = ", ".join(sorted(_fields_at(tuple(keys[:-1]))))
            return self._located(tuple(keys), f"unknown key; known here: {known}")
        value = self._value(keys)
        return self._located(tuple(keys), f"{value!r}: {_in_words(text, tuple(keys))}")

    def _value(self, keys: Sequence[str | int]) -> object:
        node: Any = self._tree
        for key in keys:
            try:
                node = node[key]
            except (KeyError, IndexError, TypeError):
                return None
        return self._plain(node)


def _in_words(text: str, keys: tuple[str | int, ...]) -> str:
    """What msgspec says of a wrong value, with what would be right."""
    choices = {
        "input": get_args(InputKind),
        "mode": get_args(Mode),
        "shape": get_args(Shape),
        "verdict": get_args(Verdict),
        "start": ("start", "end"),
    }
    names = [key for key in keys if isinstance(key, str)]
    if text.startswith("Invalid enum value") and names and names[-1] in choices:
        return f"is none of {', '.join(choices[names[-1]])}"
    found = re.fullmatch(r"Expected `(.+)`, got `(.+)`", text)
    if not found:
        return f"{text[:1].lower()}{text[1:]}"
    kinds = {"array": "a list such as [a, b]", "object": "a mapping such as {key: value}"}
    kinds |= {"str": "a text", "int": "a whole number", "bool": "true or false", "null": "null"}
    wanted = " or ".join(kinds.get(kind.strip(), kind) for kind in found[1].split("|"))
    return f"has to be {wanted}"


def _fields_at(keys: tuple[str | int, ...]) -> tuple[str, ...]:
    places: dict[tuple[str, ...], type[msgspec.Struct]] = {
        (): Config,
        ("blacklist",): Blacklist,
        ("brakes",): Brakes,
        ("cluster",): Cluster,
        ("series",): Series,
        ("prefixes",): Prefix,
        ("web",): Web,
    }
    names = tuple(key for key in keys if isinstance(key, str))
    return places[names].__struct_fields__ if names in places else ()
