"""Makes a PrometheusRule of rules.yaml: the operator takes rules only inside of an object."""

import sys
from pathlib import Path
from textwrap import indent

HEAD = """\
# Made of rules.yaml by `make generated`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: logwatch
  namespace: calico-logwatch
  labels:
    app.kubernetes.io/name: logwatch
spec:
"""


def main() -> None:
    """Write it to standard output."""
    _, groups, rest = Path(__file__).with_name("rules.yaml").read_text().partition("groups:\n")
    sys.stdout.write(HEAD + indent(groups + rest, "  "))


if __name__ == "__main__":
    main()
