#!/bin/bash
# Runs all tests, those of the cluster beside the others: either half mostly waits for real parts.
# Prints the output of the cluster's half when both have ended. BIN is where python is.
set -euo pipefail
cd "$(dirname "$0")/.."
cluster=(tests/cluster tests/deploy tests/escalator)
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT

# The shell has what it starts beside itself ignore SIGINT; some tests send it.
env --default-signal=INT "$BIN/python" -m pytest -p no:cacheprovider "${cluster[@]}" >"$printed" 2>&1 &
beside=$!
failed=0
"$BIN/python" -m pytest "${cluster[@]/#/--ignore=}" || failed=$?
echo "== tests of the cluster"
wait "$beside" || failed=$?
cat "$printed"
exit "$failed"
