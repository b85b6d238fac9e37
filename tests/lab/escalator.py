"""The real escalator as a process of its own, as its Pod runs it."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from lab.agent import RunningAgent
from lab.identity import Identity

CONFIGURATION = {"cluster": {"enabled": True}, "blacklist": {"shape": "sets"}}


class RunningEscalator(RunningAgent):
    """`logwatch escalator` as an identity, with everything it writes in one directory.

    `settings` stand beside those of deploy/, `options` are of the command line, and `through` is a
    command that starts it.
    """

    def __init__(
        self,
        directory: Path,
        identity: Identity,
        *options: str,
        cluster: Mapping[str, object] = MappingProxyType({}),
        through: Sequence[str] = (),
        **settings: object,
    ) -> None:
        super().__init__(directory, log=None)
        directory.mkdir(exist_ok=True)
        kubeconfig = identity.kubeconfig(directory / "kubeconfig")
        settings["cluster"] = {"enabled": True, "kubeconfig": str(kubeconfig), **cluster}
        configuration = directory / "escalator.yaml"
        configuration.write_text(json.dumps({**CONFIGURATION, **settings}))
        self._command = [
            *through,
            *(sys.executable, "-m", "logwatch", "escalator", "--config", str(configuration)),
            *("--state", str(directory / "state"), "--listen", "127.0.0.1:0"),
            *options,
        ]
