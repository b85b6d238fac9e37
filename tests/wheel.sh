#!/usr/bin/env bash
# Builds the wheel, installs it into an environment of its own, and runs it far from the sources.
set -euo pipefail
cd "$(dirname "$0")/.."

lines=$PWD/fixtures/scan/lines.log
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/maturin build --release --out "$work" >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
wheels=("$work"/*.whl)
case "${wheels[*]}" in
    "$work"/calico_logwatch-*-cp311-abi3-*linux*.whl) ;;
    *) echo "not one wheel for all Pythons from 3.11 on: ${wheels[*]}" >&2; exit 1 ;;
esac
.venv/bin/python -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "${wheels[0]}"
cd "$work"
"$work/venv/bin/logwatch" report "$lines" --format json --top 1 | grep -q '"packets": 144'
"$work/venv/bin/logwatch" report "$lines" --format html --top 9 | grep -q '<td class="number" data-v="144">144</td>'
"$work/venv/bin/logwatch" explain "$(head -n 1 "$lines")" | grep -q 'counted as 1 packet'
"$work/venv/bin/logwatch" rules explain | grep -q 'many-ports (default.rules:'
"$work/venv/bin/python" -c 'from logwatch.export.site import read_files; read_files()["vendor/uPlot.esm.js"]'
echo "$(basename "${wheels[0]}") works"
