"""`logwatch policy`: the tutorial's policies as YAML, and a check of policies in files."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from logwatch.blacklist import NetworkError, Shape, parse_exact
from logwatch.blacklist.document import dump
from logwatch.blacklist.lint import Finding, is_checked, lint
from logwatch.blacklist.tutorial import (
    POLICIES,
    LoadBalancer,
    PolicyUsageError,
    Wanted,
    tutorial_documents,
)
from logwatch.cli.output import PROBLEMS_FOUND, write_out
from logwatch.errors import LogwatchError

Form = Literal["text", "json"]


class PolicyFileError(LogwatchError):
    """A file of policies that can't be read."""


def render(  # noqa: PLR0913 -- one for each option
    name: str,
    load_balancers: Sequence[str],
    clients: Sequence[str],
    selector: str,
    *,
    shape: Shape,
    logs: bool,
) -> None:
    """Write one policy as YAML, with its sets."""
    wanted = Wanted(
        tuple(map(LoadBalancer.parse, load_balancers)),
        tuple(_client(text) for text in clients),
        selector,
        shape,
        logs,
    )
    write_out("---\n".join(map(dump, tutorial_documents(name, wanted))))


def _client(text: str) -> Any:  # noqa: ANN401 -- a network
    try:
        return parse_exact(text)
    except NetworkError as error:
        raise PolicyUsageError(f"client {text!r}: {error}") from error


def show(output_format: Form) -> None:
    """List the policies that can be rendered."""
    if output_format == "json":
        entries = [
            {"name": name, "order": policy.order, "action": policy.action, "about": policy.about}
            for name, policy in POLICIES.items()
        ]
        write_out(json.dumps({"schema": 1, "policies": entries}, indent=2) + "\n")
        return
    write_out(
        "".join(
            f"{name:<20} {policy.order:>5}  {policy.action:<6} {policy.about}\n"
            for name, policy in POLICIES.items()
        )
    )


def check(paths: Sequence[str], output_format: Form) -> None:
    """Tell what is wrong with the policies in files; exits with 3 when something is."""
    findings = [(path, finding) for path in paths for finding in _findings(path)]
    if output_format == "json":
        entries = [{"file": path, **asdict(finding)} for path, finding in findings]
        write_out(json.dumps({"schema": 1, "findings": entries}, indent=2) + "\n")
    else:
        write_out(
            "".join(
                f"{path}: {finding.policy}: {finding.where}: {finding.level}: {finding.what};"
                f" {finding.remedy}\n"
                for path, finding in findings
            )
        )
    if any(finding.level == "problem" for _, finding in findings):
        sys.exit(PROBLEMS_FOUND)


def _findings(path: str) -> Iterator[Finding]:
    try:
        text = _bytes(path).decode()
        documents = list(YAML(typ="safe", pure=True).load_all(text))
    except OSError as error:
        raise PolicyFileError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyFileError(f"{path} is not text in UTF-8: {error.reason}") from error
    except YAMLError as error:
        raise PolicyFileError(f"{path} is not valid YAML: {str(error).splitlines()[0]}") from error
    objects = list(_objects(documents))
    if not any(map(is_checked, objects)):
        sys.stderr.write(f"logwatch: {path} holds no global network policy and no set\n")
    for each in objects:
        yield from lint(each)


def _objects(documents: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for document in documents:
        if isinstance(document, dict):
            items = document.get("items")
            objects = items if isinstance(items, list) else [document]
            yield from (each for each in objects if isinstance(each, dict))


def _bytes(path: str) -> bytes:
    if path != "-":
        return Path(path).read_bytes()
    if sys.stdin is None:
        raise PolicyFileError("standard input is closed; name a file of policies")
    return sys.stdin.buffer.read()
