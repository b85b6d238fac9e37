"""`logwatch escalator`: who decides for a cluster."""

import os
import secrets
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logwatch.cli.configuration import configured
from logwatch.cli.logs import set_up_logging


def run(path: Path | None, options: Mapping[str, Any]) -> None:
    """Run until SIGTERM or SIGINT; options that are given stand above the configuration file."""
    config = configured(path, options, "escalator")
    log = set_up_logging()
    from logwatch.audit import rules_in_force
    from logwatch.cluster import Api
    from logwatch.escalator import Escalator, Requests

    kubeconfig = config.cluster.kubeconfig
    requests = Requests()
    escalator = Escalator(
        config,
        rules_in_force(config.rules, log),
        Api.connect(None if kubeconfig is None else Path(kubeconfig), calls=requests.count),
        requests,
        identity=f"{os.environ.get('POD_NAME') or socket.gethostname()}-{secrets.token_hex(4)}",
        log=log,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # A handler runs between any two steps: it only sets.
        signal.signal(number, lambda *_: escalator.stop())
    escalator.run()
